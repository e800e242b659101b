//! Chunked bodies (RFC 9112 section 7.1): what is read, and what is refused.

use super::unframe;
use crate::http1::{Framing, Malformed, Unframe};

/// In one piece and byte by byte, which must be the same.
fn read(text: &str) -> Result<(String, usize, bool), Malformed> {
    let whole = unframe(Framing::Chunked, [text.as_bytes()]);
    assert_eq!(whole, unframe(Framing::Chunked, text.as_bytes().chunks(1)), "{text:?}");
    whole.map(|(body, used, done)| (String::from_utf8(body).unwrap(), used, done))
}

#[track_caller]
fn refused(text: &str) {
    match read(text) {
        Err(Malformed::Chunk(_)) => {}
        other => panic!("{text:?}: {other:?}"),
    }
}

#[test]
fn bodies() {
    for (text, body) in [
        ("0\r\n\r\n", ""),
        ("5\r\nhello\r\n0\r\n\r\n", "hello"),
        ("1\r\nh\r\n4\r\nello\r\n0\r\n\r\n", "hello"),
        ("00005\r\nhello\r\n000\r\n\r\n", "hello"),
        ("A\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
        ("a\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
        ("0a\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
        // Frames within data are data.
        ("7\r\n0\r\n\r\n\r\n\r\n0\r\n\r\n", "0\r\n\r\n\r\n"),
        ("1\r\n\n\r\n1\r\n\r\r\n0\r\n\r\n", "\n\r"),
        // Extensions mean nothing to us (section 7.1.1); the grammar allows whitespace before them.
        ("5;a\r\nhello\r\n0;b=c;d=\"e; f\"\r\n\r\n", "hello"),
        ("5 ;a = b\r\nhello\r\n0\t;c\r\n\r\n", "hello"),
        ("5;\r\nhello\r\n0;\r\n\r\n", "hello"),
        // Some servers pad sizes.
        ("5  \r\nhello\r\n0 \t\r\n\r\n", "hello"),
        // Trailers are not passed on (section 7.1.2).
        ("5\r\nhello\r\n0\r\nX-Sum: 1\r\nContent-Length: 3\r\n\r\n", "hello"),
        ("0\r\nTransfer-Encoding: chunked\r\n\r\n", ""),
    ] {
        assert_eq!(read(text), Ok((body.to_owned(), text.len(), true)), "{text:?}");
        // What follows is not the body's.
        for surplus in ["\r\n", "0\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n"] {
            assert_eq!(read(&format!("{text}{surplus}")), Ok((body.to_owned(), text.len(), true)));
        }
    }
}

#[test]
fn a_body_cut_anywhere_is_not_complete() {
    let text = "5\r\nhello\r\n3;a=\"b\"\r\n, w\r\n04 \r\norld\r\n0\r\nX: y\r\n\r\n";
    for end in 0..text.len() {
        let mut reader = Unframe::new(Framing::Chunked);
        let mut out = Vec::new();
        assert_eq!(reader.push(&text.as_bytes()[..end], &mut out), Ok(end));
        assert!(b"hello, world".starts_with(&out));
        assert!(!reader.is_done() && !reader.close() && !reader.is_done(), "{:?}", &text[..end]);
    }
}

#[test]
fn sizes_that_two_readers_could_read_differently_are_refused() {
    for size in [
        "",
        " ",
        ";a",
        "-5",
        "+5",
        "-0",
        "0x5",
        "0X5",
        "5h",
        "g",
        "5_0",
        "5.0",
        "\u{ff15}",
        " 5",
        "\t5",
        "5,",
        "5=",
        "5:a",
        "5\0",
        "5\u{b}",
        "5\u{a0}",
        "5\"a\"",
        // Spaces within: a reader that skips them reads other numbers.
        "5 0",
        "5 5",
        "0 5",
        "5 a",
        "5\t0",
        "1 0;a",
        "5 x",
        "5 ,",
        "0 X: y",
        // 64 bits and no more; a reader that wraps round finds another end.
        "10000000000000000",
        "10000000000000005",
        "FFFFFFFFFFFFFFFFF",
        "100000000000000000000000000000005",
        "00000000000000005",
        "fffffffffffffffff5",
    ] {
        refused(&format!("{size}\r\nhello\r\n0\r\n\r\n"));
    }
    // The largest is a size like any other: it just never ends.
    assert_eq!(read("FFFFFFFFFFFFFFFF\r\nhello"), Ok(("hello".to_owned(), 23, false)));
    assert_eq!(read("8000000000000000;a\r\nhello"), Ok(("hello".to_owned(), 25, false)));
}

#[test]
fn frames_end_with_carriage_return_and_line_feed() {
    for text in [
        "5\nhello\r\n0\r\n\r\n",
        "5\r\nhello\n0\r\n\r\n",
        "5\r\nhello\r\n0\n\r\n",
        "5\r\nhello\r\n0\r\n\n",
        "5\rhello\r\n0\r\n\r\n",
        "5\r\r\nhello\r\n0\r\n\r\n",
        "5\r\nhello\r0\r\n\r\n",
        "5\r\nhello\r\r\n0\r\n\r\n",
        "5\r\nhello\n\r0\r\n\r\n",
        "5\r\nhello\r\n\r\n0\r\n\r\n",
        "\r\n5\r\nhello\r\n0\r\n\r\n",
        "\n0\r\n\r\n",
        // Sizes that are too small or too large for what follows.
        "4\r\nhello\r\n0\r\n\r\n",
        "6\r\nhello\r\n0\r\n\r\n",
        "5\r\nhello0\r\n\r\n",
        // In extensions, quoted or not: the terminator of another reader.
        "5;a\nhello\r\n0\r\n\r\n",
        "5;a=\"\n\"\r\nhello\r\n0\r\n\r\n",
        "5;a=\"\r\"\r\nhello\r\n0\r\n\r\n",
        "5;a\rb\r\nhello\r\n0\r\n\r\n",
        "5;\n\r\nhello\r\n0\r\n\r\n",
        "5 \nhello\r\n0\r\n\r\n",
        // In trailers.
        "0\r\nX: y\n\r\n",
        "0\r\nX: y\r\n\n",
        "0\r\nX: y\rZ: 1\r\n\r\n",
        "0\r\nX: y\r\r\n\r\n",
        "0\r\n\rX: y\r\n\r\n",
        "0\r\n\r\r\n",
    ] {
        refused(text);
    }
}

#[test]
fn what_came_before_the_fault_is_delivered() {
    let mut reader = Unframe::new(Framing::Chunked);
    let mut out = Vec::new();
    assert!(reader.push(b"5\r\nhello\r\n3\r\nabcX", &mut out).is_err());
    assert_eq!(out, b"helloabc");
    assert!(!reader.is_done() && !reader.close());
}

#[test]
fn extensions_and_trailers_are_bounded() {
    // Far more than anybody sends, far less than what hurts.
    let long = "a".repeat(8 * 1024);
    assert!(read(&format!("1;{long}\r\nx\r\n0\r\n\r\n")).is_ok());
    assert!(read(&format!("0\r\nX: {long}\r\n\r\n")).is_ok());
    let endless = "a".repeat(1024 * 1024);
    for text in
        [format!("5;{endless}"), format!("0\r\nX: {endless}"), format!("5{}", " ".repeat(1024 * 1024))]
    {
        refused(&text);
    }
    // Many small ones are as much.
    refused(&"1;aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nx\r\n".repeat(20_000));
    refused(&format!("0\r\n{}", "X: y\r\n".repeat(20_000)));
    // Without them there is no bound on the number of chunks.
    let many = "1\r\nx\r\n".repeat(200_000);
    assert_eq!(read(&format!("{many}0\r\n\r\n")).unwrap().0.len(), 200_000);
}

#[test]
fn lengths_and_closes() {
    let read = |framing, text: &str| unframe(framing, [text.as_bytes()]);
    assert_eq!(read(Framing::Length(0), "x"), Ok((Vec::new(), 0, true)));
    assert_eq!(read(Framing::Length(3), "abcHTTP/1.1"), Ok((b"abc".to_vec(), 3, true)));
    assert_eq!(read(Framing::Length(u64::MAX), "abc"), Ok((b"abc".to_vec(), 3, false)));
    assert_eq!(read(Framing::UntilClose, "0\r\n\r\n"), Ok((b"0\r\n\r\n".to_vec(), 5, false)));

    let mut reader = Unframe::new(Framing::Length(3));
    assert_eq!(reader.left(), Some(3));
    reader.push(b"ab", &mut Vec::new()).unwrap();
    assert_eq!(reader.left(), Some(1));
    assert!(!reader.close(), "a byte is missing");
    reader.push(b"c", &mut Vec::new()).unwrap();
    assert!(reader.is_done() && reader.close());

    let mut reader = Unframe::new(Framing::UntilClose);
    assert!(!reader.is_done() && reader.left().is_none());
    assert!(reader.close() && reader.is_done(), "closing is its end");
    let mut out = Vec::new();
    assert_eq!((reader.push(b"x", &mut out), out.len()), (Ok(0), 0));

    assert!(Unframe::new(Framing::Length(0)).is_done());
    assert!(!Unframe::new(Framing::Chunked).is_done());
    assert!(!Unframe::new(Framing::Chunked).close());
}
