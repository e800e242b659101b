//! From a message to bytes, for whoever plays the other side.

use super::header::{self, Value};
use super::{EMPTY_BYTES, HEADERS_BYTES_MAX, MESSAGE_BYTES_MAX};

/// Something of a message is longer than the format can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a header or the whole message is longer than the format allows, or a header has no name")]
pub struct TooLarge;

/// A message.
///
/// # Errors
/// A name is empty or above 255 bytes, a value above 65,535, all headers above 128 KiB, or the whole above 16 MiB.
pub fn encode<'a>(
    headers: impl IntoIterator<Item = (&'a str, Value<'a>)>,
    payload: &[u8],
) -> Result<Vec<u8>, TooLarge> {
    let mut written = Vec::new();
    for (name, value) in headers {
        header::write(name, value, &mut written).ok_or(TooLarge)?;
    }
    let total = EMPTY_BYTES + written.len() + payload.len();
    if written.len() > HEADERS_BYTES_MAX || total > MESSAGE_BYTES_MAX {
        return Err(TooLarge);
    }
    let mut message = Vec::with_capacity(total);
    for length in [total, written.len()] {
        message.extend_from_slice(&u32::try_from(length).map_err(|_| TooLarge)?.to_be_bytes());
    }
    message.extend_from_slice(&crc32fast::hash(&message).to_be_bytes());
    message.extend_from_slice(&written);
    message.extend_from_slice(payload);
    message.extend_from_slice(&crc32fast::hash(&message).to_be_bytes());
    Ok(message)
}
