//! The bytes of a log: a mark with the version, then records. A record is a head of 16 bytes, what it says as JSON, and
//! the body that belongs to it:
//!
//! ```text
//! 0  u32  length of the JSON          8   u32  CRC-32 of JSON and body
//! 4  u32  length of the body          12  u32  CRC-32 of the first 12 bytes
//! ```
//!
//! Numbers are little-endian. A log that ends in the middle of a record was being written when the process died: what
//! is torn was never acknowledged, and is left out. A record that is whole but damaged is left out alone.

use super::Record;

/// What a log begins with. The last byte is the version of the format.
pub const MARK: [u8; 8] = *b"WHDEFER\x01";
/// Bytes before the JSON of a record.
pub const HEAD_BYTES: usize = 16;
/// Longest JSON: headers of a request and of an answer, 64 KiB each.
pub const JSON_BYTES_MAX: usize = 256 * 1024;
/// Longest body of a request or an answer that is kept.
pub const BODY_BYTES_MAX: usize = 32 << 20;

/// A log of another program, or of a newer version of this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Foreign;

/// A record that cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLarge;

/// One record of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read<'a> {
    /// What it says.
    pub record: Record,
    /// Where its body begins in the log.
    pub body_at: u64,
    /// Its body.
    pub body: &'a [u8],
}

/// The head and the JSON of a record; `body` goes behind it.
///
/// # Errors
/// JSON or body are too long.
pub fn write(record: &Record, body: &[u8]) -> Result<Vec<u8>, TooLarge> {
    let json = serde_json::to_vec(record).map_err(|_| TooLarge)?;
    if json.len() > JSON_BYTES_MAX || body.len() > BODY_BYTES_MAX {
        return Err(TooLarge);
    }
    let length = |bytes: &[u8]| u32::try_from(bytes.len()).map_err(|_| TooLarge);
    let (json_length, body_length) = (length(&json)?, length(body)?);
    let mut crc = crc32fast::Hasher::new();
    crc.update(&json);
    crc.update(body);
    let mut out = Vec::with_capacity(HEAD_BYTES + json.len());
    for number in [json_length, body_length, crc.finalize()] {
        out.extend_from_slice(&number.to_le_bytes());
    }
    let head_crc = crc32fast::hash(&out);
    out.extend_from_slice(&head_crc.to_le_bytes());
    out.extend_from_slice(&json);
    Ok(out)
}

/// Reads a log from its beginning.
///
/// # Errors
/// It does not begin with [`MARK`]. One that is shorter has not been begun, and is empty.
pub fn read(log: &[u8]) -> Result<Reader<'_>, Foreign> {
    if log.len() >= MARK.len() && !log.starts_with(&MARK)
        || !MARK.starts_with(&log[..log.len().min(MARK.len())])
    {
        return Err(Foreign);
    }
    Ok(Reader { log, at: MARK.len().min(log.len()), damaged: 0 })
}

/// The records of a log, in order.
#[derive(Debug)]
pub struct Reader<'a> {
    log: &'a [u8],
    at: usize,
    damaged: u64,
}

impl Reader<'_> {
    /// Records that were whole and did not say what was written, so far.
    pub const fn damaged(&self) -> u64 {
        self.damaged
    }

    /// Bytes behind the last record that could be found.
    pub const fn torn(&self) -> usize {
        self.log.len() - self.at
    }
}

impl<'a> Iterator for Reader<'a> {
    type Item = Read<'a>;

    fn next(&mut self) -> Option<Read<'a>> {
        loop {
            let rest = self.log.get(self.at..)?;
            let (json_length, body_length, crc) = head(rest)?;
            let payload = rest.get(HEAD_BYTES..HEAD_BYTES + json_length + body_length)?;
            let body_at = self.at + HEAD_BYTES + json_length;
            self.at = body_at + body_length;
            let (json, body) = payload.split_at(json_length);
            let record = (crc32fast::hash(payload) == crc).then(|| serde_json::from_slice(json).ok());
            match record.flatten() {
                Some(record) => return Some(Read { record, body_at: body_at as u64, body }),
                None => self.damaged += 1,
            }
        }
    }
}

/// Both lengths and the checksum, if this is a head.
fn head(bytes: &[u8]) -> Option<(usize, usize, u32)> {
    let head: &[u8; HEAD_BYTES] = bytes.first_chunk()?;
    let number = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
    if crc32fast::hash(&head[..12]) != number(12) {
        return None;
    }
    let json = usize::try_from(number(0)).ok().filter(|length| *length <= JSON_BYTES_MAX)?;
    let body = usize::try_from(number(4)).ok().filter(|length| *length <= BODY_BYTES_MAX)?;
    Some((json, body, number(8)))
}
