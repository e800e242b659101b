use crate::defer::{Lane, may_have, may_have_run};
use crate::{Rng, SECOND};
use wellhead_types::{Cause, Failure, Stage};

/// Starts as many as the lane lets in.
fn fill(lane: &mut Lane, at_once_max: u32) -> u32 {
    let mut started = 0;
    while lane.may_start(0, at_once_max) {
        lane.on_started();
        started += 1;
    }
    started
}

#[test]
fn the_first_is_alone_and_each_answer_lets_one_more_in() {
    let mut lane = Lane::default();
    assert_eq!(fill(&mut lane, 8), 1);
    for running in [2, 4, 8, 8] {
        // All that run are answered: twice as many may follow, up to the maximum.
        for _ in 0..lane.running() {
            lane.on_answered();
        }
        assert_eq!(fill(&mut lane, 8), running);
    }
}

#[test]
fn a_failure_begins_anew_after_a_pause_that_doubles_up_to_a_minute() {
    for seed in 0..200 {
        let (mut lane, mut rng, mut now) = (Lane::default(), Rng::new(seed), 0);
        for failures in 0..12_u32 {
            assert!(lane.may_start(now, 8), "seed {seed}: {failures}");
            lane.on_started();
            assert!(!lane.may_start(now, 8), "seed {seed}: one at a time");
            lane.on_failed(now, &mut rng);
            let opens = lane.opens_at(now).unwrap();
            let most = (SECOND << failures.min(6)).min(60 * SECOND);
            assert!(
                opens - now >= most / 2 && opens - now <= most,
                "seed {seed}: {failures}: {}",
                opens - now
            );
            assert!(!lane.may_start(opens - 1, 8));
            now = opens;
        }
        lane.on_started();
        lane.on_answered();
        assert!(lane.may_start(now, 8));
    }
}

#[test]
fn only_silence_and_broken_answers_leave_a_doubt() {
    let at = |stage, cause, status| Failure { status, ..Failure::endpoint(stage, cause, "") };
    for (stage, cause, status, doubt) in [
        (Stage::Connect, Cause::ConnectionRefused, None, false),
        (Stage::Tls, Cause::ConnectionReset, None, false),
        (Stage::Resolve, Cause::DnsError, None, false),
        (Stage::Headers, Cause::ConnectionReset, None, true),
        (Stage::Headers, Cause::HeadersTimeout, None, true),
        (Stage::Headers, Cause::DeadlineExceeded, None, true),
        (Stage::FirstToken, Cause::ResponseIncomplete, Some(200), true),
        (Stage::FirstToken, Cause::ErrorInSuccess, Some(200), false),
        (Stage::Headers, Cause::Status5xx, Some(500), false),
        (Stage::Headers, Cause::Status5xx, Some(503), false),
        (Stage::Headers, Cause::Status5xx, Some(504), true),
        (Stage::Headers, Cause::RateLimited, Some(429), false),
    ] {
        assert_eq!(may_have_run(&at(stage, cause, status)), doubt, "{stage:?} {cause:?} {status:?}");
    }
    assert!(may_have("cancelled", None) && !may_have("ok", Some(500)));
}
