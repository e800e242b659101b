//! Adds up and encodes; runs once per scrape. Each metric family is one function below, in the order of the output.

use std::collections::BTreeMap;
use std::fmt::Error;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, PoisonError};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use wellhead_types::{Diagnosis, Outcome, Priority};

use super::atomics::Totals;
use super::labels::add_up;
use super::route::{DURATION_MS, FIRST_TOKEN_MS, Hedged, Held, TOKEN_TYPES};
use super::target::{Load, TargetState};
use super::{OTHER, RouteMetrics, Shared, TargetMetrics, substitute};

impl Collector for Shared {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        let out = &mut encoder;
        let mut routes = self.routes.list();
        routes.push(Arc::clone(&self.no_route));
        let targets = self.targets.list();

        requests(out, &routes)?;
        route_histograms(out, &routes)?;
        tokens(out, &routes)?;
        replay_skipped(out, &routes)?;
        held(out, &routes)?;
        let help = "Requests that wait for a target now.";
        gauge(out, "wellhead_held", help, as_gauge(self.held.load(Relaxed)))?;
        hedges(out, &routes)?;
        substitute::substituted(out, &routes)?;
        self.cache.encode(out)?;
        self.diagnoses(out)?;
        queues(out, &routes)?;
        self.deferred.lock().unwrap_or_else(PoisonError::into_inner).clone().encode(out)?;
        attempts(out, &targets)?;
        costs(out, &targets)?;
        loads(out, &targets)?;
        states(out, &targets)?;
        transitions(out, &targets)?;
        let in_flight: i64 = self.in_flight.iter().map(|n| n.load(Relaxed)).sum();
        gauge(out, "wellhead_in_flight", "Requests being served now.", in_flight)?;
        let help = "Memory in use for request bodies.";
        gauge(out, "wellhead_replay_bytes", help, as_gauge(self.replay_bytes.load(Relaxed)))?;
        self.config(out)?;
        self.pipeline(out)?;
        self.process(out)
    }
}

impl Shared {
    fn diagnoses(&self, out: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let help = "Requests that no target could answer as asked, by what was behind it.";
        let mut metric = out.encode_descriptor("wellhead_diagnoses", help, None, MetricType::Counter)?;
        for (cause, counter) in Diagnosis::ALL.into_iter().zip(&self.diagnoses) {
            let count = counter.load(Relaxed);
            if count > 0 {
                counter_of(&mut metric, &[("cause", cause.as_str())], count)?;
            }
        }
        Ok(())
    }

    fn config(&self, out: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let generation = as_gauge(self.config_generation.load(Relaxed));
        gauge(
            out,
            "wellhead_config_generation",
            "Generation of the configuration being served.",
            generation,
        )?;
        let succeeded = i64::from(self.config_reload_failed.load(Relaxed) == 0);
        let help = "Whether the newest attempt to load a configuration was accepted (1) or not (0).";
        gauge(out, "wellhead_config_last_reload_success", help, succeeded)?;
        let help = "Attempts to load a configuration.";
        let mut metric = out.encode_descriptor("wellhead_config_reloads", help, None, MetricType::Counter)?;
        for (result, counter) in ["accepted", "rejected"].into_iter().zip(&self.config_reloads) {
            counter_of(&mut metric, &[("result", result)], counter.load(Relaxed))?;
        }
        Ok(())
    }

    fn pipeline(&self, out: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let p = &self.pipeline;
        let counters = [
            (
                "wellhead_access_records_dropped",
                "Access records lost: list full or write failed.",
                &p.records_dropped,
            ),
            ("wellhead_access_log_write_errors", "Writes of the access log that failed.", &p.write_errors),
            ("wellhead_traces_exported", "Requests whose spans the collector accepted.", &p.traces_exported),
            (
                "wellhead_traces_dropped",
                "Requests whose spans were lost: queue full or refused.",
                &p.traces_dropped,
            ),
        ];
        for (name, help, counter) in counters {
            let mut metric = out.encode_descriptor(name, help, None, MetricType::Counter)?;
            metric.encode_counter::<NoLabelSet, u64, u64>(&counter.load(Relaxed), None)?;
        }
        Ok(())
    }

