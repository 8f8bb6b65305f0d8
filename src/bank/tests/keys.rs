//! A line has the same key in every file that it comes in.

use crate::{
    camt053::{GERMAN, NORDIC, SWISS},
    mt940,
};
use std::collections::BTreeSet;
use weft_bank::{LineKey, read};

fn keys(file: &str) -> Vec<LineKey> {
    read(file.as_bytes())
        .unwrap()
        .iter()
        .flat_map(|statement| statement.lines.iter().map(|line| line.key))
        .collect()
}

#[test]
fn keys_are_all_different() {
    let all: Vec<LineKey> = [GERMAN, SWISS, NORDIC, mt940::GERMAN, mt940::DUTCH, mt940::PAGES]
        .into_iter()
        .flat_map(keys)
        .collect();
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
}

#[test]
fn two_camt_files_that_overlap_give_the_same_keys() {
    // The bank tells more of it by then, and its statement has a new name, number and version.
    let later = GERMAN
        .replace("camt.053.001.02", "camt.053.001.08")
        .replace("0352C5320241231220411", "0352C5320250131220411")
        .replace("<ElctrncSeqNb>130", "<ElctrncSeqNb>131")
        .replace("GUTSCHRIFT", "ÜBERWEISUNG")
        .replace("Carol Example", "Carol E. Example")
        .replace("<Ntry>", "<Ntry><NtryRef>7</NtryRef>")
        .replace("<Sts>PDNG</Sts>", "<Sts>BOOK</Sts><BookgDt><Dt>2025-01-31</Dt></BookgDt>")
        .replace(">1056.50<", ">1155.50<");
    let (before, after) = (keys(GERMAN), keys(&later));
    assert_eq!((before.len(), after.len()), (5, 6));
    assert_eq!(before, after[..5]);
}

#[test]
fn two_swift_files_that_overlap_give_the_same_keys() {
    // A day more, and the name of the second day's statement.
    let later = mt940::GERMAN.replace("STARTUMSE", "STARTUMSE2").replace(
        ":62F:C241231EUR996,50\n:64:C241231EUR996,50",
        ":61:250102C1,NTRFNONREF\n:62F:C250102EUR997,50",
    );
    let (before, after) = (keys(mt940::GERMAN), keys(&later));
    assert_eq!((before.len(), after.len()), (3, 4));
    assert_eq!(before, after[..3]);
    // Pages in one file or in two, where no lines of them are alike.
    let (first, second) = mt940::PAGES.split_at(mt940::PAGES.rfind("ABNANL2A\n940").unwrap());
    assert_eq!([keys(first), keys(second)].concat(), keys(mt940::PAGES));
}

#[test]
fn what_is_another_payment_has_another_key() {
    let before = keys(GERMAN);
    for (from, to) in [
        (
            "DE89370400440532013000</IBAN></Id>\n        <Ccy>",
            "DE89370400440532013001</IBAN></Id>\n        <Ccy>",
        ),
        ("<AcctSvcrRef>2024123112345678000", "<AcctSvcrRef>2024123112345678001"),
        ("<BookgDt><Dt>2024-12-31", "<BookgDt><Dt>2024-12-30"),
    ] {
        assert!(GERMAN.contains(from), "{from}");
        assert_ne!(keys(&GERMAN.replacen(from, to, 1))[0], before[0], "{from}");
    }
    let other = GERMAN.replace("ENTGELTABSCHLUSS", "ENTGELT");
    assert_ne!(keys(&other)[1], before[1], "without a reference of the bank, what it says counts");
}

/// What nodes have imported is known by these: a change to them imports everything again.
#[test]
fn keys_stay_what_they_are() {
    assert_eq!(keys(GERMAN)[0].to_string(), "1e2aaa46080119cb15dc999620180a61");
    assert_eq!(keys(GERMAN)[1].to_string(), "46739ce75e819c2ec06bda80ee633fa4");
    assert_eq!(keys(mt940::GERMAN)[0].to_string(), "41a1190f75cd72b042e32ec2a6cb7adb");
    assert_eq!(keys(mt940::GERMAN)[1].to_string(), "5c3a5b6f1ba8e8738f70b13a7bde3370");
}
