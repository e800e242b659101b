//! Sealing: AES-256-GCM with a random nonce. The file's name is authenticated too, so that one sealed file cannot
//! stand in for another.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::error::Unspecified;

/// First bytes of every sealed file: format 1.
const MAGIC: &[u8; 4] = b"WHS1";

/// Seals `plain` for the file called `name`.
pub(super) fn seal(key: &[u8; 32], name: &str, mut plain: Vec<u8>) -> Result<Vec<u8>, Unspecified> {
    let nonce =
        RandomizedNonceKey::new(&AES_256_GCM, key)?.seal_in_place_append_tag(aad(name), &mut plain)?;
    Ok([&MAGIC[..], nonce.as_ref(), &plain].concat())
}

/// Opens what `seal` made; `None` if it was changed or made with another key or name.
pub(super) fn open(key: &[u8; 32], name: &str, mut sealed: Vec<u8>) -> Option<Vec<u8>> {
    if !sealed.starts_with(MAGIC) || sealed.len() < MAGIC.len() + NONCE_LEN {
        return None;
    }
    let mut body = sealed.split_off(MAGIC.len() + NONCE_LEN);
    let nonce = Nonce::try_assume_unique_for_key(&sealed[MAGIC.len()..]).ok()?;
    let key = RandomizedNonceKey::new(&AES_256_GCM, key).ok()?;
    let plain_len = key.open_in_place(nonce, aad(name), &mut body).ok()?.len();
    body.truncate(plain_len);
    Some(body)
}

fn aad(name: &str) -> Aad<&[u8]> {
    Aad::from(name.as_bytes())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

    use super::{open, seal};

    #[test]
    fn opens_only_unchanged_with_the_same_key_and_name() {
        let sealed = seal(&[1; 32], "a", b"secret words".to_vec()).unwrap();
        assert_eq!(open(&[1; 32], "a", sealed.clone()).unwrap(), b"secret words");
        assert_eq!(open(&[2; 32], "a", sealed.clone()), None);
        assert_eq!(open(&[1; 32], "b", sealed.clone()), None);
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(open(&[1; 32], "a", changed), None, "byte {at}");
            assert_eq!(open(&[1; 32], "a", sealed[..at].to_vec()), None, "cut at {at}");
        }
        assert!(!sealed.windows(6).any(|w| w == b"secret"));
    }

    #[test]
    fn sealing_twice_never_gives_the_same_bytes() {
        assert_ne!(seal(&[1; 32], "a", vec![0; 8]).unwrap(), seal(&[1; 32], "a", vec![0; 8]).unwrap());
    }
}
