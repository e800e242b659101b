//! What stands in for answers: how often, and how the answers that are kept for it fare.

use std::fmt::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;

use super::RouteMetrics;
use super::collect::{as_gauge, counter_of, gauge};

/// What a client got in place of an answer of the model that it asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Substitute {
    /// An earlier answer to the same request.
    Cached = 0,
    /// The answer of a smaller model.
    SmallerModel = 1,
    /// A declared text.
    Static = 2,
    /// The answer of a larger model, to a request that was too long.
    LargerModel = 3,
}

impl Substitute {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Cached, Self::SmallerModel, Self::Static, Self::LargerModel];

    /// The word in the label `by`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cached => "cached",
            Self::SmallerModel => "smaller-model",
            Self::Static => "static",
            Self::LargerModel => "larger-model",
        }
    }
}

/// The state of the answers that are kept; the counts are those since the start of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "the help texts of the metrics say what each is")]
pub struct CacheNumbers {
    pub bytes: u64,
    pub answers: u64,
    pub hits: u64,
    pub misses: u64,
    pub stored: u64,
    pub evicted: u64,
    pub expired: u64,
}

/// The same where it can be shared.
#[derive(Debug, Default)]
pub(super) struct CacheGauges([AtomicU64; 7]);

impl CacheGauges {
    pub(super) fn set(&self, numbers: CacheNumbers) {
        let CacheNumbers { bytes, answers, hits, misses, stored, evicted, expired } = numbers;
        for (place, value) in self.0.iter().zip([bytes, answers, hits, misses, stored, evicted, expired]) {
            place.store(value, Relaxed);
        }
    }

    pub(super) fn encode(&self, out: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let [bytes, answers, hits, misses, stored, evicted, expired] =
            self.0.each_ref().map(|number| number.load(Relaxed));
        gauge(out, "wellhead_cache_bytes", "Memory in use for answers that are kept.", as_gauge(bytes))?;
        gauge(out, "wellhead_cache_answers", "Answers that are kept.", as_gauge(answers))?;
        let help = "Answers that were looked for because nobody could answer.";
        let mut metric = out.encode_descriptor("wellhead_cache_lookups", help, None, MetricType::Counter)?;
        counter_of(&mut metric, &[("result", "hit")], hits)?;
        counter_of(&mut metric, &[("result", "miss")], misses)?;
        let help = "Answers that were kept.";
        let mut metric = out.encode_descriptor("wellhead_cache_stored", help, None, MetricType::Counter)?;
        metric.encode_counter::<NoLabelSet, u64, u64>(&stored, None)?;
        let help = "Answers that are kept no longer: no space, or over their time when they were found.";
        let mut metric = out.encode_descriptor("wellhead_cache_dropped", help, None, MetricType::Counter)?;
        counter_of(&mut metric, &[("why", "space")], evicted)?;
        counter_of(&mut metric, &[("why", "expired")], expired)
    }
}

pub(super) fn substituted(
    out: &mut DescriptorEncoder<'_>,
    routes: &[Arc<RouteMetrics>],
) -> Result<(), Error> {
    let help = "Requests that something else than the model asked for has answered, by what it was.";
    let mut metric =
        out.encode_descriptor("wellhead_substituted_requests", help, None, MetricType::Counter)?;
    for route in routes {
        for (by, counter) in Substitute::ALL.into_iter().zip(&route.substituted) {
            let count = counter.load(Relaxed);
            if count > 0 {
                counter_of(&mut metric, &[("route", route.name()), ("by", by.as_str())], count)?;
            }
        }
    }
    Ok(())
}
