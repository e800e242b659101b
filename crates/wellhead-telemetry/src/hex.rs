//! Ids as lower-case hexadecimal text.

use std::fmt::{self, Display, Write};

/// Shows bytes as two hexadecimal digits each.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hex<'a>(pub(crate) &'a [u8]);

impl Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: [char; 16] =
            ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
        for byte in self.0 {
            f.write_char(DIGITS[usize::from(byte >> 4)])?;
            f.write_char(DIGITS[usize::from(byte & 15)])?;
        }
        Ok(())
    }
}

/// Appends the digits of an id, for those who show many.
pub(crate) fn push<const N: usize>(to: &mut Vec<u8>, id: &[u8; N]) {
    const DIGITS: [u8; 16] = *b"0123456789abcdef";
    let digits = id.map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    to.extend_from_slice(digits.as_flattened());
}

#[cfg(test)]
mod tests {
    use super::{Hex, push};

    #[test]
    fn every_byte_has_its_two_digits() {
        for byte in 0..=u8::MAX {
            let mut pushed = b"id ".to_vec();
            push(&mut pushed, &[byte, !byte]);
            assert_eq!(pushed, format!("id {byte:02x}{:02x}", !byte).into_bytes());
            assert_eq!(Hex(&[byte, !byte]).to_string().as_bytes(), &pushed[3..]);
        }
    }
}
