//! What is looked at every half second.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::load::fingerprints;
use super::publish::Cause;
use super::{Configurator, Writer};
use crate::clock::now_ms;
use crate::source::Fingerprint;

impl Configurator {
    /// Takes expired keys out of service, and loads the file if it changed and has come to rest.
    pub(crate) async fn tick(&self) {
        let seen = {
            let mut writer = self.write().await;
            self.drop_expired_keys(&mut writer).await;
            writer.seen.clone()
        };
        // Without the lock: a file on a dead network mount must not keep the management API from changing apps.
        let Some(now) = look(seen.clone()).await else { return };
        let mut writer = self.write().await;
        if writer.seen != seen {
            return;
        }
        if now == seen {
            writer.pending = None;
        } else if writer.pending.as_ref() == Some(&now) {
            // Two looks agree: whoever writes the file has finished. The outcome is reported by `reload_locked`.
            let _ = self.reload_locked(&mut writer, Cause { reason: "file changed", actor: "system" }).await;
        } else {
            writer.pending = Some(now);
        }
    }

    async fn drop_expired_keys(&self, writer: &mut Writer) {
        if writer.next_expiry_ms.is_none_or(|at| at > now_ms()) {
            return;
        }
        // Forgotten first: when the database fails, the log says so once and not twice a second.
        writer.next_expiry_ms = None;
        let cause = Cause { reason: "key expired", actor: "system" };
        if let Err(error) = self.rebuild(writer, cause).await {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "an expired key could not be taken out"
            );
        }
    }
}

async fn look(seen: BTreeMap<PathBuf, Fingerprint>) -> Option<BTreeMap<PathBuf, Fingerprint>> {
    tokio::task::spawn_blocking(move || fingerprints(seen.keys(), &seen)).await.ok()
}
