//! From document to effect: compile, record, keep as last good, publish. And the other way: report what was refused.

use std::sync::Arc;

use wellhead_config::snapshot::{Boot, Limits};
use wellhead_config::{Diagnostic, Document, Snapshot};
use wellhead_store::{GenerationOutcome, GenerationQueries, LastGood, NewGeneration};
use wellhead_types::ConfigStatus;

use super::load::{Parsed, Trouble};
use super::{Applied, Configurator, ReloadError, Writer, lines};
use crate::clock::now_ms;

/// Most messages of one attempt that the history keeps: a person reads tens.
const MESSAGES_KEPT_MAX: usize = 100;

/// Why a change was tried and who asked for it; goes into the history.
#[derive(Clone, Copy)]
pub(super) struct Cause<'a> {
    pub(super) reason: &'a str,
    pub(super) actor: &'a str,
}

impl Writer {
    /// From now on this document serves.
    pub(super) fn take(&mut self, parsed: Parsed) {
        let Parsed { document, sha256, warnings } = parsed;
        self.document = Some(document);
        self.sha256 = sha256;
        self.file_warnings = lines(&warnings);
    }
}

impl Configurator {
    /// Reads the source again. A valid configuration takes effect; an invalid one changes nothing and is reported in
    /// the status, the log, the metrics and the history. `reason` and `actor` go into the history.
    ///
    /// # Errors
    /// When the new configuration did not take effect; the one before keeps serving.
    pub async fn reload(&self, reason: &str, actor: &str) -> Result<Applied, ReloadError> {
        let mut writer = self.write().await;
        self.reload_locked(&mut writer, Cause { reason, actor }).await
    }

    pub(super) async fn reload_locked(
        &self,
        writer: &mut Writer,
        cause: Cause<'_>,
    ) -> Result<Applied, ReloadError> {
        let loaded = self.load().await;
        if !loaded.seen.is_empty() {
            writer.seen = loaded.seen;
        }
        writer.pending = None;
        let parsed = match loaded.outcome {
            Ok(parsed) => parsed,
            Err(trouble) => return Err(self.refuse(writer, cause, trouble).await),
        };
        self.refresh_apps(writer).await;
        match self.compile(&parsed.document, &writer.apps, writer.generation + 1) {
            Ok(compiled) => {
                writer.take(parsed);
                Ok(self.apply(writer, cause, compiled, None).await)
            }
            Err(diagnostics) => {
                let trouble = Trouble::Invalid { diagnostics, sha256: parsed.sha256 };
                Err(self.refuse(writer, cause, trouble).await)
            }
        }
    }

    /// Builds a new generation from the document that serves and the apps as the store has them now. What is known
    /// about a newer, wrong file stays in the status.
    pub(super) async fn rebuild(
        &self,
        writer: &mut Writer,
        cause: Cause<'_>,
    ) -> Result<Applied, ReloadError> {
        let document = writer.document.clone().ok_or(ReloadError::NotLoaded)?;
        self.refresh_apps(writer).await;
        let compiled =
            self.compile(&document, &writer.apps, writer.generation + 1).map_err(ReloadError::Invalid)?;
        let before = self.status();
        let errors = (!before.last_reload_ok).then(|| before.last_reload_errors.clone());
        Ok(self.apply(writer, cause, compiled, errors).await)
    }

    /// Records, keeps and publishes a snapshot that compiled. `errors` are those of a newer text that was refused.
    pub(super) async fn apply(
        &self,
        writer: &mut Writer,
        cause: Cause<'_>,
        (snapshot, about): (Snapshot, Vec<Diagnostic>),
        errors: Option<Vec<String>>,
    ) -> Applied {
        let snapshot = Arc::new(snapshot);
        writer.generation = snapshot.generation;
        let boot = Arc::clone(writer.boot.get_or_insert_with(|| Arc::clone(&snapshot.boot)));
        let limits = Arc::clone(writer.limits.get_or_insert_with(|| Arc::clone(&snapshot.limits)));
        let mut warnings = writer.file_warnings.clone();
        warnings.extend(changed_at_start_only(&boot, &snapshot.boot));
        warnings.extend(listener_limits_changed(&limits, &snapshot.limits));
        warnings.extend(lines(&about));

        // Kept before it serves: whatever served once can be started from. A full disk must not keep a correction from
        // taking effect, so a failure here is a warning.
        self.record(writer, cause, GenerationOutcome::Applied, &writer.sha256, &warnings).await;
        if let Some(document) = writer.document.clone() {
            warnings.extend(self.keep(document, writer.generation).await);
        }
        let known = self.status();
        let status = Arc::new(ConfigStatus {
            source: self.source.name(),
            generation: writer.generation,
            loaded_at_ms: now_ms(),
            last_reload_ok: errors.is_none(),
            last_reload_errors: errors.unwrap_or_default(),
            warnings: warnings.clone(),
        });
        self.snapshot.store(Some(Arc::clone(&snapshot)));
        self.status.store(Arc::clone(&status));
        if let Some(plane) = self.data_plane.get() {
            plane.publish(snapshot);
            plane.set_config_metrics(&status);
        }
        tracing::info!(generation = writer.generation, reason = cause.reason, "configuration applied");
        // Said once, and not again with every app that somebody makes.
        for warning in warnings.iter().filter(|warning| !known.warnings.contains(warning)) {
            tracing::warn!("{warning}");
        }
        Applied { generation: writer.generation, warnings }
    }

