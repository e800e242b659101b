#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use super::{FormError, PARTS_MAX, boundary, scan};
use crate::checks;
use proptest::prelude::*;

fn form(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut out = String::new();
    for (headers, value) in parts {
        out.push_str(&format!("--XyZ\r\n{headers}\r\n\r\n{value}\r\n"));
    }
    out.push_str("--XyZ--\r\n");
    out.into_bytes()
}

fn field(name: &str) -> String {
    format!("Content-Disposition: form-data; name=\"{name}\"")
}

fn model(body: &[u8]) -> Result<Option<String>, FormError> {
    scan(body, "XyZ", &["model"])
        .map(|[span]| span.map(|span| String::from_utf8(body[span].to_vec()).unwrap()))
}

#[test]
fn the_boundary_is_read_as_rfc_2046_writes_it() {
    for (header, expected) in [
        ("multipart/form-data; boundary=abc", "abc"),
        ("Multipart/Form-Data;charset=utf-8; Boundary=\"a b;c=\\\"d\"", "a b;c=\"d"),
        (
            "multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW ; x=y",
            "----WebKitFormBoundary7MA4YWxkTrZu0gW",
        ),
    ] {
        assert_eq!(boundary(header).unwrap(), expected);
    }
    let long = format!("multipart/form-data; boundary={}", "x".repeat(71));
    for bad in [
        "application/json",
        "multipart/form-data",
        "multipart/mixed; boundary=a",
        "multipart/form-data; boundary=",
        &long,
    ] {
        assert_eq!(boundary(bad), Err(FormError::NoBoundary), "{bad}");
    }
}

#[test]
fn finds_the_field_between_files_and_lookalikes() {
    let file = "Content-Disposition: form-data; name=\"file\"; filename=\"model\"\r\nContent-Type: audio/wav";
    let noise = "RIFF\r\n\r\n--XyZ-not\r\nname=\"model\"\r\n\0\r\n--Xy";
    let body = form(&[(file, noise), (&field("model"), "whisper-1"), (&field("stream"), "true")]);
    let [model, stream, language] = scan(&body, "XyZ", &["model", "stream", "language"]).unwrap();
    assert_eq!(&body[model.unwrap()], b"whisper-1");
    assert_eq!(&body[stream.unwrap()], b"true");
    assert_eq!(language, None);
}

#[test]
fn an_empty_value_and_odd_but_legal_framing_are_read() {
    assert_eq!(model(&form(&[(&field("model"), "")])), Ok(Some(String::new())));
    let odd = b"preamble\r\n--XyZ \t\r\ncontent-disposition: FORM-DATA; NAME=model\r\nContent-Type: text/plain\r\n\r\nm\r\n--XyZ--epilogue";
    assert_eq!(model(odd), Ok(Some("m".to_owned())));
    assert_eq!(model(b"--XyZ--\r\n"), Ok(None));
}

#[test]
fn what_two_parsers_could_read_differently_is_refused_by_name() {
    assert_eq!(
        model(&form(&[(&field("model"), "a"), (&field("model"), "b")])),
        Err(FormError::Duplicate { name: "model" })
    );
    let as_file = format!("{}; filename=\"x\"", field("model"));
    let encoded = format!("{}\r\nContent-Transfer-Encoding: base64", field("model"));
    for headers in [as_file, encoded] {
        assert_eq!(model(&form(&[(&headers, "YQ==")])), Err(FormError::NotPlain { name: "model" }));
    }
}

#[test]
fn broken_frames_say_what_is_wrong() {
    let no_boundary = FormError::NoFirstBoundary { boundary: "XyZ".to_owned() };
    assert_eq!(model(b""), Err(no_boundary.clone()));
    assert_eq!(model(b"--Other\r\n\r\n--Other--"), Err(no_boundary));
    assert_eq!(model(b"--XyZ\r\nA: b\r\n\r\n--XyZ--"), Err(FormError::NoName { part: 1 }));
    let cut = b"--XyZ\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper";
    assert_eq!(model(cut), Err(FormError::Unterminated { part: 1, boundary: "XyZ".to_owned(), at: 55 }));
    let long = form(&[(&format!("X: {}", "x".repeat(9000)), "v")]);
    assert_eq!(model(&long), Err(FormError::HeadersTooLong { part: 1 }));
    let name = field("a");
    assert_eq!(model(&form(&vec![(name.as_str(), "v"); PARTS_MAX + 1])), Err(FormError::TooManyParts));
    assert_eq!(model(&form(&vec![(name.as_str(), "v"); PARTS_MAX])), Ok(None));
}

proptest! {
    #[test]
    fn any_bytes_give_a_span_inside_the_body_or_an_error(
        picks in prop::collection::vec(prop::sample::select(vec![
            "--XyZ", "\r\n", "--", "Content-Disposition: form-data; name=\"", "model", "\"", "; filename=\"", "a", "\\", " ", "--Xy", "=", ";",
        ]), 0..40),
    ) {
        checks::multipart(picks.concat().as_bytes());
    }

    #[test]
    fn whatever_the_files_hold_the_field_is_found(
        before in prop::collection::vec(any::<u8>(), 0..200),
        value in "[ -~]{0,40}",
        after in prop::collection::vec(prop::sample::select(b"\r\n-XyZ".to_vec()), 0..60),
    ) {
        let contains = |bytes: &[u8]| memchr::memmem::find(bytes, b"--XyZ").is_some();
        prop_assume!(!contains(&before) && !contains(&after) && !contains(value.as_bytes()));
        let mut body = b"--XyZ\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\n".to_vec();
        body.extend_from_slice(&before);
        body.extend_from_slice(b"\r\n--XyZ\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\n");
        body.extend_from_slice(value.as_bytes());
        body.extend_from_slice(b"\r\n--XyZ\r\nContent-Disposition: form-data; name=\"f2\"\r\n\r\n");
        body.extend_from_slice(&after);
        body.extend_from_slice(b"\r\n--XyZ--\r\n");
        prop_assert_eq!(model(&body).unwrap(), Some(value));
    }
}
