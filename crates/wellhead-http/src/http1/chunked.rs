//! The chunked transfer coding (RFC 9112 section 7.1), read strictly: a lone line feed or a size that another reader
//! could take for a different number ends the answer.

use super::Malformed;

/// Extensions and trailers of one body. Nobody sends any; they are skipped.
const SKIPPED_BYTES_MAX: u32 = 16 * 1024;

/// Where in the coding the reader stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// In the digits of a size; how many there were.
    Size(u8),
    /// Spaces behind the size; only an extension or the line's end may follow.
    Padding,
    /// In the extensions.
    Extension,
    /// The line feed behind a size.
    SizeEnd,
    /// In the data of a chunk.
    Data,
    /// The carriage return behind the data.
    DataEnd,
    /// The line feed behind it.
    DataEnded,
    /// At the start of a trailer line, or of the empty line at the end.
    Trailer,
    /// Within a trailer line.
    TrailerLine,
    /// The line feed behind a trailer line.
    TrailerEnd,
    /// The very last line feed.
    Last,
    Done,
}

/// A reader of one chunked body.
#[derive(Debug, Clone)]
pub(super) struct Chunked {
    at: At,
    /// Left of the current chunk, or its size as far as it is known.
    left: u64,
    skipped_bytes: u32,
}

impl Chunked {
    pub(super) const fn new() -> Self {
        Self { at: At::Size(0), left: 0, skipped_bytes: 0 }
    }

    pub(super) fn is_done(&self) -> bool {
        self.at == At::Done
    }

    /// Takes the framing off `input` and appends what it held to `out`. Returns how much of `input` was used: less than
    /// all of it only at the body's end.
    pub(super) fn push(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<usize, Malformed> {
        let mut used = 0;
        while used < input.len() && self.at != At::Done {
            if self.at == At::Data {
                let rest = &input[used..];
                let take = usize::try_from(self.left).unwrap_or(usize::MAX).min(rest.len());
                out.extend_from_slice(&rest[..take]);
                self.left -= take as u64;
                used += take;
                if self.left == 0 {
                    self.at = At::DataEnd;
                }
                continue;
            }
            self.at = self.frame(input[used])?;
            used += 1;
        }
        Ok(used)
    }

    /// One byte of framing.
    fn frame(&mut self, byte: u8) -> Result<At, Malformed> {
        let wrong = |what| Err(Malformed::Chunk(what));
        match (self.at, byte) {
            (At::Size(digits), _) => self.size(digits, byte),
            (At::Padding | At::Extension, b'\r') => Ok(At::SizeEnd),
            (At::Padding, b' ' | b'\t') => self.skip(At::Padding),
            (At::Padding, b';') => self.skip(At::Extension),
            // A reader that leaves spaces out would take it for more digits.
            (At::Padding, _) => wrong("a chunk's size is followed by something else than an extension"),
            (At::Extension, b'\n') => wrong("a line feed alone behind a chunk's size"),
            (At::Extension, _) => self.skip(At::Extension),
            (At::SizeEnd, b'\n') if self.left == 0 => Ok(At::Trailer),
            (At::SizeEnd, b'\n') => Ok(At::Data),
            (At::SizeEnd, _) => wrong("no line feed behind a chunk's size"),
            (At::DataEnd, b'\r') => Ok(At::DataEnded),
            (At::DataEnded, b'\n') => {
                self.left = 0;
                Ok(At::Size(0))
            }
            (At::DataEnd | At::DataEnded, _) => wrong("a chunk longer than its size"),
            (At::Trailer, b'\r') => Ok(At::Last),
            (At::TrailerLine, b'\r') => Ok(At::TrailerEnd),
            (At::Trailer | At::TrailerLine, b'\n') => wrong("a line feed alone in the trailers"),
            (At::Trailer | At::TrailerLine, _) => self.skip(At::TrailerLine),
            (At::TrailerEnd, b'\n') => Ok(At::Trailer),
            (At::Last, b'\n') => Ok(At::Done),
            (At::TrailerEnd | At::Last, _) => wrong("no line feed behind a trailer"),
            (At::Data | At::Done, _) => Ok(self.at),
        }
    }

    fn size(&mut self, digits: u8, byte: u8) -> Result<At, Malformed> {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            b'A'..=b'F' => byte - b'A' + 10,
            b'\r' if digits > 0 => return Ok(At::SizeEnd),
            b' ' | b'\t' if digits > 0 => return self.skip(At::Padding),
            b';' if digits > 0 => return self.skip(At::Extension),
            _ => return Err(Malformed::Chunk("a chunk's size is not a hexadecimal number")),
        };
        // Sixteen digits fill 64 bits; more could only be zeros in front, which no server writes.
        if digits == 16 {
            return Err(Malformed::Chunk("a chunk's size is too large"));
        }
        self.left = self.left << 4 | u64::from(digit);
        Ok(At::Size(digits + 1))
    }

    fn skip(&mut self, next: At) -> Result<At, Malformed> {
        self.skipped_bytes += 1;
        if self.skipped_bytes > SKIPPED_BYTES_MAX {
            return Err(Malformed::Chunk("too many extensions or trailers"));
        }
        Ok(next)
    }
}
