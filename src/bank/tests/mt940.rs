//! MT940 of three banks, and what is wrong with a file in each case.

use crate::gist;
use weft_bank::{BankError, DateError, Format, MoneyError, MtError, Statement, StatementError, detect, read};

pub const GERMAN: &str = include_str!("samples/mt940_german.sta");
pub const DUTCH: &str = include_str!("samples/mt940_dutch.txt");
pub const PAGES: &str = include_str!("samples/mt940_pages.940");

fn gists(statement: &Statement) -> Vec<String> {
    statement.lines.iter().map(gist).collect()
}

/// What is wrong with a file once something in it is replaced, and in which line.
fn fault(file: &str, from: &str, to: &str) -> (u32, MtError) {
    assert!(file.contains(from), "{from}");
    match read(file.replacen(from, to, 1).as_bytes()) {
        Err(BankError::Mt940 { line, error }) => (line, error),
        other => panic!("{from} to {to}: {other:?}"),
    }
}

#[test]
fn a_german_file_is_read() {
    assert_eq!(detect(GERMAN.as_bytes()), Some(Format::Mt940));
    let statements = read(GERMAN.as_bytes()).unwrap();
    let [statement] = &statements[..] else { panic!("one statement") };
    assert_eq!((statement.id.as_str(), statement.number.as_deref()), ("STARTUMSE", Some("00000/001")));
    assert_eq!(statement.account.as_str(), "37040044/0532013000");
    assert!(statement.is_proved());
    assert_eq!(
        gists(statement),
        [
            "2024-12-31 2500 Alice Müller und Bob (AT611904300234573201): Aufladung: RF18 5390 0754 7034 viele Grüße Alice [\"RF18 5390 0754 7034\"]",
            "2024-12-31 -350 - (-): ENTGELTABSCHLUSS []",
            "2024-12-31 -2500 Erin Example (-): RUECKGABE []",
        ]
    );
    let first = &statement.lines[0];
    assert_eq!(first.valued.unwrap().to_string(), "2025-01-02");
    assert_eq!(first.references.bank.as_deref(), Some("2024123100001"));
    assert_eq!(first.references.end_to_end.as_deref(), Some("ALICE-25"));
    assert_eq!((first.references.transaction.as_deref(), first.code.as_deref()), (None, Some("N062+166")));
    assert!(statement.lines[2].reversal);
}

#[test]
fn a_dutch_file_in_its_envelope_is_read() {
    let statements = read(DUTCH.as_bytes()).unwrap();
    let [statement] = &statements[..] else { panic!("one statement") };
    assert_eq!(statement.account.as_str(), "NL91ABNA0417164300");
    assert_eq!(
        gists(statement),
        [
            "2024-12-31 2500 A. JANSEN (BE68539007547034): /TRCD/00100/ RF18 5390 0754 7034 opladen [\"RF18 5390 0754 7034\"]",
            "2024-12-31 -100 BOB (AT611904300234573201): /TRCD/00200/ STRD/CUR/RF45G72UUR [\"RF45 G72U UR\"]",
        ]
    );
    let references = &statement.lines[0].references;
    assert_eq!(references.end_to_end.as_deref(), Some("EV12341REP1231456T1234"));
    assert_eq!(
        (references.bank.as_deref(), references.transaction.as_deref()),
        (Some("14123100123456"), None)
    );
}

#[test]
fn pages_become_one_statement() {
    let statements = read(PAGES.as_bytes()).unwrap();
    let [euro, yen] = &statements[..] else { panic!("two statements") };
    assert_eq!((euro.opening.unwrap().amount_minor, euro.closing.unwrap().amount_minor), (-1_000, 9_500));
    assert_eq!(
        gists(euro),
        [
            "2025-01-01 10000 CAROL EXAMPLE (BE68539007547034): Sommerfest []",
            "2025-01-02 500 - (-): BEA NR:12345 TERUGBOEKING RF71 2348 231 [\"RF71 2348 231\"]",
        ]
    );
    assert_eq!(gists(yen), ["2025-01-01 5 - (-):  []"; 2]);
    assert_ne!(yen.lines[0].key, yen.lines[1].key);
    // A page by itself is a statement as well.
    let second = PAGES.split("-\nABNANL2A").nth(1).unwrap();
    assert_eq!(read(format!("ABNANL2A{second}").as_bytes()).unwrap()[0].opening.unwrap().amount_minor, 9_000);
}

