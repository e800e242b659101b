//! The first configuration of a process.

use std::sync::Arc;

use wellhead_config::Snapshot;
use wellhead_store::GenerationQueries;

use super::load::{Parsed, Trouble};
use super::publish::Cause;
use super::{Applied, Configurator, FirstLoadError};

/// What a process starts with.
#[derive(Debug, Clone)]
pub struct FirstLoad {
    /// The snapshot to build the data plane from.
    pub snapshot: Arc<Snapshot>,
    /// What a person should know, one line each.
    pub warnings: Vec<String>,
    /// Set when the file could not be read and the configuration that served last is used instead: say it loudly.
    pub from_last_good: Option<String>,
}

impl Configurator {
    /// Loads the first configuration. An invalid file is an error, because a person or a supervisor is watching; a file
    /// that cannot be read falls back on the configuration that served last, if there is one.
    ///
    /// # Errors
    /// `Invalid` with every diagnostic; `Unreadable` when there is nothing to fall back on.
    pub async fn load_first(&self) -> Result<FirstLoad, FirstLoadError> {
        let mut writer = self.write().await;
        let recorded = self.store.latest_good().await?.map_or(0, |good| good.entry.generation);
        let loaded = self.load().await;
        writer.seen = loaded.seen;
        let (parsed, fallback) = match loaded.outcome {
            Ok(parsed) => (parsed, None),
            Err(Trouble::Invalid { diagnostics, .. }) => return Err(FirstLoadError::Invalid(diagnostics)),
            Err(Trouble::Interrupted) => return Err(FirstLoadError::Interrupted),
            Err(Trouble::Unreadable(source)) => {
                let (parsed, note) = self.fall_back(source).await?;
                (parsed, Some(note))
            }
        };
        writer.generation = recorded;
        self.refresh_apps(&mut writer).await;
        let compiled = self
            .compile(&parsed.document, &writer.apps, writer.generation + 1)
            .map_err(FirstLoadError::Invalid)?;
        writer.take(parsed);
        let reason = if fallback.is_some() { "start from last good" } else { "start" };
        let errors = fallback.clone().map(|note| vec![note]);
        let Applied { warnings, .. } =
            self.apply(&mut writer, Cause { reason, actor: "system" }, compiled, errors).await;
        let snapshot = self.snapshot().ok_or(FirstLoadError::Interrupted)?;
        Ok(FirstLoad { snapshot, warnings, from_last_good: fallback })
    }

    async fn fall_back(&self, source: std::io::Error) -> Result<(Parsed, String), FirstLoadError> {
        let name = self.source.name();
        let data_dir = Arc::clone(&self.data_dir);
        let task = tokio::task::spawn_blocking(move || data_dir.read_last_good());
        let Some(last_good) = task.await.map_err(|_| FirstLoadError::Interrupted)?? else {
            return Err(FirstLoadError::Unreadable { name, source });
        };
        // Another file's configuration would be a surprise, not a rescue.
        if last_good.source != name {
            return Err(FirstLoadError::Unreadable { name, source });
        }
        let note = format!(
            "cannot read {name}: {source}; serving generation {}, the last one that was good",
            last_good.generation
        );
        tracing::warn!("{note}");
        match self.load_last_good(last_good).await {
            Ok(parsed) => Ok((parsed, note)),
            Err(Trouble::Invalid { diagnostics, .. }) => Err(FirstLoadError::Invalid(diagnostics)),
            Err(Trouble::Unreadable(_) | Trouble::Interrupted) => Err(FirstLoadError::Interrupted),
        }
    }
}
