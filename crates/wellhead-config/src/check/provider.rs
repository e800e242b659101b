//! Providers: kinds, base URLs, credentials, headers.

use std::collections::{HashMap, HashSet};

use wellhead_catalog::{AZURE_KEY_HEADER, Auth, Kind};

use super::{ReportAt, credential};
use crate::compile::region_of;
use crate::diagnostic::Report;
use crate::document::{Document, Provider};
use crate::kinds::KindSource;
use crate::read::{Element, Spanned};
use crate::snapshot::BaseUrl;
use crate::values::{ProviderKeyEntry, Url, is_host_name, url_text};

/// Looks up every provider's kind and notes it in the document.
pub(super) fn resolve_kinds(document: &mut Document, kinds: &dyn KindSource, report: &mut Report) {
    let Some(providers) = &document.root.providers else { return };
    let mut names = None;
    for (_, provider) in providers.iter() {
        let Some(kind) = &provider.kind else { continue };
        if let Some(found) = kinds.kind(kind) {
            document.kinds.insert(kind.0.clone(), found);
            continue;
        }
        let names = names.get_or_insert_with(|| kinds.names());
        let near = report.nearest(kind, names.iter().map(String::as_str));
        report
            .error_at(kind, format!("no kind {:?}", &*kind.0))
            .expected(
                "a kind of the catalog; openai-compatible fits every server that speaks OpenAI's dialect",
            )
            .suggest(near);
    }
}

pub(super) fn check(document: &Document, report: &mut Report) {
    let Some(providers) = &document.root.providers else { return };
    for entry in &providers.entries {
        let Some(provider) = &entry.value else { continue };
        let kind = document.kind_of(provider).map(|kind| &**kind);
        if let Some(kind) = kind.filter(|_| !entry.flawed) {
            completeness(&entry.name, provider, kind, report);
        }
        base_url(provider, report);
        credentials(provider, kind, report);
        headers(provider, kind, report);
        tls(provider, kind, report);
        if let Some(version) = &provider.api_version
            && !version.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_".contains(&b))
        {
            report
                .error_at(version, "an API version is letters, digits, '.', '-' and '_'")
                .expected("a version such as 2024-10-21 or preview");
        }
    }
}

/// What the kind does not bring along has to be written.
fn completeness(name: &Spanned<String>, provider: &Provider, kind: &Kind, report: &mut Report) {
    if provider.base_url.is_none() && kind.base_url.is_none() {
        let message = format!("kind {:?} has no base URL of its own, and base_url is missing", &*kind.name);
        report.error_at(name, message).expected("base_url: https://HOST/v1");
    }
    let needs_key = matches!(kind.auth, Auth::Bearer | Auth::Header(_) | Auth::AzureEntra);
    if provider.keys.is_some() || provider.key.is_some() {
        return;
    }
    if needs_key {
        let example = kind.key_env.first().map_or("API_KEY", String::as_str);
        let entra = if kind.auth == Auth::AzureEntra { ", or keys: [{ azure: {} }]" } else { "" };
        report
            .error_at(name, format!("kind {:?} needs a key, and none is given", &*kind.name))
            .expected(format!("keys: [\"${{{example}}}\"]{entra}"));
    }
    if let (Auth::AwsSigv4(_), Some(url)) = (&kind.auth, effective_url(provider, kind))
        && region_of(&url.0).is_none()
    {
        let message =
            format!("the host {} does not say its region, for which requests are signed", url.0.host);
        report.error_at(name, message).expected("keys: [{ aws: { region: eu-central-1 } }]");
    }
}

fn base_url(provider: &Provider, report: &mut Report) {
    const ENDPOINTS: [&str; 5] =
        ["/chat/completions", "/completions", "/embeddings", "/responses", "/models"];
    let Some(url) = &provider.base_url else { return };
    if let Some(end) = ENDPOINTS.iter().find(|end| url.0.path.ends_with(**end)) {
        let path = url.0.path.trim_end_matches(end).to_owned();
        let fixed = url_text(&BaseUrl { path, ..url.0.clone() });
        report
            .error_at(url, format!("the base URL ends in the endpoint {end}, which is appended per request"))
            .suggest(Some(fixed));
    }
}

