#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::convert::Infallible;
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;

use super::*;
use crate::samples;
use crate::sink::{AccessLog, Telemetry, TelemetryOptions};

/// A collector on a real socket that answers as scripted, then 200, and keeps what it got.
struct FakeCollector {
    endpoint: String,
    got: Arc<Mutex<Vec<(String, String, Value)>>>,
    /// Requests that have arrived.
    arrived: Arc<Semaphore>,
    /// Answers are given while there are permits.
    answers: Arc<Semaphore>,
}

impl FakeCollector {
    fn start(runtime: &Runtime, script: &'static [(u16, &'static str)]) -> Self {
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let endpoint = format!("http://{}/base", listener.local_addr().unwrap());
        let fake = Self {
            endpoint,
            got: Arc::default(),
            arrived: Arc::new(Semaphore::new(0)),
            answers: Arc::new(Semaphore::new(1_000)),
        };
        let (got, arrived, answers) =
            (Arc::clone(&fake.got), Arc::clone(&fake.arrived), Arc::clone(&fake.answers));
        let next = Arc::new(AtomicUsize::new(0));
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (got, arrived, answers, next) =
                    (Arc::clone(&got), Arc::clone(&arrived), Arc::clone(&answers), Arc::clone(&next));
                let service = service_fn(move |request: Request<Incoming>| {
                    let (got, arrived, answers) =
                        (Arc::clone(&got), Arc::clone(&arrived), Arc::clone(&answers));
                    let (status, body) =
                        script.get(next.fetch_add(1, Relaxed)).copied().unwrap_or((200, "{}"));
                    async move {
                        let line = format!("{} {}", request.method(), request.uri());
                        let kind = request.headers()["content-type"].to_str().unwrap().to_owned();
                        let bytes = request.into_body().collect().await.unwrap().to_bytes();
                        got.lock().unwrap().push((line, kind, serde_json::from_slice(&bytes).unwrap()));
                        arrived.add_permits(1);
                        answers.acquire().await.unwrap().forget();
                        let response = Response::builder().status(status).body(Full::new(Bytes::from(body)));
                        Ok::<_, Infallible>(response.unwrap())
                    }
                });
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service),
                );
            }
        });
        fake
    }

    fn options(&self, runtime: &Runtime) -> OtlpOptions {
        OtlpOptions {
            version: "1.2.3".into(),
            interval: Duration::from_millis(1),
            backoff: Duration::from_millis(1),
            ..OtlpOptions::new(&self.endpoint, runtime.handle().clone())
        }
    }

    fn spans(&self) -> Vec<Value> {
        let got = self.got.lock().unwrap();
        got.iter().flat_map(|(_, _, body)| spans_of(body)).collect()
    }
}

fn spans_of(body: &Value) -> Vec<Value> {
    body["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap().clone()
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

fn metrics() -> Arc<Metrics> {
    Arc::new(Metrics::new("1.2.3", 0))
}

fn counts(metrics: &Metrics) -> (u64, u64) {
    let pipeline = &metrics.shared().pipeline;
    (pipeline.traces_exported.load(Relaxed), pipeline.traces_dropped.load(Relaxed))
}

fn attribute<'a>(span: &'a Value, key: &str) -> &'a Value {
    let attributes = span["attributes"].as_array().unwrap();
    attributes.iter().find(|a| a["key"] == key).map_or(&Value::Null, |a| &a["value"])
}

#[test]
fn the_message() {
    let runtime = runtime();
    for (conventions, name) in [(Conventions::Established, "established"), (Conventions::Latest, "latest")] {
        let options = OtlpOptions {
            conventions,
            version: "1.2.3".into(),
            ..OtlpOptions::new("http://localhost", runtime.handle().clone())
        };
        let body: Value = serde_json::from_slice(&encode::body(&options, &[samples::rescued()])).unwrap();
        insta::assert_json_snapshot!(name, body);
    }
}

