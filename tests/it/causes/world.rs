//! Runs drills: each with a model, providers and servers of its own, many at a time against one gateway.

use std::any::Any;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use wellhead_sim::{Rule, Sim, SimOptions};

use super::dns::{Names, Reply};
use super::drills::{Drill, Form, Inject};
use super::servers::{Authority, Full, NAME, hangs_up, mute, says};
use crate::support::{
    Answer, CHAT, Gateway, Request, chat, config, dead_port, eventually, fault, json_reply, sim_with,
};

/// Requests under way at once.
const PARALLEL_MAX: usize = 24;
/// Each drill is run so often in each form, with another seed, other ports and other names.
const ROUNDS: u64 = 2;
/// Start of every key.
pub(super) const KEYS: &str = "sk-causes-";
/// End of every name.
pub(super) const ZONE: &str = "causes.test";
/// Requests to two broken targets until both are left alone.
const REQUESTS_UNTIL_OPEN_MAX: usize = 200;

/// One run of a drill.
pub(super) struct Case {
    pub(super) drill: Drill,
    pub(super) streamed: bool,
    name: String,
    urls: Vec<String>,
    /// More for its providers, and for its model.
    provider: &'static str,
    model: String,
    vendor_model: &'static str,
    /// What `/status` is asked about, where the drill is survived.
    about: Option<String>,
    /// Servers live as long as this.
    _kept: Vec<Box<dyn Any + Send + Sync>>,
}

/// What was printed.
pub(super) struct Printed {
    /// The code; empty if there was none.
    pub(super) cause: String,
    /// What the client got.
    pub(super) answer: Answer,
    /// The whole finding or error.
    pub(super) evidence: Value,
}

/// What all servers of the drills share.
struct Stage {
    names: Names,
    authority: Authority,
}

/// Runs all drills; what was printed comes with each case.
pub(super) async fn run(drills: &[Drill]) -> Vec<(Case, Printed)> {
    let stage = Stage { names: Names::start().await, authority: Authority::new("Causes CA") };
    let mut cases = Vec::new();
    for (number, drill) in drills.iter().enumerate() {
        for round in 0..ROUNDS {
            for streamed in [false, true].into_iter().filter(|s| *s || drill.form == Form::Both) {
                let name = format!("d{number}-{round}-{}", if streamed { "s" } else { "w" });
                cases.push(stage.set(drill, name, streamed, round).await);
            }
        }
    }
    let dir = Arc::new(TempDir::new().unwrap());
    std::fs::write(dir.path().join("roots.pem"), stage.authority.pem()).unwrap();
    let text = configuration(&cases, &stage.names);
    let gateway = Arc::new(Gateway::start_in(dir, Some(&text), &[]).await);
    let free = Arc::new(Semaphore::new(PARALLEL_MAX));
    let mut running = JoinSet::new();
    for case in cases {
        let (gateway, free, names) = (Arc::clone(&gateway), Arc::clone(&free), stage.names.clone());
        running.spawn(async move {
            let _permit = free.acquire().await.unwrap();
            let printed = printed(&gateway, &names, &case).await;
            (case, printed)
        });
    }
    let all = running.join_all().await;
    let output = gateway.output();
    assert!(!output.contains("panicked at"), "the gateway panicked:\n{output}");
    all
}

