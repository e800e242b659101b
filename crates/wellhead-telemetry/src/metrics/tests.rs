#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use proptest::prelude::*;

use wellhead_catalog::{Cost, NanoDollars};

use super::{
    CacheNumbers, Hedged, Held, Metrics, NO_ROUTE, OTHER, SERIES_NAMES_MAX, Substitute, TargetState,
};
use crate::samples;

fn metrics() -> Metrics {
    Metrics::new("1.2.3", 1_772_323_200)
}

/// The samples of an exposition by name and labels.
fn samples_of(text: &str) -> BTreeMap<String, f64> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let (series, value) = line.rsplit_once(' ').expect("a sample has a value");
            (series.to_owned(), value.parse().expect("a value is a number"))
        })
        .collect()
}

#[test]
fn the_exposition() {
    let metrics = metrics();
    metrics.record(0, &samples::rescued());
    metrics.record(1, &samples::rescued());
    metrics.record(0, &samples::rejected());
    metrics.target("openai/gpt-4o").set_state(TargetState::Failing);
    metrics.target("azure/gpt-4o-eu").set_state(TargetState::Ok);
    metrics.target("local/llama");
    metrics.record(0, &samples::failed());
    metrics.set_replay_bytes(4096);
    metrics.route("gpt-4o").count_held(Held::Answered);
    metrics.route("gpt-4o").count_substitute(Substitute::SmallerModel);
    metrics.set_cache(CacheNumbers {
        bytes: 1,
        answers: 2,
        hits: 3,
        misses: 4,
        stored: 5,
        evicted: 6,
        expired: 7,
    });
    metrics.set_held(3);
    metrics.route("gpt-4o").count_hedge(Hedged::Won);
    metrics.route("gpt-4o").count_hedge(Hedged::Lost);
    metrics.target("openai/gpt-4o").count_transition("suspect", "open", "consecutive");
    metrics.set_generation(7);
    metrics.count_reload(true);
    metrics.count_reload(false);
    let running = metrics.in_flight(3);
    let text = metrics.render();
    drop(running);
    // Histograms of zeros and long tails say nothing in a review.
    let shown: Vec<_> =
        text.lines().filter(|line| !line.contains("_bucket{le=\"") || line.contains("le=\"1.0\"")).collect();
    insta::assert_snapshot!(shown.join("\n"));
}

#[test]
fn every_line_is_openmetrics() {
    let metrics = metrics();
    metrics.record(0, &samples::rescued());
    metrics.record(0, &samples::failed());
    let text = metrics.render();
    assert!(text.ends_with("# EOF\n"));
    let (mut family, mut seen) = (String::new(), Vec::new());
    for line in text.lines().filter(|line| *line != "# EOF") {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            family = rest.split(' ').next().unwrap().to_owned();
            assert!(!seen.contains(&family), "{family} twice");
            seen.push(family.clone());
        } else if !line.starts_with('#') {
            assert!(line.starts_with(&family), "{line} is not of {family}");
        }
    }
    assert!(
        seen.iter().all(|name| name.starts_with("wellhead_") || name == "process_start_time_seconds"),
        "{seen:?}"
    );
}

