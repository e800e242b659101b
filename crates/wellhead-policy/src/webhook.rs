//! Signatures of Standard Webhooks: HMAC-SHA-256 over `id.timestamp.body`, with a secret that is written as `whsec_`
//! and base64.

use aws_lc_rs::{digest, hmac};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt;

/// What secrets begin with.
const PREFIX: &str = "whsec_";
/// Bytes of a secret: what the standard allows.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// A secret that webhooks are signed with.
#[derive(Clone)]
pub struct WebhookKey(hmac::Key);

impl WebhookKey {
    /// Reads a secret.
    ///
    /// # Errors
    /// What is wrong with it, for a person; it never repeats the secret.
    pub fn parse(text: &str) -> Result<Self, String> {
        let encoded = text.strip_prefix(PREFIX).ok_or_else(|| format!("does not begin with {PREFIX}"))?;
        let secret = STANDARD.decode(encoded).map_err(|_| format!("is not base64 behind {PREFIX}"))?;
        if !SECRET_BYTES.contains(&secret.len()) {
            return Err(format!(
                "has {} bytes behind {PREFIX}, which may be {} to {}",
                secret.len(),
                SECRET_BYTES.start(),
                SECRET_BYTES.end()
            ));
        }
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &secret)))
    }

    /// The signature of one message, as one entry of `webhook-signature`. `timestamp` is in seconds since 1970.
    pub fn sign(&self, id: &str, timestamp: u64, body: &[u8]) -> String {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(format!("{id}.{timestamp}.").as_bytes());
        context.update(body);
        format!("v1,{}", STANDARD.encode(context.sign().as_ref()))
    }
}

impl fmt::Debug for WebhookKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookKey(…)")
    }
}

/// SHA-256 of the pieces one after another, in hex: tells whether two requests are the same.
pub fn fingerprint(pieces: &[&[u8]]) -> String {
    let mut context = digest::Context::new(&digest::SHA256);
    pieces.iter().for_each(|piece| context.update(piece));
    context.finish().as_ref().iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::{WebhookKey, fingerprint};

    /// The example of the specification and of the reference libraries.
    #[test]
    fn the_signature_is_that_of_standard_webhooks() -> Result<(), String> {
        let key = WebhookKey::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")?;
        let signed = key.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        Ok(())
    }

    #[test]
    fn a_bad_secret_is_refused_without_being_repeated() {
        let short = "whsec_c2hvcnQtYnV0LXNlY3JldA==";
        for bad in ["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_", "whsec_not base64!", short] {
            let error = WebhookKey::parse(bad).err().unwrap_or_default();
            assert!(
                !error.is_empty() && !error.contains("MfKQ") && !error.contains("c2hv"),
                "{bad}: {error}"
            );
        }
    }

    #[test]
    fn a_fingerprint_is_sha_256() {
        let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!((fingerprint(&[b"abc"]).as_str(), fingerprint(&[b"a", b"bc"]).as_str()), (known, known));
    }
}
