//! Providers with what their kinds add.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use wellhead_catalog::{Auth, Kind};
use wellhead_policy::KeyHasher;
use wellhead_types::{Name, Secret};

use super::{cloud, short_hash};
use crate::check::{ReportAt, effective_url};
use crate::defaults;
use crate::diagnostic::Report;
use crate::document::{self, Document};
use crate::read::Element;
use crate::snapshot::{BaseUrl, Protocol, Provider, ProviderKey, Tls};
use crate::values::ProviderKeyEntry;

/// Every provider whose kind is known; the others have had their error.
pub(super) fn compile(
    document: &Document,
    hasher: &KeyHasher,
    report: &mut Report,
) -> BTreeMap<Name, Arc<Provider>> {
    let mut compiled = BTreeMap::new();
    for (name, written) in document.root.providers.iter().flat_map(|providers| providers.iter()) {
        let Some(kind) = document.kind_of(written) else { continue };
        let Some(url) = effective_url(written, kind) else {
            let message = format!("the base URL of kind {:?} cannot be used", &*kind.name);
            report.error_at(name, message).expected("`base_url:` for this provider");
            continue;
        };
        let name: Name = name.as_str().into();
        let provider = Provider {
            name: Arc::clone(&name),
            kind: Arc::clone(kind),
            keys: keys(&name, written, kind, &url.0, hasher),
            base_url: url.0,
            prefill: written.prefill.as_ref().map(|choice| choice.meant()),
            responses: written.responses.as_ref().map_or(kind.quirks.responses, |switch| switch.0),
            region: written.region.as_ref().map(|region| region.0.as_str().into()),
            headers: headers(written),
            tls: tls(written),
            protocol: written.protocol.as_ref().map_or(Protocol::Auto, |choice| choice.meant()),
            api_version: written.api_version.as_ref().map(|version| version.0.clone()),
            idempotency: written.idempotency.as_ref().is_some_and(|switch| switch.0),
            connect_timeout: connect_timeout(written),
            concurrency_max: written.concurrency_max.as_ref().and_then(|n| u32::try_from(n.0).ok()),
        };
        compiled.insert(name, Arc::new(provider));
    }
    compiled
}

fn keys(
    name: &str,
    written: &document::Provider,
    kind: &Kind,
    url: &BaseUrl,
    hasher: &KeyHasher,
) -> Vec<ProviderKey> {
    if kind.auth == Auth::None {
        return Vec::new();
    }
    let listed = written.keys.iter().flat_map(|keys| &keys.0).map(|entry| &entry.value);
    let single = written.key.iter().map(|key| ProviderKeyEntry::Plain(key.value.clone())).collect::<Vec<_>>();
    let keys: Vec<_> =
        listed.chain(&single).filter_map(|entry| key(name, entry, kind, url, hasher)).collect();
    if !keys.is_empty() || written.keys.is_some() {
        return keys;
    }
    let usual = cloud::usual(kind, url).map(|cloud| ProviderKey {
        id: format!("{name}#default").into(),
        secret: Secret::new(""),
        cloud: Some(Arc::new(cloud)),
    });
    usual.into_iter().collect()
}

/// `None`: an entry about which an error has been said.
fn key(
    name: &str,
    entry: &ProviderKeyEntry,
    kind: &Kind,
    url: &BaseUrl,
    hasher: &KeyHasher,
) -> Option<ProviderKey> {
    let id = |text: &str| match entry.id() {
        Some(id) => format!("{name}#{}", id.0).into(),
        None => format!("{name}#{}", short_hash(hasher, text)).into(),
    };
    if let Some(secret) = entry.secret() {
        return Some(ProviderKey { id: id(secret.0.expose()), secret: secret.0.clone(), cloud: None });
    }
    let cloud = cloud::written(entry.fields()?, kind, url)?;
    let id = id(&entry.write().to_string());
    Some(ProviderKey { id, secret: Secret::new(""), cloud: Some(Arc::new(cloud)) })
}

fn headers(written: &document::Provider) -> Vec<(String, String)> {
    let entries = written.headers.iter().flat_map(|headers| headers.iter());
    entries.map(|(name, value)| (name.to_ascii_lowercase(), value.0.expose().to_owned())).collect()
}

fn tls(written: &document::Provider) -> Tls {
    let Some(tls) = &written.tls else { return Tls::default() };
    Tls {
        ca_file: tls.ca_file.as_ref().map(|path| PathBuf::from(path.0.as_str())),
        server_name: tls.server_name.as_ref().map(|name| name.0.clone()),
    }
}

fn connect_timeout(written: &document::Provider) -> std::time::Duration {
    let connect = written.timeouts.as_ref().and_then(|timeouts| timeouts.connect.as_ref());
    connect.map_or(defaults::CONNECT_TIMEOUT, |time| time.0)
}
