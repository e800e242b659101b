//! The head of an HTTP/1.1 request.

use bytes::{Buf, BytesMut};
use tokio::io::AsyncReadExt;

use super::io::Io;
use super::request::Request;
use super::wire::Gone;
use crate::options::{HEAD_BYTES_MAX, HEADERS_MAX};

/// How the body is delimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    Length(u64),
    Chunked,
}

/// A request without its body.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) request: Request,
    pub(crate) framing: Framing,
    pub(crate) keep_alive: bool,
    /// The client waits for `100 Continue` before it sends the body.
    pub(crate) expects: bool,
    /// HTTP/1.0: no chunks.
    pub(crate) old: bool,
}

/// Why there is no head.
#[derive(Debug)]
pub(crate) enum HeadError {
    /// The client closed the connection.
    Gone,
    /// Not HTTP, or more of it than is accepted: status and reason for the client.
    Wrong(u16, String),
}

impl From<Gone> for HeadError {
    fn from(_: Gone) -> Self {
        Self::Gone
    }
}

/// Reads one head from `buf` and then `io`; what follows it stays in `buf`.
pub(crate) async fn read(io: &mut Io, buf: &mut BytesMut) -> Result<Head, HeadError> {
    loop {
        if let Some((head, size)) = parse(buf)? {
            buf.advance(size);
            return Ok(head);
        }
        if buf.len() >= HEAD_BYTES_MAX {
            return Err(HeadError::Wrong(
                431,
                format!("The request head is larger than {HEAD_BYTES_MAX} bytes."),
            ));
        }
        match io.read_buf(buf).await {
            Ok(0) | Err(_) => return Err(HeadError::Gone),
            Ok(_) => {}
        }
    }
}

fn parse(buf: &[u8]) -> Result<Option<(Head, usize)>, HeadError> {
    let mut lines = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut parsed = httparse::Request::new(&mut lines);
    let size = match parsed.parse(buf) {
        Ok(httparse::Status::Partial) => return Ok(None),
        Ok(httparse::Status::Complete(size)) => size,
        Err(httparse::Error::TooManyHeaders) => {
            return Err(HeadError::Wrong(
                431,
                format!("The request has more than {HEADERS_MAX} header lines."),
            ));
        }
        Err(error) => return Err(HeadError::Wrong(400, format!("This is not an HTTP request: {error}."))),
    };
    let old = parsed.version == Some(0);
    let headers = parsed.headers.iter();
    let headers =
        headers.map(|line| (line.name.to_owned(), String::from_utf8_lossy(line.value).into_owned()));
    let mut request = Request {
        method: parsed.method.unwrap_or_default().to_owned(),
        version: if old { "HTTP/1.0" } else { "HTTP/1.1" },
        headers: headers.collect(),
        ..Request::default()
    };
    request.set_target(parsed.path.unwrap_or("/"));
    let connection = request.header("connection").unwrap_or("").to_ascii_lowercase();
    let keep_alive = !old && !connection.split(',').any(|option| option.trim() == "close");
    let expects = request.header("expect").is_some_and(|value| value.eq_ignore_ascii_case("100-continue"));
    let framing = framing(&request)?;
    Ok(Some((Head { request, framing, keep_alive, expects, old }, size)))
}

fn framing(request: &Request) -> Result<Framing, HeadError> {
    let wrong = |text: &str| HeadError::Wrong(400, text.to_owned());
    let all = |wanted: &'static str| {
        request
            .headers
            .iter()
            .filter(move |(name, _)| name.eq_ignore_ascii_case(wanted))
            .map(|(_, value)| value.as_str())
    };
    let length = all("content-length").map(str::parse::<u64>).collect::<Result<Vec<_>, _>>();
    let lengths = length.map_err(|_| wrong("Content-Length is not a number."))?;
    let coding = all("transfer-encoding").collect::<Vec<_>>().join(",");
    match (coding.trim(), lengths.as_slice()) {
        ("", []) => Ok(Framing::Length(0)),
        ("", [length]) => Ok(Framing::Length(*length)),
        ("", _) => Err(wrong("There is more than one Content-Length.")),
        (coding, []) if coding.eq_ignore_ascii_case("chunked") => Ok(Framing::Chunked),
        (_, []) => Err(wrong("The only transfer coding that is understood is chunked.")),
        (_, _) => Err(wrong("Content-Length and Transfer-Encoding must not come together.")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..300), target in "[!-~]{1,30}") {
            let _ = parse(&bytes);
            let text = format!("GET {target} HTTP/1.1\r\n\r\n");
            if let Ok(Some((head, size))) = parse(text.as_bytes()) {
                prop_assert_eq!(size, text.len());
                prop_assert!(!head.request.path.contains('?'));
            }
        }
    }

    fn head(text: &str) -> Head {
        parse(text.as_bytes()).unwrap().unwrap().0
    }

    #[test]
    fn target_framing_and_persistence_are_understood() {
        let post =
            head("POST /v1/x?a=b HTTP/1.1\r\nHost: h\r\nContent-Length: 12\r\nExpect: 100-continue\r\n\r\n");
        assert_eq!((post.request.path.as_str(), post.request.query.as_deref()), ("/v1/x", Some("a=b")));
        assert_eq!((post.framing, post.keep_alive, post.expects), (Framing::Length(12), true, true));
        let close = head(
            "GET http://host:1/p HTTP/1.1\r\nTransfer-Encoding: Chunked\r\nConnection: TE, Close\r\n\r\n",
        );
        assert_eq!(
            (close.request.path.as_str(), close.framing, close.keep_alive),
            ("/p", Framing::Chunked, false)
        );
        let old = head("GET / HTTP/1.0\r\n\r\n");
        assert!(old.old && !old.keep_alive);
        assert!(parse(b"GET / HTTP/1.1\r\nHos").unwrap().is_none());
    }

    #[test]
    fn ambiguous_or_wrong_heads_are_refused() {
        for lines in [
            "Content-Length: x",
            "Content-Length: -1",
            "Content-Length: 1\r\nContent-Length: 2",
            "Content-Length: 1\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: gzip, chunked",
            "no colon",
        ] {
            let text = format!("POST / HTTP/1.1\r\n{lines}\r\n\r\n");
            assert!(matches!(parse(text.as_bytes()), Err(HeadError::Wrong(400, _))), "{lines}");
        }
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(HEADERS_MAX + 1));
        assert!(matches!(parse(many.as_bytes()), Err(HeadError::Wrong(431, _))));
    }
}
