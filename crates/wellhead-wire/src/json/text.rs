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

    #[cold]
    fn unescape(&self) -> String {
        serde_json::from_str(&format!("\"{}\"", self.inner)).unwrap_or_default()
    }
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
