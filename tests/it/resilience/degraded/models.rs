//! Other models: a smaller one for an outage, a larger one for what is too long.

use std::time::{Duration, Instant};

use serde_json::json;
use wellhead_sim::{Rule, SimOptions};

use super::{asked, assert_stands_in, breaks, impatient, metric, post, refusal, refuses, with, world};
use crate::support::{
    CHAT, Gateway, PROVIDER_KEY, Request, chat, config, eventually, expected, fault, sim, sim_with,
};

#[tokio::test]
async fn when_all_targets_are_down_the_smaller_model_answers_and_says_so() {
    for stream in [false, true] {
        let sim = sim();
        breaks(&sim, "m1", "status:500");
        let gateway = Gateway::start(&world(&sim, "{ model: small, text: Later. }", "")).await;
        let answer = gateway.chat(stream).await;
        assert_stands_in(&gateway, &answer, "degraded", "smaller-model").await;
        assert_eq!(answer.header("x-wellhead-degraded"), "smaller-model");
        assert_eq!(answer.header("x-wellhead-target"), "a/tiny");
        assert_eq!(answer.content(), expected().await);
        assert!(!stream || answer.done());
        assert_eq!((asked(&sim, "m1"), asked(&sim, "tiny")), (3, 1), "one of four attempts is kept for it");
        assert_eq!(answer.header("x-wellhead-attempts"), "4");
        let record = gateway.record(answer.header("x-request-id")).await;
        assert_eq!(record["attempts"][3]["target"], "a/tiny", "{record}");
        sim.clear_faults();
        // The failing target is asked again as soon as its rest is over, and is back for good.
        let back = post(&gateway, CHAT, &chat(stream)).await;
        assert_eq!((back.status, back.header("x-wellhead-degraded")), (200, ""), "{}", back.everything());
    }
}

#[tokio::test]
async fn an_app_cannot_name_the_model_that_stands_in_for_it() {
    let sim = sim();
    let gateway = Gateway::start(&world(&sim, "{ model: small }", "")).await;
    let answer = post(&gateway, CHAT, &with(&json!({"model": "small"}))).await;
    assert_eq!((answer.status, answer.code().as_str()), (404, "model_not_found"));
}

#[tokio::test]
async fn what_the_request_itself_is_to_blame_for_is_passed_on() {
    for code in ["content_policy_violation", "invalid_value"] {
        for stream in [false, true] {
            let sim = sim();
            refuses(&sim, "m1", 400, code);
            let all = "{ cache: {}, model: small, larger_model: large, text: Later. }";
            let gateway = Gateway::start(&world(&sim, all, "")).await;
            let answer = gateway.chat(stream).await;
            assert_eq!((answer.status, answer.json()), (400, refusal(code)), "{code}");
            assert_eq!(
                (answer.header("x-wellhead-survival"), answer.header("x-wellhead-degraded")),
                ("direct", "")
            );
            assert_eq!(sim.requests().len(), 1, "{code}: nobody else was asked");
        }
    }
}

#[tokio::test]
async fn what_the_smaller_models_filter_says_is_not_routed_around_either() {
    let sim = sim();
    breaks(&sim, "m1", "status:500");
    refuses(&sim, "tiny", 400, "content_policy_violation");
    let gateway = Gateway::start(&world(&sim, "{ model: small, text: Later. }", "")).await;
    let answer = gateway.chat(false).await;
    assert_eq!((answer.status, answer.json()), (400, refusal("content_policy_violation")));
}

#[tokio::test]
async fn a_smaller_model_that_cannot_do_it_leaves_the_honest_no_of_the_model_itself() {
    let sim = sim();
    breaks(&sim, "m1", "status:500");
    refuses(&sim, "tiny", 400, "context_length_exceeded");
    let gateway = Gateway::start(&world(&sim, "{ model: small }", "")).await;
    let answer = gateway.chat(false).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (503, "no_healthy_upstream"),
        "{}",
        answer.everything()
    );
    assert_eq!(answer.header("x-wellhead-survival"), "refused");
    assert_eq!(asked(&sim, "m1") + asked(&sim, "tiny"), 4, "within the attempts of one request");
}

