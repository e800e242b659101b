//! HTTP/1.1 answers against a reader that is slow and naive, but plainly what the RFC says.

use crate::http1::{FIELDS_MAX, Framing, HEAD_BYTES_MAX, ResponseHead, Unframe, read_response};
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, Method, StatusCode};

/// An answer must not depend on where it was cut, must end where a naive reader finds its end, and must never be
/// complete when that reader says that something is missing. The bytes are also read as bodies without a head.
pub fn fuzz_http1(seed: u64, data: &[u8]) {
    let pieces = cut(seed, data);
    for method in [Method::POST, Method::HEAD] {
        let whole = answer(&method, &[data]);
        assert_eq!(answer(&method, &pieces), whole, "{method}");
        if let Answer::Head(head) = &whole {
            check_head(&method, data, head);
            check_body(head.framing, &data[head.bytes..], &head.body);
        }
    }
    for framing in
        [Framing::Length(seed % 64), Framing::Length(u64::MAX), Framing::Chunked, Framing::UntilClose]
    {
        let body = unframe(framing, &[data]);
        assert_eq!(unframe(framing, &pieces), body, "{framing:?}");
        check_body(framing, data, &body);
    }
}

/// Cuts `data` into pieces of lengths drawn from `seed` (SplitMix64), so that a failing cut can be replayed.
fn cut(mut seed: u64, data: &[u8]) -> Vec<&[u8]> {
    // The largest piece is drawn as well: some cuts are byte by byte, some are a few.
    let longest = 1 << (seed % 12);
    let (mut pieces, mut rest) = (Vec::new(), data);
    while !rest.is_empty() {
        seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut drawn = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        drawn = (drawn ^ (drawn >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let length = usize::try_from((drawn ^ (drawn >> 31)) % longest).unwrap_or(0) + 1;
        let (piece, later) = rest.split_at(length.min(rest.len()));
        pieces.push(piece);
        rest = later;
    }
    pieces
}

#[derive(Debug, PartialEq)]
enum Answer {
    Partial,
    Refused,
    Head(Box<Head>),
}

#[derive(Debug, PartialEq)]
struct Head {
    status: StatusCode,
    headers: HeaderMap,
    framing: Framing,
    reusable: bool,
    bytes: usize,
    body: Body,
}

#[derive(Debug, PartialEq)]
struct Body {
    bytes: Vec<u8>,
    /// How much of the input belonged to the body; nothing where it was refused.
    used: Option<usize>,
    done: bool,
}

fn answer(method: &Method, pieces: &[&[u8]]) -> Answer {
    let mut so_far = Vec::new();
    for (i, piece) in pieces.iter().enumerate() {
        so_far.extend_from_slice(piece);
        match read_response(method, &so_far) {
            Ok(None) => {}
            Err(_) => return Answer::Refused,
            Ok(Some(ResponseHead { status, headers, framing, reusable, bytes })) => {
                let first = &so_far[bytes..];
                let pieces: Vec<&[u8]> =
                    std::iter::once(first).chain(pieces[i + 1..].iter().copied()).collect();
                let body = unframe(framing, &pieces);
                return Answer::Head(Box::new(Head { status, headers, framing, reusable, bytes, body }));
            }
        }
    }
    Answer::Partial
}

fn unframe(framing: Framing, pieces: &[&[u8]]) -> Body {
    let mut reader = Unframe::new(framing);
    let (mut bytes, mut used) = (Vec::new(), 0);
    for piece in pieces {
        let before = bytes.len();
        let Ok(took) = reader.push(piece, &mut bytes) else {
            return Body { bytes, used: None, done: false };
        };
        assert!(took <= piece.len() && bytes.len() - before <= took, "no more comes out than went in");
        assert!(took == piece.len() || reader.is_done(), "only behind the end is anything left");
        used += took;
    }
    let done = reader.is_done();
    assert!(!done || reader.clone().push(b"0", &mut Vec::new()) == Ok(0), "nothing follows the end");
    assert_eq!(reader.close(), done || framing == Framing::UntilClose, "closing ends what has no other end");
    Body { bytes, used: Some(used), done }
}

/// The head ends at the first empty line, and where its body ends is what its lines say (RFC 9112 section 6.3).
fn check_head(method: &Method, data: &[u8], head: &Head) {
    assert!(head.bytes <= HEAD_BYTES_MAX && head.headers.len() <= FIELDS_MAX);
    let (lines, bytes) = lines(data).unwrap_or_default();
    assert_eq!(bytes, head.bytes, "the head ends at the first empty line");
    let values = |name: &str| -> Vec<&[u8]> {
        let fields = lines
            .iter()
            .skip(1)
            .filter_map(|line| line.iter().position(|b| *b == b':').map(|at| (&line[..at], &line[at + 1..])));
        fields
            .filter(|(n, _)| n.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| value.trim_ascii())
            .collect()
    };
    assert!(!head.headers.contains_key(TRANSFER_ENCODING));
    assert!(head.headers.get_all(CONTENT_LENGTH).iter().count() <= 1, "one length is passed on");
    let lengths: Vec<_> = values("content-length")
        .into_iter()
        .map(|text| std::str::from_utf8(text).unwrap_or("").to_owned())
        .collect();
    assert!(lengths.iter().all(|text| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())));
    let lengths: Vec<Option<u64>> = lengths.iter().map(|text| text.parse().ok()).collect();
    assert!(lengths.iter().all(|length| length.is_some() && *length == lengths[0]));
    let chunked = values("transfer-encoding");
    assert!(chunked.len() <= 1 && chunked.iter().all(|value| value.eq_ignore_ascii_case(b"chunked")));
    assert!(chunked.is_empty() || lengths.is_empty(), "two ends");
    let status = head.status.as_u16();
    let bodiless = status < 200 || status == 204 || status == 304 || method == Method::HEAD;
    let expected = match lengths.first().copied().flatten() {
        _ if bodiless => Framing::Length(0),
        Some(length) => Framing::Length(length),
        None if chunked.is_empty() => Framing::UntilClose,
        None => Framing::Chunked,
    };
    assert_eq!(head.framing, expected);
    let says = |word: &[u8]| {
        let mut options = values("connection");
        options
            .iter_mut()
            .flat_map(|value| value.split(|b| *b == b','))
            .any(|o| o.trim_ascii().eq_ignore_ascii_case(word))
    };
    let old = lines.first().is_some_and(|line| line.starts_with(b"HTTP/1.0"));
    if head.reusable {
        assert!(!says(b"close") && (!old || says(b"keep-alive")) && expected != Framing::UntilClose);
    }
}

fn check_body(framing: Framing, input: &[u8], body: &Body) {
    let expected = match framing {
        Framing::UntilClose => Some(Body { bytes: input.to_vec(), used: Some(input.len()), done: false }),
        Framing::Length(length) => {
            let used = usize::try_from(length).unwrap_or(usize::MAX).min(input.len());
            Some(Body { bytes: input[..used].to_vec(), used: Some(used), done: used as u64 == length })
        }
        Framing::Chunked => chunked(input).map(|(bytes, used)| Body { bytes, used: Some(used), done: true }),
    };
    // Only a chunked body can be refused; a long one may also have too many extensions, which the naive reader allows.
    match expected {
        Some(expected) if body.used.is_some() || input.len() < 16 * 1024 => assert_eq!(*body, expected),
        _ => assert!(!body.done, "complete, but something is missing"),
    }
}

/// The non-empty lines up to the first empty one, and the bytes of all. Empty lines in front do not count.
fn lines(data: &[u8]) -> Option<(Vec<&[u8]>, usize)> {
    let (mut lines, mut at) = (Vec::new(), 0);
    loop {
        let length = data[at..].iter().position(|b| *b == b'\n')?;
        let line = &data[at..at + length];
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        at += length + 1;
        match line.is_empty() {
            true if lines.is_empty() => {}
            true => return Some((lines, at)),
            false => lines.push(line),
        }
    }
}

/// A whole chunked body (RFC 9112 section 7.1) and its bytes, if it is complete and without fault.
fn chunked(input: &[u8]) -> Option<(Vec<u8>, usize)> {
    let (mut body, mut at) = (Vec::new(), 0);
    let line = |at: &mut usize| {
        let length = input[*at..].iter().position(|b| *b == b'\n')?;
        let line = input[*at..*at + length].strip_suffix(b"\r")?;
        *at += length + 1;
        (!line.contains(&b'\r')).then_some(line)
    };
    loop {
        let size = line(&mut at)?;
        let size = size.split(|b| *b == b';').next()?;
        let digits = size.iter().take_while(|b| b.is_ascii_hexdigit()).count();
        let padded = size[digits..].iter().all(|b| b" \t".contains(b));
        if !padded || !(1..=16).contains(&digits) {
            return None;
        }
        let size = u64::from_str_radix(std::str::from_utf8(&size[..digits]).ok()?, 16).ok()?;
        if size == 0 {
            while !line(&mut at)?.is_empty() {}
            return Some((body, at));
        }
        let end = at.checked_add(usize::try_from(size).ok()?)?;
        body.extend_from_slice(input.get(at..end)?);
        at = end;
        if !line(&mut at)?.is_empty() {
            return None;
        }
    }
}
