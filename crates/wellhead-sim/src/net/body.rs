//! The body of an HTTP/1.1 request: by length or in chunks, never more than the maximum.

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::AsyncReadExt;

use super::head::{Framing, HeadError};
use super::io::Io;
use crate::options::BODY_BYTES_MAX;

/// Longest line between chunks, extensions included.
const CHUNK_LINE_BYTES_MAX: usize = 4096;
/// Most trailer lines.
const TRAILERS_MAX: usize = 64;

/// Reads a body whole.
pub(crate) async fn read(io: &mut Io, buf: &mut BytesMut, framing: Framing) -> Result<Bytes, HeadError> {
    match framing {
        Framing::Length(length) => {
            let length =
                usize::try_from(length).ok().filter(|length| *length <= BODY_BYTES_MAX).ok_or_else(large)?;
            take(io, buf, length).await
        }
        Framing::Chunked => chunks(io, buf).await,
    }
}

fn large() -> HeadError {
    HeadError::Wrong(413, format!("The request body is larger than {BODY_BYTES_MAX} bytes."))
}

async fn more(io: &mut Io, buf: &mut BytesMut) -> Result<(), HeadError> {
    match io.read_buf(buf).await {
        Ok(0) | Err(_) => Err(HeadError::Gone),
        Ok(_) => Ok(()),
    }
}

async fn take(io: &mut Io, buf: &mut BytesMut, length: usize) -> Result<Bytes, HeadError> {
    while buf.len() < length {
        // Room is made as bytes arrive, not as the client announces them.
        buf.reserve((length - buf.len()).min(64 << 10));
        more(io, buf).await?;
    }
    Ok(buf.split_to(length).freeze())
}

async fn line(io: &mut Io, buf: &mut BytesMut) -> Result<Bytes, HeadError> {
    loop {
        if let Some(end) = buf.windows(2).position(|two| two == b"\r\n") {
            let line = buf.split_to(end).freeze();
            buf.advance(2);
            return Ok(line);
        }
        if buf.len() > CHUNK_LINE_BYTES_MAX {
            return Err(HeadError::Wrong(400, "A chunk does not start with its size.".to_owned()));
        }
        more(io, buf).await?;
    }
}

async fn chunks(io: &mut Io, buf: &mut BytesMut) -> Result<Bytes, HeadError> {
    let wrong = || HeadError::Wrong(400, "The chunks of the request body are malformed.".to_owned());
    let mut body = BytesMut::new();
    loop {
        let head = line(io, buf).await?;
        let digits = head.split(|byte| *byte == b';').next().unwrap_or_default();
        let digits = std::str::from_utf8(digits).map_err(|_| wrong())?.trim();
        let size = usize::from_str_radix(digits, 16).map_err(|_| wrong())?;
        if size == 0 {
            break;
        }
        if size > BODY_BYTES_MAX - body.len() {
            return Err(large());
        }
        body.extend_from_slice(&take(io, buf, size).await?);
        if !line(io, buf).await?.is_empty() {
            return Err(wrong());
        }
    }
    for _ in 0..TRAILERS_MAX {
        if line(io, buf).await?.is_empty() {
            return Ok(body.freeze());
        }
    }
    Err(wrong())
}
