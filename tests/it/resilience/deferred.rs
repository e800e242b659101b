//! Answers that come later: accepted while nobody can answer, given once, to their owner, within their limits.

use std::time::Duration;

use serde_json::{Value, json};
use wellhead_sim::{LoggedRequest, Rule, Sim};

use crate::support::{
    Answer, CHAT, Gateway, KEY, LIMIT, PROVIDER_KEY, Request, config, dead_port, eventually, fault, sim,
    sim_paced,
};

/// The key of another app.
const OTHER: &str = "wh-other-0123456789abcdef";

/// The model `chat` on one target that knows repeated requests, with answers that may come later.
pub(super) fn deferring(base_url: &str, defer: &str, rest: &str) -> String {
    config(&format!(
        "providers:\n  a: {{ kind: openai-compatible, base_url: \"{base_url}\", keys: [\"{PROVIDER_KEY}\"], \
         idempotency: true }}\n\
         models:\n  chat: {{ targets: [{{ provider: a, model: m1 }}], timeouts: {{ hold: 0s }}, defer: {defer} }}\n\
         apps:\n  dev: {{ keys: [\"{KEY}\"] }}\n  other: {{ keys: [\"{OTHER}\"] }}\n{rest}"
    ))
}

pub(super) fn question(text: &str) -> Value {
    json!({"model": "chat", "messages": [{"role": "user", "content": text}]})
}

/// A request that would rather have a 202.
pub(super) fn later(text: &str) -> Request {
    Request::post(CHAT).json(&question(text)).header("prefer", "respond-async")
}

/// What the provider answers to it.
pub(super) async fn direct(text: &str) -> String {
    let answer = Request::post(CHAT).json(&question(text)).send(sim().addr()).await;
    answer.content()
}

/// The id in a 202.
pub(super) fn promised(answer: &Answer) -> String {
    assert_eq!(answer.status, 202, "{}", answer.everything());
    let document = answer.json();
    let id = document["id"].as_str().unwrap().to_owned();
    assert_eq!(answer.header("location"), format!("/v1/deferred/{id}"));
    assert_eq!((&document["object"], &document["model"]), (&json!("deferred"), &json!("chat")));
    id
}

pub(super) async fn state(gateway: &Gateway, id: &str) -> Value {
    let answer = gateway.send(Request::get(&format!("/v1/deferred/{id}"))).await;
    assert_eq!(answer.status, 200, "{}", answer.everything());
    answer.json()
}

/// Waits for a state.
pub(super) async fn reaches(gateway: &Gateway, id: &str, wanted: &str) -> Value {
    eventually(&format!("{id} is {wanted}"), async || {
        let document = state(gateway, id).await;
        (document["status"] == wanted).then_some(document)
    })
    .await
}

async fn result(gateway: &Gateway, id: &str) -> Answer {
    gateway.send(Request::get(&format!("/v1/deferred/{id}/result"))).await
}

/// Requests on which the provider has worked.
pub(super) fn worked(sim: &Sim) -> Vec<LoggedRequest> {
    sim.requests().into_iter().filter(|r| r.worked).collect()
}

#[tokio::test]
async fn a_request_that_asks_for_it_is_promised_and_answered_as_it_would_have_been() {
    let sim = sim();
    let gateway = Gateway::start(&deferring(&sim.base_url(), "{}", "")).await;
    let accepted =
        gateway.send(later("one").header("openai-beta", "x=1").header("x-secret-token", "s")).await;
    let id = promised(&accepted);
    assert_eq!(accepted.header("preference-applied"), "respond-async");
    assert_eq!(accepted.header("x-wellhead-survival"), "deferred");
    assert_ne!(accepted.header("retry-after"), "");
    reaches(&gateway, &id, "completed").await;
    let answer = result(&gateway, &id).await;
    assert_eq!((answer.status, answer.content()), (200, direct("one").await));
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("x-wellhead-survival"), "deferred");
    assert_eq!(answer.header("x-wellhead-target"), "a/m1");
    let log = sim.requests();
    assert_eq!(log.len(), 1);
    assert_eq!(log[0].key.as_deref(), Some(PROVIDER_KEY));
    assert_eq!(log[0].header("idempotency-key"), Some(format!("wellhead-{id}").as_str()));
    assert_eq!((log[0].header("openai-beta"), log[0].header("x-secret-token")), (Some("x=1"), None));
    assert_eq!(log[0].json()["model"], "m1");
}

