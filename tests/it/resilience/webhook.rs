//! Owners of deferred requests are told by Standard Webhooks: signed, tried again, never against the receiver's wish.

use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::net::TcpListener;
use wellhead_sim::Rule;

use super::deferred::{deferring, direct, later, promised, reaches, state};
use crate::support::{Gateway, KEY, eventually, fault, sim};

/// Two secrets, as while one is being replaced.
const SECRETS: [&str; 2] =
    ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"];

/// A message as it came.
#[derive(Debug, Clone)]
struct Message {
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Message {
    fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(given, _)| given == name).map_or("", |(_, value)| value)
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// A receiver that answers with these, one after another, and with 200 when they are used up.
struct Receiver {
    port: u16,
    messages: Arc<Mutex<Vec<Message>>>,
}

impl Receiver {
    async fn start(answers: &'static [&'static str]) -> Self {
        use http_body_util::{BodyExt, Empty};
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let messages = Arc::<Mutex<Vec<Message>>>::default();
        let seen = Arc::clone(&messages);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let seen = Arc::clone(&seen);
                let service =
                    hyper::service::service_fn(move |request: http::Request<hyper::body::Incoming>| {
                        let seen = Arc::clone(&seen);
                        async move {
                            let (parts, body) = request.into_parts();
                            let headers = parts.headers.iter();
                            let headers =
                                headers.map(|(n, v)| (n.to_string(), v.to_str().unwrap().to_owned()));
                            let message = Message {
                                headers: headers.collect(),
                                body: body.collect().await?.to_bytes().to_vec(),
                            };
                            let mut seen = seen.lock().unwrap();
                            let answer = answers.get(seen.len()).copied().unwrap_or("200");
                            seen.push(message);
                            let response =
                                http::Response::builder().status(answer).header("location", "/elsewhere");
                            Ok::<_, hyper::Error>(response.body(Empty::<bytes::Bytes>::new()).unwrap())
                        }
                    });
                let io = hyper_util::rt::TokioIo::new(socket);
                tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(io, service));
            }
        });
        Self { port, messages }
    }

    fn messages(&self) -> Vec<Message> {
        self.messages.lock().unwrap().clone()
    }

    async fn got(&self, count: usize) -> Vec<Message> {
        eventually(&format!("{count} messages"), async || {
            let messages = self.messages();
            (messages.len() >= count).then_some(messages)
        })
        .await
    }
}

fn config(base_url: &str, receiver: &Receiver, defer: &str) -> String {
    let secrets = SECRETS.map(|secret| format!("\"{secret}\"")).join(", ");
    let webhook = format!(
        "  dev: {{ keys: [\"{KEY}\"], webhook: {{ url: \"http://127.0.0.1:{}/hook\", secrets: [{secrets}] }} }}",
        receiver.port
    );
    deferring(base_url, defer, "").replace(&format!("  dev: {{ keys: [\"{KEY}\"] }}"), &webhook)
}

