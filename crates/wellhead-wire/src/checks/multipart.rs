//! The form reader on hostile bodies.

use crate::multipart;

/// Whatever the bytes, spans lie in the body, between a header's end and a delimiter.
pub fn multipart(body: &[u8]) {
    if let Ok(text) = std::str::from_utf8(body)
        && let Ok(boundary) = multipart::boundary(text)
    {
        assert!((1..=multipart::BOUNDARY_BYTES_MAX).contains(&boundary.len()));
    }
    let Ok(fields) = multipart::scan(body, "XyZ", &["model", "a"]) else { return };
    for span in fields.into_iter().flatten() {
        assert!(span.start <= span.end && span.end <= body.len());
        let value = &body[span.clone()];
        assert!(body[..span.start].ends_with(b"\r\n\r\n"));
        let after = &body[span.end..];
        assert!(
            after.starts_with(b"\r\n--XyZ")
                || (value.is_empty() && body[span.start - 2..].starts_with(b"\r\n--XyZ"))
        );
        // Putting another value in its place is read back.
        let edited = [&body[..span.start], b"other", after].concat();
        let again = multipart::scan(&edited, "XyZ", &["model", "a"]);
        if after.starts_with(b"\r\n--XyZ") {
            let again = again.expect("the frame is unchanged");
            assert!(again.into_iter().flatten().any(|s| &edited[s] == b"other"));
        }
    }
}