#[tokio::test]
async fn what_is_kept_on_disk_holds_no_key_and_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let gateway = Gateway::start(&deferring(&format!("http://127.0.0.1:{}/v1", dead_port()), "{}", "")).await;
    promised(&gateway.send(later("a secret of mine")).await);
    let dir = gateway.dir().join("data/deferred");
    assert_eq!(dir.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    let mut found = false;
    for file in std::fs::read_dir(dir).unwrap() {
        let file = file.unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let content = String::from_utf8_lossy(&std::fs::read(file.path()).unwrap()).into_owned();
        found |= content.contains("a secret of mine");
        assert!(!content.contains(KEY) && !content.to_lowercase().contains("bearer"));
    }
    assert!(found, "the request is on disk when its 202 has left");
}

#[tokio::test]
async fn accepted_while_all_are_down_answered_in_order_once_when_they_are_back_across_a_restart() {
    let sim = sim_paced(Duration::from_micros(100));
    sim.set_fault(Rule::always(fault("status:503")));
    let text = deferring(&sim.base_url(), "{ when: unavailable, concurrency: 1 }", "");
    let gateway = Gateway::start(&text).await;
    let mut ids = Vec::new();
    for number in 0..12 {
        // Half of them ask for it, the other half gets it instead of an error.
        let body = question(&format!("question {number}"));
        let request = Request::post(CHAT).json(&body);
        let request = if number % 2 == 0 { request.header("prefer", "respond-async") } else { request };
        ids.push(promised(&gateway.send(request).await));
    }
    let dir = gateway.kill().await;
    let gateway = Gateway::start_in(dir, Some(&text), &[]).await;
    for id in &ids {
        let document = state(&gateway, id).await;
        assert!(document["status"] != "completed", "{document}");
    }
    sim.clear_faults();
    for (number, id) in ids.iter().enumerate() {
        reaches(&gateway, id, "completed").await;
        let answer = result(&gateway, id).await;
        assert_eq!(answer.content(), direct(&format!("question {number}")).await);
    }
    let done: Vec<_> = worked(&sim).iter().map(|r| r.header("idempotency-key").unwrap().to_owned()).collect();
    let expected: Vec<_> = ids.iter().map(|id| format!("wellhead-{id}")).collect();
    assert_eq!(done, expected, "each once, in the order in which they came");
}

#[tokio::test]
async fn who_waits_a_little_gets_the_answer_itself_and_a_promise_if_it_takes_longer() {
    let sim = sim();
    let gateway = Gateway::start(&deferring(&sim.base_url(), "{}", "")).await;
    let wait =
        |text: &str, seconds: u64| later(text).set("prefer", &format!("respond-async, wait={seconds}"));
    let quick = gateway.send(wait("one", 15)).await;
    assert_eq!((quick.status, quick.content()), (200, direct("one").await), "{}", quick.everything());
    assert_eq!(quick.header("preference-applied"), "respond-async");
    sim.set_fault(Rule::always(fault("status:503")));
    let slow = gateway.send(wait("two", 1)).await;
    promised(&slow);
}

#[tokio::test]
async fn without_the_models_consent_the_preference_is_passed_over_and_a_stream_is_told_no() {
    let sim = sim();
    let gateway = Gateway::start(&crate::support::single(&sim)).await;
    let answer = gateway.send(later("one")).await;
    assert_eq!((answer.status, answer.header("preference-applied")), (200, ""));
    let gateway = Gateway::start(&deferring(&sim.base_url(), "{ when: unavailable }", "")).await;
    let mut body = question("one");
    body["stream"] = json!(true);
    let streamed = Request::post(CHAT).json(&body);
    let answer = gateway.send(streamed.clone().header("prefer", "respond-async")).await;
    assert_eq!((answer.status, answer.code().as_str()), (400, "stream_not_deferrable"));
    sim.set_fault(Rule::always(fault("status:503")));
    let answer = gateway.send(streamed).await;
    assert_eq!((answer.status, answer.code().as_str()), (503, "no_healthy_upstream"));
}

#[tokio::test]
async fn what_may_have_been_done_already_is_not_accepted_instead_of_an_error() {
    let sim = sim();
    sim.set_fault(Rule::always(fault("reset-before-headers")));
    let gateway = Gateway::start(&deferring(&sim.base_url(), "{ when: unavailable }", "")).await;
    let answer = gateway.send(Request::post(CHAT).json(&question("one"))).await;
    assert_eq!((answer.status, answer.code().as_str()), (503, "no_healthy_upstream"));
}