#[test]
fn ids_and_times_are_spelt_as_otlp_json_wants() {
    let runtime = runtime();
    let options = OtlpOptions::new("http://localhost", runtime.handle().clone());
    let batch = [samples::rescued(), samples::rejected(), samples::failed()];
    let body: Value = serde_json::from_slice(&encode::body(&options, &batch)).unwrap();
    let spans = spans_of(&body);
    assert_eq!(spans.len(), 3 + 3);
    for span in &spans {
        let hex = |member: &str, digits: usize| {
            let text = span[member].as_str().unwrap();
            assert!(
                text.len() == digits && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')),
                "{text}"
            );
        };
        hex("traceId", 32);
        hex("spanId", 16);
        let start: u64 = span["startTimeUnixNano"].as_str().unwrap().parse().unwrap();
        let end: u64 = span["endTimeUnixNano"].as_str().unwrap().parse().unwrap();
        assert!(start <= end);
    }
    // The trace is one tree: caller, gateway, attempts.
    assert_eq!((&spans[0]["kind"], &spans[0]["parentSpanId"]), (&2.into(), &"b7b7b7b7b7b7b7b7".into()));
    for attempt in &spans[1..3] {
        assert_eq!((&attempt["kind"], &attempt["parentSpanId"]), (&3.into(), &spans[0]["spanId"]));
        assert_eq!(attempt["traceId"], spans[0]["traceId"]);
    }
    assert_eq!(spans[3]["parentSpanId"], Value::Null);
}

#[test]
fn only_what_failed_is_an_error() {
    let runtime = runtime();
    let options = OtlpOptions::new("http://localhost", runtime.handle().clone());
    let batch = [samples::rescued(), samples::rejected(), samples::failed()];
    let body: Value = serde_json::from_slice(&encode::body(&options, &batch)).unwrap();
    let codes: Vec<_> = spans_of(&body).iter().map(|span| span["status"]["code"].as_u64()).collect();
    // Rescued: the request did not fail, its first attempt did. Rejected: the client's fault. Failed: both.
    assert_eq!(codes, [None, Some(2), None, None, Some(2), Some(2)]);
    let spans = spans_of(&body);
    assert_eq!(attribute(&spans[3], "error.type")["stringValue"], "invalid_api_key");
    assert_eq!(attribute(&spans[1], "error.type")["stringValue"], "server_error");
    assert_eq!(*attribute(&spans[0], "error.type"), Value::Null);
}

#[test]
fn usage_belongs_to_the_attempt_that_answered() {
    let runtime = runtime();
    let options = OtlpOptions::new("http://localhost", runtime.handle().clone());
    let body: Value = serde_json::from_slice(&encode::body(&options, &[samples::rescued()])).unwrap();
    let spans = spans_of(&body);
    let input = |span| attribute(span, "gen_ai.usage.input_tokens")["intValue"].clone();
    assert_eq!((input(&spans[1]), input(&spans[2])), (Value::Null, "120".into()));
}

#[test]
fn the_opt_in_is_found_in_its_list() {
    assert_eq!(Conventions::from_opt_in("http, gen_ai_latest_experimental"), Conventions::Latest);
    for value in ["", "http", "gen_ai_latest_experimental_not"] {
        assert_eq!(Conventions::from_opt_in(value), Conventions::Established, "{value}");
    }
}

#[test]
fn a_collector_gets_every_request_that_was_emitted() {
    let runtime = runtime();
    let fake = FakeCollector::start(&runtime, &[]);
    let metrics = metrics();
    let options = TelemetryOptions {
        access_log: AccessLog::Off,
        workers: 1,
        metrics: Arc::clone(&metrics),
        otlp: Some(fake.options(&runtime)),
    };
    let telemetry = Telemetry::start(options).unwrap();
    for _ in 0..700 {
        telemetry.emit(0, samples::rescued());
    }
    telemetry.shutdown();
    assert_eq!(counts(&metrics), (700, 0));
    assert_eq!(fake.spans().len(), 700 * 3);
    for (line, kind, body) in fake.got.lock().unwrap().iter() {
        assert_eq!((line.as_str(), kind.as_str()), ("POST /base/v1/traces", "application/json"));
        assert!(spans_of(body).len() <= BATCH_RECORDS_MAX * 3);
    }
}

#[test]
fn shutdown_does_not_wait_for_the_interval() {
    let runtime = runtime();
    let fake = FakeCollector::start(&runtime, &[]);
    let metrics = metrics();
    let options = OtlpOptions { interval: Duration::from_secs(3_600), ..fake.options(&runtime) };
    let exporter = start(options, &metrics).unwrap();
    exporter.push(samples::rescued());
    exporter.finish();
    assert_eq!(counts(&metrics), (1, 0));
}

