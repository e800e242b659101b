//! Bodies are kept for further attempts: small ones in memory, large ones in files without a name, and where there is
//! no memory left the request is sent once instead of being refused.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::{mpsc, watch};
use wellhead_sim::{Rule, Sim, SimOptions};

use crate::support::{
    CHAT, Connection, Gateway, LIMIT, Request, chat, config, dead_port, eventually, fault, pair, sim,
    sim_with, tiers,
};

const MIB: usize = 1 << 20;
/// Bodies that a deaf target can have heard before the test looks at one.
const BODIES_MAX: usize = 16;

/// A simulator that keeps what it is sent.
fn keeping() -> Sim {
    let options = SimOptions { token_pace: Duration::ZERO, tokens_default: 24, ..SimOptions::default() };
    sim_with(SimOptions { body_kept_bytes_max: 32 * MIB, ..options })
}

/// A chat whose one message has `bytes` bytes, no two pieces of which are alike.
fn large(bytes: usize, stream: bool) -> String {
    let mut text = String::with_capacity(bytes + 16);
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    while text.len() < bytes {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        text.push_str(&format!("{seed:016x}"));
    }
    let mut body = chat(stream);
    body["messages"][0]["content"] = text.into();
    body.to_string()
}

/// What a target gets of it under the model's name there.
fn sent(body: &str, model: &str) -> String {
    let mut sent = body.replacen("\"model\":\"chat\"", &format!("\"model\":\"{model}\""), 1);
    if sent.contains("\"stream\":true") {
        sent.replace_range(..1, "{\"stream_options\":{\"include_usage\":true},");
    }
    sent
}

fn post(body: &str) -> Request {
    Request::post(CHAT).body("application/json", body)
}

/// The value of a metric without labels, or the sum over all labels.
async fn metric(gateway: &Gateway, name: &str) -> u64 {
    let text = gateway.metrics().await;
    let of_name =
        text.lines().filter(|line| line.strip_prefix(name).is_some_and(|l| l.starts_with([' ', '{'])));
    of_name.map(|line| line.rsplit_once(' ').unwrap().1.parse::<u64>().unwrap()).sum()
}

async fn memory_is(gateway: &Gateway, what: &str, fits: impl Fn(u64) -> bool) {
    eventually(what, async || fits(metric(gateway, "wellhead_replay_bytes").await).then_some(())).await;
}

/// A target that takes connections, and reads nothing before it is told to.
struct Deaf {
    url: String,
    hears: watch::Sender<bool>,
    bodies: mpsc::Receiver<Vec<u8>>,
}

impl Deaf {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let (hears, hear) = watch::channel(false);
        let (seen, bodies) = mpsc::channel(BODIES_MAX);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(Self::answer(Connection::over(socket), hear.clone(), seen.clone()));
            }
        });
        Self { url, hears, bodies }
    }

    async fn answer(mut client: Connection, mut hear: watch::Receiver<bool>, seen: mpsc::Sender<Vec<u8>>) {
        if hear.wait_for(|hears| *hears).await.is_err() {
            return;
        }
        let Some(body) = client.request_body().await else { return };
        let _ = seen.send(body).await;
        let answer = json!({
            "id": "c", "object": "chat.completion", "created": 1, "model": "m1",
            "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Heard."}}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
        })
        .to_string();
        let head =
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length:";
        client.write(format!("{head} {}\r\n\r\n{answer}", answer.len()).as_bytes()).await;
    }

    /// The model `chat` on this target alone.
    fn config(&self, limits: &str) -> String {
        config(&format!(
            "providers:\n  a: {{ kind: openai-compatible, base_url: \"{}\", keys: [k-1] }}\n\
             models:\n  chat: {{ targets: [{{ provider: a, model: m1 }}] }}\nlimits: {{ {limits} }}\n",
            self.url
        ))
    }
}

fn attempts(record: &Value) -> usize {
    record["attempts"].as_array().unwrap().len()
}

#[tokio::test]
async fn a_large_body_goes_to_the_second_target_byte_for_byte() {
    let (first, second) = (keeping(), keeping());
    first.set_fault(Rule::always(fault("status:503")));
    let gateway = Gateway::start(&tiers(&first.base_url(), &second.base_url(), "attempts_max: 3")).await;
    for stream in [false, true] {
        let body = large(20 * MIB, stream);
        let answer = gateway.send(post(&body)).await;
        assert_eq!((answer.status, answer.header("x-wellhead-survival")), (200, "failed-over"));
        for (sim, model) in [(&first, "m1"), (&second, "m2")] {
            let log = sim.requests();
            assert!(log.last().unwrap().body == sent(&body, model).as_bytes(), "{model} got other bytes");
        }
        let record = gateway.record(answer.header("x-request-id")).await;
        assert_eq!((&record["replay"], attempts(&record)), (&json!(true), 2), "{record}");
    }
    memory_is(&gateway, "all memory is given back", |bytes| bytes == 0).await;
    assert_eq!(metric(&gateway, "wellhead_replay_skipped_total").await, 0);
}