    fn process(&self, out: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let help = "Version of the running program.";
        let mut metric = out.encode_descriptor("wellhead_build", help, None, MetricType::Info)?;
        metric.encode_info(&[("version", self.version.as_str())])?;
        let help = "Start of the process, seconds since 1970.";
        gauge(out, "process_start_time_seconds", help, as_gauge(self.started_unix_s))
    }
}

fn requests(out: &mut DescriptorEncoder<'_>, routes: &[Arc<RouteMetrics>]) -> Result<(), Error> {
    let help = "Requests that have ended, by how they ended.";
    let mut metric = out.encode_descriptor("wellhead_requests", help, None, MetricType::Counter)?;
    for route in routes {
        let mut totals: BTreeMap<(&str, usize), u64> = BTreeMap::new();
        for (endpoint, outcomes) in route.shards.iter().flat_map(|shard| shard.requests.iter()) {
            for (index, counter) in outcomes.iter().enumerate() {
                *totals.entry((endpoint, index)).or_default() += counter.load(Relaxed);
            }
        }
        for ((endpoint, index), count) in totals.into_iter().filter(|(_, count)| *count > 0) {
            let outcome = Outcome::ALL.get(index).map_or(OTHER, |outcome| outcome.as_str());
            let labels = [("route", route.name()), ("endpoint", endpoint), ("outcome", outcome)];
            counter_of(&mut metric, &labels, count)?;
        }
    }
    Ok(())
}

fn route_histograms(out: &mut DescriptorEncoder<'_>, routes: &[Arc<RouteMetrics>]) -> Result<(), Error> {
    let totals = routes.iter().map(|route| {
        let parts = route.shards.iter().map(|shard| &shard.duration);
        ([("route", route.name())], Totals::of(&DURATION_MS, parts))
    });
    let help = "Time from the request's last header byte to the end of the answer.";
    histogram(out, "wellhead_request_duration_seconds", help, totals)?;
    let totals = routes.iter().map(|route| {
        let parts = route.shards.iter().map(|shard| &shard.first_token);
        ([("route", route.name())], Totals::of(&FIRST_TOKEN_MS, parts))
    });
    let help = "Time from the request's last header byte to the first content of a streamed answer.";
    histogram(out, "wellhead_time_to_first_token_seconds", help, totals)
}

fn tokens(out: &mut DescriptorEncoder<'_>, routes: &[Arc<RouteMetrics>]) -> Result<(), Error> {
    let help = "Tokens used; cached_input is part of input, reasoning part of output, audio part of both.";
    let mut metric = out.encode_descriptor("wellhead_tokens", help, None, MetricType::Counter)?;
    for route in routes {
        for (index, kind) in TOKEN_TYPES.into_iter().enumerate() {
            let parts = route.shards.iter().filter_map(|shard| shard.tokens.get(index));
            let count = parts.map(|counter| counter.load(Relaxed)).fold(0, u64::saturating_add);
            if count > 0 {
                counter_of(&mut metric, &[("route", route.name()), ("type", kind)], count)?;
            }
        }
    }
    Ok(())
}

fn replay_skipped(out: &mut DescriptorEncoder<'_>, routes: &[Arc<RouteMetrics>]) -> Result<(), Error> {
    let help = "Requests that got one attempt only, because the memory for replay was used up.";
    let mut metric = out.encode_descriptor("wellhead_replay_skipped", help, None, MetricType::Counter)?;
    for route in routes {
        let count: u64 = route.shards.iter().map(|shard| shard.replay_skipped.load(Relaxed)).sum();
        if count > 0 {
            counter_of(&mut metric, &[("route", route.name())], count)?;
        }
    }
    Ok(())
}

fn held(out: &mut DescriptorEncoder<'_>, routes: &[Arc<RouteMetrics>]) -> Result<(), Error> {
    let help = "Requests that nobody could take when they came, by what became of them.";
    let mut metric = out.encode_descriptor("wellhead_held_requests", help, None, MetricType::Counter)?;
    for route in routes {
        for (outcome, counter) in Held::ALL.into_iter().zip(&route.held) {
            let count = counter.load(Relaxed);
            if count > 0 {
                counter_of(&mut metric, &[("route", route.name()), ("outcome", outcome.as_str())], count)?;
            }
        }
    }
    Ok(())
}

