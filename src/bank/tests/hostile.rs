//! Files that were cut off, damaged or made to hurt.

use crate::{
    camt053::{GERMAN, NORDIC, SWISS},
    mt940,
};
use proptest::prelude::*;
use weft_bank::{BankError, FILE_BYTES_MAX, detect, read};

const SAMPLES: [&str; 6] = [GERMAN, SWISS, NORDIC, mt940::GERMAN, mt940::DUTCH, mt940::PAGES];

#[test]
fn what_is_no_file_of_a_bank_is_unknown() {
    for bytes in [
        &b""[..],
        b"\xef\xbb\xbf",
        b"<html/>",
        b"%PDF-1.7",
        b"Date;Amount\n2024-01-01;5\n",
        b"PK\x03\x04",
        &[0; 64],
    ] {
        assert_eq!((detect(bytes), read(bytes)), (None, Err(BankError::UnknownFormat)));
    }
    let other = GERMAN.replace("camt.053", "camt.052");
    assert_eq!(read(other.as_bytes()), Err(BankError::UnknownFormat));
}

#[test]
fn a_file_has_a_bound() {
    let mut file = GERMAN.as_bytes().to_vec();
    file.resize(FILE_BYTES_MAX, b'\n');
    assert_eq!(read(&file), read(GERMAN.as_bytes()));
    file.push(b'\n');
    assert_eq!(read(&file), Err(BankError::TooLarge(FILE_BYTES_MAX + 1)));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn a_file_that_was_cut_off_is_refused(which in 0..SAMPLES.len(), at: prop::sample::Index) {
        let sample = SAMPLES[which].trim_end().as_bytes();
        let cut = &sample[..at.index(sample.len())];
        // MT940 has no end of its own: what stands before the cut may be whole statements, or less of what is not counted.
        let whole = read(sample).unwrap();
        for (cut, whole) in read(cut).into_iter().flatten().zip(&whole) {
            prop_assert_eq!(cut.format, weft_bank::Format::Mt940);
            prop_assert!(cut.is_proved() && whole.lines.starts_with(&cut.lines));
        }
    }

    #[test]
    fn a_damaged_file_does_no_harm(
        which in 0..SAMPLES.len(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4_usize), 1..6),
    ) {
        let mut bytes = SAMPLES[which].as_bytes().to_vec();
        for (at, byte, gone) in damage {
            let at = at.index(bytes.len());
            let end = (at + gone).min(bytes.len());
            bytes.splice(at..end, [byte]);
        }
        // What is still read still adds up.
        for statement in read(&bytes).into_iter().flatten().filter(weft_bank::Statement::is_proved) {
            let sum: i64 = statement.lines.iter().map(|line| line.amount_minor).sum();
            prop_assert_eq!(statement.opening.unwrap().amount_minor + sum, statement.closing.unwrap().amount_minor);
        }
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = read(&bytes);
        let _ = read(&[b":20:1\n:25:1\n:28C:1\n:60F:C241231EUR0,\n:61:241231C0,NTRF\n:86:", &bytes[..]].concat());
        let _ = read(&[b"<Document xmlns='urn:iso:std:iso:20022:tech:xsd:camt.053.001.08'>", &bytes[..]].concat());
    }

    /// Marks of all kinds, in the order in which nobody meant them.
    #[test]
    fn no_details_panic(
        details in prop::collection::vec("[0-9]{3}\\?|\\?[0-9]{2}|/[A-Z]{4}/|/EREF/|/REMI/|/CNTP/|STRD/|SVWZ\\+|EREF\\+|\n|ä|[ -~]", 0..40)
    ) {
        let file = mt940::GERMAN.replacen("808?00ENTGELTABSCHLUSS?109301?34000", &details.concat(), 1);
        let _ = read(file.as_bytes());
    }
}
