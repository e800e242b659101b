//! Pieces of JSON, written by hand into a buffer.
//!
//! A line's shape is known when the program is built, so its fixed text goes in as it is and only the values are made.
//! That takes a fifth of the instructions of a serializer that asks at run time what comes next; it runs for every
//! request. The caller answers for the fixed text making valid JSON with the values.

use std::time::Duration;

use crate::hex;

/// Appends to a buffer. Every method gives back the writer, so that a line reads as one chain.
pub(super) struct Json<'a>(pub(super) &'a mut Vec<u8>);

impl Json<'_> {
    /// Text that is JSON already: names, brackets, and values that have nothing to escape.
    pub(super) fn raw(&mut self, json: impl AsRef<[u8]>) -> &mut Self {
        self.0.extend_from_slice(json.as_ref());
        self
    }

    /// The inside of a string, escaped where it must be; the caller writes the quotes.
    pub(super) fn escaped(&mut self, text: &str) -> &mut Self {
        // Without an early end, for it to be done for many bytes at a time. Nearly no text has anything to escape.
        if text.bytes().fold(false, |found, byte| found | must_be_escaped(byte)) {
            escape(self.0, text);
            return self;
        }
        self.raw(text)
    }

    /// A string, or `null`.
    pub(super) fn text_or_null(&mut self, text: Option<&str>) -> &mut Self {
        match text {
            Some(text) => self.raw("\"").escaped(text).raw("\""),
            None => self.raw("null"),
        }
    }

    /// The lower-case hexadecimal digits of an id.
    pub(super) fn hex<const N: usize>(&mut self, id: &[u8; N]) -> &mut Self {
        hex::push(self.0, id);
        self
    }

    /// `true` or `false`.
    pub(super) fn boolean(&mut self, value: bool) -> &mut Self {
        self.raw(if value { "true" } else { "false" })
    }

    /// A whole number.
    pub(super) fn integer(&mut self, value: impl itoa::Integer) -> &mut Self {
        self.raw(itoa::Buffer::new().format(value))
    }

    /// Milliseconds with one to three decimals, cut off after the microsecond: `0.0`, `0.09`, `4062.481`.
    pub(super) fn millis(&mut self, value: Duration) -> &mut Self {
        let us = value.as_secs().saturating_mul(1_000_000).saturating_add(u64::from(value.subsec_micros()));
        let part = us % 1_000;
        let digit = |value: u64| b'0' + (value % 10) as u8;
        let decimals = [b'.', digit(part / 100), digit(part / 10), digit(part)];
        // A number always has one decimal and never a zero at its end after that.
        let shown = match decimals {
            [_, _, b'0', b'0'] => 2,
            [_, _, _, b'0'] => 3,
            _ => 4,
        };
        self.integer(us / 1_000).raw(&decimals[..shown])
    }

    /// As `millis`, or `null`.
    pub(super) fn millis_or_null(&mut self, value: Option<Duration>) -> &mut Self {
        match value {
            Some(value) => self.millis(value),
            None => self.raw("null"),
        }
    }
}

/// RFC 8259 section 7: quotation mark, reverse solidus and the control characters below U+0020; nothing else.
const fn must_be_escaped(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// Appends `text` with its escapes. All of what is escaped is ASCII, so that bytes of other characters pass untouched.
#[cold]
fn escape(to: &mut Vec<u8>, text: &str) {
    for byte in text.bytes() {
        let short = match byte {
            b'"' | b'\\' => byte,
            0x08 => b'b',
            0x0c => b'f',
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            0..0x20 => {
                to.extend_from_slice(b"\\u00");
                hex::push(to, &[byte]);
                continue;
            }
            _ => {
                to.push(byte);
                continue;
            }
        };
        to.extend_from_slice(&[b'\\', short]);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

    use super::*;
    use proptest::prelude::*;

    fn made(write: impl FnOnce(&mut Json<'_>)) -> String {
        let mut bytes = Vec::new();
        write(&mut Json(&mut bytes));
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn milliseconds_have_a_decimal_and_no_zeros_behind_it() {
        let table = [
            (0, "0.0"),
            (999, "0.0"),
            (1_000, "0.001"),
            (90_000, "0.09"),
            (100_000, "0.1"),
            (87_999, "0.087"),
            (1_000_000, "1.0"),
            (1_001_000, "1.001"),
            (4_062_481_000, "4062.481"),
            (812_000_000, "812.0"),
            (10_010_000_000, "10010.0"),
        ];
        for (ns, text) in table {
            assert_eq!(made(|json| _ = json.millis(Duration::from_nanos(ns))), text, "{ns}");
        }
        assert_eq!(made(|json| _ = json.millis(Duration::MAX)), "18446744073709551.615");
        assert_eq!(made(|json| _ = json.millis_or_null(None)), "null");
    }

    /// The forms that readers of older lines know: short where JSON has a short one, otherwise lower-case `\u00xx`.
    #[test]
    fn every_ascii_character_is_spelt_as_by_serde_json() {
        for character in '\0'..='\u{80}' {
            let text = format!("a{character}é");
            let expected = serde_json::to_string(&text).unwrap();
            assert_eq!(made(|json| _ = json.text_or_null(Some(&text))), expected, "{character:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_back(text in any::<String>()) {
            let json = made(|json| _ = json.text_or_null(Some(&text)));
            prop_assert!(json.bytes().all(|byte| byte >= 0x20), "{json:?}");
            prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        }

        /// Up to 31 years: fifteen digits, which floating point always gives back as they were.
        #[test]
        fn milliseconds_are_the_number_they_were(us in prop_oneof![0..10_000_u64, 0..1_000_000_000_000_000_u64]) {
            let expected = serde_json::to_string(&(us as f64 / 1_000.0)).unwrap();
            prop_assert_eq!(made(|json| _ = json.millis(Duration::from_micros(us))), expected);
        }
    }
}
