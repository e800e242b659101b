//! When nothing can answer, the client learns what happened, whose fault it was and when to come back.

use std::time::{Duration, Instant};

use wellhead_sim::{Rule, Sim};

use crate::support::{Answer, Gateway, dead_port, fault, pair, sim, single, tiers};

/// What every failure answer has; returns `error`.
fn assert_shape(answer: &Answer, status: u16, code: &str) -> serde_json::Value {
    let error = answer.error();
    assert_eq!((answer.status, answer.code().as_str()), (status, code), "{}", answer.everything());
    for member in ["type", "message", "param", "code", "source", "attempts", "request_id", "route"] {
        assert!(error.get(member).is_some(), "{member} is missing in {error}");
    }
    assert!(error["type"].is_string() && error["message"].is_string(), "{error}");
    assert_eq!(error["source"], "provider");
    let attempts = error["attempts"].as_array().unwrap();
    assert!(!attempts.is_empty());
    for attempt in attempts {
        for member in ["target", "outcome", "status", "ms"] {
            assert!(attempt.get(member).is_some(), "{member} is missing in {attempt}");
        }
    }
    assert_eq!(answer.header("x-wellhead-attempts"), attempts.len().to_string());
    assert_eq!(answer.header("x-wellhead-survival"), "refused");
    assert_eq!(answer.header("content-type"), "application/json");
    let id = answer.header("x-request-id");
    assert!(!id.is_empty());
    assert_eq!((answer.header("request-id"), error["request_id"].as_str()), (id, Some(id)));
    assert!(answer.header("proxy-status").contains("error="), "{:?}", answer.headers);
    error
}

fn assert_retry_within_a_minute(answer: &Answer) {
    assert_eq!(answer.header("x-should-retry"), "true");
    let seconds: u64 = answer.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    let ms: u64 = answer.header("retry-after-ms").parse().unwrap();
    assert!(ms <= 60_000, "{ms}");
    assert!(answer.error()["retry_after_s"].as_f64().unwrap() <= 60.0);
}

#[tokio::test]
async fn when_every_target_is_down_the_answer_is_503_with_everything_that_is_known() {
    for stream in [false, true] {
        let (first, second) = (dead_port(), dead_port());
        let urls = [first, second].map(|port| format!("http://127.0.0.1:{port}/v1"));
        let gateway = Gateway::start(&tiers(&urls[0], &urls[1], "attempts_max: 4")).await;
        let answer = gateway.chat(stream).await;
        let error = assert_shape(&answer, 503, "no_healthy_upstream");
        assert!(answer.header("proxy-status").contains("connection_refused"), "{:?}", answer.headers);
        let attempts = error["attempts"].as_array().unwrap();
        assert!((2..=4).contains(&attempts.len()), "{error}");
        for target in ["a/m1", "b/m2"] {
            assert!(
                attempts.iter().any(|attempt| attempt["target"] == target),
                "{target} was not tried: {error}"
            );
        }
        let told = answer.everything();
        for secret in
            [first.to_string(), second.to_string(), "127.0.0.1".to_owned(), "sk-upstream".to_owned()]
        {
            assert!(!told.contains(&secret), "{secret} is internal: {told}");
        }
    }
}

#[tokio::test]
async fn when_every_target_is_broken_the_answer_is_503() {
    for text in ["status:500", "status:503", "reset-before-headers", "error-in-200", "wrong-content-type"] {
        let sim = sim();
        sim.set_fault(Rule::always(fault(text)));
        let gateway = Gateway::start(&pair(&sim, "attempts_max: 3")).await;
        let answer = gateway.chat(false).await;
        let error = assert_shape(&answer, 503, "no_healthy_upstream");
        assert!(error["attempts"].as_array().unwrap().len() <= 3, "{text}: {error}");
        assert!(sim.requests().len() <= 3, "{text}");
        if let Some(status) = text.strip_prefix("status:") {
            assert!(
                answer.header("proxy-status").contains(&format!("received-status={status}")),
                "{:?}",
                answer.headers
            );
        }
    }
}

