//! CRC32Cs of any part of some bytes, at the same small cost for a long part as for a short one.
//!
//! A CRC is linear: that of `a ‖ b` is the CRC of `a`, moved on by as many zero bytes as `b` has, XOR the CRC of `b`
//! (zlib's `crc32_combine`). Moving on by `n` bytes is a multiplication by `x^8n` modulo the polynomial. So with the CRC of
//! every prefix at hand, that of a part takes two multiplications.

/// CRC32C's polynomial, the lowest power in the highest bit, as the CRC itself has it.
const POLYNOMIAL: u32 = 0x82f6_3b78;
/// `x^0` in that order.
const ONE: u32 = 1 << 31;
/// How many powers are at hand in single steps; further ones in steps of as many bytes.
const STEP: usize = 4096;

/// The CRCs of all prefixes of some bytes.
pub(super) struct Sums {
    /// At `i`: of the first `i` bytes.
    prefixes: Vec<u32>,
    /// At `i`: `x^8i`, for `i` up to and with [`STEP`].
    near: Vec<u32>,
    /// At `i`: `x^(8 STEP i)`.
    far: Vec<u32>,
}

impl Sums {
    pub fn new(bytes: &[u8]) -> Sums {
        let next = |crc: &mut u32, byte: &u8| {
            *crc = crc32c::crc32c_append(*crc, std::slice::from_ref(byte));
            Some(*crc)
        };
        let prefixes = std::iter::once(0).chain(bytes.iter().scan(0, next)).collect();
        let near: Vec<u32> =
            std::iter::successors(Some(ONE), |power| Some(past_zero(*power))).take(STEP + 1).collect();
        let stride = near.last().copied().unwrap_or(ONE);
        let far = std::iter::successors(Some(ONE), |power| Some(times(*power, stride)))
            .take(bytes.len() / STEP + 1)
            .collect();
        Sums { prefixes, near, far }
    }

    /// The CRC of the bytes from `start` to `end`; none where there are no such bytes.
    pub fn of(&self, start: usize, end: usize) -> Option<u32> {
        let length = end.checked_sub(start)?;
        let power = times(*self.near.get(length % STEP)?, *self.far.get(length / STEP)?);
        Some(times(power, *self.prefixes.get(start)?) ^ self.prefixes.get(end)?)
    }
}

/// One zero byte further, without the inversions that a CRC begins and ends with.
fn past_zero(power: u32) -> u32 {
    !crc32c::crc32c_append(!power, &[0])
}

/// The product modulo the polynomial.
fn times(a: u32, b: u32) -> u32 {
    let (mut product, mut shifted) = (0, b);
    for bit in (0..32).rev() {
        product ^= shifted & 0_u32.wrapping_sub(a >> bit & 1);
        shifted = shifted >> 1 ^ POLYNOMIAL & 0_u32.wrapping_sub(shifted & 1);
    }
    product
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_of_a_part_is_its_crc() {
        let bytes: Vec<u8> = (0..3 * STEP + 5).map(|i| (i * i % 251) as u8).collect();
        let sums = Sums::new(&bytes);
        let places = [0, 1, 2, 31, STEP - 1, STEP, STEP + 1, 2 * STEP + 7, bytes.len()];
        for start in places {
            for end in places.into_iter().filter(|end| *end >= start) {
                assert_eq!(sums.of(start, end), Some(crc32c::crc32c(&bytes[start..end])), "{start}..{end}");
            }
        }
        assert_eq!(sums.of(2, 1), None);
        assert_eq!(sums.of(0, bytes.len() + 1), None);
    }
}
