//! Five times more than the upstream can take: it works at its capacity all the same, what matters most is answered,
//! nobody is starved, and nothing grows without bound.

use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::task::JoinSet;
use wellhead_sim::{Ended, LoggedRequest, Rule, Sim, SimOptions, Slots};

use crate::support::{
    Answer, CHAT, Gateway, LIMIT, Request, chat, config, eventually, fault, metric, sim_with,
};

/// Requests that the provider works on at a time, and what an answer takes: a second, so that turns of the queue cost
/// little beside it on a machine that is busy with other things.
const SLOTS: usize = 8;
const TOKENS: usize = 20;
const PACE: Duration = Duration::from_millis(50);
/// Requests per second, of all apps together: five times the capacity.
const CAPACITY: f64 = 8.0;
/// What a thousand waiting requests, their connections and the allocator may take.
const GROWTH_BYTES_MAX: u64 = 96 << 20;

/// Apps with their class and their share of the capacity in percent; the second one is greedy.
const APPS: [(&str, u32); 10] = [
    ("critical", 15),
    ("default", 305),
    ("best-effort", 25),
    ("bulk", 25),
    ("critical", 15),
    ("default", 25),
    ("best-effort", 25),
    ("bulk", 25),
    ("critical", 15),
    ("default", 25),
];

/// `make soak` runs at full length.
fn is_full() -> bool {
    std::env::var("WELLHEAD_OVERLOAD").is_ok_and(|extent| extent == "full")
}

/// How long the load of five times the capacity is judged.
fn length(scaled_s: u64) -> Duration {
    Duration::from_secs(if is_full() { 120 } else { scaled_s })
}

fn provider(refuse: Option<u16>) -> Sim {
    sim_with(SimOptions {
        token_pace: PACE,
        tokens_default: TOKENS,
        slots: Some(Slots { count: SLOTS, refuse }),
        ..SimOptions::default()
    })
}

fn key(app: usize) -> String {
    format!("wh-app-{app}-0123456789abcdef")
}

fn settings(sim: &Sim, provider: &str) -> String {
    let apps = APPS.iter().enumerate();
    let apps: String = apps
        .map(|(app, (class, _))| format!("  app{app}: {{ keys: [\"{}\"], priority: {class} }}\n", key(app)))
        .collect();
    config(&format!(
        "providers:\n  a: {{ kind: openai-compatible, base_url: \"{}\", keys: [\"sk-a\"]{provider} }}\n\
         models:\n  chat: {{ targets: [{{ provider: a, model: m1 }}], timeouts: {{ hold: 8s }} }}\n\
         apps:\n{apps}",
        sim.base_url()
    ))
}

fn ask(app: usize, stream: bool) -> Request {
    Request::post(CHAT).json(&chat(stream)).set("authorization", &format!("Bearer {}", key(app)))
}

/// What came of the requests of one app.
#[derive(Debug, Default, Clone, Copy)]
struct Count {
    asked: u32,
    answered: u32,
    held: u32,
}

/// Offers five times the capacity for `length`, every app at even distances, and judges every answer.
async fn offer(gateway: &Gateway, length: Duration) -> [Count; APPS.len()] {
    let (began, addr) = (Instant::now(), gateway.addr);
    let mut asked: Vec<(Duration, usize)> = Vec::new();
    for (app, (_, percent)) in APPS.iter().enumerate() {
        let apart = Duration::from_secs_f64(100.0 / (CAPACITY * f64::from(*percent)));
        let mut at = apart.mul_f64(0.1 * app as f64);
        while at < length {
            asked.push((at, app));
            at += apart;
        }
    }
    asked.sort_unstable();
    let mut answers = JoinSet::new();
    for (at, app) in asked {
        tokio::time::sleep_until((began + at).into()).await;
        answers.spawn(async move { (app, ask(app, at.as_millis() % 2 == 0).send(addr).await) });
    }
    let mut counts = [Count::default(); APPS.len()];
    while let Some(answered) = answers.join_next().await {
        let (app, answer) = answered.unwrap();
        let count = &mut counts[app];
        count.asked += 1;
        if answer.status == 200 {
            count.answered += 1;
            count.held += u32::from(answer.header("x-wellhead-survival") == "held");
        } else {
            is_clean(&answer);
        }
    }
    counts
}

/// A request that is shed is told so, and when to come back.
fn is_clean(answer: &Answer) {
    assert_eq!((answer.status, answer.code().as_str()), (503, "overloaded"), "{}", answer.everything());
    assert_eq!(answer.header("x-should-retry"), "true");
    assert!(answer.header("retry-after-ms").parse::<u64>().unwrap() > 0, "{}", answer.everything());
    assert_eq!(answer.error()["source"], "gateway");
}

/// Whole answers that the provider gave to requests which came between two moments of its own clock.
fn goodput(log: &[LoggedRequest], from: Duration, until: Duration) -> usize {
    let within = |request: &&LoggedRequest| (from..until).contains(&request.at);
    let good =
        |request: &&LoggedRequest| request.status == Some(200) && request.ended == Some(Ended::Finished);
    log.iter().filter(within).filter(good).count()
}