#[test]
fn line_ends_and_encodings_are_read_as_they_come() {
    for file in [GERMAN, DUTCH, PAGES] {
        assert_eq!(read(file.replace('\n', "\r\n").as_bytes()), read(file.as_bytes()));
        assert_eq!(read(format!("\u{feff}{file}").as_bytes()), read(file.as_bytes()));
        assert_eq!(read(file.trim_end().as_bytes()), read(file.as_bytes()));
        let latin: Vec<u8> = file.chars().map(|c| u8::try_from(c).unwrap()).collect();
        assert_eq!(read(&latin), read(file.as_bytes()));
        let both = [file, file].concat();
        assert_eq!(read(both.as_bytes()).unwrap().len(), 2 * read(file.as_bytes()).unwrap().len());
        // Without the ends that some banks leave out, or with an envelope in one line.
        let envelope =
            "{1:F01BANKDEFFAXXX0000000000}{2:O9401200241231BANKDEFFAXXX00000000002412311200N}{4:\n";
        let wrapped =
            format!("{envelope}{}-}}{{5:{{CHK:0}}}}\n", file.trim_end().trim_end_matches(['-', '}']));
        assert_eq!(read(wrapped.as_bytes()), read(file.as_bytes()));
        let numbered = both
            .replace("\n-\n", "\n")
            .replace("\n:20:", "\n:940:\n:20:")
            .replace("ABNANL2A\n", "")
            .replace("\n940\n", "\n");
        assert_eq!(read(numbered.as_bytes()).unwrap().len(), 2 * read(file.as_bytes()).unwrap().len());
        let open = file.replace("\n-\n", "\n").replace("ABNANL2A\n940\n", "").replace("ABNANL2A\n", "");
        assert_eq!(read(open.as_bytes()), read(file.as_bytes()));
    }
}

#[test]
fn money_is_exact_or_the_file_is_refused() {
    use MtError::{Malformed, Money, OtherCurrency, PageGap, Statement as Sums};
    let unbalanced =
        |expected_minor, found_minor| Sums(StatementError::Unbalanced { expected_minor, found_minor });
    for (file, from, to, line, error) in [
        (GERMAN, "CR25,00", "CR26,00", 13, unbalanced(99_750, 99_650)),
        (GERMAN, "RCR25", "CR25", 13, unbalanced(104_650, 99_650)),
        (GERMAN, "CR25,00", "CR25,001", 5, Money(MoneyError::Decimals, "61")),
        (GERMAN, "CR25,00", "CR25.00", 5, Malformed("61")),
        (GERMAN, "CR25,00", "CR2500", 5, Malformed("61")),
        (GERMAN, "CR25,00", "CR,25", 5, Malformed("61")),
        (GERMAN, "CR25,00", "CR2,5,0", 5, Money(MoneyError::Syntax, "61")),
        (GERMAN, "CR25,00", "CR9999999999999999999,", 5, Money(MoneyError::TooLarge, "61")),
        (GERMAN, "CR25,00", "XR25,00", 5, Malformed("61")),
        (GERMAN, "CR25,00", "EC25,00", 5, Malformed("61")),
        (GERMAN, "N062", "X062", 5, Malformed("61")),
        (GERMAN, "N062NONREF//2024123100001", "N0", 5, Malformed("61")),
        (GERMAN, ":60F:C", ":60F:X", 4, Malformed("60F")),
        (GERMAN, ":60F:C241230EUR", ":60F:C241230EUX", 4, Money(MoneyError::Currency, "60F")),
        (GERMAN, ":62F:C241231EUR", ":62F:C241231USD", 12, OtherCurrency("62F")),
        (PAGES, ":60M:C250101EUR90,", ":60M:C250101EUR91,", 23, unbalanced(9_600, 9_500)),
    ] {
        let found = fault(file, from, to);
        // A sum is known at its end, or behind what follows it.
        assert_eq!((found.1, found.0.abs_diff(line) <= 1), (error, true), "{from} to {to}, line {}", found.0);
    }
    let gap =
        PAGES.replace(":60M:C250101EUR90,", ":60M:C250101EUR91,").replace("250102EUR95,", "250102EUR96,");
    let error = read(gap.as_bytes()).unwrap_err();
    let expected = PageGap { before_minor: 9_000, here_minor: 9_100 };
    assert!(matches!(error, BankError::Mt940 { error, .. } if error == expected), "{error}");
}

