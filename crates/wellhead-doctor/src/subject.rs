//! Who is examined: the providers of a configuration, with the targets that lead to them and the places where all that
//! is written.

use crate::finding::Place;
use crate::nearest::nearest;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use wellhead_config::snapshot::{BaseUrl, Provider};
use wellhead_config::{Document, Snapshot};
use wellhead_types::Name;

/// The providers to examine.
#[derive(Debug)]
pub struct Subjects {
    pub(crate) providers: Vec<Subject>,
    pub(crate) name_servers: Vec<SocketAddr>,
}

/// One provider.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    pub(crate) provider: Arc<Provider>,
    /// Without repetition.
    pub(crate) targets: Vec<SubjectTarget>,
    pub(crate) places: Places,
}

/// A model as clients name it, and as this provider does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SubjectTarget {
    pub(crate) model: Name,
    pub(crate) vendor_model: Name,
    pub(crate) place: Place,
}

/// Where a provider's settings are written.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    /// The provider as a whole; fields that are not written belong here.
    provider: Place,
    base_url: Option<Place>,
    keys: Vec<Place>,
}

/// Neither a model nor a provider has that name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownName {
    name: String,
    near: Vec<String>,
}

impl fmt::Display for UnknownName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the configuration has no model and no provider named {:?}", self.name)?;
        match &self.near[..] {
            [] => Ok(()),
            near => write!(f, "; did you mean {}?", near.join(" or ")),
        }
    }
}

impl std::error::Error for UnknownName {}

impl Subjects {
    /// The whole configuration, or what belongs to one model, or one provider.
    ///
    /// # Errors
    /// There is neither a model nor a provider of that name.
    pub fn new(document: &Document, snapshot: &Snapshot, only: Option<&str>) -> Result<Self, UnknownName> {
        let mut found: BTreeMap<Name, Subject> = BTreeMap::new();
        let subject = |provider: &Arc<Provider>| Subject {
            provider: provider.clone(),
            targets: Vec::new(),
            places: Places::of(document, provider),
        };
        let only_model = only.filter(|only| snapshot.models.contains_key(*only));
        let needed = only_model.map(|only| needed(snapshot, only));
        for provider in snapshot.providers.values().filter(|_| only_model.is_none()) {
            if only.is_none_or(|only| only == &*provider.name) {
                found.insert(provider.name.clone(), subject(provider));
            }
        }
        for model in snapshot.models.values() {
            if needed.as_ref().is_some_and(|needed| !needed.contains(&model.name)) {
                continue;
            }
            for (number, target) in model.targets.iter().enumerate() {
                let provider = &target.provider;
                let subject = match found.get_mut(&provider.name) {
                    Some(subject) => subject,
                    None if only_model.is_some() => {
                        found.entry(provider.name.clone()).or_insert_with(|| subject(provider))
                    }
                    None => continue,
                };
                let place = target_place(document, &model.name, &provider.name, &target.model, number);
                let (model, vendor_model) = (model.name.clone(), target.model.clone());
                let target = SubjectTarget { model, vendor_model, place };
                if !subject.targets.iter().any(|known| known.is_same(&target)) {
                    subject.targets.push(target);
                }
            }
        }
        if let (Some(name), true) = (only, found.is_empty()) {
            let names = snapshot.models.keys().chain(snapshot.providers.keys()).map(|name| &**name);
            let near = nearest(name, names, 3).into_iter().map(str::to_owned).collect();
            return Err(UnknownName { name: name.to_owned(), near });
        }
        Ok(Self { providers: found.into_values().collect(), name_servers: snapshot.dns.servers.clone() })
    }
}

/// A model with those that stand in for it.
fn needed(snapshot: &Snapshot, model: &str) -> BTreeSet<Name> {
    let (mut needed, mut open) = (BTreeSet::new(), vec![Name::from(model)]);
    while let Some(name) = open.pop() {
        let fallback = snapshot.models.get(&name).and_then(|model| model.fallback.as_ref());
        if needed.insert(name) {
            let others = fallback.into_iter().flat_map(|fallback| [&fallback.model, &fallback.larger_model]);
            open.extend(others.flatten().cloned());
        }
    }
    needed
}

impl SubjectTarget {
    fn is_same(&self, other: &Self) -> bool {
        (&self.model, &self.vendor_model) == (&other.model, &other.vendor_model)
    }
}

impl Places {
    fn of(document: &Document, provider: &Provider) -> Self {
        let place = |path: &str, line: u32| Place::new(document, path.to_owned(), line);
        let entry = document.root.providers.as_ref().and_then(|providers| providers.get(&provider.name));
        let path = format!("providers.{}", provider.name);
        let written = entry.and_then(|entry| entry.value.as_ref());
        let base_url = written
            .and_then(|written| written.base_url.as_ref())
            .map(|url| place(&format!("{path}.base_url"), url.line()));
        let listed = written.and_then(|written| written.keys.as_ref()).map_or(&[][..], |keys| &keys.0);
        let listed = listed
            .iter()
            .enumerate()
            .map(|(number, key)| place(&format!("{path}.keys[{number}]"), key.line()));
        let single = written
            .and_then(|written| written.key.as_ref())
            .map(|key| place(&format!("{path}.key"), key.line()));
        Self {
            base_url,
            keys: listed.chain(single).collect(),
            provider: place(&path, entry.map_or(1, |entry| entry.name.line())),
        }
    }

    /// A field of the provider, written or not.
    pub(crate) fn field(&self, name: &str) -> Place {
        Place { path: format!("{}.{name}", self.provider.path), ..self.provider.clone() }
    }

    pub(crate) fn base_url(&self) -> Place {
        self.base_url.clone().unwrap_or_else(|| self.field("base_url"))
    }

    pub(crate) fn key(&self, number: Option<usize>) -> Place {
        number.and_then(|number| self.keys.get(number)).cloned().unwrap_or_else(|| self.field("keys"))
    }
}

fn target_place(
    document: &Document,
    model: &str,
    provider: &str,
    vendor_model: &str,
    number: usize,
) -> Place {
    let entry = document.root.models.as_ref().and_then(|models| models.get(model));
    let targets = entry.and_then(|entry| entry.value.as_ref()).and_then(|model| model.targets.as_ref());
    // Compiled targets are in the order of their tiers; the file has its own order.
    let written = targets.into_iter().flat_map(|targets| targets.0.iter().enumerate()).find(|(_, target)| {
        target.provider.as_ref().is_some_and(|written| written.0 == provider)
            && target.model.as_ref().is_some_and(|written| written.0 == vendor_model)
    });
    let field = written.and_then(|(place, target)| Some((place, target.model.as_ref()?.line())));
    let (number, line) = field.unwrap_or_else(|| (number, entry.map_or(1, |entry| entry.name.line())));
    Place::new(document, format!("models.{model}.targets[{number}].model"), line)
}

/// The URL as a person would write it.
pub(crate) fn url_text(base: &BaseUrl) -> String {
    let scheme = if base.tls { "https" } else { "http" };
    let host = if base.host.contains(':') { format!("[{}]", base.host) } else { base.host.clone() };
    match (base.tls, base.port) {
        (true, 443) | (false, 80) => format!("{scheme}://{host}{}", base.path),
        (_, port) => format!("{scheme}://{host}:{port}{}", base.path),
    }
}