impl Stage {
    async fn set(&self, drill: &Drill, name: String, streamed: bool, round: u64) -> Case {
        let host = format!("{name}.{ZONE}");
        let mut kept: Vec<Box<dyn Any + Send + Sync>> = Vec::new();
        let http = |port: u16| format!("http://127.0.0.1:{port}/v1");
        let https = |port: u16| format!("https://127.0.0.1:{port}/v1");
        let by_name = |port: u16| format!("http://{host}:{port}/v1");
        let mut simulate = |rule: Option<Rule>| {
            let sim = simulator(round, rule);
            let port = sim.addr().port();
            kept.push(Box::new(sim));
            port
        };
        let faulty = |text: &str| Some(Rule::always(fault(text)));
        let at = |last: &[u8]| Reply::At(last.iter().map(|last| Ipv4Addr::new(127, 0, 0, *last)).collect());
        let (mut model, mut vendor_model) = (LIMITS.to_owned(), "m0");
        let urls = match &drill.inject {
            Inject::Faults(texts) => texts.iter().map(|text| http(simulate(faulty(text)))).collect(),
            Inject::Says(status, code, message) => {
                let body =
                    json!({"error": {"message": message, "type": "error", "param": null, "code": code}});
                vec![http(simulate(Some(Rule::always(json_reply(*status, body)))))]
            }
            Inject::Closed(count) => (0..*count).map(|_| http(dead_port())).collect(),
            Inject::ClosedByName => {
                self.names.set(&host, at(&[1]));
                vec![by_name(dead_port())]
            }
            Inject::Name(reply) => {
                self.names.set(&host, reply.clone());
                vec![by_name(9)]
            }
            Inject::NameLater(_) => {
                self.names.set(&host, at(&[1]));
                vec![by_name(simulate(None))]
            }
            Inject::HalfClosed => {
                // The simulator listens on 127.0.0.1 only.
                self.names.set(&host, at(&[2, 1]));
                vec![by_name(simulate(None))]
            }
            Inject::Full => {
                let full = Full::new().await;
                let port = full.address.port();
                kept.push(Box::new(full));
                vec![http(port)]
            }
            // TCP has no multicast: the system refuses, and nothing is sent (RFC 9293 section 3.9.2.3).
            Inject::NoWay => vec!["http://224.0.0.1:9/v1".to_owned()],
            Inject::TlsToPlainHttp => vec![https(simulate(None))],
            Inject::TlsTo(words, at_once) => vec![https(says(words, *at_once).await.port())],
            Inject::TlsToNobody => vec![https(hangs_up().await.port())],
            Inject::TlsToSilence => vec![https(mute().await.port())],
            Inject::Tls(wrong) => vec![https(self.authority.serve(*wrong).await.port())],
            Inject::Mute(count) => {
                let mut urls = Vec::new();
                for _ in 0..*count {
                    urls.push(http(mute().await.port()));
                }
                urls
            }
            Inject::Hurried(text, _) => {
                model = "timeouts: { deadline: 20s }".to_owned();
                vec![http(simulate(faulty(text)))]
            }
            Inject::Opened(first, second) => {
                vec![http(simulate(faulty(first))), http(simulate(faulty(second)))]
            }
            Inject::UnknownModel => {
                vendor_model = "unknown-7b";
                vec![http(simulate(None))]
            }
            Inject::Misspelt | Inject::NoToken(_) => vec![http(simulate(None))],
            Inject::StillLimited => vec![http(simulate(faulty("status:429,retry-after=30")))],
        };
        let tls = urls.iter().any(|url: &String| url.starts_with("https"));
        let about = drill.cause.is_survived().then_some(host);
        Case {
            drill: drill.clone(),
            streamed,
            name,
            urls,
            provider: if tls { TLS } else { "" },
            model,
            vendor_model,
            about,
            _kept: kept,
        }
    }
}

/// Short, so that the silent ones end soon; a limit that is known is not waited for.
const LIMITS: &str = "timeouts: { deadline: 2s, first_token: 500ms, stream_idle: 1s, hold: 0s }\n    \
                      stream: { rescue: off }";

const TLS: &str = ", tls: { ca_file: roots.pem, server_name: api.causes.test }";

fn simulator(seed: u64, rule: Option<Rule>) -> Sim {
    let sim = sim_with(SimOptions {
        seed,
        tokens_default: 24,
        token_pace: Duration::from_millis(1),
        ..SimOptions::default()
    });
    if let Some(rule) = rule {
        sim.set_fault(rule);
    }
    sim
}

