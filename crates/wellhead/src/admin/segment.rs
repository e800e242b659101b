//! Names in paths.

/// One segment of a path, or one value of a query (RFC 3986 section 2.3: everything but the unreserved is encoded).
pub(crate) fn segment(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    // A segment of dots only would be taken for a step in the path.
    if text.bytes().all(|byte| byte == b'.') {
        return text.replace('.', "%2E");
    }
    text.bytes().map(encode).collect()
}

#[cfg(test)]
mod tests {
    use super::segment;

    #[test]
    fn a_segment_stays_one_segment() {
        assert_eq!(segment("shop-1.a_b~"), "shop-1.a_b~");
        assert_eq!(segment("a/b?c#d%é"), "a%2Fb%3Fc%23d%25%C3%A9");
        assert_eq!(segment(".."), "%2E%2E");
    }
}