/// What the provider could do in a second at that time: as many as it has slots, each for as long as answers took while
/// it was overloaded. A busy machine makes answers take longer, and is no fault of the queue.
fn capacity(records: &[Value]) -> f64 {
    let attempts = records.iter().flat_map(|record| record["attempts"].as_array().unwrap());
    let took: Vec<f64> = attempts
        .filter(|attempt| attempt["result"] == "ok")
        .map(|attempt| attempt["duration_ms"].as_f64().unwrap() / 1000.0)
        .collect();
    SLOTS as f64 * took.len() as f64 / took.iter().sum::<f64>()
}

/// The judge: goodput, the highest class, the apps that get least, and memory.
async fn judge(sim: &Sim, gateway: &Gateway, warm: Duration, length: Duration) -> [Count; APPS.len()] {
    assert_eq!(gateway.send(ask(0, true)).await.status, 200);
    let before = gateway.resident_bytes();
    offer(gateway, warm).await;
    sim.clear_log();
    let told = gateway.records().len();
    let counts = offer(gateway, length).await;
    let grown = gateway.resident_bytes().saturating_sub(before);
    let log = sim.requests();
    let first = log.first().unwrap().at;
    let good = goodput(&log, first, first + length) as f64;
    let full = capacity(&gateway.records()[told..]) * length.as_secs_f64();
    assert!(good >= 0.9 * full, "goodput {good} of {full}: {counts:?}");
    for (app, ((class, _), count)) in APPS.iter().zip(counts).enumerate() {
        assert!(count.answered > 0, "app {app} is starved: {counts:?}");
        if *class == "critical" {
            assert!(count.answered * 100 >= count.asked * 99, "app {app}, {class}: {counts:?}");
        }
    }
    assert!(counts.iter().any(|count| count.held > 0), "who waited was held: {counts:?}");
    assert!(grown < GROWTH_BYTES_MAX, "the gateway grew by {grown} bytes");
    counts
}

