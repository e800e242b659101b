//! Request ids: UUIDv7 (RFC 9562 section 5.7), or the caller's own when it is harmless.

use std::fmt;

/// Longest id taken over from a caller. 128 holds every tracing system's ids and bounds log lines.
const LEN_MAX: usize = 128;

/// The id of one client request, echoed as `x-request-id` and `request-id`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RequestId(Repr);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Repr {
    Made(uuid::Uuid),
    Given(Box<str>),
}

impl RequestId {
    /// Makes an id from the wall clock in milliseconds since 1970 and 80 random bits.
    pub fn from_parts(unix_ms: u64, random: [u8; 10]) -> Self {
        Self(Repr::Made(uuid::Builder::from_unix_timestamp_millis(unix_ms, &random).into_uuid()))
    }

    /// Takes over the caller's id if it is 1 to 128 of `A-Z a-z 0-9 . _ - : / + =`; otherwise `None`.
    pub fn accept(given: &[u8]) -> Option<Self> {
        let harmless = |b: &u8| b.is_ascii_alphanumeric() || b"._-:/+=".contains(b);
        if given.is_empty() || given.len() > LEN_MAX || !given.iter().all(harmless) {
            return None;
        }
        std::str::from_utf8(given).ok().map(|s| Self(Repr::Given(s.into())))
    }

    /// Writes the id into `buffer` if it was made here, and returns it as text.
    pub fn encode<'a>(&'a self, buffer: &'a mut [u8; 36]) -> &'a str {
        match &self.0 {
            Repr::Made(id) => id.hyphenated().encode_lower(buffer),
            Repr::Given(id) => id,
        }
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.encode(&mut [0; 36]))
    }
}

impl serde::Serialize for RequestId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.encode(&mut [0; 36]))
    }
}

#[cfg(test)]
mod tests {
    use super::RequestId;

    #[test]
    fn made_ids_sort_by_time_and_carry_version_seven() {
        let early = RequestId::from_parts(1_000, [0xff; 10]).to_string();
        let late = RequestId::from_parts(2_000, [0; 10]).to_string();
        assert!(early < late);
        assert_eq!(early.as_bytes()[14], b'7');
    }

    #[test]
    fn foreign_ids_are_taken_over_only_when_harmless() {
        assert_eq!(RequestId::accept(b"req-1:a/b").map(|id| id.to_string()).as_deref(), Some("req-1:a/b"));
        for bad in [&b""[..], b"a b", b"a\r\nx: y", b"\xff", &[b'a'; 129]] {
            assert_eq!(RequestId::accept(bad), None, "{bad:?}");
        }
    }
}