fn configuration(cases: &[Case], names: &Names) -> String {
    assert!(TLS.contains(NAME));
    let (mut providers, mut models) = (String::new(), String::new());
    for case in cases {
        let mut targets = Vec::new();
        for (which, url) in case.urls.iter().enumerate() {
            let (id, more) = (format!("{}-{which}", case.name), case.provider);
            let kind = match &case.drill.inject {
                Inject::NoToken(fields) => format!(
                    "kind: azure-openai, keys: [{{ azure: {{ tenant_id: t, client_id: {KEYS}{id}, {fields} }} }}]"
                ),
                _ => format!("kind: openai-compatible, keys: [\"{KEYS}{id}\"]"),
            };
            providers +=
                &format!("  {id}: {{ {kind}, base_url: \"{url}\", timeouts: {{ connect: 700ms }}{more} }}\n");
            targets.push(format!("{{ provider: {id}, model: {} }}", case.vendor_model));
        }
        models += &format!(
            "  {}:\n    targets: [{}]\n    attempts_max: 3\n    {}\n",
            case.name,
            targets.join(", "),
            case.model
        );
    }
    config(&format!("dns: {{ servers: [\"{}\"] }}\nproviders:\n{providers}models:\n{models}", names.address))
}

async fn ask(gateway: &Gateway, case: &Case) -> Answer {
    let mut body = chat(case.streamed);
    body["model"] = match case.drill.inject {
        Inject::Misspelt => case.name.replace('-', "_").into(),
        _ => case.name.as_str().into(),
    };
    let mut request = Request::post(CHAT).json(&body);
    if let Inject::Hurried(_, ms) = case.drill.inject {
        request = request.header("x-stainless-timeout", &format!("{:.1}", f64::from(ms) / 1000.0));
    }
    gateway.send(request).await
}

async fn printed(gateway: &Gateway, names: &Names, case: &Case) -> Printed {
    match &case.drill.inject {
        Inject::Opened(..) => until_open(gateway, case).await,
        Inject::StillLimited => drop(ask(gateway, case).await),
        _ => {}
    }
    let answer = ask(gateway, case).await;
    let Some(about) = &case.about else {
        let evidence = answer.stream_error_or_body();
        let cause = evidence["cause"].as_str().unwrap_or_default().to_owned();
        return Printed { cause, answer, evidence };
    };
    if let Inject::NameLater(reply) = &case.drill.inject {
        names.set(about, reply.clone());
    }
    let evidence = eventually(&format!("a finding about {about}"), async || {
        let findings = gateway.status().await["findings"].clone();
        let about = |finding: &&Value| finding["about"].as_str().is_some_and(|text| text.starts_with(about));
        findings.as_array()?.iter().find(about).cloned()
    })
    .await;
    let cause = evidence["code"].as_str().unwrap_or_default().to_owned();
    Printed { cause, answer: ask(gateway, case).await, evidence }
}

/// Asks until every target of the model is left alone.
async fn until_open(gateway: &Gateway, case: &Case) {
    for _ in 0..REQUESTS_UNTIL_OPEN_MAX {
        ask(gateway, case).await;
        let status = gateway.status().await;
        let routes = status["routes"].as_array().unwrap();
        let route = routes.iter().find(|route| route["model"] == case.name.as_str()).unwrap();
        let open = |target: &Value| matches!(target["phase"].as_str(), Some("open" | "probing"));
        if route["targets"].as_array().unwrap().iter().all(open) {
            return;
        }
    }
    panic!("{}: the targets are never left alone", case.name);
}

impl Answer {
    /// `error` of a stream's event or of the body.
    fn stream_error_or_body(&self) -> Value {
        if self.header("content-type").starts_with("text/event-stream") {
            return self.stream_error().unwrap_or_default();
        }
        self.json().get("error").cloned().unwrap_or_default()
    }
}
