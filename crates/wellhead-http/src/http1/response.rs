//! Reading a response's head, and what it says about its body (RFC 9112 section 6.3).

use super::Malformed;
use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode};

/// Fields of one response. Vendors send about 30.
pub const FIELDS_MAX: usize = 100;
/// Status line and fields. Far above any vendor's; bounds what a broken one can make us hold.
pub const HEAD_BYTES_MAX: usize = 128 * 1024;

/// How the body's end is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// This many bytes.
    Length(u64),
    /// Chunks; the last one is empty.
    Chunked,
    /// Everything until the target closes.
    UntilClose,
}

/// A response's head.
#[derive(Debug)]
pub struct ResponseHead {
    /// 100 to 999.
    pub status: StatusCode,
    /// All fields but `Transfer-Encoding`, which has been understood.
    pub headers: HeaderMap,
    /// Where the body ends.
    pub framing: Framing,
    /// The connection may be used again after the body.
    pub reusable: bool,
    /// Bytes of the head.
    pub bytes: usize,
}

/// Reads the head of the answer to a request with this method. `None`: it is not complete yet.
///
/// # Errors
///
/// `Malformed`. The connection is of no use any more.
pub fn read_response(method: &Method, bytes: &[u8]) -> Result<Option<ResponseHead>, Malformed> {
    let mut fields = [httparse::EMPTY_HEADER; FIELDS_MAX];
    let mut parsed = httparse::Response::new(&mut fields);
    let head = match parsed.parse(bytes).map_err(Malformed::Head)? {
        httparse::Status::Complete(head) if head <= HEAD_BYTES_MAX => head,
        httparse::Status::Partial if bytes.len() < HEAD_BYTES_MAX => return Ok(None),
        _ => return Err(Malformed::HeadTooLarge),
    };
    let status = StatusCode::from_u16(parsed.code.unwrap_or(0)).map_err(|_| Malformed::Status)?;
    let http11 = parsed.version == Some(1);
    // One copy for all values; each is a share of it.
    let shared = Bytes::copy_from_slice(&bytes[..head]);
    let start = bytes.as_ptr().addr();
    let mut headers = HeaderMap::with_capacity(parsed.headers.len());
    let mut seen = Seen { keep_alive: http11, ..Seen::default() };
    for field in &*parsed.headers {
        let name = HeaderName::from_bytes(field.name.as_bytes()).map_err(|_| Malformed::Field)?;
        if seen.note(&name, field.value)? {
            continue;
        }
        let at = field.value.as_ptr().addr().wrapping_sub(start);
        let value = match shared.get(at..at + field.value.len()) {
            Some(_) => HeaderValue::from_maybe_shared(shared.slice(at..at + field.value.len())),
            None => HeaderValue::from_maybe_shared(Bytes::copy_from_slice(field.value)),
        };
        let value = value.map_err(|_| Malformed::Field)?;
        headers.try_append(name, value).map_err(|_| Malformed::HeadTooLarge)?;
    }
    let framing = seen.framing(method, status, http11)?;
    let reusable = seen.reusable(status, framing);
    Ok(Some(ResponseHead { status, headers, framing, reusable, bytes: head }))
}

/// What the fields say about the message itself.
#[derive(Default)]
struct Seen {
    length: Option<u64>,
    chunked: bool,
    keep_alive: bool,
    close: bool,
}

impl Seen {
    /// Takes a field in; returns whether it is used up by that.
    fn note(&mut self, name: &HeaderName, value: &[u8]) -> Result<bool, Malformed> {
        if *name == header::CONTENT_LENGTH {
            // A list of lengths, even of equal ones, is refused, as RFC 9110 section 8.6 allows.
            let length =
                decimal(value.trim_ascii()).ok_or(Malformed::Framing("'Content-Length' is not a number"))?;
            return match self.length.replace(length) {
                None => Ok(false),
                Some(before) if before == length => Ok(true),
                Some(_) => Err(Malformed::Framing("'Content-Length' is said twice, differently")),
            };
        } else if *name == header::TRANSFER_ENCODING {
            if self.chunked || !value.trim_ascii().eq_ignore_ascii_case(b"chunked") {
                return Err(Malformed::Framing("a 'Transfer-Encoding' other than 'chunked'"));
            }
            self.chunked = true;
            return Ok(true);
        } else if *name == header::CONNECTION {
            for option in value.split(|b| *b == b',').map(<[u8]>::trim_ascii) {
                if option.eq_ignore_ascii_case(b"close") {
                    self.close = true;
                } else if option.eq_ignore_ascii_case(b"keep-alive") {
                    self.keep_alive = true;
                }
            }
        }
        Ok(false)
    }

    fn framing(&self, method: &Method, status: StatusCode, http11: bool) -> Result<Framing, Malformed> {
        if self.chunked && self.length.is_some() {
            // Two readers could find two different ends (RFC 9112 section 6.1).
            return Err(Malformed::Framing("both 'Content-Length' and 'Transfer-Encoding'"));
        }
        if self.chunked && !http11 {
            return Err(Malformed::Framing("'Transfer-Encoding' in an HTTP/1.0 answer"));
        }
        let bodiless = status.is_informational()
            || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
            || method == Method::HEAD;
        Ok(match self.length {
            _ if bodiless => Framing::Length(0),
            _ if self.chunked => Framing::Chunked,
            Some(length) => Framing::Length(length),
            None => Framing::UntilClose,
        })
    }

    fn reusable(&self, status: StatusCode, framing: Framing) -> bool {
        // 204 has no body, whatever its fields say (RFC 9112 section 6.3); where they speak of one, the target may send
        // it all the same, and it would be taken for the next answer.
        let denied = status == StatusCode::NO_CONTENT && (self.chunked || self.length.is_some_and(|n| n > 0));
        // `close` wins over `keep-alive`, in whatever order they are said (RFC 9112 section 9.3).
        self.keep_alive && !self.close && !denied && framing != Framing::UntilClose
    }
}

/// Digits only: `str::parse` would take a sign.
fn decimal(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0_u64, |number, digit| {
        if !digit.is_ascii_digit() {
            return None;
        }
        number.checked_mul(10)?.checked_add(u64::from(digit - b'0'))
    })
}
