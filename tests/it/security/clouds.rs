//! Credentials that clouds give out, end to end: servers that check the signature or the token of every request, and
//! fakes of those who give tokens out.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use tempfile::TempDir;
use wellhead_config::snapshot::Signing;
use wellhead_credentials::AwsKeys;
use wellhead_credentials::sigv4::{BodyHash, Parts, sign};
use wellhead_sim::Sim;
use wellhead_types::Secret;

use crate::support::{
    Answer, Asked, CHAT, Gateway, Guard, Request, Ruling, binary, chat, config, eventually, sim,
};

const ID: &str = "ASIAIOSFODNN7EXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const SESSION: &str = "session-token-Zm9v+/==";
const TOKEN: &str = "ya29.c.b0AXv0zTN-the-token-itself";
const REGION: &str = "eu-central-1";

/// Lets pass to the simulator what is signed rightly for Bedrock; everything else is refused as AWS does it.
async fn bedrock(sim: &Sim, prefix: &'static str, service: &'static str) -> Guard {
    let to = sim.addr();
    Guard::start(move |asked: &Asked| {
        if is_signed(asked, service) {
            // Its own surface is where it is; those of OpenAI's form are the simulator's.
            let shown =
                if prefix.is_empty() { asked.path.clone() } else { asked.path.replacen(prefix, "/v1", 1) };
            return Ruling::Pass(to, shown);
        }
        // AWS shows what it has signed itself, the session token among it.
        let said =
            format!("The request signature we calculated does not match. x-amz-security-token:{SESSION}");
        let headers = vec![
            ("content-type", "application/json".to_owned()),
            ("x-amzn-errortype", "InvalidSignatureException:http://internal.amazon.com/".to_owned()),
        ];
        Ruling::Say(403, headers, json!({ "message": said }).to_string())
    })
    .await
}

fn is_signed(asked: &Asked, service: &str) -> bool {
    let date = asked.header("x-amz-date");
    let Some(unix_s) = unix_s(date) else { return false };
    let keys = AwsKeys {
        access_key_id: ID.to_owned(),
        secret_access_key: Secret::new(SECRET),
        session_token: Some(Secret::new(SESSION)),
    };
    let signing = Signing { service: service.to_owned(), region: REGION.to_owned() };
    let (path, query) = asked.path.split_once('?').unwrap_or((&asked.path, ""));
    let parts = Parts {
        method: &asked.method,
        host: asked.header("host"),
        path,
        query,
        body: BodyHash::of(&asked.body),
    };
    let expected = sign(&parts, &keys, &signing, unix_s).unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    now.abs_diff(unix_s) <= 300
        && expected.iter().all(|(name, value)| asked.header(name.as_str()) == value.to_str().unwrap())
}