fn hedges(out: &mut DescriptorEncoder<'_>, routes: &[Arc<RouteMetrics>]) -> Result<(), Error> {
    let help = "Second attempts for streams whose first token was late, by what became of them.";
    let mut metric = out.encode_descriptor("wellhead_hedges", help, None, MetricType::Counter)?;
    for route in routes {
        for (result, counter) in Hedged::ALL.into_iter().zip(&route.hedges) {
            let count = counter.load(Relaxed);
            if count > 0 {
                counter_of(&mut metric, &[("route", route.name()), ("result", result.as_str())], count)?;
            }
        }
    }
    Ok(())
}

fn queues(out: &mut DescriptorEncoder<'_>, routes: &[Arc<RouteMetrics>]) -> Result<(), Error> {
    let classes = |route: &Arc<RouteMetrics>| {
        let route = Arc::clone(route);
        (0..Priority::ALL.len()).map(move |i| (Arc::clone(&route), i))
    };
    let all: Vec<(Arc<RouteMetrics>, usize)> = routes.iter().flat_map(classes).collect();
    let labels = |(route, i): &(Arc<RouteMetrics>, usize)| {
        [("route", route.name().to_owned()), ("priority", Priority::ALL[*i].as_str().to_owned())]
    };
    let help = "Requests that wait for room or for a recovery now.";
    let mut metric = out.encode_descriptor("wellhead_queued", help, None, MetricType::Gauge)?;
    for series in &all {
        let waits = series.0.queue[series.1].waits.load(Relaxed);
        // Only what has been there: four classes for every route would be three too many for most.
        if waits > 0 || series.0.queue[series.1].sojourn.is_used() {
            metric.encode_family(&labels(series))?.encode_gauge(&as_gauge(waits))?;
        }
    }
    let help = "Requests refused because targets had no room for them in time.";
    let mut metric = out.encode_descriptor("wellhead_shed_requests", help, None, MetricType::Counter)?;
    for series in &all {
        let shed = series.0.queue[series.1].shed.load(Relaxed);
        if shed > 0 {
            let labels = labels(series);
            metric.encode_family(&labels)?.encode_counter::<NoLabelSet, u64, u64>(&shed, None)?;
        }
    }
    let help = "Time that requests waited for room until they were sent.";
    let name = "wellhead_queue_wait_seconds";
    let mut metric = out.encode_descriptor(name, help, None, MetricType::Histogram)?;
    for series in &all {
        let totals = Totals::of(&DURATION_MS, std::iter::once(&series.0.queue[series.1].sojourn));
        if totals.count > 0 {
            let labels = labels(series);
            let mut metric = metric.encode_family(&labels)?;
            metric.encode_histogram::<NoLabelSet>(totals.sum_s, totals.count, &totals.buckets, None)?;
        }
    }
    Ok(())
}

fn loads(out: &mut DescriptorEncoder<'_>, targets: &[Arc<TargetMetrics>]) -> Result<(), Error> {
    type Read = fn(&Load) -> Option<u64>;
    let families: [(&str, &str, Read); 3] = [
        ("wellhead_upstream_in_flight", "Attempts in flight at a target.", |load| Some(load.in_flight)),
        (
            "wellhead_upstream_limit",
            "Attempts that a target is given at a time, while it is limited.",
            |load| load.in_flight_max,
        ),
        (
            "wellhead_upstream_waiting_limit",
            "Attempts that may wait for the first content of a target at a time, while it is limited.",
            |load| load.waiting_max,
        ),
    ];
    for (name, help, read) in families {
        let mut metric = out.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for target in targets.iter().filter(|target| target.name() != OTHER) {
            if let Some(value) = read(&target.load()) {
                let labels = [("target", target.name())];
                metric.encode_family(&labels)?.encode_gauge(&as_gauge(value))?;
            }
        }
    }
    Ok(())
}

