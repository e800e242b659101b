//! When nobody can answer now but somebody will soon, a request waits instead of failing, as long as its caller does.

use std::time::{Duration, Instant};

use tokio::task::JoinHandle;
use wellhead_sim::{Rule, Sim};

use crate::support::{
    Answer, CHAT, Gateway, LIMIT, Request, chat, config, eventually, expected, fault, metric, pair, sim,
    single,
};

/// The waiting requests of a test.
const CROWD: usize = 40;

fn ask(gateway: &Gateway, header: Option<(&str, &str)>) -> JoinHandle<Answer> {
    let mut request = Request::post(CHAT).json(&chat(false));
    if let Some((name, value)) = header {
        request = request.header(name, value);
    }
    tokio::spawn(request.send(gateway.addr))
}

async fn waiting(gateway: &Gateway, count: u64) {
    eventually("so many requests wait", async || {
        (metric(gateway, "wellhead_held").await >= count).then_some(())
    })
    .await;
}

/// One request has found out that the only key is limited.
async fn limited(sim: &Sim, gateway: &Gateway, seconds: u32) -> JoinHandle<Answer> {
    sim.set_fault(Rule::always(fault(&format!("status:429,retry-after={seconds}"))).times(1));
    let first = ask(gateway, None);
    sim.wait_for(|log| log.len() == 1 && log[0].ended.is_some(), LIMIT).await.unwrap();
    waiting(gateway, 1).await;
    first
}

