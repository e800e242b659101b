//! How much an answer's head may hold.

use super::{head, refused};
use crate::http1::{FIELDS_MAX, HEAD_BYTES_MAX, Malformed, read_response};
use http::Method;
use std::fmt::Write;

fn with_fields(count: usize) -> String {
    let mut text = "HTTP/1.1 200 OK\r\n".to_owned();
    for i in 0..count {
        write!(text, "x-{i}: {i}\r\n").unwrap();
    }
    text + "\r\n"
}

/// A head of exactly so many bytes.
fn of_bytes(bytes: usize) -> String {
    let text = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: \r\n\r\n";
    text.replace("X: ", &format!("X: {}", "a".repeat(bytes - text.len())))
}

#[test]
fn a_hundred_fields_and_no_more() {
    assert_eq!(FIELDS_MAX, 100);
    assert_eq!(head(&with_fields(FIELDS_MAX)).headers.len(), FIELDS_MAX);
    refused(&with_fields(FIELDS_MAX + 1));
    // The one too many must not hide what it says.
    let hidden = with_fields(FIELDS_MAX).replacen("\r\n\r\n", "\r\nContent-Length: 5\r\n\r\n", 1);
    refused(&hidden);
}

#[test]
fn a_head_of_the_largest_size_and_none_larger() {
    let largest = of_bytes(HEAD_BYTES_MAX);
    let read = |text: &str, end: usize| read_response(&Method::POST, &text.as_bytes()[..end]);
    assert_eq!(read(&largest, largest.len()).unwrap().unwrap().bytes, HEAD_BYTES_MAX);
    // A body behind it does not count.
    let followed = format!("{largest}{}", "b".repeat(70_000));
    assert_eq!(read(&followed, followed.len()).unwrap().unwrap().bytes, HEAD_BYTES_MAX);

    let larger = of_bytes(HEAD_BYTES_MAX + 1);
    for step in [1_000, 4_096, 65_536, larger.len()] {
        let mut ends = (1..).map(|i| (i * step).min(larger.len()));
        let said = ends.find_map(|end| match read(&larger, end) {
            Ok(None) => {
                assert!(end < HEAD_BYTES_MAX, "{end} bytes and still waiting");
                None
            }
            other => Some(other),
        });
        assert_eq!(said.unwrap().unwrap_err(), Malformed::HeadTooLarge, "in pieces of {step}");
    }
}

#[test]
fn what_never_ends_is_refused_at_the_limit() {
    for start in ["", "HTTP/1.1 200 ", "HTTP/1.1 200 OK\r\nX: ", "HTTP/1.1 200 OK\r\n"] {
        let endless =
            format!("{start}{}", if start.is_empty() { "\r\n" } else { "a" }.repeat(HEAD_BYTES_MAX));
        let bytes = endless.as_bytes();
        assert!(matches!(read_response(&Method::POST, &bytes[..HEAD_BYTES_MAX - 1]), Ok(None)), "{start:?}");
        for end in [HEAD_BYTES_MAX, HEAD_BYTES_MAX + 1, bytes.len()] {
            let said = read_response(&Method::POST, &bytes[..end]).unwrap_err();
            assert_eq!(said, Malformed::HeadTooLarge, "{start:?}");
        }
    }
}

/// RFC 9112 section 2.2 speaks of requests; servers are known to end a body with a line end too many.
#[test]
fn empty_lines_in_front_count_as_bytes_of_the_head() {
    let text = "\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";
    assert_eq!(head(text).bytes, text.len());
}
