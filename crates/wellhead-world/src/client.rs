//! Clients: each sends one request over a connection of its own and writes down what it got.

use crate::log::Answer;
use crate::scenario::{Ask, Tools};
use crate::stage::Stage;
use crate::wire;
use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use wellhead_proxy::Worker;

/// Time for a client's headers, as in production.
const HEADERS_MAX: Duration = Duration::from_secs(15);

/// What a client looks at in an answer or an event of one.
#[derive(Debug, Deserialize)]
struct Chunk<'a> {
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
    wellhead: Option<IgnoredAny>,
    error: Option<Value>,
    #[serde(borrow, default)]
    choices: Vec<Choice<'a>>,
}

#[derive(Debug, Deserialize)]
struct Choice<'a> {
    #[serde(borrow)]
    finish_reason: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    delta: Said<'a>,
    #[serde(borrow, default)]
    message: Said<'a>,
}

#[derive(Debug, Default, Deserialize)]
struct Said<'a> {
    #[serde(borrow)]
    content: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    tool_calls: Vec<Call<'a>>,
}

#[derive(Debug, Deserialize)]
struct Call<'a> {
    #[serde(default)]
    index: usize,
    #[serde(borrow)]
    function: Function<'a>,
}

#[derive(Debug, Deserialize)]
struct Function<'a> {
    #[serde(borrow)]
    arguments: Cow<'a, str>,
}

/// Plays one client from its arrival to its end.
pub(crate) async fn play(stage: Arc<Stage>, worker: Arc<Worker>, number: usize) {
    let ask = stage.scenario.asks[number].clone();
    tokio::time::sleep_until(stage.instant(ask.at_ms)).await;
    let mut answer = Answer { ask: number, at_ms: stage.now_ms(), ..Answer::default() };
    let talk = talk(&stage, worker, number, &ask, &mut answer);
    match ask.leaves_ms {
        None => talk.await,
        Some(ms) => {
            let left = tokio::time::timeout(Duration::from_millis(ms), talk).await.is_err();
            answer.left = left;
        }
    }
    answer.ended_ms = stage.now_ms();
    let Answer { status, survival, code, broke, left, done, text, resumed, .. } = &answer;
    let mut log = stage.log.lock();
    let words = text.split(' ').filter(|w| !w.is_empty()).count();
    log.line(
        answer.ended_ms,
        format_args!(
            "ask {number} of m{} ends: {status} {survival} {code:?} done={done} words={words} resumed={resumed} left={left} {broke:?}",
            ask.model
        ),
    );
    crate::check::at_once(&stage.scenario, &mut log, &answer);
    log.answers.push(answer);
}

/// The gateway's end of a client's connection is served as in production.
async fn serve(wire: wire::Wire, worker: Arc<Worker>) {
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        let answer = Box::pin(wellhead_proxy::serve(worker.clone(), request));
        async move { Ok::<_, Infallible>(answer.await) }
    });
    let mut http = hyper::server::conn::http1::Builder::new();
    // The date of an answer is the only thing that does not follow from the seed.
    http.timer(TokioTimer::new()).header_read_timeout(HEADERS_MAX).auto_date_header(false);
    // Whoever leaves is seen from the other side.
    drop(http.serve_connection(TokioIo::new(wire), service).await);
}

fn request(stage: &Stage, number: usize, ask: &Ask) -> Request<Full<Bytes>> {
    let mut body = json!({
        "model": stage.scenario.models[ask.model].name,
        "messages": [{ "role": "user", "content": format!("question {}", ask.question()) }],
        "stream": ask.streamed,
    });
    if let Some(tools) = ask.tools {
        body["tools"] = json!([{ "type": "function", "function": { "name": "note", "parameters": {} } }]);
        if tools == Tools::Required {
            body["tool_choice"] = json!("required");
        }
    }
    let mut request = Request::new(Full::new(Bytes::from(body.to_string())));
    *request.method_mut() = http::Method::POST;
    *request.uri_mut() = http::Uri::from_static("/v1/chat/completions");
    let bearer = format!("Bearer {}", stage.scenario.apps[ask.app].key);
    let patience = ask.patience_ms.map(|ms| format!("{}.{:03}", ms / 1000, ms % 1000));
    let fields = [
        (header::HOST.as_str(), Some("gateway.example".to_owned())),
        (header::AUTHORIZATION.as_str(), Some(bearer)),
        (header::CONTENT_TYPE.as_str(), Some("application/json".to_owned())),
        // Neither what is asked nor who asks depends on it, and it reaches the upstream.
        (header::USER_AGENT.as_str(), Some(format!("ask-{number}"))),
        ("x-request-id", Some(format!("ask-{number}"))),
        ("x-stainless-read-timeout", patience),
    ];
    for (name, value) in fields {
        let value = value.and_then(|value| header::HeaderValue::from_str(&value).ok());
        if let Some(value) = value {
            request.headers_mut().insert(header::HeaderName::from_static(name), value);
        }
    }
    request
}

async fn talk(stage: &Stage, worker: Arc<Worker>, number: usize, ask: &Ask, answer: &mut Answer) {
    let (ours, theirs) = wire::pair();
    // It ends when it sees that the client has.
    tokio::spawn(serve(theirs, worker));
    let (mut sender, connection) = match hyper::client::conn::http1::handshake(TokioIo::new(ours)).await {
        Ok(made) => made,
        Err(error) => return answer.broke = Some(error.to_string()),
    };
    let driven = Ends(tokio::spawn(async move { drop(connection.await) }));
    match sender.send_request(request(stage, number, ask)).await {
        Ok(response) => read(stage, ask, response, answer).await,
        Err(error) => answer.broke = Some(format!("no answer: {error}")),
    }
    drop(driven);
}

