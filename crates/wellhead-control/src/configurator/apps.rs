//! Apps made through the management API. Each change is tried on a snapshot first, so that the store never holds what
//! would make every later configuration invalid.

use wellhead_config::snapshot::AppLimits;
use wellhead_config::{StoreApp, StoreKey};
use wellhead_store::{AppQueries, AppSettings, StoredApp};

use super::publish::Cause;
use super::{ChangeError, Configurator, ReloadError, Writer};
use crate::clock::now_ms;

/// `App::origin` of an app that came from the store.
pub(crate) const ORIGIN_STORE: &str = "store";

impl Configurator {
    /// Makes an app and publishes it; it is usable when this returns.
    ///
    /// # Errors
    /// When the name is taken by the file or the store, or the snapshot would be invalid with it.
    pub async fn create_app(&self, name: &str, settings: &AppSettings) -> Result<StoredApp, ChangeError> {
        let mut writer = self.write().await;
        self.refuse_if_in_file(name)?;
        if let Some(existing) = self.store.get_app(name).await? {
            return Err(wellhead_store::StoreError::AppExists(existing.name).into());
        }
        self.try_app(&writer, name, settings)?;
        let made = self.store.create_app(name, settings, now_ms()).await?;
        self.publish_change(&mut writer, &format!("app {name:?} created")).await?;
        Ok(made)
    }

    /// Replaces an app's settings if it is still at version `expected`.
    ///
    /// # Errors
    /// As `create_app`, and `VersionMismatch` when somebody else was faster.
    pub async fn update_app(
        &self,
        name: &str,
        settings: &AppSettings,
        expected: u64,
    ) -> Result<StoredApp, ChangeError> {
        let mut writer = self.write().await;
        self.refuse_if_in_file(name)?;
        self.try_app(&writer, name, settings)?;
        let changed = self.store.update_app(name, settings, expected, now_ms()).await?;
        self.publish_change(&mut writer, &format!("app {name:?} changed")).await?;
        Ok(changed)
    }

    /// Deletes an app with its keys if it is still at version `expected`. Its keys are refused when this returns.
    ///
    /// # Errors
    /// When it is declared in the file, is not there, or changed meanwhile.
    pub async fn delete_app(&self, name: &str, expected: u64) -> Result<(), ChangeError> {
        let mut writer = self.write().await;
        // A stored app that the file hides may be deleted: that is how the warning about it is cleared.
        if self.store.get_app(name).await?.is_none() {
            self.refuse_if_in_file(name)?;
        }
        self.store.delete_app(name, expected).await?;
        self.publish_change(&mut writer, &format!("app {name:?} deleted")).await
    }

    /// Where the app is declared, if that is the configuration file.
    pub(crate) fn file_origin(&self, name: &str) -> Option<String> {
        let snapshot = self.snapshot()?;
        let app = snapshot.apps.get(name)?;
        (app.origin != ORIGIN_STORE).then(|| app.origin.clone())
    }

    pub(super) fn refuse_if_in_file(&self, name: &str) -> Result<(), ChangeError> {
        match self.file_origin(name) {
            Some(origin) => Err(ChangeError::ManagedByFile { app: name.to_owned(), origin }),
            None => Ok(()),
        }
    }

    pub(super) async fn publish_change(&self, writer: &mut Writer, reason: &str) -> Result<(), ChangeError> {
        let cause = Cause { reason, actor: "admin" };
        self.rebuild(writer, cause).await.map(drop).map_err(ChangeError::NotPublished)
    }

    /// Compiles the configuration with this app in it, and throws the result away.
    fn try_app(&self, writer: &Writer, name: &str, settings: &AppSettings) -> Result<(), ChangeError> {
        let document = writer.document.as_ref().ok_or(ChangeError::NotPublished(ReloadError::NotLoaded))?;
        let mut apps = writer.apps.clone();
        let keys = match apps.iter().position(|app| *app.name == *name) {
            Some(at) => apps.swap_remove(at).keys,
            None => Vec::new(),
        };
        apps.push(store_app(name, settings, keys));
        self.compile(document, &apps, writer.generation + 1).map(drop).map_err(ChangeError::Invalid)
    }
}

/// In the configuration's terms.
pub(super) fn store_app(name: &str, settings: &AppSettings, keys: Vec<StoreKey>) -> StoreApp {
    // Taken apart whole, so that a new setting cannot be stored and then dropped silently.
    let AppSettings { models, rpm, tpm, concurrency } = settings;
    StoreApp {
        name: name.to_owned(),
        keys,
        models: models.clone(),
        limits: AppLimits { rpm: *rpm, tpm: *tpm, concurrency: *concurrency },
    }
}