/// The signature as the specification says it, computed by other code than the gateway's: by Python's standard library.
fn signature(secret: &str, message: &Message) -> String {
    use std::io::Write;
    let program = "import sys, hmac, hashlib, base64\n\
        secret = base64.b64decode(sys.argv[1].removeprefix('whsec_'))\n\
        content = sys.argv[2].encode() + b'.' + sys.argv[3].encode() + b'.' + sys.stdin.buffer.read()\n\
        print('v1,' + base64.b64encode(hmac.new(secret, content, hashlib.sha256).digest()).decode())";
    let mut python = std::process::Command::new("python3")
        .args(["-c", program, secret, message.header("webhook-id"), message.header("webhook-timestamp")])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    python.stdin.take().unwrap().write_all(&message.body).unwrap();
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[tokio::test]
async fn a_message_is_signed_with_each_secret_and_says_where_the_answer_is() {
    let (sim, receiver) = (sim(), Receiver::start(&[]).await);
    let gateway = Gateway::start(&config(&sim.base_url(), &receiver, "{}")).await;
    let id = promised(&gateway.send(later("one")).await);
    let messages = receiver.got(1).await;
    let message = &messages[0];
    assert_eq!(message.header("webhook-id"), format!("msg_{id}"));
    assert_eq!(message.header("content-type"), "application/json");
    let signed: Vec<&str> = message.header("webhook-signature").split(' ').collect();
    assert_eq!(signed, SECRETS.map(|secret| signature(secret, message)));
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let said: u64 = message.header("webhook-timestamp").parse().unwrap();
    assert!(now.abs_diff(said) < 60, "{said} at {now}");
    let body = message.json();
    assert_eq!(
        (body["type"].as_str(), body["data"]["id"].as_str()),
        (Some("deferred.completed"), Some(id.as_str()))
    );
    assert_eq!(body["data"]["result_url"], format!("/v1/deferred/{id}/result"));
    assert!(body["timestamp"].as_str().unwrap().ends_with('Z'));
    let said = body["data"]["result"]["choices"][0]["message"]["content"].as_str().unwrap().to_owned();
    assert_eq!(said, direct("one").await);
    assert!(message.body.len() < 20_000 && !String::from_utf8_lossy(&message.body).contains(KEY));
    eventually("it is known to have been taken", async || {
        let webhook = state(&gateway, &id).await["webhook"].clone();
        (webhook["taken"] == true && webhook["tries"] == 1).then_some(())
    })
    .await;
    assert!(gateway.metrics().await.contains(r#"wellhead_deferred_webhooks_total{outcome="taken"} 1"#));
}

#[tokio::test]
async fn a_message_that_is_not_taken_comes_again_with_its_id_also_after_a_restart_and_no_redirect_is_followed()
 {
    let (sim, receiver) = (sim(), Receiver::start(&["307", "500"]).await);
    let text = config(&sim.base_url(), &receiver, "{}");
    let gateway = Gateway::start(&text).await;
    let id = promised(&gateway.send(later("one")).await);
    reaches(&gateway, &id, "completed").await;
    receiver.got(1).await;
    eventually("the failure is written down", async || {
        let webhook = state(&gateway, &id).await["webhook"].clone();
        (webhook["last"] == "307" && webhook["next_at"].is_u64()).then_some(())
    })
    .await;
    let dir = gateway.kill().await;
    let gateway = Gateway::start_in(dir, Some(&text), &[]).await;
    // Five seconds after the first try.
    let messages = receiver.got(2).await;
    assert_eq!(messages[0].header("webhook-id"), messages[1].header("webhook-id"));
    let at = |message: &Message| message.header("webhook-timestamp").parse::<u64>().unwrap();
    assert!(at(&messages[1]) - at(&messages[0]) >= 4, "{} {}", at(&messages[0]), at(&messages[1]));
    eventually("the second failure is written down", async || {
        let webhook = state(&gateway, &id).await["webhook"].clone();
        (webhook["tries"] == 2 && webhook["last"] == "500").then_some(())
    })
    .await;
    assert_eq!(receiver.messages().len(), 2);
}

#[tokio::test]
async fn a_receiver_that_is_gone_is_left_alone_until_the_next_configuration() {
    let (sim, receiver) = (sim(), Receiver::start(&["410"]).await);
    let text = config(&sim.base_url(), &receiver, "{}");
    let gateway = Gateway::start(&text).await;
    let told = async |text: &str, last: &str| {
        let id = promised(&gateway.send(later(text)).await);
        eventually(&format!("{text}: {last}"), async || {
            let webhook = state(&gateway, &id).await["webhook"].clone();
            (webhook["last"] == last && webhook["next_at"].is_null()).then_some(())
        })
        .await;
    };
    told("one", "410").await;
    told("two", "410").await;
    assert_eq!(receiver.messages().len(), 1, "nobody was asked the second time");
    gateway.write_config(&text.replace("concurrency: 1", "").replace("hold: 0s", "hold: 1ms"));
    gateway.signal("HUP");
    eventually("the new generation is served", async || {
        (gateway.status().await["config"]["generation"].as_u64() > Some(1)).then_some(())
    })
    .await;
    told("three", "200").await;
}

#[tokio::test]
async fn who_expires_is_told_too_and_what_was_taken_back_is_no_news() {
    let (sim, receiver) = (sim(), Receiver::start(&[]).await);
    sim.set_fault(Rule::always(fault("status:503")));
    let gateway = Gateway::start(&config(&sim.base_url(), &receiver, "{ within: 1s }")).await;
    let expired = promised(&gateway.send(later("one")).await);
    let cancelled = promised(&gateway.send(later("two")).await);
    let delete = crate::support::Request::new("DELETE", &format!("/v1/deferred/{cancelled}"));
    let taken_back = gateway.send(delete).await.status == 200;
    let messages = receiver.got(1).await;
    let data = messages.iter().map(|m| m.json()["data"].clone()).find(|data| data["id"] == expired.as_str());
    assert_eq!(data.unwrap()["status"], "expired");
    if taken_back {
        reaches(&gateway, &expired, "expired").await;
        assert!(messages.iter().all(|m| m.json()["data"]["id"] == expired.as_str()));
    }
}