#[tokio::test]
async fn an_error_of_the_request_is_its_answer() {
    let sim = sim();
    sim.set_fault(Rule::always(fault("status:400")));
    let gateway = Gateway::start(&deferring(&sim.base_url(), "{ when: unavailable }", "")).await;
    let direct = gateway.send(Request::post(CHAT).json(&question("one"))).await;
    assert_eq!(direct.status, 400, "an answer is an answer");
    let id = promised(&gateway.send(later("one")).await);
    let document = reaches(&gateway, &id, "failed").await;
    assert_eq!(document["result_status"], 400);
    let answer = result(&gateway, &id).await;
    assert_eq!((answer.status, answer.body), (400, direct.body));
    assert_eq!(sim.requests().len(), 2);
}

#[tokio::test]
async fn the_same_key_is_the_same_request_of_the_same_app_and_no_other() {
    let sim = sim();
    sim.set_fault(Rule::always(fault("status:503")));
    let gateway = Gateway::start(&deferring(&sim.base_url(), "{}", "")).await;
    let keyed = |text: &str, key: &str| later(text).header("idempotency-key", key);
    let mut many: Vec<_> = (0..20).map(|_| tokio::spawn(keyed("one", "k-1").send(gateway.addr))).collect();
    let first = promised(&many.pop().unwrap().await.unwrap());
    for answer in many {
        assert_eq!(promised(&answer.await.unwrap()), first, "one request, however often it is sent");
    }
    assert_ne!(promised(&gateway.send(keyed("one", "k-2")).await), first);
    let other = keyed("one", "k-1").set("authorization", &format!("Bearer {OTHER}"));
    assert_ne!(promised(&gateway.send(other).await), first, "keys of other apps are others");
    let conflict = gateway.send(keyed("two", "k-1")).await;
    assert_eq!((conflict.status, conflict.code().as_str()), (422, "idempotency_key_reused"));
    let bad = gateway.send(keyed("two", &"k".repeat(256))).await;
    assert_eq!((bad.status, bad.code().as_str()), (400, "invalid_idempotency_key"));
    let text = deferring(&sim.base_url(), "{}", "");
    let dir = gateway.kill().await;
    let gateway = Gateway::start_in(dir, Some(&text), &[]).await;
    assert_eq!(promised(&gateway.send(keyed("one", "k-1")).await), first, "also after a restart");
    sim.clear_faults();
    reaches(&gateway, &first, "completed").await;
    assert_eq!(promised(&gateway.send(keyed("one", "k-1")).await), first, "also when it is done");
    let again = keyed("one", "k-1").set("prefer", "respond-async, wait=10");
    assert_eq!(gateway.send(again).await.content(), direct("one").await);
    // Who does not say that it may come later gets the answer that there is: it is the same request.
    sim.clear_log();
    let plain = Request::post(CHAT).json(&question("one")).header("idempotency-key", "k-1");
    let answer = gateway.send(plain).await;
    assert_eq!((answer.status, answer.content()), (200, direct("one").await));
    assert_eq!((answer.header("preference-applied"), sim.requests().len()), ("", 0));
}

#[tokio::test]
async fn to_another_app_it_does_not_exist() {
    let sim = sim();
    sim.set_fault(Rule::always(fault("status:503")));
    let gateway = Gateway::start(&deferring(&sim.base_url(), "{}", "")).await;
    let id = promised(&gateway.send(later("one")).await);
    let path = format!("/v1/deferred/{id}");
    for (method, path) in [("GET", path.clone()), ("GET", format!("{path}/result")), ("DELETE", path.clone())]
    {
        let other = Request::new(method, &path).set("authorization", &format!("Bearer {OTHER}"));
        let answer = gateway.send(other).await;
        assert_eq!((answer.status, answer.code().as_str()), (404, "deferred_not_found"), "{method} {path}");
        let nobody = gateway.send(Request::new(method, &path).without("authorization")).await;
        assert_eq!(nobody.status, 401);
    }
    let waiting = result(&gateway, &id).await;
    assert_eq!((waiting.status, waiting.json()["status"].as_str().is_some()), (202, true));
    let unknown = gateway.send(Request::get(&format!("/v1/deferred/dfr_{:032x}", 7))).await;
    assert_eq!(unknown.code(), "deferred_not_found");
    assert_eq!(gateway.send(Request::post(&path)).await.code(), "method_not_allowed");
    assert_eq!(gateway.send(Request::get(&format!("{path}/else"))).await.code(), "unknown_path");
}