#[test]
fn fields_have_their_places() {
    use MtError::{Date, MessageType, Misplaced, Missing, Stray, UnknownTag};
    for (file, from, to, error) in [
        (GERMAN, ":20:STARTUMSE", ":20:", Missing("20")),
        (GERMAN, ":25:37040044/0532013000\n", "", Missing("25")),
        (GERMAN, ":25:37040044/0532013000", ":25: ", Missing("25")),
        (GERMAN, ":28C:00000/001\n", "", Missing("28C")),
        (GERMAN, ":60F:C241230EUR1000,00\n", "", Missing("60F")),
        (GERMAN, ":60F:C241230EUR1000,00", ":60F:", Missing("60F")),
        (GERMAN, ":62F:C241231EUR996,50\n:64:C241231EUR996,50\n", "", Missing("62F")),
        (GERMAN, ":62F:", ":63F:", Missing("62F")),
        (GERMAN, ":64:", ":90D:", UnknownTag),
        (GERMAN, ":64:", ":61:", Misplaced("61")),
        (GERMAN, ":64:", ":62F:", Misplaced("62F")),
        (GERMAN, ":64:", ":25:", Misplaced("64")),
        (GERMAN, ":61:2501021231CR25,00N062NONREF//2024123100001\n", "", Misplaced("86")),
        (GERMAN, "241230EUR1000", "241331EUR1000", Date(DateError, "60F")),
        (GERMAN, "2501021231", "2501321231", Date(DateError, "61")),
        (GERMAN, "2501021231", "2501020231", Date(DateError, "61")),
        (DUTCH, "I940", "I942", MessageType),
        (DUTCH, "{2:I940INGBNL2AXXXN}", "{2:}", MessageType),
        (DUTCH, "\n-}\n", "\n-}\n1\n2\n3\n4\n5\n", Stray),
        (DUTCH, "\n-}\n", "\n-}\n:86:late\n", Missing("20")),
    ] {
        assert_eq!(fault(file, from, to).1, error, "{from} to {to}");
    }
    let (line, error) = fault(GERMAN, ":61:2412311231DR3,50", ":61:2412321231DR3,50");
    assert_eq!((line, error), (9, Date(DateError, "61")));
}

#[test]
fn habits_of_banks_are_read() {
    for (from, to) in [
        // The marks of a transmission, lines of a bank's own, and no entry date.
        (":20:STARTUMSE", "\u{1}\r\n:20:STARTUMSE"),
        ("\n-\n", "\n-\u{3}\n"),
        (":60F:", ":NS:22Verein\n23Konto\n240,800\n:60F:"),
        ("2412311231DR3,50", "241231    DR3,50"),
        ("2412311231DR3,50", "241231D3,50"),
    ] {
        assert!(GERMAN.contains(from), "{from}");
        let file = GERMAN.replacen(from, to, 1);
        assert_eq!(
            gists(&read(file.as_bytes()).unwrap()[0]),
            gists(&read(GERMAN.as_bytes()).unwrap()[0]),
            "{to:?}"
        );
    }
    // A month of 30 days, and no code.
    let file = GERMAN.replacen("2412311231DR3,50N808", "2402300301DR3,50S   ", 1);
    let line = read(file.as_bytes()).unwrap()[0].lines[1].clone();
    assert_eq!(
        (line.valued.unwrap().to_string(), line.booked.to_string()),
        ("2024-02-29".into(), "2024-03-01".into())
    );
    assert_eq!(line.code.as_deref(), Some("S+808"));
}

