//! Whether `Host` and the request target name one host, spelt without tricks (RFC 9110 section 7.2, RFC 9112 section
//! 3.2). A host that a later reader could take for a path, a query or another host is refused.

use http::Version;
use http::header::{self, HeaderMap};
use std::fmt;

/// Longest host with port: 253 bytes of name (RFC 1035), brackets and a port fit.
pub const HOST_BYTES_MAX: usize = 262;

/// Why a host is refused; the text of a 400.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostError {
    /// Neither `Host` nor an authority.
    Missing,
    /// `Host` occurs more than once.
    Repeated,
    /// Empty, or only a port.
    Empty,
    /// Longer than `HOST_BYTES_MAX`.
    TooLong,
    /// A byte that no host contains: `/ ? # @ \`, a space, a control character, not ASCII.
    Byte(u8),
    /// The port is not a number from 0 to 65535.
    Port,
    /// Brackets around something that is not an IPv6 address.
    Brackets,
    /// `Host` differs from the authority of the request target (`:authority` in HTTP/2).
    Mismatch,
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("the 'host' header is missing"),
            Self::Repeated => f.write_str("the 'host' header is sent more than once; send it once"),
            Self::Empty => f.write_str("the 'host' header is empty"),
            Self::TooLong => write!(f, "the 'host' header is longer than {HOST_BYTES_MAX} bytes"),
            Self::Byte(b @ 0x21..=0x7e) => write!(f, "the 'host' header contains '{}'", char::from(*b)),
            Self::Byte(b) => write!(f, "the 'host' header contains byte 0x{b:02X}"),
            Self::Port => f.write_str("the port in the 'host' header is not a number from 0 to 65535"),
            Self::Brackets => f.write_str("the brackets in the 'host' header do not hold an IPv6 address"),
            Self::Mismatch => f.write_str("the 'host' header and the host of the request target differ"),
        }
    }
}

impl std::error::Error for HostError {}

/// Checks the host of a request; `authority` is that of the request target, if it has one (`:authority`, or an
/// absolute URI). HTTP/1.0 may do without any.
///
/// # Errors
///
/// `HostError`, to be answered with 400.
pub fn check(headers: &HeaderMap, authority: Option<&str>, version: Version) -> Result<(), HostError> {
    let mut hosts = headers.get_all(header::HOST).iter();
    let host = hosts.next();
    if hosts.next().is_some() {
        return Err(HostError::Repeated);
    }
    if let Some(authority) = authority {
        check_host(authority.as_bytes())?;
    }
    match (host, authority) {
        (Some(host), authority) => {
            check_host(host.as_bytes())?;
            let same = authority.is_none_or(|a| a.as_bytes().eq_ignore_ascii_case(host.as_bytes()));
            if same { Ok(()) } else { Err(HostError::Mismatch) }
        }
        (None, Some(_)) => Ok(()),
        (None, None) if version <= Version::HTTP_10 => Ok(()),
        (None, None) => Err(HostError::Missing),
    }
}

fn check_host(host: &[u8]) -> Result<(), HostError> {
    if host.len() > HOST_BYTES_MAX {
        return Err(HostError::TooLong);
    }
    let host =
        std::str::from_utf8(host).map_err(|e| HostError::Byte(*host.get(e.valid_up_to()).unwrap_or(&0)))?;
    let (name, port) = if let Some(rest) = host.strip_prefix('[') {
        let (address, after) = rest.split_once(']').ok_or(HostError::Brackets)?;
        // Zone ids are of this machine only and never belong into a request (RFC 6874 section 1).
        address.parse::<std::net::Ipv6Addr>().map_err(|_| HostError::Brackets)?;
        match after.strip_prefix(':') {
            Some(port) => (address, Some(port)),
            None if after.is_empty() => (address, None),
            None => return Err(HostError::Brackets),
        }
    } else {
        let (name, port) = host.split_once(':').map_or((host, None), |(name, port)| (name, Some(port)));
        // reg-name of RFC 3986 without escapes: no resolver knows them.
        let allowed = |b: &u8| b.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(b);
        if let Some(b) = name.bytes().find(|b| !allowed(b)) {
            return Err(HostError::Byte(b));
        }
        (name, port)
    };
    if name.is_empty() {
        return Err(HostError::Empty);
    }
    match port {
        None | Some("") => Ok(()),
        Some(port) if port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok() => Ok(()),
        Some(_) => Err(HostError::Port),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::{HostError, check};
    use http::Version;
    use http::header::{HOST, HeaderMap, HeaderValue};

    fn verdict(host: &[u8], authority: Option<&str>) -> Result<(), HostError> {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_bytes(host).unwrap());
        check(&headers, authority, Version::HTTP_11)
    }

    #[test]
    fn ordinary_hosts_pass() {
        for host in
            ["localhost:4000", "api.example.com", "127.0.0.1", "[::1]:4000", "[::1]", "a:", "a_b.internal:1"]
        {
            assert_eq!(verdict(host.as_bytes(), None), Ok(()), "{host}");
        }
        assert_eq!(verdict(b"API.example.com", Some("api.EXAMPLE.com")), Ok(()));
    }

    #[test]
    fn hosts_that_another_reader_could_misread_are_refused() {
        let table: [(&[u8], HostError); 17] = [
            (b"x/health?", HostError::Byte(b'/')),
            (b"x?y", HostError::Byte(b'?')),
            (b"x#y", HostError::Byte(b'#')),
            (b"user@host", HostError::Byte(b'@')),
            (b"a\\b", HostError::Byte(b'\\')),
            (b"a b", HostError::Byte(b' ')),
            (b"a\tb", HostError::Byte(b'\t')),
            (b"a%2fb", HostError::Byte(b'%')),
            (b"a,b/c", HostError::Byte(b'/')),
            (b"h\xc3\xb6st", HostError::Byte(0xc3)),
            (b"h\xffst", HostError::Byte(0xff)),
            (b"", HostError::Empty),
            (b":80", HostError::Empty),
            (b"a:b", HostError::Port),
            (b"a:65536", HostError::Port),
            (b"a:+1", HostError::Port),
            (b"[::1]x", HostError::Brackets),
        ];
        for (host, why) in table {
            assert_eq!(verdict(host, None), Err(why), "{}", host.escape_ascii());
        }
        assert_eq!(verdict(b"[fe80::1%25eth0]", None), Err(HostError::Brackets));
        assert_eq!(verdict(b"::1", None), Err(HostError::Empty));
        assert_eq!(verdict(&[b'a'; 263], None), Err(HostError::TooLong));
    }

    #[test]
    fn a_host_that_differs_from_the_target_is_refused() {
        assert_eq!(verdict(b"a", Some("b")), Err(HostError::Mismatch));
        assert_eq!(verdict(b"a:80", Some("a:81")), Err(HostError::Mismatch));
        assert_eq!(verdict(b"a", Some("a@b")), Err(HostError::Byte(b'@')));
    }

    #[test]
    fn one_host_is_needed_and_not_two() {
        let mut headers = HeaderMap::new();
        assert_eq!(check(&headers, None, Version::HTTP_11), Err(HostError::Missing));
        assert_eq!(check(&headers, None, Version::HTTP_10), Ok(()));
        assert_eq!(check(&headers, Some("a"), Version::HTTP_2), Ok(()));
        headers.append(HOST, HeaderValue::from_static("a"));
        headers.append(HOST, HeaderValue::from_static("a"));
        assert_eq!(check(&headers, None, Version::HTTP_11), Err(HostError::Repeated));
    }
}