/// A task that ends with whoever holds it.
struct Ends(tokio::task::JoinHandle<()>);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn read(stage: &Stage, ask: &Ask, response: Response<Incoming>, answer: &mut Answer) {
    let (parts, mut body) = response.into_parts();
    let field =
        |name: &str| parts.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
    answer.status = parts.status.as_u16();
    answer.survival = field("x-wellhead-survival");
    answer.degraded = field("x-wellhead-degraded");
    answer.target = field("x-wellhead-target");
    let streams = field("content-type").starts_with("text/event-stream");
    let (mut bytes, mut last_ms) = (Vec::new(), None);
    while let Some(frame) = body.frame().await {
        let data = match frame.map(hyper::body::Frame::into_data) {
            Ok(Ok(data)) => data,
            Ok(Err(_trailers)) => continue,
            Err(error) => return answer.broke = Some(format!("the answer broke off: {error}")),
        };
        bytes.extend_from_slice(&data);
        if streams {
            let now = stage.now_ms();
            if events(&mut bytes, answer) {
                answer.content_ms.get_or_insert(now);
                answer.gap_ms = answer.gap_ms.max(last_ms.map_or(0, |last| now - last));
                last_ms = Some(now);
            }
        }
        if ask.reads_ms > 0 {
            tokio::time::sleep(Duration::from_millis(ask.reads_ms)).await;
        }
    }
    if streams {
        if !bytes.is_empty() {
            answer.broke = Some(format!("half an event at the end: {:?}", String::from_utf8_lossy(&bytes)));
        }
    } else {
        answer.content_ms = Some(stage.now_ms());
        whole(&bytes, answer);
    }
}

/// Takes whole events out of what has come. Returns whether there was content among them.
fn events(bytes: &mut Vec<u8>, answer: &mut Answer) -> bool {
    let (mut content, mut from) = (false, 0);
    while let Some(length) = memchr::memmem::find(&bytes[from..], b"\n\n") {
        for line in bytes[from..from + length].split(|byte| *byte == b'\n') {
            let Some(data) = line.strip_prefix(b"data: ") else { continue };
            answer.surplus |= answer.done;
            if data == b"[DONE]" {
                answer.done = true;
                continue;
            }
            match serde_json::from_slice::<Chunk<'_>>(data) {
                Ok(chunk) => content |= take(&chunk, answer),
                Err(error) => {
                    let data = String::from_utf8_lossy(data);
                    answer.broke = Some(format!("an event that cannot be read ({error}): {data}"));
                }
            }
        }
        from += length + 2;
    }
    bytes.drain(..from);
    content
}

fn take(chunk: &Chunk<'_>, answer: &mut Answer) -> bool {
    answer.resumed |= chunk.wellhead.is_some();
    failed(chunk.error.as_ref(), answer);
    whose(chunk, answer);
    let Some(choice) = chunk.choices.first() else { return false };
    if let Some(finish) = &choice.finish_reason {
        answer.finish = Some(finish.to_string());
    }
    let text = choice.delta.content.as_deref().unwrap_or_default();
    answer.text.push_str(text);
    calls(&choice.delta, answer);
    !text.is_empty() || !choice.delta.tool_calls.is_empty()
}

/// The last number of the id.
fn whose(chunk: &Chunk<'_>, answer: &mut Answer) {
    let id = chunk.id.as_deref().unwrap_or_default();
    if let Some(ask) = id.rsplit('-').next().and_then(|number| number.parse().ok()) {
        answer.origin = Some(ask);
    }
}

/// Tool calls, or pieces of them.
fn calls(said: &Said<'_>, answer: &mut Answer) {
    for call in &said.tool_calls {
        if answer.calls.len() <= call.index {
            answer.calls.resize(call.index.min(8) + 1, String::new());
        }
        if let Some(arguments) = answer.calls.get_mut(call.index) {
            arguments.push_str(&call.function.arguments);
        }
    }
}

fn whole(bytes: &[u8], answer: &mut Answer) {
    let Ok(body) = serde_json::from_slice::<Chunk<'_>>(bytes) else {
        answer.broke = Some(format!("an answer that cannot be read: {:?}", String::from_utf8_lossy(bytes)));
        return;
    };
    failed(body.error.as_ref(), answer);
    whose(&body, answer);
    if let Some(choice) = body.choices.first() {
        answer.text = choice.message.content.as_deref().unwrap_or_default().to_owned();
        answer.finish = choice.finish_reason.as_deref().map(str::to_owned);
        calls(&choice.message, answer);
    }
    answer.done = true;
}

/// An error, in an answer or in a stream.
fn failed(error: Option<&Value>, answer: &mut Answer) {
    let Some(error) = error else { return };
    answer.code = Some(error["code"].as_str().unwrap_or("(no code)").to_owned());
    let attempts = error["attempts"].as_array();
    let word = |attempt: &Value, name: &str| attempt[name].as_str().unwrap_or_default().to_owned();
    answer.attempts =
        attempts.into_iter().flatten().map(|a| (word(a, "target"), word(a, "outcome"))).collect();
}