/// Seconds since 1970 of `20261122T235959Z`.
fn unix_s(date: &str) -> Option<u64> {
    let number = |range: std::ops::Range<usize>| date.get(range)?.parse::<u64>().ok();
    let (year, month, day) = (number(0..4)?, number(4..6)?, number(6..8)?);
    let leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let mut days: u64 = (1970..year).map(|year| if leap(year) { 366 } else { 365 }).sum();
    let months = [31, if leap(year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    days += months.iter().take(usize::try_from(month).ok()? - 1).sum::<u64>() + day - 1;
    Some(days * 86_400 + number(9..11)? * 3600 + number(11..13)? * 60 + number(13..15)?)
}

/// Lets pass what carries this header with this value.
async fn keyed(sim: &Sim, prefix: &'static str, name: &'static str, value: &'static str) -> Guard {
    let to = sim.addr();
    Guard::start(move |asked: &Asked| {
        if asked.header(name) == value {
            return Ruling::Pass(to, asked.path.replacen(prefix, "/v1", 1));
        }
        Ruling::Say(401, Vec::new(), json!({ "error": { "message": "who are you?" } }).to_string())
    })
    .await
}

/// Gives out the token to whoever asks with these words in the body, while `open` says so.
async fn tokens(words: &'static str, open: Arc<AtomicBool>) -> Guard {
    Guard::start(move |asked: &Asked| {
        if !open.load(Ordering::Relaxed) {
            let said = json!({ "error": "invalid_client", "error_description": "AADSTS7000222: expired." });
            return Ruling::Say(401, Vec::new(), said.to_string());
        }
        let body = String::from_utf8_lossy(&asked.body).into_owned();
        if !body.contains(words) {
            return Ruling::Say(400, Vec::new(), json!({ "error": "invalid_request" }).to_string());
        }
        let token = json!({ "access_token": TOKEN, "expires_in": 3599, "token_type": "Bearer" });
        Ruling::Say(200, vec![("content-type", "application/json".to_owned())], token.to_string())
    })
    .await
}

fn open() -> Arc<AtomicBool> {
    Arc::new(AtomicBool::new(true))
}

fn one(kind: &str, base_url: &str, keys: &str) -> String {
    config(&format!(
        "providers:\n  cloud:\n    kind: {kind}\n    base_url: \"{base_url}\"\n    keys: {keys}\n\
         models:\n  chat: {{ targets: [{{ provider: cloud, model: m1 }}], timeouts: {{ hold: 0s }} }}\n"
    ))
}

fn aws(secret: &str) -> String {
    format!(
        "[{{ id: signed, aws: {{ access_key_id: {ID}, secret_access_key: \"{secret}\", session_token: \"{SESSION}\", \
         region: {REGION} }} }}]"
    )
}

fn answered(answer: &Answer) {
    assert_eq!(answer.status, 200, "{}", answer.everything());
}

/// Nothing that the gateway prints or tells has a secret in it.
async fn discreet(gateway: &Gateway, answers: &[Answer]) {
    let mut told = gateway.output();
    told.push_str(&gateway.status().await.to_string());
    told.push_str(&gateway.metrics().await);
    answers.iter().for_each(|answer| told.push_str(&answer.everything()));
    for secret in [SECRET, SESSION, TOKEN, "client-secret-of-entra", "refresh-token-of-google"] {
        assert!(!told.contains(secret), "{secret} was told:\n{told}");
    }
}

/// A chat with a prompt of so many bytes.
fn long(bytes: usize, stream: bool) -> Request {
    let mut body = chat(stream);
    body["messages"][0]["content"] = Value::from("well ".repeat(bytes / 5));
    Request::post(CHAT).json(&body)
}

#[tokio::test]
async fn requests_to_bedrock_are_signed_whatever_their_size() {
    for (kind, prefix, service) in [
        ("bedrock-openai", "/openai/v1", "bedrock"),
        ("bedrock-mantle", "/v1", "bedrock-mantle"),
        ("bedrock", "", "bedrock"),
    ] {
        let sim = sim();
        let guard = bedrock(&sim, prefix, service).await;
        // A colon in a path is signed as it is sent, encoded once, and once more.
        let text = one(kind, &guard.url(prefix), &aws(SECRET))
            .replace("model: m1", "model: \"eu.anthropic.claude-haiku-4-5-20251001-v1:0\"");
        let gateway = Gateway::start(&text).await;
        let mut answers = vec![gateway.chat(false).await, gateway.chat(true).await];
        // In memory, hashed elsewhere; and in a file.
        for bytes in [300 << 10, 3 << 20] {
            answers.push(gateway.send(long(bytes, false)).await);
        }
        // What the client says under the names of a signature does not count.
        let forged = Request::post(CHAT)
            .json(&chat(false))
            .header("x-amz-date", "20200101T000000Z")
            .header("x-amz-security-token", "forged")
            .header("x-amz-target", "Somewhere.Else");
        answers.push(gateway.send(forged).await);
        answers.iter().for_each(answered);
        let seen = guard.seen();
        assert_eq!(seen.len(), 5);
        assert!(
            seen.iter()
                .all(|asked| asked.path.starts_with(prefix) && asked.header("x-amz-target").is_empty())
        );
        discreet(&gateway, &answers).await;
    }
}

#[tokio::test]
async fn an_api_key_of_bedrock_goes_as_a_bearer() {
    let sim = sim();
    let guard = keyed(&sim, "/openai/v1", "authorization", "Bearer bedrock-api-key-abc").await;
    let text = one("bedrock-openai", &guard.url("/openai/v1"), "[bedrock-api-key-abc]");
    let gateway = Gateway::start(&text).await;
    answered(&gateway.chat(false).await);
    let guard = bearer(&sim, "Bearer bedrock-api-key-abc").await;
    let gateway = Gateway::start(&one("bedrock", &guard.url(""), "[bedrock-api-key-abc]")).await;
    answered(&gateway.chat(true).await);
}

/// Lets pass what carries this key, to where it asks.
async fn bearer(sim: &Sim, value: &'static str) -> Guard {
    let to = sim.addr();
    Guard::start(move |asked: &Asked| match asked.header("authorization") == value {
        true => Ruling::Pass(to, asked.path.clone()),
        false => Ruling::Say(403, Vec::new(), json!({ "message": "who are you?" }).to_string()),
    })
    .await
}

#[tokio::test]
async fn a_wrong_secret_rests_the_key_and_another_one_answers() {
    let sim = sim();
    let guard = bedrock(&sim, "/openai/v1", "bedrock").await;
    let (wrong, right) = (aws("not-the-secret-at-all"), aws(SECRET).replace("id: signed", "id: right"));
    let both = format!("{},{}", wrong.trim_end_matches(']'), right.trim_start_matches('['));
    let gateway = Gateway::start(&one("bedrock-openai", &guard.url("/openai/v1"), &both)).await;
    let mut answers = Vec::new();
    for _ in 0..6 {
        answers.push(gateway.chat(false).await);
    }
    answers.iter().for_each(answered);
    let status = gateway.status().await;
    let keys = status["providers"][0]["keys"].as_array().unwrap().clone();
    assert_eq!((&keys[0]["key"], &keys[0]["state"]), (&json!("cloud#signed"), &json!("rejected")));
    assert_eq!((&keys[1]["key"], &keys[1]["state"]), (&json!("cloud#right"), &json!("ok")));
    assert_eq!(guard.seen().len(), 7, "it was asked once");
    discreet(&gateway, &answers).await;
}

#[tokio::test]
async fn what_amazon_repeats_of_the_session_token_reaches_nobody() {
    let sim = sim();
    let guard = bedrock(&sim, "/openai/v1", "bedrock").await;
    let gateway =
        Gateway::start(&one("bedrock-openai", &guard.url("/openai/v1"), &aws("not-the-secret-at-all"))).await;
    let answers = [gateway.chat(false).await, gateway.chat(true).await];
    assert!(answers.iter().all(|answer| answer.everything().contains("KEY_REJECTED")));
    discreet(&gateway, &answers).await;
}

#[tokio::test]
async fn vertex_gets_a_token_for_its_service_account() {
    const PREFIX: &str = "/v1/projects/p/locations/l/endpoints/openapi";
    let sim = sim();
    let guard = keyed(&sim, PREFIX, "authorization", "Bearer ya29.c.b0AXv0zTN-the-token-itself").await;
    let tokens = tokens("assertion=", open()).await;
    let key = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048).unwrap();
    let dir = Arc::new(TempDir::new().unwrap());
    let account = json!({
        "type": "service_account",
        "client_email": "models@p.iam.gserviceaccount.com",
        "private_key_id": "1",
        "private_key": key.serialize_pem(),
        "token_uri": tokens.url("/token"),
    });
    std::fs::write(dir.path().join("google.json"), account.to_string()).unwrap();
    let text = one("vertex-openai", &guard.url(PREFIX), "[{ gcp: { file: google.json } }]");
    let gateway = Gateway::start_in(dir, Some(&text), &[]).await;
    let answers = [gateway.chat(false).await, gateway.chat(true).await];
    answers.iter().for_each(answered);
    assert_eq!(tokens.seen().len(), 1, "one token for all");
    discreet(&gateway, &answers).await;
}

#[tokio::test]
async fn azure_takes_a_token_of_entra_or_a_key() {
    let sim = sim();
    let tokens = tokens("client_secret=client-secret-of-entra", open()).await;
    let entra = format!(
        "[{{ azure: {{ tenant_id: t, client_id: app, client_secret: client-secret-of-entra, authority: \"{}\" }} }}]",
        tokens.url("")
    );
    let guard = keyed(&sim, "/openai/v1", "authorization", "Bearer ya29.c.b0AXv0zTN-the-token-itself").await;
    let gateway = Gateway::start(&one("azure-openai", &guard.url("/openai/v1"), &entra)).await;
    let answers = [gateway.chat(false).await, gateway.chat(true).await];
    answers.iter().for_each(answered);
    assert!(guard.seen().iter().all(|asked| asked.header("api-key").is_empty()));
    discreet(&gateway, &answers).await;
    let guard = keyed(&sim, "/openai/v1", "api-key", "azure-key-0123456789").await;
    let gateway =
        Gateway::start(&one("azure-openai", &guard.url("/openai/v1"), "[azure-key-0123456789]")).await;
    answered(&gateway.chat(false).await);
    assert_eq!(guard.seen()[0].header("authorization"), "");
}

#[tokio::test]
async fn a_credential_that_cannot_be_had_is_the_named_cause_until_it_can() {
    let sim = sim();
    let door = Arc::new(AtomicBool::new(false));
    let tokens = tokens("client_id=app", door.clone()).await;
    let entra = format!(
        "[{{ id: entra, azure: {{ tenant_id: t, client_id: app, client_secret: client-secret-of-entra, authority: \"{}\" }} }}]",
        tokens.url("")
    );
    let guard = keyed(&sim, "/openai/v1", "authorization", "Bearer ya29.c.b0AXv0zTN-the-token-itself").await;
    let gateway = Gateway::start(&one("azure-openai", &guard.url("/openai/v1"), &entra)).await;
    let answer = gateway.chat(false).await;
    let error = answer.json()["error"].clone();
    assert_eq!((answer.status, error["cause"].as_str()), (503, Some("CREDENTIAL_UNAVAILABLE")), "{error}");
    assert!(!answer.everything().contains("AADSTS") && !answer.everything().contains("127.0.0.1"), "{error}");
    let status = gateway.status().await;
    let finding = status["routes"][0]["findings"][0].clone();
    let message = finding["message"].as_str().unwrap_or_default();
    assert!(message.contains("AADSTS7000222") && message.contains("application app"), "{status}");
    assert_eq!(status["providers"][0]["keys"][0]["state"], "unavailable");
    assert!(guard.seen().is_empty(), "nothing was sent without a credential");
    door.store(true, Ordering::Relaxed);
    let back = eventually("an answer once the token can be had", async || {
        Some(gateway.chat(false).await).filter(|answer| answer.status == 200)
    })
    .await;
    assert_eq!(gateway.status().await["providers"][0]["keys"][0]["state"], "ok");
    discreet(&gateway, &[answer, back]).await;
}

#[tokio::test]
async fn while_a_cloud_gives_no_token_another_target_answers() {
    let (sim, tokens) = (sim(), tokens("never", Arc::new(AtomicBool::new(false))).await);
    let text = config(&format!(
        "providers:\n  cloud:\n    kind: azure-openai\n    base_url: \"http://127.0.0.1:9/openai/v1\"\n    keys:\n      \
           - azure: {{ tenant_id: t, client_id: app, client_secret: client-secret-of-entra, authority: \"{}\" }}\n  \
           other: {{ kind: openai-compatible, base_url: \"{}\" }}\n\
         models:\n  chat:\n    targets:\n      - {{ provider: cloud, model: m1 }}\n      \
           - {{ provider: other, model: m2, tier: 1 }}\n",
        tokens.url(""),
        sim.base_url()
    ));
    let gateway = Gateway::start(&text).await;
    let answers = [gateway.chat(false).await, gateway.chat(true).await];
    answers.iter().for_each(answered);
    discreet(&gateway, &answers).await;
}

/// What `wellhead doctor` says in JSON.
async fn doctor(text: &str) -> String {
    let dir = TempDir::new().unwrap();
    std::fs::write(dir.path().join("wellhead.yaml"), text).unwrap();
    let mut command = tokio::process::Command::new(binary());
    command.args(["doctor", "--config", "wellhead.yaml", "--json"]).env_clear().env("PATH", "/usr/bin:/bin");
    let ran = command.current_dir(dir.path()).output().await.unwrap();
    String::from_utf8(ran.stdout).unwrap() + &String::from_utf8(ran.stderr).unwrap()
}

#[tokio::test]
async fn the_doctor_asks_with_a_fetched_credential_or_says_why_there_is_none() {
    let sim = sim();
    let guard = bedrock(&sim, "/openai/v1", "bedrock").await;
    let told = doctor(&one("bedrock-openai", &guard.url("/openai/v1"), &aws(SECRET))).await;
    assert!(guard.seen().iter().any(|asked| asked.path == "/openai/v1/models"), "{told}");
    assert!(!told.contains("KEY_REJECTED") && told.contains("200"), "{told}");
    let refused =
        doctor(&one("bedrock-openai", &guard.url("/openai/v1"), &aws("not-the-secret-at-all"))).await;
    assert!(refused.contains("KEY_REJECTED") && refused.contains("cloud#signed"), "{refused}");
    let tokens = tokens("never", Arc::new(AtomicBool::new(false))).await;
    let entra = format!(
        "[{{ azure: {{ tenant_id: t, client_id: app, client_secret: client-secret-of-entra, authority: \"{}\" }} }}]",
        tokens.url("")
    );
    let told_why = doctor(&one("azure-openai", &guard.url("/openai/v1"), &entra)).await;
    assert!(told_why.contains("AADSTS7000222") && told_why.contains("application app"), "{told_why}");
    for secret in [SECRET, SESSION, "client-secret-of-entra"] {
        assert!(![&told, &refused, &told_why].iter().any(|said| said.contains(secret)), "{secret} was told");
    }
}
