//! Writing a request's head.

use http::header::{CONTENT_LENGTH, HeaderMap, TRANSFER_ENCODING};
use http::{Method, Uri};

/// Room for what is not the caller's headers: request line, `Content-Length`, line ends.
const OWN_BYTES: usize = 128;

/// The head of an origin-form request (RFC 9112 section 3.2.1) with a body of `body_bytes`, and room for `more` bytes
/// behind it. Framing fields among the headers are left out: the length is said once, by this function. The types of
/// `http` cannot hold a line end, so nothing can be smuggled in.
pub fn write_request(
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    body_bytes: u64,
    more: usize,
) -> Vec<u8> {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let fields: usize =
        headers.iter().map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len()).sum();
    let mut head = Vec::with_capacity(fields + path.len() + OWN_BYTES + more);
    head.extend_from_slice(method.as_str().as_bytes());
    head.push(b' ');
    // A URI without a path may still have a query; the path that is sent is never empty.
    if path.starts_with('?') {
        head.push(b'/');
    }
    head.extend_from_slice(path.as_bytes());
    head.extend_from_slice(b" HTTP/1.1\r\n");
    for (name, value) in headers {
        if name == CONTENT_LENGTH || name == TRANSFER_ENCODING {
            continue;
        }
        head.extend_from_slice(name.as_str().as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value.as_bytes());
        head.extend_from_slice(b"\r\n");
    }
    // A POST without a body says so too (RFC 9110 section 8.6).
    if body_bytes > 0 || method == Method::POST || method == Method::PUT || method == Method::PATCH {
        head.extend_from_slice(b"content-length: ");
        write_decimal(&mut head, body_bytes);
        head.extend_from_slice(b"\r\n");
    }
    head.extend_from_slice(b"\r\n");
    head
}

fn write_decimal(to: &mut Vec<u8>, mut number: u64) {
    let start = to.len();
    loop {
        to.push(b'0' + u8::try_from(number % 10).unwrap_or(0));
        number /= 10;
        if number == 0 {
            break;
        }
    }
    to[start..].reverse();
}