#[tokio::test]
async fn while_all_keys_are_limited_who_has_time_waits_and_who_has_not_is_told_at_once() {
    let sim = sim();
    let gateway = Gateway::start(&single(&sim)).await;
    let mut held = vec![limited(&sim, &gateway, 2).await];
    held.extend((0..8).map(|_| ask(&gateway, None)));
    held.push(ask(&gateway, Some(("x-stainless-timeout", "30"))));
    let began = Instant::now();
    let refused = ask(&gateway, Some(("x-stainless-timeout", "1"))).await.unwrap();
    let took = began.elapsed();
    assert_eq!((refused.status, refused.code().as_str()), (429, "upstream_rate_limited"));
    assert!(took < Duration::from_millis(900), "it was told after {took:?}, which is no help");
    let told = refused.error()["retry_after_s"].as_f64().unwrap();
    assert!(told > 0.5 && told <= 2.0, "the key is free in {told} s");
    assert_eq!(refused.header("x-should-retry"), "true");
    let expected = expected().await;
    for answer in held {
        let answer = answer.await.unwrap();
        assert_eq!((answer.status, answer.content()), (200, expected.clone()), "{}", answer.everything());
        assert_eq!(answer.header("x-wellhead-survival"), "held");
    }
    let log = sim.requests();
    assert_eq!(log.len(), 11, "one found out, ten were answered, and nobody asked in vain");
    assert!(log[1].at - log[0].at >= Duration::from_millis(1900), "{:?} {:?}", log[0].at, log[1].at);
    let answered = r#"wellhead_held_requests_total{route="chat",outcome="answered"}"#;
    assert_eq!(metric(&gateway, answered).await, 10);
    assert_eq!(metric(&gateway, r#"wellhead_held_requests_total{route="chat",outcome="refused"}"#).await, 1);
    assert_eq!(metric(&gateway, "wellhead_held").await, 0);
}

/// How long all keys are limited.
const LIMITED: Duration = Duration::from_secs(3);

/// Two targets with two keys each; the first key to be free is so after [`LIMITED`].
fn all_keys(sim: &Sim) -> String {
    let provider = |name: &str| {
        let url = sim.base_url();
        format!(
            "  {name}: {{ kind: openai-compatible, base_url: \"{url}\", keys: [sk-{name}-1, sk-{name}-2] }}\n"
        )
    };
    for (key, seconds) in [("sk-a-1", 7), ("sk-a-2", 3), ("sk-b-1", 5), ("sk-b-2", 4)] {
        sim.set_fault(Rule::always(fault(&format!("status:429,retry-after={seconds}"))).key(key).times(1));
    }
    let targets = "targets: [{ provider: a, model: m1 }, { provider: b, model: m2, tier: 1 }]";
    config(&format!(
        "providers:\n{}{}models:\n  chat: {{ {targets}, attempts_max: 8 }}\n",
        provider("a"),
        provider("b")
    ))
}

/// What clients say of their patience, in milliseconds.
fn patience(ms: u32) -> [(&'static str, String); 4] {
    [
        ("x-stainless-timeout", format!("{}", f64::from(ms) / 1000.0)),
        ("x-stainless-read-timeout", format!("{}", f64::from(ms) / 1000.0)),
        ("grpc-timeout", format!("{ms}m")),
        ("x-envoy-expected-rq-timeout-ms", format!("{ms}")),
    ]
}

#[tokio::test]
async fn when_all_keys_of_all_targets_are_limited_for_three_seconds_every_deadline_is_kept_and_the_wait_told_is_true()
 {
    let sim = sim();
    let gateway = Gateway::start(&all_keys(&sim)).await;
    let asked = Instant::now();
    let mut held = vec![ask(&gateway, None)];
    let log = sim.wait_for(|log| log.len() == 4, LIMIT).await.unwrap();
    let free = log.iter().find(|seen| seen.key.as_deref() == Some("sk-a-2")).unwrap().at + LIMITED;
    waiting(&gateway, 1).await;
    let known = Instant::now();
    held.extend(patience(19_000).iter().map(|(name, value)| ask(&gateway, Some((name, value)))));

    let mut told = Duration::ZERO;
    for (name, value) in patience(800) {
        let began = Instant::now();
        let answer = ask(&gateway, Some((name, &value))).await.unwrap();
        assert_eq!((answer.status, answer.code().as_str()), (429, "upstream_rate_limited"), "{name}");
        assert!(began.elapsed() < Duration::from_millis(700), "{name}: told after {:?}", began.elapsed());
        assert_eq!(answer.header("x-should-retry"), "true", "{name}");
        told = Duration::from_millis(answer.header("retry-after-ms").parse().unwrap());
        let body = answer.error()["retry_after_s"].as_f64().unwrap();
        assert!((body - told.as_secs_f64()).abs() < 0.01, "{name}: {body} s and {told:?}");
        let seconds: u64 = answer.header("retry-after").parse().unwrap();
        assert_eq!(u128::from(seconds), told.as_millis().div_ceil(1000), "{name}: whole, rounded up");
        // The key that is free first counts, not the one that was asked last.
        assert!(
            began + told <= known + LIMITED && Instant::now() + told >= asked + LIMITED,
            "{name}: {told:?}"
        );
    }
    // Who comes back when it was told to is answered.
    tokio::time::sleep(told).await;
    let back = ask(&gateway, Some(("x-stainless-timeout", "10"))).await.unwrap();
    assert_eq!(back.status, 200, "{}", back.everything());
    let expected = expected().await;
    for answer in held {
        let answer = answer.await.unwrap();
        assert_eq!((answer.status, answer.content()), (200, expected.clone()), "{}", answer.everything());
    }
    let early = sim.requests().into_iter().skip(4).find(|seen| seen.at < free);
    assert_eq!(early, None, "nobody is asked before it is time");
}

#[tokio::test]
async fn a_stream_is_held_as_well() {
    let sim = sim();
    sim.set_fault(Rule::always(fault("status:429,retry-after=1")).times(1));
    let gateway = Gateway::start(&single(&sim)).await;
    let answer = gateway.chat(true).await;
    assert!(answer.status == 200 && answer.done(), "{}", answer.everything());
    assert_eq!(answer.header("x-wellhead-survival"), "held");
}

#[tokio::test]
async fn a_model_that_holds_nothing_refuses_at_once_and_one_that_holds_a_second_then() {
    for (setting, at_most) in [("0s", Duration::from_millis(900)), ("1s", Duration::from_millis(2500))] {
        let sim = sim();
        sim.set_fault(Rule::always(fault("status:429,retry-after=20")));
        let text = pair(&sim, &format!("timeouts: {{ hold: {setting} }}"));
        let gateway = Gateway::start(&text).await;
        let began = Instant::now();
        let answer = gateway.chat(false).await;
        assert_eq!((answer.status, answer.code().as_str()), (429, "upstream_rate_limited"), "{setting}");
        assert!(began.elapsed() < at_most, "{setting}: {:?}", began.elapsed());
        let told = answer.error()["retry_after_s"].as_f64().unwrap();
        assert!((17.0..=21.0).contains(&told), "{setting}: {told}");
    }
}

#[tokio::test]
async fn whoever_leaves_gives_its_place_up() {
    let sim = sim();
    sim.set_fault(Rule::always(fault("status:429,retry-after=60")));
    let gateway = Gateway::start(&single(&sim).replace("m1 }]", "m1 }], timeouts: { hold: 90s }")).await;
    let client = Request::post(CHAT).json(&chat(false)).open(gateway.addr).await;
    waiting(&gateway, 1).await;
    drop(client);
    eventually("the place is free", async || (metric(&gateway, "wellhead_held").await == 0).then_some(()))
        .await;
    let left = r#"wellhead_held_requests_total{route="chat",outcome="left"}"#;
    assert_eq!(metric(&gateway, left).await, 1);
    assert_eq!(sim.requests().len(), 1);
}

#[tokio::test]
async fn a_new_configuration_with_a_working_key_is_found_by_those_who_wait() {
    let sim = sim();
    sim.set_fault(Rule::always(fault("status:429,retry-after=25")).model("m1"));
    let gateway = Gateway::start(&single(&sim)).await;
    let waits = ask(&gateway, None);
    waiting(&gateway, 1).await;
    // It is pinned to the route that it began with; newcomers use the new one, and are not held up by its line.
    gateway.write_config(&config(&format!(
        "providers:\n  b: {{ kind: openai-compatible, base_url: \"{}\", keys: [\"sk-new\"] }}\n\
         models:\n  chat: {{ targets: [{{ provider: b, model: m2 }}] }}\n",
        sim.base_url()
    )));
    eventually("an answer of the new target", async || {
        let ask = Request::post(CHAT).json(&chat(false)).header("x-stainless-timeout", "1");
        (gateway.send(ask).await.status == 200).then_some(())
    })
    .await;
    waits.abort();
}

/// All targets fail, until they are left alone; returns when they are.
async fn everybody_is_open(gateway: &Gateway) {
    eventually("both targets are open", async || {
        let ask = || ask(gateway, Some(("x-stainless-timeout", "1")));
        for answer in [ask(), ask(), ask(), ask()] {
            assert_eq!(answer.await.unwrap().status, 503);
        }
        let targets = gateway.status().await["routes"][0]["targets"].clone();
        let open = targets.as_array().unwrap().iter().all(|target| target["phase"] == "open");
        open.then_some(())
    })
    .await;
}

#[tokio::test]
async fn who_waits_alone_finds_out_who_is_back_however_few_attempts_it_has() {
    let sim = sim();
    sim.set_fault(Rule::always(fault("status:503")));
    let gateway = Gateway::start(&pair(&sim, "attempts_max: 3")).await;
    everybody_is_open(&gateway).await;
    sim.clear_log();
    let alone = ask(&gateway, None);
    // Each by the last light, and then again and again, once for each of its rests.
    sim.wait_for(|log| log.len() == 5, LIMIT).await.unwrap();
    sim.clear_faults();
    let answer = alone.await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.everything());
    assert_eq!(answer.header("x-wellhead-attempts"), "6");
}

#[tokio::test]
async fn when_all_targets_come_back_those_who_waited_are_answered_and_do_not_trample_them() {
    let sim = sim();
    sim.set_fault(Rule::always(fault("status:503")));
    let gateway = Gateway::start(&pair(&sim, "attempts_max: 6")).await;
    everybody_is_open(&gateway).await;
    sim.clear_log();
    let crowd: Vec<_> = (0..CROWD).map(|_| ask(&gateway, None)).collect();
    waiting(&gateway, CROWD as u64 * 3 / 4).await;
    let in_vain = sim.requests().len();
    assert!(in_vain < CROWD / 2, "{CROWD} requests asked {in_vain} times while nobody was there");
    sim.clear_faults();
    for answer in crowd {
        let answer = answer.await.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.everything());
    }
    let asked = sim.requests().len();
    assert!(asked < CROWD * 3 / 2 + 10, "{asked} attempts for {CROWD} requests");
    let held = gateway.chat(false).await;
    assert_eq!(held.header("x-wellhead-survival"), "direct");
}
