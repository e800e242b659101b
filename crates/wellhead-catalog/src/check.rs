//! What a kind may say, so that nothing wrong reaches the wire.

use crate::kind::{Auth, Kind};
use crate::models::Models;
use crate::quirk::KnownQuirk;

/// The words of [`Kind::source`], from the surest to the least sure.
pub const SOURCES: [&str; 7] =
    ["recorded", "measured", "specification", "vendor-page", "gateway-data", "reported", "unverified"];

/// Headers that a quirk must not set: they carry credentials, or they belong to the connection (RFC 9110 section
/// 7.6.1), or the gateway writes them itself.
const HEADERS_RESERVED: [&str; 13] = [
    "api-key",
    "authorization",
    "connection",
    "content-length",
    "cookie",
    "host",
    "keep-alive",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-api-key",
];

/// Says what is wrong with a kind, and what is expected instead.
pub(crate) fn kind(kind: &Kind) -> Result<(), String> {
    if !word(&kind.name, |b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
        return Err("a name consists of a-z, 0-9 and -".to_owned());
    }
    for (field, value) in [("title", &kind.title), ("otel_name", &kind.otel_name)] {
        if value.trim().is_empty() {
            return Err(format!("{field} is empty"));
        }
    }
    if !SOURCES.contains(&kind.source.as_str()) {
        return Err(format!("source \"{}\" is not one of: {}", kind.source, SOURCES.join(", ")));
    }
    if let Some(url) = &kind.base_url {
        base_url(url)?;
    }
    if let Some(list) = kind.models.iter().find(|list| !Models::BUILTIN.lists().any(|known| known == *list)) {
        return Err(format!(
            "models: there is no list \"{list}\"; expected the name of a file of catalog/models/"
        ));
    }
    auth(kind)?;
    quirks(kind)
}

fn auth(kind: &Kind) -> Result<(), String> {
    if let Auth::Header(name) = &kind.auth {
        header_name("auth", name)?;
    }
    if let Auth::AwsSigv4(service) = &kind.auth
        && !word(service, |b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    {
        return Err(format!("auth: \"{service}\" is not the name of a service, such as \"bedrock\""));
    }
    if kind.auth == Auth::None && !kind.key_env.is_empty() {
        return Err("key_env names a key, but auth is \"none\"".to_owned());
    }
    let env_byte = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
    match kind.key_env.iter().find(|name| !word(name, env_byte)) {
        Some(bad) => Err(format!("key_env \"{bad}\": an environment variable consists of A-Z, 0-9 and _")),
        None => Ok(()),
    }
}

/// `https`, or `http` where the key and the prompts do not leave the machine.
fn base_url(url: &str) -> Result<(), String> {
    let fail = |what: &str| Err(format!("base_url \"{url}\": {what}"));
    let (tls, rest) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
        (Some(rest), _) => (true, rest),
        (None, Some(rest)) => (false, rest),
        (None, None) => return fail("expected https://HOST/PATH"),
    };
    let authority = rest.split('/').next().unwrap_or_default();
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    if host.is_empty() || url.contains(|c: char| c.is_whitespace() || "@?#{}".contains(c)) {
        return fail("expected a host and a path, without user, query, fragment, placeholder or space");
    }
    if url.ends_with('/') {
        return fail("remove the slash at the end");
    }
    if !tls && !["127.0.0.1", "localhost"].contains(&host) {
        return fail("only loopback addresses may be http; use https");
    }
    Ok(())
}

fn quirks(kind: &Kind) -> Result<(), String> {
    let quirks = &kind.quirks;
    for path in &quirks.endpoints {
        if path.is_empty() || path.starts_with('/') || path.ends_with('/') {
            return Err(format!("endpoint \"{path}\": expected a path such as \"chat/completions\""));
        }
    }
    header_name("request_id_header", &quirks.request_id_header)?;
    for (name, value) in &quirks.headers {
        header_name("headers", name)?;
        if HEADERS_RESERVED.contains(&name.as_str()) {
            return Err(format!("headers: \"{name}\" may not be set here; credentials belong into auth"));
        }
        if value.is_empty() || !value.bytes().all(|b| (b' '..=b'~').contains(&b)) {
            return Err(format!("headers: the value of \"{name}\" is empty or not printable ASCII"));
        }
    }
    if let Some((bad, _)) = quirks.prefill_models.iter().find(|(text, _)| !is_pattern(text)) {
        return Err(format!("prefill_models: \"{bad}\": expected a model's name, with at most one *"));
    }
    quirks.chat.iter().try_for_each(KnownQuirk::check)?;
    match quirks
        .query
        .iter()
        .find(|(name, _)| !word(name, |b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)))
    {
        Some((name, _)) => {
            Err(format!("query: \"{name}\": a parameter consists of letters, digits, - _ and ."))
        }
        None => Ok(()),
    }
}

/// A model's name with at most one `*`.
pub(crate) fn is_pattern(text: &str) -> bool {
    !text.is_empty() && text.matches('*').count() <= 1
}

/// A field name of RFC 9110 section 5.1, in the lower case that HTTP/2 requires.
fn header_name(field: &str, name: &str) -> Result<(), String> {
    if word(name, |b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"!#$%&'*+-.^_`|~".contains(&b)) {
        return Ok(());
    }
    Err(format!("{field}: \"{name}\" is not a header name in lower case"))
}

fn word(text: &str, allowed: impl Fn(u8) -> bool) -> bool {
    !text.is_empty() && text.bytes().all(allowed)
}
