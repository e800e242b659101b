#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

//! Requirements are from RFC 9110 and RFC 9112, and from what made other proxies answer one caller with another's
//! answer.

mod chunked;
mod heads;
mod limits;
mod property;
mod request;

use super::{Framing, Malformed, ResponseHead, Unframe, read_response};
use http::Method;

/// The head of an answer to a POST that must be complete.
fn head(text: &str) -> ResponseHead {
    read(&Method::POST, text.as_bytes()).unwrap_or_else(|e| panic!("{text:?}: {e}"))
}

/// Why the head is refused. Whoever dribbles it must be refused as well.
fn refused(text: &str) -> Malformed {
    read(&Method::POST, text.as_bytes()).err().unwrap_or_else(|| panic!("accepted: {text:?}"))
}

/// Reads a head in one piece and byte by byte; both must say the same.
fn read(method: &Method, bytes: &[u8]) -> Result<ResponseHead, Malformed> {
    let whole = read_response(method, bytes);
    let dribbled = (0..=bytes.len()).find_map(|end| read_response(method, &bytes[..end]).transpose());
    match (&whole, &dribbled) {
        (Ok(Some(a)), Some(Ok(b))) => assert_eq!(
            (a.status, &a.headers, a.framing, a.reusable, a.bytes),
            (b.status, &b.headers, b.framing, b.reusable, b.bytes)
        ),
        (Err(_), Some(Err(_))) => {}
        _ => panic!("{:?}: {whole:?} in one piece, {dribbled:?} in many", String::from_utf8_lossy(bytes)),
    }
    whole.map(|head| head.unwrap())
}

/// What a body becomes in these pieces, how much of them was its own, and whether it is complete.
fn unframe<'a>(
    framing: Framing,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Result<(Vec<u8>, usize, bool), Malformed> {
    let mut reader = Unframe::new(framing);
    let (mut out, mut used) = (Vec::new(), 0);
    for piece in pieces {
        used += reader.push(piece, &mut out)?;
    }
    Ok((out, used, reader.is_done()))
}
