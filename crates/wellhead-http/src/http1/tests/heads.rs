//! Heads of answers: what they say, and which are refused.

use super::{head, read, refused};
use crate::http1::{Framing, Malformed, read_response};
use http::{Method, StatusCode};

#[test]
fn an_ordinary_head() {
    let text = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\ncontent-length: 17\r\nX-A: 1\r\nx-a:  2 \t\r\nx-e:\r\n\r\n";
    let head = head(&format!("{text}HTTP/1.1 500 "));
    assert_eq!((head.status, head.framing, head.reusable), (StatusCode::OK, Framing::Length(17), true));
    assert_eq!(head.bytes, text.len(), "the body is not part of it");
    assert_eq!(head.headers.len(), 5);
    assert_eq!(head.headers["content-type"], "application/json");
    assert_eq!(head.headers["content-length"], "17");
    assert_eq!(head.headers.get_all("x-a").iter().collect::<Vec<_>>(), ["1", "2"], "in order, trimmed");
    assert_eq!(head.headers["x-e"], "");
}

#[test]
fn incomplete_heads_are_no_answer_yet() {
    let text = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\n";
    for end in 0..text.len() {
        let partial = read_response(&Method::POST, &text.as_bytes()[..end]);
        assert!(matches!(partial, Ok(None)), "{:?}: {partial:?}", &text[..end]);
    }
}

#[test]
fn where_the_body_ends() {
    // RFC 9112 section 6.3, in its order.
    let table = [
        ("", Framing::UntilClose),
        ("Content-Length: 0\r\n", Framing::Length(0)),
        ("Content-Length: 42\r\n", Framing::Length(42)),
        ("Content-Length:42\r\n", Framing::Length(42)),
        ("Content-Length: \t 42 \t\r\n", Framing::Length(42)),
        ("CONTENT-LENGTH: 42\r\n", Framing::Length(42)),
        // A recipient must expect large numbers (RFC 9110 section 8.6); zeros in front change nothing.
        ("Content-Length: 0000000000000000000000000042\r\n", Framing::Length(42)),
        ("Content-Length: 18446744073709551615\r\n", Framing::Length(u64::MAX)),
        // Said twice, but the same.
        ("Content-Length: 42\r\nX: y\r\ncontent-length: 42\r\n", Framing::Length(42)),
        ("Transfer-Encoding: chunked\r\n", Framing::Chunked),
        ("transfer-encoding:CHUNKED \r\n", Framing::Chunked),
        // No body of that length or coding is meant by these.
        ("X-Content-Length: 42\r\n", Framing::UntilClose),
        ("Content-Encoding: chunked\r\n", Framing::UntilClose),
    ];
    for (fields, framing) in table {
        let head = head(&format!("HTTP/1.1 200 OK\r\n{fields}\r\n"));
        assert_eq!(head.framing, framing, "{fields:?}");
        assert!(!head.headers.contains_key("transfer-encoding"), "{fields:?}");
        assert!(head.headers.get_all("content-length").iter().count() <= 1, "{fields:?}");
    }
}

#[test]
fn lengths_that_two_readers_could_read_differently_are_refused() {
    let values = [
        "",
        " ",
        "+5",
        "-5",
        "-0",
        "5.0",
        "5e1",
        "0x5",
        "5 5",
        "5,5",
        "5, 5",
        "5,",
        ",5",
        "5, 6",
        "5;",
        "\"5\"",
        "five",
        "5\u{a0}",
        "\u{665}",
        "18446744073709551616",
        "99999999999999999999999",
        "5\t5",
        "_5",
        "5_0",
        "340282366920938463463374607431768211461",
    ];
    for value in values {
        let said = refused(&format!("HTTP/1.1 200 OK\r\nContent-Length: {value}\r\n\r\n12345"));
        assert!(matches!(said, Malformed::Framing(_)), "{value:?}: {said}");
    }
    for two in [["5", "6"], ["6", "5"], ["0", "5"], ["5", ""], ["5", "5, 5"], ["5", "+5"]] {
        let fields = format!("Content-Length: {}\r\nContent-Length: {}\r\n", two[0], two[1]);
        let said = refused(&format!("HTTP/1.1 200 OK\r\n{fields}\r\n"));
        assert!(matches!(said, Malformed::Framing(_)), "{two:?}: {said}");
        // Also where there is no body: whoever says so is broken.
        refused(&format!("HTTP/1.1 304 Not Modified\r\n{fields}\r\n"));
    }
}

