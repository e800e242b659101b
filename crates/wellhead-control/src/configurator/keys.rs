//! Keys made through the management API: the text exists in one answer and nowhere else.

use wellhead_policy::ApiKey;
use wellhead_store::{KeyQueries, NewKey, StoredKey};
use wellhead_types::Secret;

use super::{ChangeError, Configurator};
use crate::clock::now_ms;
use crate::source::hex;

/// How many characters of a key are kept for display: enough to tell a few keys apart, useless for guessing.
const TAIL_CHARS: usize = 4;

/// What is wished for a new key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyRequest {
    /// A name for people.
    pub name: Option<String>,
    /// Seconds until it stops working; `None`: never.
    pub expires_in_s: Option<u64>,
}

/// A new key: the only time that its text is seen.
#[derive(Debug, Clone)]
pub struct IssuedKey {
    /// The text to hand to the application.
    pub text: Secret,
    /// What is kept of it.
    pub stored: StoredKey,
}

impl Configurator {
    /// Makes a key for an app and publishes it; it opens the gateway when this returns.
    ///
    /// # Errors
    /// When the app is declared in the file or is not there, or has too many keys.
    pub async fn create_key(&self, app: &str, request: &KeyRequest) -> Result<IssuedKey, ChangeError> {
        let mut writer = self.write().await;
        self.refuse_if_in_file(app)?;
        let key = ApiKey::from_entropy(random()?);
        let text = key.text();
        let tail = text.get(text.len().saturating_sub(TAIL_CHARS)..).unwrap_or_default();
        let now = now_ms();
        let new = NewKey {
            id: format!("key_{}", hex(&random::<8>()?)),
            name: request.name.clone(),
            tail: tail.to_owned(),
            hash: self.hasher.hash(text.as_bytes()),
            expires_at_ms: request.expires_in_s.map(|s| now.saturating_add(s.saturating_mul(1000))),
        };
        let stored = self.store.add_key(app, &new, now).await?;
        self.publish_change(&mut writer, &format!("key {} of app {app:?} created", stored.id)).await?;
        Ok(IssuedKey { text: Secret::new(text), stored })
    }

    /// Revokes a key for good; requests with it are refused when this returns. Doing it twice changes nothing.
    ///
    /// # Errors
    /// When the app is declared in the file, or app or key are not there.
    pub async fn revoke_key(&self, app: &str, id: &str) -> Result<StoredKey, ChangeError> {
        let mut writer = self.write().await;
        self.refuse_if_in_file(app)?;
        let already = self.store.get_key(app, id).await?.is_some_and(|key| key.revoked_at_ms.is_some());
        let revoked = self.store.revoke_key(app, id, now_ms()).await?;
        if !already {
            self.publish_change(&mut writer, &format!("key {id} of app {app:?} revoked")).await?;
        }
        Ok(revoked)
    }
}

fn random<const N: usize>() -> Result<[u8; N], ChangeError> {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| ChangeError::Randomness)?;
    Ok(bytes)
}