fn attempts(out: &mut DescriptorEncoder<'_>, targets: &[Arc<TargetMetrics>]) -> Result<(), Error> {
    let help = "Attempts that have ended, by target and result.";
    let mut metric = out.encode_descriptor("wellhead_upstream_attempts", help, None, MetricType::Counter)?;
    for target in targets {
        let mut totals = BTreeMap::new();
        add_up(&mut totals, target.shards.iter().flat_map(|shard| shard.attempts.iter()));
        for (result, count) in totals {
            counter_of(&mut metric, &[("target", target.name()), ("result", result)], count)?;
        }
    }
    let totals = targets.iter().map(|target| {
        let parts = target.shards.iter().map(|shard| &shard.duration);
        ([("target", target.name())], Totals::of(&DURATION_MS, parts))
    });
    let help = "Time that an attempt took, from its start to the end of its answer or its failure.";
    histogram(out, "wellhead_upstream_attempt_duration_seconds", help, totals)
}

fn costs(out: &mut DescriptorEncoder<'_>, targets: &[Arc<TargetMetrics>]) -> Result<(), Error> {
    let help = "What apps have used at targets, in US dollars.";
    let mut metric = out.encode_descriptor("wellhead_cost_dollars", help, None, MetricType::Counter)?;
    for target in targets {
        let mut totals = BTreeMap::new();
        add_up(&mut totals, target.shards.iter().flat_map(|shard| shard.costs.iter()));
        for (app, nanos) in totals {
            // Exact in the records; here a number with 15 digits is enough.
            #[expect(clippy::cast_precision_loss, reason = "a metric is a float")]
            let dollars = nanos as f64 / 1e9;
            metric
                .encode_family(&[("target", target.name()), ("app", app)])?
                .encode_counter::<NoLabelSet, f64, u64>(&dollars, None)?;
        }
    }
    let help = "Attempts that have used something whose price or amount is not known.";
    let mut metric = out.encode_descriptor("wellhead_unpriced_attempts", help, None, MetricType::Counter)?;
    for target in targets {
        let count: u64 = target.shards.iter().map(|shard| shard.unpriced.load(Relaxed)).sum();
        if count > 0 {
            counter_of(&mut metric, &[("target", target.name())], count)?;
        }
    }
    Ok(())
}

fn states(out: &mut DescriptorEncoder<'_>, targets: &[Arc<TargetMetrics>]) -> Result<(), Error> {
    let help = "State of a target: 1 for the state it is in, 0 for the others.";
    let mut metric = out.encode_descriptor("wellhead_upstream_state", help, None, MetricType::Gauge)?;
    // The overflow handle stands for many targets: it has no state of its own.
    for target in targets.iter().filter(|target| target.name() != OTHER) {
        for state in TargetState::ALL {
            let labels = [("target", target.name()), ("state", state.as_str())];
            metric.encode_family(&labels)?.encode_gauge(&i64::from(target.is_in(state)))?;
        }
    }
    Ok(())
}

fn transitions(out: &mut DescriptorEncoder<'_>, targets: &[Arc<TargetMetrics>]) -> Result<(), Error> {
    let help = "Changes of a target's state, by the states before and after and the reason.";
    let mut metric =
        out.encode_descriptor("wellhead_breaker_transitions", help, None, MetricType::Counter)?;
    for target in targets {
        for ((from, to, why), count) in target.transitions() {
            let labels = [("target", target.name()), ("from", from), ("to", to), ("why", why)];
            counter_of(&mut metric, &labels, count)?;
        }
    }
    Ok(())
}

pub(super) fn counter_of<const N: usize>(
    metric: &mut MetricEncoder<'_>,
    labels: &[(&str, &str); N],
    count: u64,
) -> Result<(), Error> {
    metric.encode_family(labels)?.encode_counter::<NoLabelSet, u64, u64>(&count, None)
}

fn histogram<'a>(
    out: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    series: impl Iterator<Item = ([(&'static str, &'a str); 1], Totals)>,
) -> Result<(), Error> {
    let mut metric = out.encode_descriptor(name, help, None, MetricType::Histogram)?;
    for (labels, totals) in series.filter(|(_, totals)| totals.count > 0) {
        let mut metric = metric.encode_family(&labels)?;
        metric.encode_histogram::<NoLabelSet>(totals.sum_s, totals.count, &totals.buckets, None)?;
    }
    Ok(())
}

pub(super) fn gauge(
    out: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    value: i64,
) -> Result<(), Error> {
    out.encode_descriptor(name, help, None, MetricType::Gauge)?.encode_gauge(&value)
}

pub(super) fn as_gauge(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