#[tokio::test]
async fn who_takes_it_back_is_never_answered() {
    let sim = sim();
    sim.set_fault(Rule::always(fault("status:503")));
    let gateway = Gateway::start(&deferring(&sim.base_url(), "{}", "")).await;
    let id = promised(&gateway.send(later("one")).await);
    let cancel = async || gateway.send(Request::new("DELETE", &format!("/v1/deferred/{id}"))).await;
    // While a target is being asked for it, it cannot be taken back.
    let cancelled = eventually("it is taken back", async || {
        let answer = cancel().await;
        (answer.status == 200).then_some(answer)
    })
    .await;
    assert_eq!(cancelled.json()["status"], "cancelled");
    let answer = result(&gateway, &id).await;
    assert_eq!((answer.status, answer.code().as_str()), (410, "deferred_cancelled"));
    assert_eq!(cancel().await.code(), "deferred_not_queued");
    sim.clear_faults();
    sim.clear_log();
    let next = promised(&gateway.send(later("two")).await);
    reaches(&gateway, &next, "completed").await;
    assert_eq!(sim.requests().len(), 1);
}

#[tokio::test]
async fn what_nobody_answers_in_time_expires_and_is_forgotten_when_it_has_been_kept() {
    let dead = format!("http://127.0.0.1:{}/v1", dead_port());
    let gateway = Gateway::start(&deferring(&dead, "{ within: 1s }", "defer: { keep: 2s }\n")).await;
    let id = promised(&gateway.send(later("one")).await);
    reaches(&gateway, &id, "expired").await;
    let answer = result(&gateway, &id).await;
    assert_eq!((answer.status, answer.code().as_str()), (504, "deferred_expired"));
    eventually("it is forgotten", async || (result(&gateway, &id).await.status == 404).then_some(())).await;
}