#[tokio::test]
async fn a_broken_answer_to_a_large_body_is_gone_on_with_from_its_file() {
    let (first, second) = (keeping(), keeping());
    let gateway = Gateway::start(&tiers(&first.base_url(), &second.base_url(), "attempts_max: 3")).await;
    let body = large(2 * MIB, true);
    let whole = gateway.send(post(&body)).await.content();
    first.set_fault(Rule::always(fault("cut-after:5")));
    let answer = gateway.send(post(&body)).await;
    assert!(answer.done() && answer.content() == whole, "{}", answer.text());
    assert!(second.requests().last().unwrap().body == sent(&body, "m2").as_bytes(), "m2 got other bytes");
    let record = gateway.record(answer.header("x-request-id")).await;
    assert_eq!((&record["rung"], attempts(&record)), (&json!("resumed"), 2), "{record}");
    memory_is(&gateway, "all memory is given back", |bytes| bytes == 0).await;

    // Too large to be read on a worker: an honest end instead.
    let body = large(5 * MIB, true);
    let answer = gateway.send(post(&body)).await;
    assert!(!answer.done() && answer.stream_error().is_some(), "{}", answer.text());
    memory_is(&gateway, "all memory is given back", |bytes| bytes == 0).await;
}

#[tokio::test]
async fn large_bodies_that_a_slow_target_does_not_take_cost_no_memory() {
    const BODIES: usize = 8;
    const BODY_BYTES: usize = 24 * MIB;
    // Two pieces each, the connections' buffers, and what the allocator keeps of two bodies for the next ones.
    const GROWTH_BYTES_MAX: u64 = 72 << 20;
    let mut target = Deaf::start().await;
    let gateway = Gateway::start(&target.config("")).await;
    let body = large(BODY_BYTES, false);
    let wanted = sent(&body, "m1");
    let before = gateway.resident_bytes();
    let mut clients = Vec::new();
    for _ in 0..BODIES {
        clients.push(post(&body).open(gateway.addr).await);
        memory_is(&gateway, "the body is in a file", |bytes| bytes == 0).await;
    }
    assert_eq!(metric(&gateway, "wellhead_in_flight").await, BODIES as u64);
    let grown = gateway.resident_bytes().saturating_sub(before);
    assert!(grown < GROWTH_BYTES_MAX, "{BODIES} bodies of {BODY_BYTES} bytes grew the gateway by {grown}");
    target.hears.send(true).unwrap();
    for client in clients {
        let answer = client.answer().await;
        assert_eq!((answer.status, answer.content().as_str()), (200, "Heard."), "{}", answer.everything());
        assert!(target.bodies.recv().await.unwrap() == wanted.as_bytes());
    }
    let grown = gateway.resident_bytes().saturating_sub(before);
    assert!(grown < GROWTH_BYTES_MAX, "the gateway grew by {grown} bytes while the bodies were read");
}

#[tokio::test]
async fn beyond_the_budget_a_request_is_sent_once_and_its_record_says_so() {
    let sim = sim();
    let limits = "limits: { replay_bytes_max: 1KiB }\n";
    let gateway = Gateway::start(&format!("{}{limits}", pair(&sim, "attempts_max: 3"))).await;
    let body = large(8 << 10, true);
    let skipped = async || metric(&gateway, "wellhead_replay_skipped_total").await;

    let answer = gateway.send(post(&body)).await;
    assert!(answer.status == 200 && answer.done(), "{}", answer.everything());
    let record = gateway.record(answer.header("x-request-id")).await;
    assert_eq!((&record["replay"], &record["rung"]), (&json!(false), &json!("direct")), "{record}");
    assert_eq!(sim.requests()[0].body_bytes, sent(&body, "m1").len() as u64, "what is set is set as ever");
    assert_eq!(skipped().await, 1);

    sim.set_fault(Rule::always(fault("status:503")).times(1));
    let answer = gateway.send(post(&body)).await;
    assert_eq!((answer.status, answer.code().as_str()), (503, "no_healthy_upstream"));
    assert_eq!(answer.header("x-should-retry"), "true", "the client still has its body");
    let record = gateway.record(answer.header("x-request-id")).await;
    assert_eq!((&record["replay"], attempts(&record)), (&json!(false), 1), "{record}");
    assert_eq!(skipped().await, 2);

    sim.set_fault(Rule::always(fault("status:503")).times(1));
    let answer = gateway.chat(true).await;
    assert_eq!((answer.status, answer.header("x-wellhead-survival")), (200, "retried"), "this one is small");
    let record = gateway.record(answer.header("x-request-id")).await;
    assert_eq!((&record["replay"], attempts(&record)), (&json!(true), 2), "{record}");
    assert_eq!(skipped().await, 2);
    memory_is(&gateway, "all memory is given back", |bytes| bytes == 0).await;
}

