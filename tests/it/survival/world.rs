//! Runs cases: each with a model, keys and simulators of its own, many at a time against one gateway.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use wellhead_sim::{LoggedRequest, Sim};

use super::cases::{Case, Second};
use crate::support::{Answer, CHAT, Gateway, LIMIT, Request, chat, config, eventually, sim, sim_paced};

/// Requests under way at once. Most of the time they wait for a limit.
const PARALLEL_MAX: usize = 48;
/// Cases for one gateway: their simulators stay below the 1,024 open files that many systems allow.
const BATCH_CASES_MAX: usize = 160;
/// Attempts of one request.
pub(super) const ATTEMPTS_MAX: usize = 3;
/// Time to the first content of a stream, or to the end of an answer in one piece. A quarter of it is the longest
/// wait for a target that asked to be left alone; that is more than the second of the variants that recover.
pub(super) const DEADLINE: Duration = Duration::from_secs(5);
/// Longest silence: for the first content while another target is there, and within a stream.
pub(super) const SILENCE: Duration = Duration::from_millis(1500);
/// Time between two tokens: on a busy machine too, a fault after some of them is read later than the first.
const PACE: Duration = Duration::from_millis(10);
/// Start of the key of every provider of the matrix.
pub(super) const KEYS: &str = "sk-matrix-";

/// What became of one case.
pub(super) struct Evidence {
    pub(super) answer: Answer,
    pub(super) took: Duration,
    /// What the two targets saw.
    pub(super) seen: [Vec<LoggedRequest>; 2],
    /// The access record.
    pub(super) record: Value,
    /// The answer to a healthy request right afterwards.
    pub(super) healthy: Answer,
}

/// The simulators of a case.
struct Targets(Vec<Sim>);

impl Targets {
    fn start(case: &Case) -> Self {
        let count = if matches!(case.second, Second::Absent) { 1 } else { 2 };
        let sims: Vec<Sim> = (0..count).map(|_| sim_paced(PACE)).collect();
        for (sim, variant) in sims.iter().zip(case.variants()) {
            if let Some(variant) = variant {
                sim.set_fault(variant.rule());
            }
        }
        Self(sims)
    }

    /// What they saw, once all of it has ended.
    async fn seen(&self) -> [Vec<LoggedRequest>; 2] {
        let mut seen = [Vec::new(), Vec::new()];
        for (sim, log) in self.0.iter().zip(&mut seen) {
            let ended = |log: &[LoggedRequest]| log.iter().all(|request| request.ended.is_some());
            *log = sim.wait_for(ended, LIMIT).await.unwrap();
        }
        seen
    }
}

/// The id of the request of a case, which is also the name of its model.
fn name(number: usize) -> String {
    format!("c{number}")
}

/// The id of the target of a case: `provider/model`.
pub(super) fn target(request_id: &str, which: usize) -> String {
    format!("{request_id}-{which}/m{which}")
}

fn configuration(cases: &[Case], targets: &[Targets], healthy: &Sim) -> String {
    let (mut providers, mut models) = (String::new(), String::new());
    let mut add = |name: &str, sims: &[&Sim], declared: bool| {
        let mut list = Vec::new();
        for (which, sim) in sims.iter().enumerate() {
            let (url, id) = (sim.base_url(), format!("{name}-{which}"));
            let key = format!("{KEYS}{id}");
            providers +=
                &format!("  {id}: {{ kind: openai-compatible, base_url: \"{url}\", keys: [\"{key}\"] }}\n");
            list.push(format!("{{ provider: {id}, model: m{which}, tier: {which} }}"));
        }
        let mut fallback = "";
        if let Some(stands_in) = list.pop_if(|_| declared) {
            fallback = "    fallback: { model: NAME-small, larger_model: NAME-large }\n";
            for size in ["small", "large"] {
                models += &format!("  {name}-{size}: {{ targets: [{stands_in}] }}\n");
            }
        }
        let fallback = fallback.replace("NAME", name);
        let (deadline, silence) = (DEADLINE.as_millis(), SILENCE.as_millis());
        models += &format!(
            "  {name}:\n    targets: [{}]\n    attempts_max: {ATTEMPTS_MAX}\n    \
             timeouts: {{ deadline: {deadline}ms, first_token: {silence}ms, stream_idle: {silence}ms }}\n{fallback}",
            list.join(", ")
        );
    };
    add("healthy", &[healthy], false);
    for (number, Targets(sims)) in targets.iter().enumerate() {
        let declared = matches!(cases[number].second, Second::Declared);
        add(&name(number), &sims.iter().collect::<Vec<_>>(), declared);
    }
    config(&format!("providers:\n{providers}models:\n{models}limits: {{ event_bytes_max: 64KiB }}\n"))
}