#[test]
fn remittances_are_put_together_again() {
    for (details, text, end_to_end) in [
        ("?20EREF+7?21MTLG:Reject?22Konto zu", "MTLG:Reject Konto zu", Some("7")),
        ("?20EREF+0123456789012345678901?2123?22SVWZ+Miete", "Miete", Some("012345678901234567890123")),
        ("?20Miete ?21Mai?22EREF+8", "Miete Mai", Some("8")),
        (
            "?20SVWZ+Miete fuer die Wohnung?21en im Hof?22und Garten?60hinten",
            "Miete fuer die Wohnungen im Hof und Garten hinten",
            None,
        ),
        ("?20Miete ? 2?21?", "Miete ? 2 ?", None),
    ] {
        let file = GERMAN.replacen("?00ENTGELTABSCHLUSS?109301?34000", details, 1);
        let line = read(file.as_bytes()).unwrap()[0].lines[1].clone();
        assert_eq!(
            (line.text.as_str(), line.references.end_to_end.as_deref()),
            (text, end_to_end),
            "{details}"
        );
    }
}

#[test]
fn what_a_payer_writes_stays_text() {
    for text in [
        "?20",
        "166",
        "166?",
        "166?x",
        "166?2",
        "/EREF",
        "x /EREF/7",
        "/nope/7/",
        ":99:x",
        "::",
        "-x",
        "EREF+7",
    ] {
        let file = GERMAN.replacen("808?00ENTGELTABSCHLUSS?109301?34000", &format!("y {text}"), 1);
        let line = read(file.as_bytes()).unwrap()[0].lines[1].clone();
        assert_eq!((line.text, line.references.end_to_end), (format!("y {text}"), None));
    }
    for text in ["107,50 for March, RF18 5390 0754 7034", "100-20", "123.45", "166"] {
        let file = GERMAN.replacen("808?00ENTGELTABSCHLUSS?109301?34000", text, 1);
        assert_eq!(read(file.as_bytes()).unwrap()[0].lines[1].text, text);
    }
    // A line of it that looks like a tag which there is not.
    let file = PAGES.replace("RF71 2348 231", ":99:RF71 2348 231");
    assert!(read(file.as_bytes()).unwrap()[0].lines[1].text.ends_with(":99:RF71 2348 231"));
}

#[test]
fn files_have_bounds() {
    let long = format!(":86:{}\n:62F", "x".repeat(weft_bank::FIELD_BYTES_MAX + 1));
    assert_eq!(fault(GERMAN, ":62F", &long).1, MtError::FieldTooLong);
    let lines = format!(":86:{}:62F", "x\n".repeat(weft_bank::FIELD_BYTES_MAX));
    assert_eq!(fault(GERMAN, ":62F", &lines).1, MtError::FieldTooLong);
    assert_eq!(fault(GERMAN, ":62F", &format!("{}:62F", ":86:x\n".repeat(8))).1, MtError::Misplaced("86"));
    let entry = ":61:241231C0,NTRF\n";
    let most = GERMAN.replacen(":62F", &format!("{}:62F", entry.repeat(weft_bank::LINES_MAX - 3)), 1);
    assert_eq!(read(most.as_bytes()).unwrap()[0].lines.len(), weft_bank::LINES_MAX);
    let more = format!("{}:62F", entry.repeat(weft_bank::LINES_MAX - 2));
    assert_eq!(fault(GERMAN, ":62F", &more).1, MtError::TooManyLines);
    let empty = ":20:1\n:25:1\n:28C:1\n:60F:C241231EUR0,\n:62F:C241231EUR0,\n";
    assert_eq!(
        read(empty.repeat(weft_bank::STATEMENTS_MAX).as_bytes()).unwrap().len(),
        weft_bank::STATEMENTS_MAX
    );
    let more = empty.repeat(weft_bank::STATEMENTS_MAX + 1);
    assert_eq!(fault(&more, "1", "1").1, MtError::TooManyStatements);
}
