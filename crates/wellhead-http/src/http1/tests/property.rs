//! Any body, in any frame, cut anywhere; and anything at all.

use super::unframe;
use crate::fuzz::fuzz_http1;
use crate::http1::Framing;
use proptest::prelude::*;

/// One chunk's frame, in one of the ways that the grammar allows.
#[derive(Debug, Clone)]
struct Style {
    zeros: usize,
    upper: bool,
    padding: &'static str,
    extension: &'static str,
}

fn style() -> impl Strategy<Value = Style> {
    let extensions = vec!["", "", "", ";", ";a", ";a=b", " ; a = \"b;c\"", "\t;q=\"\\\"\""];
    let parts = (0..8_usize, any::<bool>(), prop::sample::select(vec!["", "", " ", "\t "]));
    (parts, prop::sample::select(extensions)).prop_map(|((zeros, upper, padding), extension)| Style {
        zeros,
        upper,
        padding: if extension.is_empty() { padding } else { "" },
        extension,
    })
}

impl Style {
    fn frame(&self, bytes: usize) -> Vec<u8> {
        let digits = if self.upper { format!("{bytes:X}") } else { format!("{bytes:x}") };
        format!("{}{digits}{}{}\r\n", "0".repeat(self.zeros), self.padding, self.extension).into_bytes()
    }
}

/// Body and framed body.
fn chunked() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
    let chunk = (style(), prop::collection::vec(any::<u8>(), 1..80));
    let trailers =
        prop::collection::vec(prop::sample::select(vec!["X: y\r\n", "Content-Length: 9\r\n", ":\r\n"]), 0..3);
    (prop::collection::vec(chunk, 0..8), style(), trailers).prop_map(|(chunks, last, trailers)| {
        let (mut body, mut framed) = (Vec::new(), Vec::new());
        for (style, data) in chunks {
            framed.extend(style.frame(data.len()));
            framed.extend_from_slice(&data);
            framed.extend_from_slice(b"\r\n");
            body.extend(data);
        }
        framed.extend(last.frame(0));
        framed.extend_from_slice(trailers.concat().as_bytes());
        framed.extend_from_slice(b"\r\n");
        (body, framed)
    })
}

/// `bytes` in pieces that end at these places.
fn cut<'a>(bytes: &'a [u8], at: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut ends: Vec<usize> = at.iter().map(|at| at.index(bytes.len() + 1)).collect();
    ends.push(bytes.len());
    ends.sort_unstable();
    let starts = std::iter::once(0).chain(ends.iter().copied());
    starts.zip(&ends).map(|(start, end)| &bytes[start..*end]).collect()
}

/// What heads and bodies are made of, and what attacks on them are.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let pieces = vec![
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.0 200 OK\r\n",
        "HTTP/1.1 204 \r\n",
        "HTTP/1.1 304\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n",
        "Content-Length: 5\r\n",
        "Content-Length: 5\r\n",
        "Content-Length: 6\r\n",
        "content-length: 5, 5\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Transfer-Encoding: identity\r\n",
        "Transfer-Encoding : chunked\r\n",
        "Connection: close\r\n",
        "Connection: keep-alive\r\n",
        "X: y\r\n",
        "X: y\n",
        " folded\r\n",
        "\r\n",
        "\r\n",
        "\n",
        "\r",
        ":",
        "hello",
        "5\r\nhello\r\n",
        "5\r\nhello\r\n",
        "5;a=b\r\nhello\r\n",
        "5 \r\nhello\r\n",
        "5",
        " ",
        "0\r\n",
        "0\r\n\r\n",
        "0\r\n\r\n",
        "FFFFFFFFFFFFFFFF\r\n",
        "\0",
    ];
    let start = prop::sample::select(vec![
        "",
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "5\r\nhello\r\n",
    ]);
    (start, prop::collection::vec(prop::sample::select(pieces), 0..10))
        .prop_map(|(start, pieces)| format!("{start}{}", pieces.concat()).into_bytes())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases.max(4_096)))]

    #[test]
    fn chunks_cut_anywhere_are_the_same_body(
        (body, framed) in chunked(),
        at in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        surplus in prop::collection::vec(any::<u8>(), 0..12),
    ) {
        let done = |used| Ok((body.clone(), used, true));
        prop_assert_eq!(unframe(Framing::Chunked, cut(&framed, &at)), done(framed.len()));
        prop_assert_eq!(unframe(Framing::Chunked, framed.chunks(1)), done(framed.len()));
        let more = [&framed[..], &surplus].concat();
        prop_assert_eq!(unframe(Framing::Chunked, cut(&more, &at)), done(framed.len()));
    }

    #[test]
    fn chunks_cut_short_are_not_complete((body, framed) in chunked(), end in any::<prop::sample::Index>()) {
        let end = end.index(framed.len());
        let (got, used, done) = unframe(Framing::Chunked, [&framed[..end]]).unwrap();
        prop_assert!(body.starts_with(&got) && used == end && !done);
    }

    #[test]
    fn lengths_cut_anywhere_are_the_same_body(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        length in 0..200_usize,
        at in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let used = length.min(bytes.len());
        let expected = Ok((bytes[..used].to_vec(), used, length <= bytes.len()));
        prop_assert_eq!(unframe(Framing::Length(length as u64), cut(&bytes, &at)), expected);
        prop_assert_eq!(unframe(Framing::UntilClose, cut(&bytes, &at)), Ok((bytes.clone(), bytes.len(), false)));
    }

    #[test]
    fn what_attacks_are_made_of_is_read_one_way(seed in any::<u64>(), bytes in pieces()) {
        fuzz_http1(seed, &bytes);
    }

    /// A valid answer with one fault.
    #[test]
    fn one_wrong_byte_is_read_one_way(
        seed in any::<u64>(),
        (_, framed) in chunked(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        how in 0..3_u8,
    ) {
        let mut bytes = [b"HTTP/1.1 200 OK\r\nX: y\r\nTransfer-Encoding: chunked\r\n\r\n", &framed[..]].concat();
        let at = at.index(bytes.len());
        match how {
            0 => bytes[at] = byte,
            1 => bytes.insert(at, byte),
            _ => drop(bytes.remove(at)),
        }
        fuzz_http1(seed, &bytes);
    }

    #[test]
    fn no_bytes_panic(seed in any::<u64>(), bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        fuzz_http1(seed, &bytes);
    }
}
