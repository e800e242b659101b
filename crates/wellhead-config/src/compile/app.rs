//! Apps of the file, and those of the store beside them. Where both claim a name or a key, the file wins: it is what
//! a person sees and reviews.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use wellhead_policy::{KeyHash, KeyHasher};
use wellhead_types::{Name, Priority};

use super::{CompileContext, short_hash};
use crate::diagnostic::{At, Report};
use crate::document::{self, Document};
use crate::snapshot::{App, AppKey, AppLimits, Webhook};

/// Where an app of the store says that it comes from.
const STORE: &str = "store";

/// An app that lives in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreApp {
    /// Its name.
    pub name: String,
    /// Its keys.
    pub keys: Vec<StoreKey>,
    /// Models that it may use; `None` means all.
    pub models: Option<Vec<String>>,
    /// Its limits.
    pub limits: AppLimits,
}

/// A key of an app in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreKey {
    /// Its id.
    pub id: String,
    /// Its keyed hash, made with the same pepper as `CompileContext::hasher`.
    pub hash: KeyHash,
}

pub(super) fn compile(
    document: &Document,
    context: &CompileContext<'_>,
    report: &mut Report,
) -> BTreeMap<Name, Arc<App>> {
    let mut apps = BTreeMap::new();
    let mut owners: HashMap<KeyHash, Name> = HashMap::new();
    let known: HashSet<&str> = document.root.models.iter().flat_map(|models| models.names()).collect();
    for (name, written) in document.root.apps.iter().flat_map(|apps| apps.iter()) {
        let app = from_file(name, document.origin_of(name.line()), written, context.hasher);
        owners.extend(app.keys.iter().map(|key| (key.hash, Arc::clone(&app.name))));
        apps.insert(Arc::clone(&app.name), Arc::new(app));
    }
    for stored in context.extra_apps {
        if let Some(app) = from_store(document, stored, &known, &apps, &mut owners, report) {
            apps.insert(Arc::clone(&app.name), Arc::new(app));
        }
    }
    apps
}

fn from_file(name: &str, origin: String, written: &document::App, hasher: &KeyHasher) -> App {
    let keys = written.keys.iter().flat_map(|keys| &keys.0).map(|key| {
        let secret = key.secret.0.expose();
        let id = match &key.id {
            Some(id) => format!("{name}#{}", &*id.0).into(),
            None => format!("{name}#{}", short_hash(hasher, secret)).into(),
        };
        AppKey { id, hash: hasher.hash(secret.as_bytes()) }
    });
    let limits = written.limits.as_ref().map_or_else(AppLimits::default, |limits| AppLimits {
        rpm: limits.rpm.as_ref().map(|n| n.0),
        tpm: limits.tpm.as_ref().map(|n| n.0),
        concurrency: limits.concurrency.as_ref().map(|n| n.0),
    });
    let models = written.models.as_ref().map(|models| super::names(&models.0));
    let regions = written.regions.as_ref().map(|regions| super::names(&regions.0));
    let priority = written.priority.as_ref().map_or(Priority::Default, |choice| choice.meant());
    let webhook = written.webhook.as_ref().and_then(|written| webhook(written));
    App { name: name.into(), keys: keys.collect(), models, regions, webhook, limits, priority, origin }
}

fn webhook(written: &document::Webhook) -> Option<Webhook> {
    let secrets = written.secrets.iter().flat_map(|secrets| &secrets.0);
    let secrets = secrets.map(|secret| secret.0.clone()).collect();
    Some(Webhook { url: written.url.as_ref()?.0.clone(), secrets })
}

fn from_store(
    document: &Document,
    stored: &StoreApp,
    known: &HashSet<&str>,
    apps: &BTreeMap<Name, Arc<App>>,
    owners: &mut HashMap<KeyHash, Name>,
    report: &mut Report,
) -> Option<App> {
    let path = format!("apps.{}", stored.name);
    if let Some(other) = apps.get(stored.name.as_str()) {
        let message = format!(
            "the app {:?} of the store is left out: {} declares one of that name",
            stored.name, other.origin
        );
        report.warning(place_of(document, &stored.name), &path, message);
        return None;
    }
    let name: Name = stored.name.as_str().into();
    let mut keys = Vec::with_capacity(stored.keys.len());
    for key in &stored.keys {
        match owners.get(&key.hash) {
            Some(owner) => {
                let message = format!(
                    "the key {:?} of the app {:?} of the store is left out: the app {owner:?} has the same key",
                    key.id, stored.name
                );
                report.warning(place_of(document, owner), &path, message);
            }
            None => {
                owners.insert(key.hash, Arc::clone(&name));
                keys.push(AppKey { id: key.id.as_str().into(), hash: key.hash });
            }
        }
    }
    let models = stored.models.as_ref().map(|models| {
        for model in models.iter().filter(|model| !known.contains(model.as_str())) {
            let message = format!(
                "the app {:?} of the store names the model {model:?}, which the file does not have",
                stored.name
            );
            report.warning(At::START, &path, message);
        }
        models.iter().map(|model| model.as_str().into()).collect()
    });
    let (limits, priority, origin) = (stored.limits, Priority::Default, STORE.to_owned());
    Some(App { name, keys, models, regions: None, webhook: None, limits, priority, origin })
}

/// Where the file declares an app of that name; the beginning of the file if it does not.
fn place_of(document: &Document, name: &str) -> At {
    let entry = document.root.apps.as_ref().and_then(|apps| apps.get(name));
    entry.map_or(At::START, |entry| entry.name.place.at)
}