async fn ask(gateway: SocketAddr, model: &str, streamed: bool, id: &str) -> (Answer, Duration) {
    let mut body = chat(streamed);
    body["model"] = model.into();
    let began = Instant::now();
    let answer = Request::post(CHAT).json(&body).header("x-request-id", id).send(gateway).await;
    (answer, began.elapsed())
}

/// Runs all cases; the evidence comes in their order. An error says why there is none.
pub(super) async fn run(cases: &[Case]) -> Vec<Result<Evidence, String>> {
    let mut all = Vec::with_capacity(cases.len());
    for batch in cases.chunks(BATCH_CASES_MAX) {
        all.extend(run_batch(batch).await);
    }
    all
}

async fn run_batch(cases: &[Case]) -> Vec<Result<Evidence, String>> {
    let targets: Vec<Targets> = cases.iter().map(Targets::start).collect();
    let healthy = sim();
    let gateway = Gateway::start(&configuration(cases, &targets, &healthy)).await;
    // Those that wait go first, so that none is left to wait alone at the end.
    let mut order: Vec<usize> = (0..cases.len()).collect();
    order.sort_by_key(|number| !cases[*number].waits());
    let free = Arc::new(Semaphore::new(PARALLEL_MAX));
    let mut running = JoinSet::new();
    let mut numbers = HashMap::new();
    for number in order {
        let (free, addr, streamed) = (Arc::clone(&free), gateway.addr, cases[number].streamed);
        let task = running.spawn(async move {
            let _permit = free.acquire().await.unwrap();
            let id = name(number);
            let (answer, took) = ask(addr, &id, streamed, &id).await;
            let (healthy, _) = ask(addr, "healthy", streamed, &format!("{id}-healthy")).await;
            (number, answer, took, healthy)
        });
        numbers.insert(task.id(), number);
    }
    let mut answers = HashMap::new();
    let mut lost = HashMap::new();
    while let Some(ended) = running.join_next().await {
        match ended {
            Ok((number, answer, took, healthy)) => drop(answers.insert(number, (answer, took, healthy))),
            Err(error) => drop(lost.insert(numbers[&error.id()], format!("no answer: {error}"))),
        }
    }
    let records = records(&gateway, &answers.keys().map(|number| name(*number)).collect::<Vec<_>>()).await;
    let mut all = Vec::with_capacity(cases.len());
    for (number, targets) in targets.iter().enumerate() {
        all.push(match answers.remove(&number) {
            None => Err(lost.remove(&number).unwrap_or_default()),
            Some((answer, took, healthy)) => {
                let (seen, record) = (targets.seen().await, records[&name(number)].clone());
                Ok(Evidence { answer, took, seen, record, healthy })
            }
        });
    }
    let output = gateway.output();
    assert!(!output.contains("panicked at"), "the gateway panicked:\n{output}");
    all
}

/// The access records of these requests.
async fn records(gateway: &Gateway, ids: &[String]) -> HashMap<String, Value> {
    eventually("an access record of every request", async || {
        let id = |record: &Value| record["request_id"].as_str().unwrap_or_default().to_owned();
        let records: HashMap<_, _> =
            gateway.records().into_iter().map(|record| (id(&record), record)).collect();
        ids.iter().all(|id| records.contains_key(id)).then_some(records)
    })
    .await
}
