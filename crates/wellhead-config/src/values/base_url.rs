//! URLs of upstreams, taken apart and checked once, so that nothing later has to parse or guess.

use std::net::Ipv6Addr;

use serde_json::{Value as Json, json};

use super::{Leaf, Problem, text_json};
use crate::read::Written;
use crate::snapshot::BaseUrl;

/// Longest URL in bytes: what servers and proxies accept in a request line.
const URL_BYTES_MAX: usize = 2 * 1024;

/// An absolute `http` or `https` URL without user, query and fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url(pub BaseUrl);

impl Url {
    /// The URL of a text, if it is one.
    pub fn of(text: &str) -> Option<Self> {
        split(text).ok().map(Self)
    }
}

impl Leaf for Url {
    const WRITTEN: Written = Written::Text;

    fn expected() -> String {
        "an absolute URL, such as https://api.example.com/v1".to_owned()
    }

    fn parse(text: &str) -> Result<Self, Problem> {
        // A password may hide in any malformed URL that has an @, or in a query: those are never repeated.
        let cautious = |problem: Problem| if text.contains(['@', '?']) { problem.hide() } else { problem };
        split(text).map(Self).map_err(cautious)
    }

    fn to_json(&self) -> Json {
        text_json(&text_of(&self.0))
    }

    fn schema() -> Json {
        json!({ "type": "string", "pattern": "^[Hh][Tt][Tt][Pp][Ss]?://[^/?#@\\s]+(/[^?#\\s]*)?$" })
    }
}

/// The URL as text; the port is left out where the scheme implies it.
pub(crate) fn text_of(url: &BaseUrl) -> String {
    let (scheme, implied) = if url.tls { ("https", 443) } else { ("http", 80) };
    let host = if url.host.contains(':') { format!("[{}]", url.host) } else { url.host.clone() };
    let port = if url.port == implied { String::new() } else { format!(":{}", url.port) };
    format!("{scheme}://{host}{port}{}", url.path)
}

/// Takes a URL apart (RFC 3986 section 3).
pub(crate) fn split(text: &str) -> Result<BaseUrl, Problem> {
    if text.is_empty() {
        return Err(Problem::new("is empty"));
    }
    if text.len() > URL_BYTES_MAX {
        return Err(Problem::new("is too long").expected(format!("at most {URL_BYTES_MAX} bytes")));
    }
    let Some((scheme, rest)) = text.split_once("://") else {
        let suggestion = text.contains('.').then(|| format!("https://{}", text.trim_start_matches('/')));
        return Err(
            Problem::new("is not an absolute URL").suggest(suggestion.filter(|_| !text.contains('@')))
        );
    };
    let tls = match scheme.to_ascii_lowercase().as_str() {
        "http" => false,
        "https" => true,
        _ => return Err(Problem::new("has a scheme that is not spoken").expected("http:// or https://")),
    };
    if let Some(c) = rest.chars().find(|c| !c.is_ascii_graphic() || "\"<>\\^`{|}".contains(*c)) {
        let problem = Problem::new(format!("contains the character {c:?}, which a URL cannot contain"));
        return Err(problem.expected("printable ASCII; foreign host names as xn--…, other characters as %XX"));
    }
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    if authority.contains('@') {
        return Err(
            Problem::new("contains a user or password (not shown)").expected("credentials in `keys:`")
        );
    }
    if path.contains(['?', '#']) {
        let problem = Problem::new("has a query or fragment");
        return Err(
            problem.expected("the base URL alone; `api_version:` and `headers:` have fields of their own")
        );
    }
    let (host, port) = host_and_port(authority, if tls { 443 } else { 80 })?;
    Ok(BaseUrl { tls, host, port, path: clean_path(path)? })
}

fn host_and_port(authority: &str, implied: u16) -> Result<(String, u16), Problem> {
    let (host, port) = if let Some(rest) = authority.strip_prefix('[') {
        let Some((inner, after)) = rest.split_once(']') else {
            return Err(Problem::new("has a `[` without its `]`").expected("an IPv6 address such as [::1]"));
        };
        let Ok(address) = inner.parse::<Ipv6Addr>() else {
            return Err(Problem::new("has brackets around something that is no IPv6 address"));
        };
        (address.to_string(), after)
    } else {
        let (host, port) = authority.split_at(authority.find(':').unwrap_or(authority.len()));
        (host.to_ascii_lowercase(), port)
    };
    if host.is_empty() {
        return Err(Problem::new("names no host"));
    }
    if !host.contains(':') && !is_host_name(&host) {
        return Err(
            Problem::new("has a host name that cannot exist").expected("a host name or an IP address")
        );
    }
    match port.strip_prefix(':') {
        None if port.is_empty() => Ok((host, implied)),
        Some(digits) => match digits.parse::<u16>() {
            Ok(port) if port > 0 && digits.bytes().all(|b| b.is_ascii_digit()) => Ok((host, port)),
            _ => Err(Problem::new("has a port that does not exist").expected("a port from 1 to 65535")),
        },
        None => Err(Problem::new("has text between host and port")),
    }
}

/// Whether a text can be a host name: labels of 1 to 63 letters, digits, `-` and `_` (RFC 1123 section 2.1, and the
/// underscore that container networks use), at most 253 bytes.
pub(crate) fn is_host_name(host: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let host = host.strip_suffix('.').unwrap_or(host);
    host.len() <= 253 && host.split('.').all(label)
}

fn clean_path(path: &str) -> Result<String, Problem> {
    let path = path.trim_end_matches('/');
    if path.split('/').any(|segment| segment == "." || segment == "..") {
        return Err(Problem::new("has `.` or `..` in its path").expected("the path that is meant"));
    }
    if path.contains("//") {
        return Err(Problem::new("has a doubled slash in its path").expected("single slashes"));
    }
    Ok(path.to_owned())
}