#[tokio::test]
async fn without_replay_a_target_that_was_sent_nothing_costs_no_attempt() {
    let sim = sim();
    let dead = format!("http://127.0.0.1:{}/v1", dead_port());
    let limits = "limits: { replay_bytes_max: 1KiB }\n";
    let gateway =
        Gateway::start(&format!("{}{limits}", tiers(&dead, &sim.base_url(), "attempts_max: 3"))).await;
    let answer = gateway.send(post(&large(8 << 10, false))).await;
    assert_eq!((answer.status, answer.header("x-wellhead-survival")), (200, "failed-over"));
    let record = gateway.record(answer.header("x-request-id")).await;
    assert_eq!((&record["replay"], attempts(&record)), (&json!(false), 2), "{record}");
}

/// Takes the directory for files away from a running gateway. (Permissions would not do: tests may run as root.)
fn take_away(gateway: &Gateway) {
    std::fs::rename(gateway.dir().join("data"), gateway.dir().join("elsewhere")).unwrap();
}

#[tokio::test]
async fn without_a_place_for_files_large_bodies_stay_in_memory_and_the_log_says_so_once() {
    let (first, second) = (keeping(), keeping());
    first.set_fault(Rule::always(fault("status:503")));
    let gateway = Gateway::start(&tiers(&first.base_url(), &second.base_url(), "attempts_max: 3")).await;
    take_away(&gateway);
    let body = large(20 * MIB, false);
    let wanted = sent(&body, "m2");
    let lines = |text: &str| gateway.output().lines().filter(|line| line.contains(text)).count();
    for _ in 0..2 {
        let answer = gateway.send(post(&body)).await;
        assert_eq!((answer.status, answer.header("x-wellhead-survival")), (200, "failed-over"));
        assert!(second.requests().last().unwrap().body == wanted.as_bytes());
        let record = gateway.record(answer.header("x-request-id")).await;
        assert_eq!(record["replay"], true, "it fits the budget: {record}");
    }
    eventually("a line in the log", async || (lines("stay in memory") == 1).then_some(())).await;
    std::fs::rename(gateway.dir().join("elsewhere"), gateway.dir().join("data")).unwrap();
    assert_eq!(gateway.send(post(&body)).await.status, 200);
    eventually("a line in the log", async || (lines("go to files again") == 1).then_some(())).await;
    assert_eq!(lines("stay in memory"), 1);
}

#[tokio::test]
async fn memory_has_a_bound_beyond_which_requests_are_refused() {
    let mut target = Deaf::start().await;
    let limits = "body_bytes_max: 16MiB, replay_bytes_max: 1MiB";
    let gateway = Gateway::start(&target.config(limits)).await;
    take_away(&gateway);
    let body = large(15 * MIB, false);
    let held = body.len() as u64;
    let (first, second) = (post(&body).open(gateway.addr).await, post(&body).open(gateway.addr).await);
    memory_is(&gateway, "two bodies are in memory", |bytes| bytes == 2 * held).await;
    let answer = gateway.send(post(&body)).await;
    assert_eq!((answer.status, answer.code().as_str()), (503, "overloaded"), "{}", answer.everything());
    assert_eq!(answer.header("x-should-retry"), "true");
    memory_is(&gateway, "what was refused is given back", |bytes| bytes == 2 * held).await;

    drop(first);
    memory_is(&gateway, "so is what a client that left had sent", |bytes| bytes == held).await;
    target.hears.send(true).unwrap();
    assert_eq!(second.answer().await.content(), "Heard.");
    let body_seen = tokio::time::timeout(LIMIT, target.bodies.recv()).await.unwrap().unwrap();
    assert_eq!(body_seen.len() as u64, held - 2);
    memory_is(&gateway, "all memory is given back", |bytes| bytes == 0).await;
}

#[tokio::test]
async fn files_have_no_name() {
    let target = Deaf::start().await;
    let dir = Arc::new(TempDir::new().unwrap());
    let gateway = Gateway::start_in(dir.clone(), Some(&target.config("")), &[]).await;
    let names = || {
        let names = std::fs::read_dir(dir.path().join("data")).unwrap();
        let mut names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let before = names();
    let _client = post(&large(4 * MIB, false)).open(gateway.addr).await;
    let open = format!("/proc/{}/fd", gateway.pid());
    eventually("a file without a name is open", async || {
        let mut links =
            std::fs::read_dir(&open).unwrap().flatten().flat_map(|fd| std::fs::read_link(fd.path()));
        let data = dir.path().join("data");
        links
            .any(|link| link.starts_with(&data) && link.to_string_lossy().ends_with("(deleted)"))
            .then_some(())
    })
    .await;
    assert_eq!(names(), before);
}
