//! The assertion of a service account (RFC 7523): a token that says who asks, signed with the account's RSA key.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject;
use serde_json::json;

/// How long an assertion is good for: the most that Google allows.
const LIFETIME_S: u64 = 3600;

/// What is said.
pub(super) struct Claims<'a> {
    pub(super) key_id: Option<&'a str>,
    pub(super) issuer: &'a str,
    pub(super) scope: &'a str,
    pub(super) audience: &'a str,
    /// Seconds since 1970.
    pub(super) now_s: u64,
}

/// The assertion; what is wrong with the key is told without repeating it.
pub(super) fn signed(claims: &Claims<'_>, private_key: &str) -> Result<String, &'static str> {
    let der = PrivatePkcs8KeyDer::from_pem_slice(private_key.as_bytes());
    let der = der.map_err(|_| "its private_key is no key in PEM (PKCS #8)")?;
    let key = KeyPair::from_pkcs8(der.secret_pkcs8_der()).map_err(|_| "its private_key is no RSA key")?;
    let mut header = json!({ "alg": "RS256", "typ": "JWT" });
    if let Some(id) = claims.key_id {
        header["kid"] = id.into();
    }
    let body = json!({
        "iss": claims.issuer,
        "scope": claims.scope,
        "aud": claims.audience,
        "iat": claims.now_s,
        "exp": claims.now_s + LIFETIME_S,
    });
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let text = format!("{}.{}", encode(header.to_string().as_bytes()), encode(body.to_string().as_bytes()));
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature)
        .map_err(|_| "its private_key cannot sign")?;
    Ok(format!("{text}.{}", encode(&signature)))
}
