//! Signature Version 4 of AWS: the parts of a request, keys and the time in; headers out. Pure.
//!
//! Signed are the method, path, query, host, date, session token, and the SHA-256 of the body. Other headers are left
//! out on purpose: proxies change them, and AWS asks for no more than these.

mod canonical;
#[cfg(test)]
mod tests;

pub use canonical::{encode, encode_into};

use crate::material::AwsKeys;
use crate::time;
use aws_lc_rs::{digest, hmac};
use http::HeaderValue;
use http::header::{AUTHORIZATION, HeaderName};
use wellhead_config::snapshot::Signing;

/// The date of the signature.
pub static X_AMZ_DATE: HeaderName = HeaderName::from_static("x-amz-date");
/// The session token that goes with temporary keys.
pub static X_AMZ_SECURITY_TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// What of a request is signed.
#[derive(Debug, Clone, Copy)]
pub struct Parts<'a> {
    /// `POST`.
    pub method: &'a str,
    /// The value of `Host`, as it is sent.
    pub host: &'a str,
    /// The path as it is sent: encoded once.
    pub path: &'a str,
    /// The query as it is sent, without its `?`.
    pub query: &'a str,
    /// SHA-256 of the body.
    pub body: BodyHash,
}

/// SHA-256 of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyHash([u8; 32]);

/// A body on its way to its hash.
#[derive(Clone)]
pub struct BodyHasher(digest::Context);

impl Default for BodyHasher {
    fn default() -> Self {
        Self(digest::Context::new(&digest::SHA256))
    }
}

impl std::fmt::Debug for BodyHasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BodyHasher")
    }
}

impl BodyHasher {
    /// The next piece.
    pub fn update(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    /// The hash of all pieces.
    pub fn finish(self) -> BodyHash {
        BodyHash(sized(self.0.finish().as_ref()))
    }
}

impl BodyHash {
    /// The hash of a body in one piece.
    pub fn of(body: &[u8]) -> Self {
        Self(sized(digest::digest(&digest::SHA256, body).as_ref()))
    }

    fn hex(self) -> String {
        hex(&self.0)
    }
}

/// The headers that a request needs, which replace others of these names. `unix_s`: seconds since 1970.
///
/// # Errors
/// A key or a session token that cannot stand in a header; it is not repeated.
pub fn sign(
    parts: &Parts<'_>,
    keys: &AwsKeys,
    signing: &Signing,
    unix_s: u64,
) -> Result<Vec<(HeaderName, HeaderValue)>, String> {
    let date = time::basic(unix_s);
    let day = &date[..8];
    let token = keys.session_token.as_ref().map(|token| token.expose());
    let (request, signed) = canonical::request(parts, &date, token, &parts.body.hex());
    let Signing { service, region } = signing;
    let scope = format!("{day}/{region}/{service}/aws4_request");
    let hash = hex(digest::digest(&digest::SHA256, request.as_bytes()).as_ref());
    let text = format!("{ALGORITHM}\n{date}\n{scope}\n{hash}");
    let mut key = mac(format!("AWS4{}", keys.secret_access_key.expose()).as_bytes(), day);
    for part in [region, service, "aws4_request"] {
        key = mac(key.as_ref(), part);
    }
    let signature = hex(mac(key.as_ref(), &text).as_ref());
    let id = &keys.access_key_id;
    let authorization =
        format!("{ALGORITHM} Credential={id}/{scope}, SignedHeaders={signed}, Signature={signature}");
    let mut headers = vec![(X_AMZ_DATE.clone(), value(&date)?), (AUTHORIZATION, value(&authorization)?)];
    if let Some(token) = token {
        headers.push((X_AMZ_SECURITY_TOKEN.clone(), value(token)?));
    }
    Ok(headers)
}

fn value(text: &str) -> Result<HeaderValue, String> {
    let bad = |_| "a key of AWS has characters that cannot stand in a header".to_owned();
    let mut value = HeaderValue::from_str(text).map_err(bad)?;
    value.set_sensitive(true);
    Ok(value)
}

fn mac(key: &[u8], text: &str) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes())
}

fn sized(hash: &[u8]) -> [u8; 32] {
    let mut sized = [0; 32];
    sized.copy_from_slice(hash);
    sized
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