#[test]
fn a_busy_collector_is_asked_again_and_a_refusal_is_final() {
    let runtime = runtime();
    let fake = FakeCollector::start(&runtime, &[(503, ""), (429, ""), (200, "{}"), (400, "")]);
    let metrics = metrics();
    let exporter = start(fake.options(&runtime), &metrics).unwrap();
    exporter.push(samples::rescued());
    runtime.block_on(fake.arrived.acquire_many(3)).unwrap().forget();
    exporter.push(samples::rejected());
    exporter.finish();
    assert_eq!(counts(&metrics), (1, 1));
    assert_eq!(fake.got.lock().unwrap().len(), 4);
}

#[test]
fn patience_with_a_broken_collector_ends() {
    let runtime = runtime();
    let fake = FakeCollector::start(&runtime, &[(503, ""); 5]);
    let metrics = metrics();
    let exporter = start(fake.options(&runtime), &metrics).unwrap();
    exporter.push(samples::rescued());
    runtime.block_on(fake.arrived.acquire_many(SENDS_MAX)).unwrap().forget();
    // There is no sixth send of the first request: what comes next is the second, which has one span instead of three.
    exporter.push(samples::rejected());
    runtime.block_on(fake.arrived.acquire()).unwrap().forget();
    exporter.finish();
    assert_eq!(fake.spans().len(), 5 * 3 + 1);
    assert_eq!(counts(&metrics), (1, 1));
}

#[test]
fn what_a_collector_rejects_of_a_batch_is_counted() {
    let runtime = runtime();
    let fake = FakeCollector::start(&runtime, &[(200, r#"{"partialSuccess":{"rejectedSpans":"99"}}"#)]);
    let metrics = metrics();
    let exporter = start(fake.options(&runtime), &metrics).unwrap();
    exporter.push(samples::rescued());
    exporter.finish();
    assert_eq!(counts(&metrics), (0, 1), "never more than were sent");
}

#[test]
fn a_silent_collector_costs_what_the_queue_holds_and_no_more() {
    let runtime = runtime();
    let fake = FakeCollector::start(&runtime, &[]);
    fake.answers.forget_permits(1_000);
    let metrics = metrics();
    let exporter = start(fake.options(&runtime), &metrics).unwrap();
    exporter.push(samples::rescued());
    runtime.block_on(fake.arrived.acquire()).unwrap().forget();
    // The exporter waits for its answer and takes nothing from the queue.
    for _ in 0..QUEUE_RECORDS_MAX + 5 {
        exporter.push(samples::rejected());
    }
    assert_eq!(counts(&metrics), (0, 5));
    fake.answers.add_permits(1_000);
    exporter.finish();
    assert_eq!(counts(&metrics), (u64::try_from(QUEUE_RECORDS_MAX).unwrap() + 1, 5));
}

#[test]
fn no_answer_within_the_timeout_counts_as_lost() {
    let runtime = runtime();
    let fake = FakeCollector::start(&runtime, &[]);
    fake.answers.forget_permits(1_000);
    let metrics = metrics();
    let options = OtlpOptions { timeout: Duration::from_millis(20), ..fake.options(&runtime) };
    let exporter = start(options, &metrics).unwrap();
    exporter.push(samples::rescued());
    exporter.finish();
    assert_eq!(counts(&metrics), (0, 1));
}

#[test]
fn nobody_there_counts_as_lost() {
    let runtime = runtime();
    let metrics = metrics();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let options = OtlpOptions {
        backoff: Duration::from_millis(1),
        ..OtlpOptions::new(endpoint, runtime.handle().clone())
    };
    let exporter = start(options, &metrics).unwrap();
    exporter.push(samples::rescued());
    exporter.finish();
    assert_eq!(counts(&metrics), (0, 1));
}

#[test]
fn an_endpoint_that_cannot_be_used_stops_the_start() {
    let runtime = runtime();
    let options = TelemetryOptions {
        access_log: AccessLog::Off,
        workers: 1,
        metrics: metrics(),
        otlp: Some(OtlpOptions::new("https://collector:4318", runtime.handle().clone())),
    };
    let text = Telemetry::start(options).unwrap_err().to_string();
    assert!(text.contains("'https://collector:4318' uses https, which is not supported yet"), "{text}");
}
