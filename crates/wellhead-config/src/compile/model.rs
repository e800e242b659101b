//! Models with their targets.

use std::collections::BTreeMap;
use std::sync::Arc;

use wellhead_types::Name;

use crate::defaults;
use crate::document::{self, Document};
use crate::read::Spanned;
use crate::snapshot::{AnswerCache, CacheScope, Fallback, Model, ModelDefer, Provider, Rescue, Target};
use crate::values::{DeferUnknown, DeferWhen, HedgeChoice, StreamMode, Text};

/// Every model that has a target left.
pub(super) fn compile(
    document: &Document,
    providers: &BTreeMap<Name, Arc<Provider>>,
) -> BTreeMap<Name, Arc<Model>> {
    let written = document.root.models.iter().flat_map(|models| models.iter());
    let compiled = written.map(|(name, model)| {
        let name: Name = name.as_str().into();
        (Arc::clone(&name), Arc::new(one(name, model, document, providers)))
    });
    compiled.filter(|(_, model)| !model.targets.is_empty()).collect()
}

fn one(
    name: Name,
    written: &document::Model,
    document: &Document,
    providers: &BTreeMap<Name, Arc<Provider>>,
) -> Model {
    let written_targets = written.targets.iter().flat_map(|targets| &targets.0);
    let mut targets: Vec<Target> =
        written_targets.filter_map(|written| target(document, written, providers)).collect();
    targets.sort_by_key(|target| target.tier);
    let streams = [written.stream.as_ref(), document.root.stream.as_ref()];
    let rescue = streams.iter().flatten().find_map(|stream| stream.rescue.as_ref());
    let mode = streams.iter().flatten().find_map(|stream| stream.mode.as_ref());
    let hedge = streams.iter().flatten().find_map(|stream| stream.hedge.as_ref());
    let hold = written.timeouts.as_ref().and_then(|times| times.hold.as_ref());
    let regions = written.regions.as_ref().map(|regions| super::names(&regions.0));
    if let Some(regions) = &regions {
        targets.retain(|target| target.provider.region.as_ref().is_some_and(|r| regions.contains(r)));
    }
    let times = written.timeouts.as_ref();
    let deadline = times.and_then(|t| t.deadline.as_ref()).map_or(defaults::DEADLINE, |time| time.0);
    let stream_max = times.and_then(|t| t.stream_max.as_ref()).map_or(defaults::STREAM_MAX, |time| time.0);
    let first_token = times.and_then(|t| t.first_token.as_ref()).map(|time| time.0);
    let stream_idle = times.and_then(|t| t.stream_idle.as_ref()).map(|time| time.0);
    Model {
        name,
        targets,
        deadline,
        first_token_timeout: first_token,
        // A default must not contradict what was written about the whole.
        stream_idle_timeout: stream_idle.unwrap_or(defaults::STREAM_IDLE_TIMEOUT.min(stream_max)),
        stream_max,
        attempts_max: written
            .attempts_max
            .as_ref()
            .map_or(defaults::ATTEMPTS_MAX, |number| u32::try_from(number.0).unwrap_or(u32::MAX)),
        hold_max: hold.map_or(defaults::HOLD_MAX, |time| time.0),
        rescue: rescue.map_or(Rescue::default(), |rescue| rescue.meant()),
        atomic: mode.is_some_and(|mode| **mode == StreamMode::Atomic),
        hedge: hedge.is_none_or(|hedge| **hedge == HedgeChoice::On),
        regions,
        drop_unsupported: written
            .drop_unsupported
            .as_ref()
            .map_or_else(Vec::new, |names| super::names(&names.0)),
        fallback: written.fallback.as_ref().map(|written| fallback(written)),
        defer: written.defer.as_ref().map(|written| defer(written)),
    }
}

fn fallback(written: &document::Fallback) -> Fallback {
    let name = |text: &Option<Spanned<Text>>| text.as_ref().map(|text| Name::from(text.0.as_str()));
    let cache = written.cache.as_ref().map(|cache| AnswerCache {
        ttl: cache.ttl.as_ref().map_or(defaults::CACHE_TTL, |time| time.0),
        scope: cache.scope.as_ref().map_or(CacheScope::default(), |scope| scope.meant()),
        answer_bytes_max: cache.answer_bytes_max.as_ref().map_or(defaults::ANSWER_BYTES_MAX, |size| size.0),
    });
    Fallback {
        after: written.after.as_ref().map_or(defaults::FALLBACK_AFTER, |time| time.0),
        cache,
        model: name(&written.model),
        larger_model: name(&written.larger_model),
        text: name(&written.text),
    }
}

fn defer(written: &document::ModelDefer) -> ModelDefer {
    let document::ModelDefer { when, within, unknown, concurrency } = written;
    ModelDefer {
        unavailable: when.as_ref().is_some_and(|when| **when == DeferWhen::Unavailable),
        within: within.as_ref().map_or(defaults::DEFER_WITHIN, |time| time.0),
        resend: unknown.as_ref().is_some_and(|unknown| **unknown == DeferUnknown::Resend),
        concurrency: concurrency
            .as_ref()
            .map_or(defaults::DEFER_CONCURRENCY, |number| u32::try_from(number.0).unwrap_or(u32::MAX)),
    }
}

fn target(
    document: &Document,
    written: &document::Target,
    providers: &BTreeMap<Name, Arc<Provider>>,
) -> Option<Target> {
    let provider = providers.get(&*written.provider.as_ref()?.0)?;
    let model: Name = written.model.as_ref()?.0.as_str().into();
    Some(Target {
        id: format!("{}/{model}", provider.name).into(),
        provider: Arc::clone(provider),
        facts: document.facts_of(&provider.kind, &model),
        model,
        weight: written.weight.as_ref().map_or(defaults::WEIGHT, |n| u32::try_from(n.0).unwrap_or(u32::MAX)),
        tier: written.tier.as_ref().map_or(defaults::TIER, |n| u8::try_from(n.0).unwrap_or(u8::MAX)),
    })
}
