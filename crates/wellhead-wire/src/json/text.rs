//! JSON strings: reading escapes only where there are any, and writing them.

use std::borrow::Cow;
use std::ops::Range;

/// A string as it stands in the body; already checked by the cursor.
#[derive(Debug, Clone, Copy)]
pub struct Text<'a> {
    /// What stands between the quotes.
    inner: &'a str,
    start: usize,
    escaped: bool,
}

impl<'a> Text<'a> {
    #[inline]
    pub(super) const fn new(inner: &'a str, start: usize, escaped: bool) -> Self {
        Self { inner, start, escaped }
    }

    /// Where it lies in the text that it was read from, quotes included.
    pub const fn span(&self) -> Range<usize> {
        self.start..self.start + self.inner.len() + 2
    }

    /// Reads one JSON string with its quotes, for example the value of a [`super::Member`].
    /// `None` if the bytes are anything else.
    pub fn parse(value: &'a [u8]) -> Option<Self> {
        let mut cursor = super::Cursor::new(value).ok()?;
        let text = cursor.string_value().ok()??;
        cursor.end().ok()?;
        Some(text)
    }

    /// Whether the string is `""`.
    pub const fn is_empty(&self) -> bool {
        self.inner.is_empty()
    }

    /// Whether it means `expected`, whichever way it is escaped: `"mod\u0065l"` is `model`.
    #[inline]
    pub fn is(&self, expected: &str) -> bool {
        if self.escaped { self.unescape() == expected } else { self.inner == expected }
    }

    /// What it says. Borrowed unless it holds escapes.
    #[inline]
    pub fn decode(&self) -> Cow<'a, str> {
        if self.escaped { Cow::Owned(self.unescape()) } else { Cow::Borrowed(self.inner) }
    }

    /// What stands between the quotes, escapes and all.
    pub const fn escaped(&self) -> &'a str {
        self.inner
    }

    /// Appends what it says, without memory of its own.
    #[inline]
    pub fn push_to(&self, out: &mut String) {
        if self.escaped { self.push_unescaped(out) } else { out.push_str(self.inner) }
    }

    fn push_unescaped(&self, out: &mut String) {
        let mut rest = self.inner;
        while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
            let (plain, escape) = rest.split_at(at);
            out.push_str(plain);
            let (character, len) = read_escape(escape);
            out.push(character);
            rest = escape.get(len..).unwrap_or_default();
        }
        out.push_str(rest);
    }

    /// Where, in [`Self::escaped`], the character begins that stands behind `bytes` bytes of what it says.
    /// The end if there are no more; the next character if `bytes` falls into one.
    pub fn offset_of(&self, bytes: usize) -> usize {
        let (mut said, mut at) = (0, 0);
        while said < bytes {
            let rest = self.inner.get(at..).unwrap_or_default();
            let (character, len) = match rest.chars().next() {
                None => break,
                Some('\\') => read_escape(rest),
                Some(plain) => (plain, plain.len_utf8()),
            };
            said += character.len_utf8();
            at += len;
        }
        at.min(self.inner.len())
    }

    #[cold]
    fn unescape(&self) -> String {
        serde_json::from_str(&format!("\"{}\"", self.inner)).unwrap_or_default()
    }
}

/// The character that an escape at the start of `text` stands for, and how long the escape is. The cursor has checked it.
fn read_escape(text: &str) -> (char, usize) {
    let hex = |at: usize| text.get(at..at + 4).and_then(|digits| u32::from_str_radix(digits, 16).ok());
    let plain = match text.as_bytes().get(1) {
        Some(b'u') => {
            let high = hex(2).unwrap_or(0xfffd);
            if !(0xd800..0xdc00).contains(&high) {
                return (char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER), 6);
            }
            let low = hex(8).unwrap_or(0xdc00).wrapping_sub(0xdc00) & 0x3ff;
            let code = 0x1_0000 + ((high - 0xd800) << 10) + low;
            return (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 12);
        }
        Some(b'n') => '\n',
        Some(b't') => '\t',
        Some(b'r') => '\r',
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        // Quote, backslash and slash stand for themselves.
        Some(other) => char::from(*other),
        None => '\\',
    };
    (plain, 2)
}

/// Appends `text` as a JSON string with its quotes.
pub fn push_quoted(out: &mut Vec<u8>, text: &str) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.push(b'"');
    for &byte in text.as_bytes() {
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0..0x20 => {
                out.extend_from_slice(b"\\u00");
                out.push(HEX[usize::from(byte >> 4)]);
                out.push(HEX[usize::from(byte & 15)]);
            }
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}

/// `text` as a JSON string with its quotes.
pub fn quoted(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 2);
    push_quoted(&mut out, text);
    out
}