#[test]
fn labels_are_escaped() {
    let metrics = metrics();
    metrics.target("a\"b\\c\nd");
    assert!(metrics.render().contains(r#"target="a\"b\\c\nd""#));
}

#[test]
fn workers_are_added_up() {
    let metrics = Arc::new(metrics());
    let route = metrics.route("gpt-4o");
    thread::scope(|scope| {
        for worker in 0..12 {
            let route = &route;
            scope.spawn(move || {
                for _ in 0..1_000 {
                    route.record(worker, &samples::rescued());
                }
            });
        }
    });
    let all = samples_of(&metrics.render());
    let requests =
        r#"wellhead_requests_total{route="gpt-4o",endpoint="/v1/chat/completions",outcome="rescued"}"#;
    assert_eq!(all[requests], 12_000.0);
    assert_eq!(all[r#"wellhead_tokens_total{route="gpt-4o",type="output"}"#], 12_000.0 * 340.0);
    assert_eq!(all[r#"wellhead_request_duration_seconds_count{route="gpt-4o"}"#], 12_000.0);
    let sum = all[r#"wellhead_request_duration_seconds_sum{route="gpt-4o"}"#];
    assert!((sum - 12_000.0 * 0.812).abs() < 1e-6, "{sum}");
}

#[test]
fn one_handle_per_name() {
    let metrics = metrics();
    assert!(Arc::ptr_eq(&metrics.route("a"), &metrics.route("a")));
    assert!(!Arc::ptr_eq(&metrics.route("a"), &metrics.route("b")));
    assert_eq!(metrics.no_route().name(), NO_ROUTE);
}

#[test]
fn names_are_bounded_and_room_is_made_by_forgetting() {
    let metrics = metrics();
    for index in 0..SERIES_NAMES_MAX {
        metrics.route(&format!("m{index}"));
    }
    assert_eq!(metrics.route("one-more").name(), OTHER);
    assert_eq!(metrics.route("m0").name(), "m0");
    let mut record = samples::rescued();
    record.route = Some("yet-another".into());
    metrics.record(0, &record);
    let series = format!(
        r#"wellhead_requests_total{{route="{OTHER}",endpoint="/v1/chat/completions",outcome="rescued"}}"#
    );
    assert_eq!(samples_of(&metrics.render())[&series], 1.0);
    metrics.retain(|name| name == "m0", |_| true);
    assert_eq!(metrics.route("one-more").name(), "one-more");
}

#[test]
fn what_is_gone_is_no_longer_shown() {
    let metrics = metrics();
    metrics.record(0, &samples::rescued());
    let held = metrics.target("openai/gpt-4o");
    metrics.retain(|_| false, |name| name == "azure/gpt-4o-eu");
    held.record(0, None, &samples::rescued().attempts[0]);
    let text = metrics.render();
    assert!(!text.contains("openai/gpt-4o\"") && !text.contains(r#"route="gpt-4o""#));
    assert!(text.contains("azure/gpt-4o-eu"));
}

#[test]
fn unknown_codes_beyond_the_bound_share_a_label() {
    const CODES: [&str; 40] = [
        "c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8", "c9", "c10", "c11", "c12", "c13", "c14", "c15",
        "c16", "c17", "c18", "c19", "c20", "c21", "c22", "c23", "c24", "c25", "c26", "c27", "c28", "c29",
        "c30", "c31", "c32", "c33", "c34", "c35", "c36", "c37", "c38", "c39",
    ];
    let metrics = metrics();
    let target = metrics.target("t");
    for result in CODES {
        let attempt = crate::AttemptRecord { result, ..samples::rescued().attempts[0].clone() };
        target.record(0, None, &attempt);
    }
    let all = samples_of(&metrics.render());
    let attempts: Vec<_> =
        all.iter().filter(|(name, _)| name.starts_with("wellhead_upstream_attempts_total")).collect();
    assert_eq!(attempts.len(), 33);
    assert_eq!(attempts.iter().map(|(_, count)| **count).sum::<f64>(), 40.0);
    assert_eq!(all[&format!(r#"wellhead_upstream_attempts_total{{target="t",result="{OTHER}"}}"#)], 8.0);
}

#[test]
fn first_tokens_are_those_of_streams() {
    let metrics = metrics();
    let mut record = samples::rescued();
    record.streamed = false;
    metrics.record(0, &record);
    assert!(!metrics.render().contains("wellhead_time_to_first_token_seconds_count"));
    metrics.record(0, &samples::rescued());
    assert_eq!(
        samples_of(&metrics.render())[r#"wellhead_time_to_first_token_seconds_count{route="gpt-4o"}"#],
        1.0
    );
}

#[test]
fn in_flight_goes_up_and_down_also_across_workers() {
    let metrics = metrics();
    let guards: Vec<_> = (0..20).map(|worker| metrics.in_flight(worker)).collect();
    assert_eq!(samples_of(&metrics.render())["wellhead_in_flight"], 20.0);
    drop(guards);
    assert_eq!(samples_of(&metrics.render())["wellhead_in_flight"], 0.0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases.max(256)))]

    /// Each bucket counts what is at most its bound: checked against the durations themselves.
    #[test]
    fn buckets_are_cumulative_and_complete(
        durations_us in prop::collection::vec(prop_oneof![0_u64..2_000_000, 0_u64..3_000_000_000, Just(5_000)], 1..50),
    ) {
        let metrics = metrics();
        let mut record = samples::rescued();
        for us in &durations_us {
            record.duration = Duration::from_micros(*us);
            metrics.record(0, &record);
        }
        let all = samples_of(&metrics.render());
        let mut buckets = 0;
        for (series, count) in &all {
            let Some(labels) = series.strip_prefix("wellhead_request_duration_seconds_bucket{le=\"") else { continue };
            let bound: f64 = labels.split('"').next().unwrap().parse().unwrap();
            let within = durations_us.iter().filter(|us| **us as f64 <= bound * 1e6 + 1e-3).count();
            prop_assert_eq!(*count, within as f64, "{}", series);
            buckets += 1;
        }
        prop_assert_eq!(buckets, 19);
        prop_assert_eq!(all[r#"wellhead_request_duration_seconds_count{route="gpt-4o"}"#], durations_us.len() as f64);
    }
}

#[test]
fn what_apps_have_used_is_told_by_app_and_target_within_a_bound() {
    let metrics = metrics();
    let target = metrics.target("p/m");
    let attempt = |cost| crate::AttemptRecord { cost, ..samples::rescued().attempts[0].clone() };
    for number in 0..70 {
        let app: wellhead_types::Name = format!("app{number}").into();
        target.record(number % 2, Some(&app), &attempt(Cost::Known(NanoDollars(1_250_000_000))));
    }
    target.record(0, Some(&"app0".into()), &attempt(Cost::Known(NanoDollars(500_000_000))));
    target.record(0, Some(&"app0".into()), &attempt(Cost::Nothing));
    target.record(1, None, &attempt(Cost::Unknown));
    let all = samples_of(&metrics.render());
    assert_eq!(all[r#"wellhead_cost_dollars_total{target="p/m",app="app0"}"#], 1.75);
    let costs = all.iter().filter(|(name, _)| name.starts_with("wellhead_cost_dollars_total"));
    assert_eq!(costs.map(|(_, dollars)| *dollars).sum::<f64>(), 70.0 * 1.25 + 0.5, "none is lost");
    assert_eq!(all[r#"wellhead_unpriced_attempts_total{target="p/m"}"#], 1.0);
    let flood = metrics.target("p/n");
    for number in 0..100 {
        flood.record(
            0,
            Some(&format!("app{number}").into()),
            &attempt(Cost::Known(NanoDollars(1_000_000_000))),
        );
    }
    let all = samples_of(&metrics.render());
    let of_flood =
        all.iter().filter(|(name, _)| name.starts_with(r#"wellhead_cost_dollars_total{target="p/n""#));
    assert_eq!(of_flood.count(), 65);
    assert_eq!(all[&format!(r#"wellhead_cost_dollars_total{{target="p/n",app="{OTHER}"}}"#)], 36.0);
}