#[tokio::test]
async fn when_every_target_is_limited_the_answer_is_429_with_the_shortest_wait() {
    let sim = sim();
    sim.set_fault(Rule::always(fault("status:429,retry-after=9")).model("m1"));
    sim.set_fault(Rule::always(fault("status:429,retry-after=20")).model("m2"));
    // Who has less time than the wait is told at once; the others are held.
    let gateway = Gateway::start(&pair(&sim, "attempts_max: 4\n    timeouts: { deadline: 5s }")).await;
    for _ in 0..2 {
        let answer = gateway.chat(false).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (429, "upstream_rate_limited"),
            "{}",
            answer.everything()
        );
        assert_retry_within_a_minute(&answer);
        let seconds: u64 = answer.header("retry-after").parse().unwrap();
        assert!((7..=12).contains(&seconds), "the shorter of 9 and 20, with some jitter: {seconds}");
    }
    assert_eq!(sim.requests().len(), 2, "a limit that is known is not tried again");
}

async fn silent(sim: &Sim, settings: &str, stream: bool, limit: Duration) {
    sim.set_fault(Rule::always(fault("silence")));
    let gateway = Gateway::start(&pair(sim, settings)).await;
    let began = Instant::now();
    let answer = gateway.chat(stream).await;
    let took = began.elapsed();
    assert_shape(&answer, 504, "upstream_timeout");
    assert_eq!(answer.header("x-should-retry"), "true");
    assert!(took < limit, "the deadline bounds everything: {took:?}");
}

#[tokio::test]
async fn when_every_target_is_silent_a_stream_is_answered_504_within_its_deadline() {
    let settings = "timeouts: { deadline: 2s, first_token: 400ms }";
    silent(&sim(), settings, true, Duration::from_millis(3500)).await;
}

#[tokio::test]
async fn when_every_target_is_silent_an_unstreamed_request_is_answered_504_at_its_deadline() {
    silent(&sim(), "timeouts: { deadline: 1500ms, first_token: 1s }", false, Duration::from_millis(3000))
        .await;
}

#[tokio::test]
async fn a_request_id_of_the_client_is_in_the_answer_the_error_and_the_record() {
    let gateway = Gateway::start(&tiers(
        &format!("http://127.0.0.1:{}/v1", dead_port()),
        &format!("http://127.0.0.1:{}/v1", dead_port()),
        "attempts_max: 2",
    ))
    .await;
    let request = crate::support::Request::post(crate::support::CHAT)
        .json(&crate::support::chat(false))
        .header("x-request-id", "order-4711.a_b");
    let answer = gateway.send(request).await;
    assert_eq!(answer.header("x-request-id"), "order-4711.a_b");
    assert_shape(&answer, 503, "no_healthy_upstream");
    assert_eq!(gateway.record("order-4711.a_b").await["code"], "no_healthy_upstream");
}

#[tokio::test]
async fn a_503_says_when_to_come_back() {
    for text in ["refuse", "status:503", "status:500"] {
        let sim = sim();
        sim.set_fault(Rule::always(fault(text)).path(crate::support::CHAT));
        for config in [single(&sim), pair(&sim, "attempts_max: 4")] {
            let answer = Gateway::start(&config).await.chat(false).await;
            assert_eq!(answer.status, 503);
            let error = answer.error();
            assert!(error.get("retry_after_s").is_some(), "{text}: retry_after_s is missing in {error}");
            match answer.header("x-should-retry") {
                "true" => assert_retry_within_a_minute(&answer),
                told => assert_eq!(told, "false", "{text}"),
            }
        }
    }
}

/// However many requests fail: retries stay within a fifth of them, one a second, and the reserve of ten.
#[tokio::test]
async fn retries_never_become_the_load() {
    const REQUESTS: usize = 60;
    let sim = sim();
    sim.set_fault(Rule::always(fault("status:500")));
    let gateway = Gateway::start(&single(&sim)).await;
    let start = Instant::now();
    for _ in 0..REQUESTS {
        assert_eq!(gateway.chat(false).await.status, 503);
    }
    let seconds = usize::try_from(start.elapsed().as_secs()).unwrap() + 1;
    let asked = sim.requests().len();
    assert!(asked > REQUESTS, "{asked} attempts: nothing was tried again");
    assert!(asked <= REQUESTS + REQUESTS / 5 + 10 + seconds, "{asked} attempts for {REQUESTS} requests");
}
