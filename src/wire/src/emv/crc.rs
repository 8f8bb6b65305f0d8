//! The checksum of a code: CRC-16 with polynomial 0x1021 and initial value 0xFFFF (EMVCo MPM 4.7.3.1, ISO/IEC 13239), which
//! catalogues call CRC-16/IBM-3740 or CCITT-FALSE.

use crc::{CRC_16_IBM_3740, Crc, NoTable};

/// Bit by bit: a code has at most a few hundred bytes, and a browser need not load a table for them.
const CODE: Crc<u16, NoTable> = Crc::<u16, NoTable>::new(&CRC_16_IBM_3740);

/// Of the UTF-8 bytes of a text. It finds a changed character always, and an intention never.
pub(crate) fn checksum(text: &str) -> u16 {
    CODE.checksum(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_value_of_the_catalogue() {
        assert_eq!(checksum("123456789"), 0x29b1);
        assert_eq!(checksum(""), 0xffff);
    }
}