#[tokio::test]
async fn a_server_with_known_slots_is_kept_busy_and_never_overrun() {
    let sim = provider(None);
    let gateway = Gateway::start(&settings(&sim, &format!(", concurrency_max: {SLOTS}"))).await;
    let taken = async || gateway.status().await["providers"][0]["concurrency"]["taken"].as_u64().unwrap();
    let watch = async {
        let mut most = 0;
        for _ in 0..40 {
            tokio::time::sleep(Duration::from_millis(200)).await;
            most = most.max(taken().await);
        }
        most
    };
    let (counts, most) = tokio::join!(judge(&sim, &gateway, Duration::from_secs(2), length(12)), watch);
    assert!(most <= SLOTS as u64, "{most} of {SLOTS} slots were taken");
    let metrics = gateway.metrics().await;
    for series in [
        r#"wellhead_shed_requests_total{route="chat",priority="default"}"#,
        r#"wellhead_queue_wait_seconds_count{route="chat",priority="critical"}"#,
        r#"wellhead_requests_total{route="chat",endpoint="/v1/chat/completions",outcome="shed"}"#,
    ] {
        assert!(metrics.contains(series), "{series} is not in {metrics}");
    }
    assert!(
        !metrics.contains(r#"wellhead_shed_requests_total{route="chat",priority="critical"}"#),
        "{counts:?}"
    );
    eventually("nobody is left behind", async || (taken().await == 0).then_some(())).await;
}

#[tokio::test]
async fn a_server_that_refuses_is_found_out() {
    let sim = provider(Some(503));
    let gateway = Gateway::start(&settings(&sim, "")).await;
    judge(&sim, &gateway, Duration::from_secs(8), length(10)).await;
    let refused = sim.requests().iter().filter(|request| request.status == Some(503)).count();
    let asked = sim.requests().len();
    assert!(
        refused * 5 <= asked,
        "{refused} of {asked} were refused by the provider: the limit is not learnt"
    );
    let target = gateway.status().await["routes"][0]["targets"][0].clone();
    assert!(target["in_flight_max"].as_u64().is_some_and(|max| (4..=16).contains(&max)), "{target}");
}

#[tokio::test]
async fn a_caller_may_lower_itself_but_not_raise() {
    let sim = provider(None);
    let gateway = Gateway::start(&settings(&sim, "")).await;
    for (app, said, priority) in
        [(0, "bulk", "bulk"), (3, "critical", "bulk"), (1, "Best-Effort", "best-effort")]
    {
        let answer = gateway.send(ask(app, false).header("x-wellhead-priority", said)).await;
        assert_eq!(answer.status, 200);
        assert_eq!(gateway.record(answer.header("x-request-id")).await["priority"], priority);
    }
    let answer = gateway.send(ask(0, false).header("x-wellhead-priority", "urgent")).await;
    assert_eq!((answer.status, answer.code().as_str()), (400, "invalid_headers"));
    assert!(answer.everything().contains("best-effort"), "{}", answer.everything());
    assert!(sim.requests().iter().all(|request| request.header("x-wellhead-priority").is_none()));
}

#[tokio::test]
async fn who_would_wait_in_vain_is_told_at_once() {
    let sim = sim_with(SimOptions {
        token_pace: Duration::from_millis(100),
        tokens_default: TOKENS,
        ..SimOptions::default()
    });
    let gateway = Gateway::start(&settings(&sim, ", concurrency_max: 1")).await;
    let mut waiting = JoinSet::new();
    for _ in 0..6 {
        waiting.spawn(ask(1, false).send(gateway.addr));
    }
    // Two turns are known then: each takes two seconds.
    let answered = async || gateway.records().iter().filter(|record| record["status"] == 200).count();
    eventually("three were answered", async || (answered().await >= 3).then_some(())).await;
    let began = Instant::now();
    let answer = gateway.send(ask(5, false).header("x-stainless-timeout", "1")).await;
    assert!(began.elapsed() < Duration::from_millis(700), "it was told after {:?}", began.elapsed());
    is_clean(&answer);
    let told = answer.error()["retry_after_s"].as_f64().unwrap();
    assert!((1.0..=8.0).contains(&told), "a turn takes two seconds, not {told}");
    waiting.abort_all();
}

/// Clients that give up after two seconds and try three times; an outage that leaves a crowd of them.
#[tokio::test]
async fn after_an_outage_goodput_comes_back_in_spite_of_retries() {
    const RATE: f64 = 5.0;
    let sim = provider(None);
    let gateway = Gateway::start(&settings(&sim, &format!(", concurrency_max: {SLOTS}"))).await;
    let (began, addr) = (Instant::now(), gateway.addr);
    let mut clients = JoinSet::new();
    let run = async |from: f64, until: f64, clients: &mut JoinSet<(f64, bool)>| {
        let mut at = from;
        while at < until {
            tokio::time::sleep_until((began + Duration::from_secs_f64(at)).into()).await;
            clients.spawn(async move {
                for _ in 0..3 {
                    let asked = ask(1, false).header("x-stainless-timeout", "2").send(addr);
                    let answer = tokio::time::timeout(Duration::from_secs(3), asked).await;
                    if answer.is_ok_and(|answer| answer.status == 200) {
                        return (at, true);
                    }
                    tokio::time::sleep(Duration::from_millis(300)).await;
                }
                (at, false)
            });
            at += 1.0 / RATE;
        }
    };
    run(0.0, 4.0, &mut clients).await;
    sim.set_fault(Rule::always(fault("reset-before-headers")));
    let back = if is_full() { 64.0 } else { 12.0 };
    run(4.0, back, &mut clients).await;
    let during = sim.requests().len();
    sim.clear_faults();
    run(back, back + 20.0, &mut clients).await;
    let (mut asked, mut answered) = (0, 0);
    while let Some(client) = clients.join_next().await {
        let (at, good) = client.unwrap();
        if at >= back + 15.0 {
            asked += 1;
            answered += u32::from(good);
        }
    }
    assert!(answered * 100 >= asked * 95, "15 s after the return {answered} of {asked} are answered");
    assert!(during > 0);
}

/// One slot, and two apps that wait for it. Both use as much as the other; one of them says that it needs four times that.
#[tokio::test]
async fn turns_go_by_what_requests_have_used_and_not_by_what_they_might_have() {
    const USED: usize = 1_000;
    const EACH: usize = 30;
    let sim =
        sim_with(SimOptions { token_pace: Duration::ZERO, tokens_default: USED, ..SimOptions::default() });
    let gateway = Gateway::start(&settings(&sim, ", concurrency_max: 1")).await;
    let ask = |app: usize, max: usize| {
        let mut body = chat(false);
        body["max_tokens"] = max.into();
        Request::post(CHAT).json(&body).set("authorization", &format!("Bearer {}", key(app)))
    };
    // Until all of them wait, the slot is taken.
    sim.set_fault(Rule::always(fault("slow-first-token:2000")).times(1));
    let mut answers = JoinSet::new();
    answers.spawn(ask(9, 10).send(gateway.addr));
    sim.wait_for(|log| log.len() == 1, LIMIT).await.unwrap();
    for _ in 0..EACH {
        answers.spawn(ask(1, USED).send(gateway.addr));
        answers.spawn(ask(5, 4 * USED).send(gateway.addr));
    }
    eventually("all of them wait", async || {
        (metric(&gateway, "wellhead_held").await >= 2 * EACH as u64).then_some(())
    })
    .await;
    while let Some(answer) = answers.join_next().await {
        let answer = answer.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.everything());
    }
    let log = sim.requests();
    let bold = |seen: &&LoggedRequest| String::from_utf8_lossy(&seen.body).contains("4000");
    let early = log.iter().skip(1).take(EACH).filter(bold).count();
    assert!(
        (EACH / 3..=EACH * 2 / 3).contains(&early),
        "{early} of the first {EACH} were those that ask for more"
    );
}