#[test]
fn codings_other_than_chunked_once_are_refused() {
    let values = [
        "",
        "gzip",
        "identity",
        "gzip, chunked",
        "chunked, gzip",
        "chunked, chunked",
        "chunked,",
        ",chunked",
        "xchunked",
        "chunked-false",
        "chunkedx",
        "\"chunked\"",
        "chunked;q=1",
        "chunk ed",
        "x chunked",
        "\u{b}chunked",
        "chunked\u{a0}",
        "cow",
    ];
    for value in values {
        refused(&format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: {value}\r\n\r\n"));
    }
    for two in [
        ["chunked", "chunked"],
        ["chunked", "identity"],
        ["identity", "chunked"],
        ["gzip", "chunked"],
        ["chunked", ""],
    ] {
        refused(&format!(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: {}\r\nTransfer-Encoding: {}\r\n\r\n",
            two[0], two[1]
        ));
    }
}

#[test]
fn a_length_and_a_coding_together_are_refused() {
    for fields in [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "transfer-encoding: Chunked\r\nX: y\r\nCONTENT-length: 5\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n",
    ] {
        let said = refused(&format!("HTTP/1.1 200 OK\r\n{fields}\r\n0\r\n\r\n"));
        assert!(matches!(said, Malformed::Framing(_)), "{said}");
    }
    // RFC 9112 section 6.1: faulty framing in an HTTP/1.0 message, even with a length beside it.
    for fields in ["", "Content-Length: 5\r\n", "Connection: keep-alive\r\n"] {
        refused(&format!("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n{fields}\r\n"));
    }
}

#[test]
fn some_answers_have_no_body_whatever_they_say() {
    let fields = ["", "Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n"];
    for (method, status) in [
        (Method::POST, "100 Continue"),
        (Method::POST, "103 Early Hints"),
        (Method::POST, "199 x"),
        (Method::POST, "204 No Content"),
        (Method::GET, "304 Not Modified"),
        (Method::HEAD, "200 OK"),
        (Method::HEAD, "404 Not Found"),
    ] {
        for fields in fields {
            let text = format!("HTTP/1.1 {status}\r\n{fields}\r\n");
            let head = read(&method, text.as_bytes()).unwrap();
            assert_eq!(head.framing, Framing::Length(0), "{method} {text:?}");
            assert_eq!(head.bytes, text.len());
        }
    }
    // These look alike and do have one.
    for status in ["200 ", "205 Reset Content", "303 See Other", "401 Unauthorized", "500 x"] {
        assert_eq!(
            head(&format!("HTTP/1.1 {status}\r\nContent-Length: 5\r\n\r\n")).framing,
            Framing::Length(5)
        );
    }
    // The answer to HEAD and 304 say how long the body would be; the caller may want to know.
    let text = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
    assert_eq!(read(&Method::HEAD, text).unwrap().headers["content-length"], "5");
}

#[test]
fn a_body_announced_where_none_may_be_costs_the_connection() {
    for fields in ["Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n"] {
        assert!(!head(&format!("HTTP/1.1 204 No Content\r\n{fields}\r\n")).reusable, "{fields:?}");
    }
    for text in
        ["204 No Content\r\n", "204 No Content\r\nContent-Length: 0\r\n", "304 x\r\nContent-Length: 5\r\n"]
    {
        assert!(head(&format!("HTTP/1.1 {text}\r\n")).reusable, "{text:?}");
    }
}

#[test]
fn whether_the_connection_goes_on() {
    let table = [
        // RFC 9112 section 9.3.
        ("1.1", "", true),
        ("1.1", "Connection: keep-alive\r\n", true),
        ("1.1", "Connection: x\r\n", true),
        ("1.1", "Connection:\r\n", true),
        ("1.1", "Connection: close\r\n", false),
        ("1.1", "connection:CLOSE\r\n", false),
        ("1.1", "Connection: x, close\r\n", false),
        ("1.1", "Connection: x ,\tClose\t, y\r\n", false),
        ("1.1", "Connection: ,,close\r\n", false),
        // Whoever says both means to close.
        ("1.1", "Connection: close, keep-alive\r\n", false),
        ("1.1", "Connection: keep-alive, close\r\n", false),
        ("1.1", "Connection: close\r\nConnection: keep-alive\r\n", false),
        ("1.1", "Connection: keep-alive\r\nConnection: close\r\n", false),
        ("1.1", "Connection: close\r\nConnection: x\r\n", false),
        // Other words are other words.
        ("1.1", "Connection: closed\r\n", true),
        ("1.1", "Connection: not-close\r\n", true),
        ("1.1", "Keep-Alive: timeout=5\r\n", true),
        ("1.0", "", false),
        ("1.0", "Connection: close\r\n", false),
        ("1.0", "Connection: keep-alive\r\n", true),
        ("1.0", "Connection: Keep-Alive\r\nKeep-Alive: timeout=5\r\n", true),
        ("1.0", "Connection: keep-alive, close\r\n", false),
        ("1.0", "Connection: close, keep-alive\r\n", false),
        ("1.0", "Keep-Alive: timeout=5\r\n", false),
    ];
    for (version, fields, reusable) in table {
        let head = head(&format!("HTTP/{version} 200 OK\r\nContent-Length: 1\r\n{fields}\r\n"));
        assert_eq!(head.reusable, reusable, "{version} {fields:?}");
    }
    // The end of these bodies is the end of the connection.
    for start in [
        "HTTP/1.1 200 OK\r\nConnection: keep-alive",
        "HTTP/1.0 200 OK\r\nConnection: keep-alive",
        "HTTP/1.1 200 OK",
    ] {
        let head = head(&format!("{start}\r\n\r\n"));
        assert_eq!((head.framing, head.reusable), (Framing::UntilClose, false), "{start:?}");
    }
}

#[test]
fn status_lines() {
    for (line, status) in [
        ("HTTP/1.1 200 OK", 200),
        ("HTTP/1.1 200 ", 200),
        ("HTTP/1.1 200", 200),
        ("HTTP/1.0 599 x", 599),
        ("HTTP/1.1 999 ", 999),
        ("HTTP/1.1 100 Continue", 100),
        ("HTTP/1.1 429 \u{fc}berlastet, \tsp\u{e4}ter", 429),
        ("HTTP/1.1 200 OK HTTP/1.1 500", 200),
    ] {
        assert_eq!(head(&format!("{line}\r\nContent-Length: 0\r\n\r\n")).status, status, "{line:?}");
    }
    for line in [
        "HTTP/1.1 000 OK",
        "HTTP/1.1 99 OK",
        "HTTP/1.1 099 OK",
        "HTTP/1.1 1000 OK",
        "HTTP/1.1 2OO OK",
        "HTTP/1.1 -20 OK",
        "HTTP/1.1 +20 OK",
        "HTTP/1.1 20 OK",
        "HTTP/1.1  200 OK",
        "HTTP/1.1\t200 OK",
        "HTTP/1.1 200OK",
        "HTTP/1.1 OK",
        "HTTP/1.1 ",
        "HTTP/1.1",
        "HTTP/1.2 200 OK",
        "HTTP/2.0 200 OK",
        "HTTP/2 200",
        "HTTP/0.9 200 OK",
        "HTTP/11 200 OK",
        "HTTP/1.10 200 OK",
        "http/1.1 200 OK",
        "HTTPS/1.1 200 OK",
        "ICY 200 OK",
        " HTTP/1.1 200 OK",
        "SSH-2.0-OpenSSH_9",
        "HTTP/1.1 200 O\u{7f}K",
        "HTTP/1.1 200 O\0K",
        "HTTP/1.1 200 O\rK",
        "POST /v1/x HTTP/1.1",
        "<html>",
        "{}",
        "HTTP/1.1 200\t",
        "\u{15}\u{3}\u{3}\0\u{2}\u{2}(",
    ] {
        refused(&format!("{line}\r\nContent-Length: 0\r\n\r\n"));
    }
    assert_eq!(
        refused("HTTP/1.1 099 x\r\n\r\n").to_string(),
        "the response's status is not a number from 100 to 999"
    );
}

#[test]
fn fields_that_are_none_are_refused() {
    for field in [
        // RFC 9112 section 5.1: no whitespace before the colon; 5.2: no folding.
        "Content-Length : 5",
        "Content-Length\t: 5",
        "Transfer-Encoding : chunked",
        "X-A: 1\r\n folded",
        "X-A: 1\r\n\tfolded",
        "X-A: 1\r\n Content-Length: 5",
        " X-A: 1",
        "\tX-A: 1",
        "X A: 1",
        "X-A",
        ": 1",
        ":",
        "X-\u{e9}: 1",
        "X\0: 1",
        "X(: 1",
        "X\u{b}: 1",
        "\"X\": 1",
        "Content-Length\u{0}: 5",
        "X: a\0b",
        "X: a\u{7f}b",
        "X: a\u{1}b",
        "X: a\u{b}b",
        // A carriage return alone ends a line for some.
        "X: a\rContent-Length: 5",
        "X: a\r\rb",
        "X: a\r",
        "X: \r\r",
    ] {
        refused(&format!("HTTP/1.1 200 OK\r\n{field}\r\n\r\n"));
        refused(&format!("HTTP/1.1 200 OK\r\nA: b\r\n{field}\r\nC: d\r\n\r\n"));
    }
    for (value, is) in [
        ("a\tb", &b"a\tb"[..]),
        ("a\u{e9}", "a\u{e9}".as_bytes()),
        ("a: b", b"a: b"),
        ("{\"a\":1}", b"{\"a\":1}"),
    ] {
        assert_eq!(head(&format!("HTTP/1.1 200 OK\r\nX: {value}\r\n\r\n")).headers["x"].as_bytes(), is);
    }
}

/// RFC 9112 section 2.2 lets a recipient take a line feed for a line's end. If one does, then everywhere alike.
#[test]
fn lone_line_feeds_mean_the_same_or_are_refused() {
    for fields in [
        "Content-Length: 5\n",
        "Transfer-Encoding: chunked\n",
        "Content-Length: 5\nTransfer-Encoding: chunked\n",
        "Connection: close\n",
        "A: b\n",
    ] {
        let loose = format!("HTTP/1.1 200 OK\n{fields}\n");
        let strict = loose.replace('\n', "\r\n");
        let (loose, strict) = (read(&Method::POST, loose.as_bytes()), read(&Method::POST, strict.as_bytes()));
        if let Ok(loose) = loose {
            let strict = strict.unwrap();
            assert_eq!(
                (loose.framing, loose.reusable, &loose.headers),
                (strict.framing, strict.reusable, &strict.headers)
            );
        }
    }
    // A carriage return does not count as a line.
    let text = "HTTP/1.1 200 OK\r\nA: b\r\n\r";
    assert!(matches!(read_response(&Method::POST, text.as_bytes()), Ok(None)));
    refused(&format!("{text}A: b\r\n\r\n"));
}
