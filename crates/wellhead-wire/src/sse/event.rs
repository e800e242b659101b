//! One event, read in place.

use memchr::memchr2;
use std::borrow::Cow;

const BOM: &[u8] = b"\xef\xbb\xbf";

/// One event as it came. A run of comment lines between events counts as events without fields, one per line.
#[derive(Debug, Clone, Copy)]
pub struct Event<'a> {
    raw: &'a [u8],
    /// `raw` without the stream's byte order mark.
    text: &'a [u8],
    name: Option<&'a [u8]>,
    data: Option<&'a [u8]>,
    data_lines: usize,
    fields: usize,
}

impl<'a> Event<'a> {
    /// Reads the lines of one event, with or without the blank line at its end.
    pub fn parse(raw: &'a [u8]) -> Self {
        let mut event = Self { raw, text: raw, name: None, data: None, data_lines: 0, fields: 0 };
        for line in Lines(raw) {
            let Some((field, value)) = split(line) else { continue };
            event.fields += 1;
            match field {
                b"data" => {
                    event.data_lines += 1;
                    event.data.get_or_insert(value);
                }
                b"event" => event.name = Some(value),
                _ => {}
            }
        }
        event
    }

    /// Reads the first event of a stream, which a byte order mark may precede.
    pub fn parse_first(raw: &'a [u8]) -> Self {
        Self { raw, ..Self::parse(raw.strip_prefix(BOM).unwrap_or(raw)) }
    }

    /// Every byte of it, the blank line at its end included. If that ended in CR at the end of a chunk, an LF that
    /// comes with the next chunk is not part of this slice; the framer treats it like the event.
    pub const fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// The value of `event:`; of several the last.
    pub const fn event(&self) -> Option<&'a [u8]> {
        self.name
    }

    /// The data: borrowed if there is one `data:` line, joined by LF if there are more, `None` if there is none.
    pub fn data(&self) -> Option<Cow<'a, [u8]>> {
        let first = self.data?;
        if self.data_lines == 1 {
            return Some(Cow::Borrowed(first));
        }
        let lines: Vec<&[u8]> = Lines(self.text)
            .filter_map(split)
            .filter(|(field, _)| *field == b"data")
            .map(|(_, value)| value)
            .collect();
        Some(Cow::Owned(lines.join(&b'\n')))
    }

    /// Appends the event with other data in the place of its own; every other byte stays. Data on several lines becomes one.
    pub(crate) fn write_with(&self, data: &[u8], out: &mut Vec<u8>) {
        if let (Some(own), 1) = (self.data, self.data_lines)
            && let Some(start) = own.as_ptr().addr().checked_sub(self.raw.as_ptr().addr())
            && let (Some(before), Some(after)) = (self.raw.get(..start), self.raw.get(start + own.len()..))
        {
            out.extend_from_slice(before);
            out.extend_from_slice(data);
            out.extend_from_slice(after);
            return;
        }
        if let Some(name) = self.name {
            out.extend_from_slice(b"event: ");
            out.extend_from_slice(name);
            out.push(b'\n');
        }
        out.extend_from_slice(b"data: ");
        // In JSON a line end is white space.
        out.extend(data.iter().map(|byte| if *byte == b'\n' { b' ' } else { *byte }));
        out.extend_from_slice(b"\n\n");
    }

    /// Whether there is nothing in it that a client would see: only comments or a blank line.
    pub const fn is_comment_only(&self) -> bool {
        self.fields == 0
    }
}

/// Field name and value of a line; `None` for comments and blank lines.
fn split(line: &[u8]) -> Option<(&[u8], &[u8])> {
    match memchr::memchr(b':', line) {
        Some(0) => None,
        Some(colon) => {
            let value = &line[colon + 1..];
            Some((&line[..colon], value.strip_prefix(b" ").unwrap_or(value)))
        }
        None if line.is_empty() => None,
        None => Some((line, b"")),
    }
}

/// Lines without their ends, which are LF, CR or CRLF.
struct Lines<'a>(&'a [u8]);

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.0.is_empty() {
            return None;
        }
        let Some(end) = memchr2(b'\n', b'\r', self.0) else { return Some(std::mem::take(&mut self.0)) };
        let line = &self.0[..end];
        let crlf = self.0[end] == b'\r' && self.0.get(end + 1) == Some(&b'\n');
        self.0 = &self.0[end + 1 + usize::from(crlf)..];
        Some(line)
    }
}