/// Every key with its place, from `keys:` or `key:`.
fn written_keys(provider: &Provider) -> Vec<Spanned<ProviderKeyEntry>> {
    let listed = provider.keys.iter().flat_map(|keys| keys.0.iter().cloned());
    let single = provider
        .key
        .iter()
        .map(|key| Spanned { value: ProviderKeyEntry::Plain(key.value.clone()), place: key.place.clone() });
    listed.chain(single).collect()
}

fn credentials(provider: &Provider, kind: Option<&Kind>, report: &mut Report) {
    if let (Some(key), Some(_)) = (&provider.key, &provider.keys) {
        report.error_at(key, "`key` and `keys` are both given").expected("one of them");
    }
    let keys = written_keys(provider);
    let url = kind.and_then(|kind| effective_url(provider, kind)).map(|url| url.0);
    let mut seen: HashMap<String, u32> = HashMap::new();
    let mut ids: HashSet<&str> = HashSet::new();
    for key in &keys {
        // With the id left out: the same credential under two names is still one.
        let same = match key.secret() {
            Some(secret) => secret.0.expose().to_owned(),
            None => key.value.without_id().write().to_string(),
        };
        if let Some(line) = seen.insert(same, key.line()) {
            report.error_at(key, format!("the same key was given in line {line}")).expected("each key once");
        }
        if let Some(id) = key.id()
            && !ids.insert(&id.0)
        {
            report
                .error_at(id, "two keys of one provider have this id")
                .expected("an id of its own for each key");
        }
        if let Some(fields) = key.fields() {
            credential::check(fields, kind, url.as_ref(), report);
        }
    }
    if let Some(kind) = kind.filter(|kind| kind.auth == Auth::None)
        && let Some(key) = keys.first()
    {
        let message =
            format!("no effect: kind {:?} sends no key; use openai-compatible to send one", &*kind.name);
        report.warning_at(key, message);
    }
}

fn headers(provider: &Provider, kind: Option<&Kind>, report: &mut Report) {
    let Some(headers) = &provider.headers else { return };
    let mut seen: HashSet<String> = HashSet::new();
    for entry in &headers.entries {
        let folded = entry.name.to_ascii_lowercase();
        let carries_key = match kind.map(|kind| &kind.auth) {
            Some(Auth::Header(auth)) => auth.eq_ignore_ascii_case(&folded),
            Some(Auth::AzureEntra) => folded == AZURE_KEY_HEADER,
            _ => false,
        };
        if carries_key {
            report
                .error_at(&entry.name, "this header carries the provider's key")
                .expected("the key in `keys:`");
        }
        if !seen.insert(folded) {
            report
                .error_at(&entry.name, "the same header is given twice, in other letters")
                .expected("it once");
        }
    }
}

fn tls(provider: &Provider, kind: Option<&Kind>, report: &mut Report) {
    let Some(tls) = &provider.tls else { return };
    if let Some(name) = tls.server_name.as_ref().filter(|name| !is_host_name(name)) {
        report.error_at(name, "this cannot be the name in a certificate").expected("a host name");
    }
    let written = provider.base_url.as_ref().map(|url| url.0.tls);
    let default = || kind.and_then(|kind| kind.base_url.as_deref()).map(|url| url.starts_with("https://"));
    if written.or_else(default) == Some(false) {
        report.warning_at(tls, "no effect: base_url begins with http://, so there is no TLS");
    }
}

/// The URL that requests go to: the provider's own or its kind's.
pub(crate) fn effective_url(provider: &Provider, kind: &Kind) -> Option<Url> {
    match &provider.base_url {
        Some(url) => Some(url.value.clone()),
        None => kind.base_url.as_deref().and_then(Url::of),
    }
}
