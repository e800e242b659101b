//! API keys: how they look (`wh_live_…` with a checksum for secret scanners) and how they are kept (HMAC-SHA-256).

use aws_lc_rs::{constant_time, digest, hmac};
use std::fmt;

/// What keys begin with; scanners match on it.
const PREFIX: &str = "wh_live_";
/// 32 random bytes in hex.
const BODY_LEN: usize = 64;
/// Hex digits of the checksum: 32 bits tell a typo or a chance match from a key.
const CHECK_LEN: usize = 8;

/// A freshly made key. Its text is shown once and then forgotten.
pub struct ApiKey(String);

impl ApiKey {
    /// Builds a key from 32 random bytes.
    pub fn from_entropy(random: [u8; 32]) -> Self {
        let body = hex(&random);
        let check = checksum(&body);
        Self(format!("{PREFIX}{body}{check}"))
    }

    /// The text to hand out.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Whether a text has the form and the checksum of a key made here.
    pub fn looks_genuine(text: &str) -> bool {
        let Some(rest) = text.strip_prefix(PREFIX) else { return false };
        rest.is_ascii() && rest.len() == BODY_LEN + CHECK_LEN && {
            let (body, check) = rest.split_at(BODY_LEN);
            checksum(body) == check
        }
    }
}

/// The keyed hash of an API key: what is stored, and what requests are looked up by.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyHash([u8; 32]);

impl KeyHash {
    /// A hash as it was stored.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes to store.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Compares in constant time.
    pub fn matches(&self, other: &Self) -> bool {
        constant_time::verify_slices_are_equal(&self.0, &other.0).is_ok()
    }
}

impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyHash({}…)", hex(&self.0[..2]))
    }
}

/// Hashes keys with the pepper of this instance, so that a stolen store is no list of keys.
#[derive(Clone)]
pub struct KeyHasher(hmac::Key);

impl KeyHasher {
    /// Takes the pepper: 32 random bytes that belong to the instance.
    pub fn new(pepper: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, pepper))
    }

    /// The hash of one key's text. About 0.3 µs: cheap enough for every request.
    pub fn hash(&self, key: &[u8]) -> KeyHash {
        let tag = hmac::sign(&self.0, key);
        let mut bytes = [0; 32];
        bytes.copy_from_slice(&tag.as_ref()[..32]);
        KeyHash(bytes)
    }
}

impl fmt::Debug for KeyHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyHasher(…)")
    }
}

fn checksum(body: &str) -> String {
    let sum = digest::digest(&digest::SHA256, body.as_bytes());
    hex(&sum.as_ref()[..CHECK_LEN / 2])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::{ApiKey, KeyHasher};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_made_key_looks_genuine_and_no_changed_one_does(random: [u8; 32], at in 8_usize..80, to in "[0-9a-f]") {
            let key = ApiKey::from_entropy(random);
            prop_assert!(ApiKey::looks_genuine(key.text()));
            let mut changed = key.text().to_owned();
            changed.replace_range(at..=at, &to);
            prop_assert_eq!(ApiKey::looks_genuine(&changed), changed == key.text());
        }

        #[test]
        fn strange_text_is_never_a_key_and_never_a_panic(text in ".{0,100}") {
            prop_assert!(!ApiKey::looks_genuine(&text));
        }
    }

    #[test]
    fn the_pepper_changes_every_hash() {
        let (one, two) = (KeyHasher::new(&[1; 32]), KeyHasher::new(&[2; 32]));
        assert!(one.hash(b"k").matches(&one.hash(b"k")));
        assert!(!one.hash(b"k").matches(&two.hash(b"k")));
        assert!(!one.hash(b"k").matches(&one.hash(b"l")));
    }
}