#[tokio::test]
async fn what_is_too_long_goes_once_to_the_larger_model() {
    for stream in [false, true] {
        let sim = sim();
        refuses(&sim, "m1", 400, "context_length_exceeded");
        let gateway = Gateway::start(&world(&sim, "{ larger_model: large }", "")).await;
        let answer = gateway.chat(stream).await;
        assert_eq!((answer.status, answer.content()), (200, expected().await), "{}", answer.everything());
        assert_eq!(answer.header("x-wellhead-survival"), "failed-over");
        assert_eq!(
            (answer.header("x-wellhead-target"), answer.header("x-wellhead-degraded")),
            ("a/long", "")
        );
        assert_eq!((asked(&sim, "m1"), asked(&sim, "long")), (1, 1));
        let record = gateway.record(answer.header("x-request-id")).await;
        assert_eq!((&record["rung"], &record["outcome"]), (&json!("failed-over"), &json!("rescued")));
        let series = "wellhead_substituted_requests_total{route=\"chat\",by=\"larger-model\"}";
        assert_eq!(metric(&gateway, series).await, 1);
    }
}

#[tokio::test]
async fn what_is_too_long_for_the_larger_model_too_is_told() {
    for second in ["context_length_exceeded", "invalid_value"] {
        let sim = sim();
        refuses(&sim, "m1", 400, "context_length_exceeded");
        refuses(&sim, "long", 400, second);
        let all = "{ cache: {}, model: small, larger_model: large, text: Later. }";
        let gateway = Gateway::start(&world(&sim, all, "")).await;
        let answer = gateway.chat(false).await;
        assert_eq!((answer.status, answer.json()), (400, refusal("context_length_exceeded")), "{second}");
        assert_eq!((asked(&sim, "m1"), asked(&sim, "long"), asked(&sim, "tiny")), (1, 1, 0));
    }
}

#[tokio::test]
async fn a_large_body_in_a_file_reaches_the_model_that_stands_in_under_its_own_name() {
    let options = SimOptions { token_pace: Duration::ZERO, tokens_default: 24, ..SimOptions::default() };
    let sim = sim_with(SimOptions { body_kept_bytes_max: 4 << 20, ..options });
    let text = "word ".repeat(400_000);
    let body = with(&json!({"messages": [{"role": "user", "content": text}]}));
    refuses(&sim, "m1", 400, "context_length_exceeded");
    let gateway = Gateway::start(&world(&sim, "{ model: small, larger_model: large }", "")).await;
    let answer = post(&gateway, CHAT, &body).await;
    assert_eq!(
        (answer.status, answer.header("x-wellhead-target")),
        (200, "a/long"),
        "{}",
        answer.everything()
    );
    sim.clear_faults();
    breaks(&sim, "m1", "status:500");
    let answer = post(&gateway, CHAT, &body).await;
    assert_eq!(
        (answer.status, answer.header("x-wellhead-target")),
        (200, "a/tiny"),
        "{}",
        answer.everything()
    );
    let seen = sim.requests();
    let sent: serde_json::Value = serde_json::from_slice(&seen.last().unwrap().body).unwrap();
    assert_eq!((&sent["model"], &sent["messages"]), (&json!("tiny"), &body["messages"]));
}

#[tokio::test]
async fn no_model_stands_in_outside_of_the_regions_of_model_and_app() {
    let (near, far) = (sim(), sim());
    breaks(&near, "m1", "status:500");
    let model = |region: &str| {
        config(&format!(
            "providers:\n  \
               near: {{ kind: openai-compatible, base_url: \"{}\", keys: [\"{PROVIDER_KEY}\"], region: eu }}\n  \
               far: {{ kind: openai-compatible, base_url: \"{}\", keys: [\"{PROVIDER_KEY}\"], region: us }}\n\
             models:\n  chat:\n    targets: [{{ provider: near, model: m1 }}]\n    fallback: {{ model: small }}\n    {region}\n  \
               small: {{ targets: [{{ provider: far, model: tiny }}, {{ provider: near, model: tiny, tier: 1 }}] }}\n  \
               faraway: {{ targets: [{{ provider: near, model: m1 }}], attempts_max: 3, fallback: {{ model: distant }} }}\n  \
               distant: {{ targets: [{{ provider: far, model: tiny }}] }}\n",
            near.base_url(),
            far.base_url()
        ))
    };
    let gateway = Gateway::start(&model("regions: [eu]")).await;
    let answer = gateway.chat(false).await;
    assert_eq!(
        (answer.status, answer.header("x-wellhead-target")),
        (200, "near/tiny"),
        "{}",
        answer.everything()
    );

    let app = format!("\napps:\n  dev: {{ keys: [\"{}\"], regions: [eu] }}\n", crate::support::KEY);
    let text = model("")
        .replace("apps:\n  dev:", "unused:")
        .lines()
        .filter(|l| !l.starts_with("unused:"))
        .collect::<Vec<_>>()
        .join("\n");
    let gateway = Gateway::start(&(text + &app)).await;
    let answer = gateway.chat(false).await;
    assert_eq!(
        (answer.status, answer.header("x-wellhead-target")),
        (200, "near/tiny"),
        "{}",
        answer.everything()
    );
    let answer = post(&gateway, CHAT, &with(&json!({"model": "faraway"}))).await;
    assert_eq!((answer.status, answer.code().as_str()), (503, "no_healthy_upstream"));
    assert_eq!(far.requests().len(), 0, "nothing has left the region");
}

