//! From bytes to messages.

use super::header::{HeaderError, Headers};
use super::message::Message;
use super::{EMPTY_BYTES, HEADERS_BYTES_MAX, MESSAGE_BYTES_MAX, PRELUDE_BYTES, SUM_BYTES, u32_of};
use bytes::{Bytes, BytesMut};

/// Why a stream cannot be read on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The lengths do not have the sum that is sent with them: this is no event stream, or bytes of it were lost.
    #[error("the lengths of a message have the CRC-32 {computed:08x}, and {sent:08x} was sent")]
    PreludeSum {
        /// What was sent.
        sent: u32,
        /// What it should be.
        computed: u32,
    },
    /// A message does not have the sum that is sent with it.
    #[error("a message has the CRC-32 {computed:08x}, and {sent:08x} was sent")]
    MessageSum {
        /// What was sent.
        sent: u32,
        /// What it should be.
        computed: u32,
    },
    /// A message is longer than is allowed.
    #[error("a message of {bytes} bytes, of which {bytes_max} are allowed")]
    TooLong {
        /// The length that was announced.
        bytes: usize,
        /// The most that is taken.
        bytes_max: usize,
    },
    /// A message is shorter than what every message has.
    #[error("a message of {bytes} bytes; the shortest has {EMPTY_BYTES}")]
    TooShort {
        /// The length that was announced.
        bytes: usize,
    },
    /// The headers do not fit into their message, or are longer than is allowed.
    #[error("headers of {bytes} bytes, of which {bytes_max} are possible")]
    HeadersTooLong {
        /// The length that was announced.
        bytes: usize,
        /// The most that fits or is allowed.
        bytes_max: usize,
    },
    /// The headers cannot be taken apart.
    #[error("{0}")]
    Header(#[from] HeaderError),
}

/// How a stream has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tail {
    /// After a whole message, or without any.
    Clean,
    /// Within a message, of which so many bytes had come.
    Cut(usize),
}

/// Takes a stream apart. Holds less than one message.
#[derive(Debug)]
pub struct Decoder {
    /// The beginning of a message whose end has not come.
    begun: BytesMut,
    message_bytes_max: usize,
    failed: Option<DecodeError>,
}

impl Decoder {
    /// For messages up to this length; never more than [`MESSAGE_BYTES_MAX`].
    pub fn new(message_bytes_max: usize) -> Self {
        let message_bytes_max = message_bytes_max.min(MESSAGE_BYTES_MAX);
        Self { begun: BytesMut::new(), message_bytes_max, failed: None }
    }

    /// Takes the next bytes, and puts the messages that are complete with them behind those in `out`. Messages that lie
    /// within `chunk` share its memory.
    ///
    /// # Errors
    /// The stream is broken; messages before that are in `out`. Whatever is pushed later gets the same error.
    pub fn push(&mut self, chunk: Bytes, out: &mut Vec<Message>) -> Result<(), DecodeError> {
        if let Some(failed) = &self.failed {
            return Err(failed.clone());
        }
        let pushed = self.take(chunk, out);
        if let Err(failed) = &pushed {
            self.failed = Some(failed.clone());
            self.begun = BytesMut::new();
        }
        pushed
    }

    /// What the end of the stream means, if it is now.
    pub fn finish(&self) -> Tail {
        if self.begun.is_empty() { Tail::Clean } else { Tail::Cut(self.begun.len()) }
    }

    fn take(&mut self, mut chunk: Bytes, out: &mut Vec<Message>) -> Result<(), DecodeError> {
        // A message that has begun is made whole first: its prelude, and then as much as that says.
        while !self.begun.is_empty() && !chunk.is_empty() {
            let wanted = match prelude(&self.begun, self.message_bytes_max)? {
                Some(prelude) => prelude.total,
                None => PRELUDE_BYTES,
            };
            let missing = wanted.saturating_sub(self.begun.len()).min(chunk.len());
            self.begun.extend_from_slice(&chunk.split_to(missing));
            if let Some(prelude) = prelude(&self.begun, self.message_bytes_max)?
                && self.begun.len() >= prelude.total
            {
                out.push(message(self.begun.split().freeze(), prelude)?);
            }
        }
        while let Some(prelude) = prelude(&chunk, self.message_bytes_max)? {
            if chunk.len() < prelude.total {
                break;
            }
            out.push(message(chunk.split_to(prelude.total), prelude)?);
        }
        self.begun.extend_from_slice(&chunk);
        Ok(())
    }
}

/// The lengths that a message begins with, checked.
#[derive(Debug, Clone, Copy)]
struct Prelude {
    total: usize,
    headers: usize,
}

/// Reads the prelude; `None`: not all of it has come.
fn prelude(bytes: &[u8], message_bytes_max: usize) -> Result<Option<Prelude>, DecodeError> {
    let Some(start) = bytes.first_chunk::<PRELUDE_BYTES>() else { return Ok(None) };
    let [total, headers, sent] = [0, 4, 8].map(|at| u32_of(&start[at..]).unwrap_or_default());
    let computed = crc32fast::hash(&start[..8]);
    if sent != computed {
        return Err(DecodeError::PreludeSum { sent, computed });
    }
    let [total, headers] = [total, headers].map(|length| usize::try_from(length).unwrap_or(usize::MAX));
    if total < EMPTY_BYTES {
        return Err(DecodeError::TooShort { bytes: total });
    }
    if total > message_bytes_max {
        return Err(DecodeError::TooLong { bytes: total, bytes_max: message_bytes_max });
    }
    let bytes_max = HEADERS_BYTES_MAX.min(total - EMPTY_BYTES);
    if headers > bytes_max {
        return Err(DecodeError::HeadersTooLong { bytes: headers, bytes_max });
    }
    Ok(Some(Prelude { total, headers }))
}

/// A whole message, checked.
fn message(mut bytes: Bytes, prelude: Prelude) -> Result<Message, DecodeError> {
    let sum = bytes.split_off(prelude.total - SUM_BYTES);
    let (sent, computed) = (u32_of(&sum).unwrap_or_default(), crc32fast::hash(&bytes));
    if sent != computed {
        return Err(DecodeError::MessageSum { sent, computed });
    }
    let payload = bytes.split_off(PRELUDE_BYTES + prelude.headers);
    let headers = Headers::read(bytes.split_off(PRELUDE_BYTES))?;
    Ok(Message { headers, payload })
}
