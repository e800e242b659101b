//! Errors that are the request's own fault come back as they are, once, and hurt nobody's health.

use wellhead_sim::Rule;

use crate::support::{CHAT, Ending, Gateway, fault, json_reply, pair, sim};

/// Spaces, an escape, a number with a zero at its end: whatever is re-serialised loses one of them.
const BODY: &str =
    r#"{ "error" : {"message":"\u00e4 no","type":"odd","param":"x","code":"odd_code"},  "extra": 1.50 }"#;

#[tokio::test]
async fn an_error_of_the_request_passes_byte_for_byte_and_is_not_repeated() {
    for status in [400, 404, 405, 413, 415, 422] {
        for stream in [false, true] {
            let sim = sim();
            sim.set_fault(Rule::always(json_reply(status, BODY.into())).path(CHAT));
            let gateway = Gateway::start(&pair(&sim, "attempts_max: 4")).await;
            let answer = gateway.chat(stream).await;
            assert_eq!((answer.status, answer.text(), answer.ending), (status, BODY, Ending::Proper));
            assert_eq!(answer.header("x-should-retry"), "false", "{status}");
            assert_eq!(answer.header("x-wellhead-attempts"), "1", "{status}");
            assert_eq!(sim.requests().len(), 1, "{status}");
        }
    }
}

#[tokio::test]
async fn errors_of_requests_never_count_against_a_target() {
    let sim = sim();
    sim.set_fault(Rule::always(fault("status:400")));
    let gateway = Gateway::start(&pair(&sim, "attempts_max: 4")).await;
    for _ in 0..20 {
        assert_eq!(gateway.chat(false).await.status, 400);
    }
    let status = gateway.status().await;
    assert_eq!(status["routes"][0]["state"], "ok", "{status}");
    for target in status["routes"][0]["targets"].as_array().unwrap() {
        assert_eq!(target["failures"], 0, "{target}");
    }
    sim.clear_faults();
    assert_eq!(gateway.chat(false).await.header("x-wellhead-survival"), "direct");
}