#[tokio::test]
async fn a_wait_for_recovery_is_cut_short_because_something_else_can_be_had() {
    let sim = sim();
    breaks(&sim, "m1", "status:429,retry-after=20");
    let gateway = Gateway::start(&world(&sim, "{ model: small, after: 1s }", "")).await;
    let began = Instant::now();
    let answer = gateway.chat(false).await;
    assert_stands_in(&gateway, &answer, "degraded", "smaller-model").await;
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert_eq!(asked(&sim, "m1"), 1, "who asked to be left alone is");
}

#[tokio::test]
async fn a_recovery_within_the_wait_is_waited_for() {
    let sim = sim();
    sim.set_fault(Rule::always(fault("status:429,retry-after=1")).model("m1").times(1));
    let gateway = Gateway::start(&world(&sim, "{ model: small, after: 5s }", "")).await;
    let answer = gateway.chat(false).await;
    assert_eq!((answer.header("x-wellhead-survival"), answer.header("x-wellhead-target")), ("held", "a/m1"));
}

#[tokio::test]
async fn what_is_declared_never_makes_a_request_fail_that_would_have_been_held() {
    let sim = sim();
    sim.set_fault(Rule::always(fault("status:429,retry-after=3")).times(2));
    // A text is no answer to a request that has to call a tool, and the smaller model is limited as well.
    let gateway = Gateway::start(&world(&sim, "{ after: 0s, model: small, text: Later. }", "")).await;
    let tool = json!({"type": "function", "function": {"name": "dig", "parameters": {"type": "object"}}});
    let body = with(&json!({"tools": [tool], "tool_choice": "required"}));
    let answer = gateway.send(Request::post(CHAT).json(&body)).await;
    assert_eq!((answer.status, answer.header("x-wellhead-target")), (200, "a/m1"), "{}", answer.everything());
    assert_eq!(answer.header("x-wellhead-survival"), "held");
    assert_eq!((asked(&sim, "m1"), asked(&sim, "tiny")), (2, 1));
}

#[tokio::test]
async fn a_silent_target_leaves_the_smaller_model_time_to_answer() {
    for stream in [false, true] {
        let sim = sim();
        breaks(&sim, "m1", "silence");
        let gateway = Gateway::start(&world(&sim, "{ model: small }", "")).await;
        let began = Instant::now();
        let answer = gateway.send(impatient(&chat(stream), Duration::from_secs(4))).await;
        assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
        assert_stands_in(&gateway, &answer, "degraded", "smaller-model").await;
        assert_eq!(asked(&sim, "m1"), 1, "a silent target is asked once");
    }
}

#[tokio::test]
async fn a_stream_of_the_smaller_model_that_breaks_is_resumed_and_stays_degraded() {
    let sim = sim();
    breaks(&sim, "m1", "status:404");
    sim.set_fault(Rule::always(fault("slow-tokens:20+cut-after:5")).model("tiny").times(1));
    let gateway = Gateway::start(&world(&sim, "{ model: small }", "")).await;
    let answer = gateway.chat(true).await;
    assert_eq!(
        (answer.status, answer.content(), answer.done()),
        (200, expected().await, true),
        "{}",
        answer.text()
    );
    let record = gateway.record(answer.header("x-request-id")).await;
    assert_eq!((&record["rung"], &record["outcome"]), (&json!("degraded"), &json!("degraded")), "{record}");
}

#[tokio::test]
async fn a_long_outage_is_found_out_by_few_and_its_end_by_one() {
    let sim = sim();
    breaks(&sim, "m1", "status:500");
    let gateway = Gateway::start(&world(&sim, "{ model: small, after: 0s }", "")).await;
    for number in 0..40 {
        let answer = gateway.chat(false).await;
        assert_eq!(
            answer.header("x-wellhead-degraded"),
            "smaller-model",
            "{number}: {}",
            answer.everything()
        );
    }
    assert!(asked(&sim, "m1") <= 20, "the dead target was asked {} times by 40 requests", asked(&sim, "m1"));
    sim.clear_faults();
    eventually("the model itself answers again", async || {
        (gateway.chat(false).await.header("x-wellhead-survival") == "direct").then_some(())
    })
    .await;
}