#[tokio::test]
async fn each_limit_says_no_to_one_more_and_yes_again_when_there_is_room() {
    let dead = format!("http://127.0.0.1:{}/v1", dead_port());
    let limits = "defer: { requests_max: 3, app_requests_max: 2, keep: 1s }\n";
    let gateway = Gateway::start(&deferring(&dead, "{ when: unavailable }", limits)).await;
    let other = |text: &str| later(text).set("authorization", &format!("Bearer {OTHER}"));
    let first = promised(&gateway.send(later("one")).await);
    promised(&gateway.send(later("two")).await);
    let full = gateway.send(later("three")).await;
    assert_eq!((full.status, full.code().as_str()), (503, "overloaded"));
    assert!(full.text().contains("defer.app_requests_max"), "{}", full.text());
    assert_eq!(full.header("x-should-retry"), "true");
    promised(&gateway.send(other("three")).await);
    let full = gateway.send(other("four")).await;
    assert!(full.text().contains("defer.requests_max"), "{}", full.text());
    // Who did not ask for it gets the honest no.
    let no = gateway.send(Request::post(CHAT).json(&question("four"))).await;
    assert_eq!(no.code(), "no_healthy_upstream");
    eventually("one is taken back", async || {
        let answer = gateway.send(Request::new("DELETE", &format!("/v1/deferred/{first}"))).await;
        (answer.status == 200).then_some(())
    })
    .await;
    eventually("there is room", async || (gateway.send(later("five")).await.status == 202).then_some(()))
        .await;
    gateway.write_config(&deferring(&dead, "{}", "defer: { app_bytes_max: 1KiB }\n"));
    eventually("the new limit counts", async || {
        let answer = gateway.send(later(&"long ".repeat(300))).await;
        answer.text().contains("defer.app_bytes_max").then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_new_configuration_keeps_them_and_may_be_what_they_wait_for() {
    let sim = sim();
    let dead = format!("http://127.0.0.1:{}/v1", dead_port());
    let gateway = Gateway::start(&deferring(&dead, "{}", "")).await;
    let id = promised(&gateway.send(later("one")).await);
    gateway.write_config(&deferring(&sim.base_url(), "{}", ""));
    gateway.signal("HUP");
    reaches(&gateway, &id, "completed").await;
}

#[tokio::test]
async fn an_answer_that_was_lost_is_fetched_again_where_that_is_no_second_time_and_else_given_up() {
    for (idempotency, unknown, wanted, asked) in [
        ("true", "fail", "completed", 2),
        ("false", "fail", "failed", 1),
        ("false", "resend", "completed", 2),
    ] {
        let sim = sim();
        sim.set_fault(Rule::always(fault("reset-before-headers")).times(1));
        let text = deferring(&sim.base_url(), &format!("{{ unknown: {unknown} }}"), "");
        let text = text.replace("idempotency: true", &format!("idempotency: {idempotency}"));
        let gateway = Gateway::start(&text).await;
        let id = promised(&gateway.send(later("one")).await);
        let document = reaches(&gateway, &id, wanted).await;
        assert_eq!(sim.requests().len(), asked, "{document}");
        let answer = result(&gateway, &id).await;
        if wanted == "completed" {
            assert_eq!(answer.content(), direct("one").await);
            assert!(sim.requests()[1].replayed, "the provider knew it again");
        } else {
            assert_eq!((answer.status, answer.code().as_str()), (502, "deferred_outcome_unknown"));
        }
    }
}

#[tokio::test]
async fn a_target_that_refuses_is_followed_by_another_one_within_the_same_run() {
    let (first, second) = (sim(), sim());
    first.set_fault(Rule::always(fault("status:500")));
    let text = deferring(&first.base_url(), "{}", "").replace(
        "targets: [{ provider: a, model: m1 }]",
        "targets: [{ provider: a, model: m1 }, { provider: b, model: m2, tier: 1 }]",
    );
    let provider = format!(
        "  b: {{ kind: openai-compatible, base_url: \"{}\", keys: [k] }}\nmodels:",
        second.base_url()
    );
    let gateway = Gateway::start(&text.replacen("models:", &provider, 1)).await;
    let id = promised(&gateway.send(later("one")).await);
    reaches(&gateway, &id, "completed").await;
    assert_eq!(result(&gateway, &id).await.header("x-wellhead-target"), "b/m2");
}

#[tokio::test]
async fn a_large_body_comes_back_from_its_file_and_a_drain_leaves_what_waits_on_disk() {
    let sim = sim();
    sim.set_fault(Rule::always(fault("status:503")));
    let text = deferring(&sim.base_url(), "{ when: unavailable }", "");
    let mut gateway = Gateway::start(&text).await;
    let large = question(&"words ".repeat(400_000));
    let id = promised(&gateway.send(Request::post(CHAT).json(&large)).await);
    gateway.signal("TERM");
    assert!(gateway.ended().await.success());
    let dir = gateway.shared_dir();
    drop(gateway);
    sim.clear_faults();
    sim.clear_log();
    let gateway = Gateway::start_in(dir, Some(&text), &[]).await;
    reaches(&gateway, &id, "completed").await;
    let seen = sim.wait_for(|log| log.iter().any(|r| r.status == Some(200)), LIMIT).await.unwrap();
    assert!(seen.iter().any(|r| r.body_bytes > 2_400_000));
}

#[tokio::test]
async fn metrics_and_status_say_how_many_wait_and_what_became_of_the_others() {
    let sim = sim();
    let gateway = Gateway::start(&deferring(&sim.base_url(), "{}", "")).await;
    let id = promised(&gateway.send(later("one")).await);
    reaches(&gateway, &id, "completed").await;
    sim.set_fault(Rule::always(fault("status:503")));
    let waits = promised(&gateway.send(later("two")).await);
    reaches(&gateway, &waits, "queued").await;
    let status = gateway.status().await["deferred"].clone();
    assert_eq!(
        (&status["kept"], status["queued"].as_u64().unwrap() + status["running"].as_u64().unwrap()),
        (&json!(1), 1)
    );
    assert!(status["bytes"].as_u64() > Some(0) && status["disk_bytes"].as_u64() > status["bytes"].as_u64());
    let metrics = gateway.metrics().await;
    for line in [
        r#"wellhead_deferred{state="kept"} 1"#,
        r#"wellhead_deferred_requests_total{outcome="accepted"} 2"#,
        r#"wellhead_deferred_requests_total{outcome="completed"} 1"#,
        r#"wellhead_requests_total{route="chat",endpoint="/v1/chat/completions",outcome="degraded"} 2"#,
        r#"wellhead_requests_total{route="chat",endpoint="/v1/deferred",outcome="degraded"} 1"#,
    ] {
        assert!(metrics.contains(line), "{line}\n{metrics}");
    }
    let record = eventually("a record of the run", async || {
        gateway.records().into_iter().find(|record| record["endpoint"] == "/v1/deferred")
    })
    .await;
    assert_eq!((&record["rung"], &record["app"]), (&json!("deferred"), &json!("dev")), "{record}");
}