    /// Reports what did not take effect.
    async fn refuse(&self, writer: &Writer, cause: Cause<'_>, trouble: Trouble) -> ReloadError {
        let (error, sha256) = match trouble {
            Trouble::Unreadable(source) => {
                (ReloadError::Unreadable { name: self.source.name(), source }, "0".repeat(64))
            }
            Trouble::Invalid { diagnostics, sha256 } => (ReloadError::Invalid(diagnostics), sha256),
            Trouble::Interrupted => (ReloadError::Interrupted, "0".repeat(64)),
        };
        let messages = error.messages();
        let generation = writer.generation;
        tracing::error!(
            generation,
            reason = cause.reason,
            "new configuration refused; this generation keeps serving"
        );
        for message in &messages {
            tracing::error!("{message}");
        }
        self.record(writer, cause, GenerationOutcome::Rejected, &sha256, &messages).await;
        let mut status = ConfigStatus::clone(&self.status());
        status.last_reload_ok = false;
        status.last_reload_errors = messages;
        let status = Arc::new(status);
        self.status.store(Arc::clone(&status));
        if let Some(plane) = self.data_plane.get() {
            plane.set_config_metrics(&status);
        }
        error
    }

    async fn record(
        &self,
        writer: &Writer,
        cause: Cause<'_>,
        outcome: GenerationOutcome,
        sha256: &str,
        messages: &[String],
    ) {
        let entry = NewGeneration {
            generation: writer.generation,
            at_ms: now_ms(),
            source: self.source.name(),
            sha256: sha256.to_owned(),
            outcome,
            reason: cause.reason.to_owned(),
            actor: cause.actor.to_owned(),
            messages: messages.iter().take(MESSAGES_KEPT_MAX).cloned().collect(),
        };
        if let Err(error) = self.store.record_generation(&entry).await {
            tracing::error!(error = &error as &dyn std::error::Error, "the history misses this generation");
        }
    }

    /// Writes last good; gives a warning when that failed.
    async fn keep(&self, document: Arc<Document>, generation: u64) -> Option<String> {
        let (data_dir, source) = (Arc::clone(&self.data_dir), self.source.name());
        let task = tokio::task::spawn_blocking(move || {
            let document = wellhead_config::to_canonical(&document);
            data_dir.write_last_good(&LastGood { generation, source, saved_at_ms: now_ms(), document })
        });
        let error = match task.await {
            Ok(Ok(())) => return None,
            Ok(Err(error)) => describe(&error),
            Err(_) => "a bug of this program".to_owned(),
        };
        Some(format!("this configuration serves but could not be kept for the next start: {error}"))
    }
}

/// An error with its causes on one line.
fn describe(error: &dyn std::error::Error) -> String {
    std::iter::successors(error.source(), |e| e.source())
        .fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// Names the settings that are read at start only and were changed since.
fn changed_at_start_only(started: &Boot, now: &Boot) -> Vec<String> {
    // Taken apart whole, so that a new field cannot be forgotten here.
    let Boot { gateway, admin, workers, shared_runtime, otlp_endpoint, access_log, drain_min, drain_max } =
        started;
    let changes = [
        ("listen.gateway", *gateway != now.gateway),
        ("listen.admin", *admin != now.admin),
        ("server.workers", *workers != now.workers),
        ("server.shared_runtime", *shared_runtime != now.shared_runtime),
        ("telemetry.otlp_endpoint", *otlp_endpoint != now.otlp_endpoint),
        ("telemetry.access_log", *access_log != now.access_log),
        ("server.drain_min", *drain_min != now.drain_min),
        ("server.drain_max", *drain_max != now.drain_max),
    ];
    when_started_again(&changes)
}

/// The limits that listeners are opened with; the others take effect with the next request.
fn listener_limits_changed(started: &Limits, now: &Limits) -> Vec<String> {
    when_started_again(&[
        ("limits.connections_max", started.connections_max != now.connections_max),
        ("limits.header_timeout", started.header_timeout != now.header_timeout),
    ])
}

fn when_started_again(changes: &[(&str, bool)]) -> Vec<String> {
    let warning = |name| format!("{name} was changed; it takes effect when Wellhead is started again");
    changes.iter().filter(|(_, changed)| *changed).map(|(name, _)| warning(name)).collect()
}
