//! Layer by layer: what was seen, and what has to be said about it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use super::*;
use crate::evidence::Asked;
use crate::subject::Subjects;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use std::sync::Arc;
use std::time::Duration;
use wellhead_catalog::Catalog;
use wellhead_config::{CompileContext, Fixed};
use wellhead_net::{AddressState, Examination, SendError, Timed, TlsFacts};
use wellhead_policy::KeyHasher;
use wellhead_types::{Cause, Stage};

const KEY: &str = "sk-very-secret-text-a1";

fn subject_of(provider: &str, model: &str) -> Subject {
    let text = format!(
        "version: 1\nproviders:\n  a: {{ {provider}, keys: [{KEY}] }}\n\
         models:\n  chat: {{ targets: [{{ provider: a, model: {model} }}] }}\n"
    );
    let kinds: Vec<_> = Catalog::builtin().unwrap().kinds().cloned().collect();
    let (document, _) = wellhead_config::load("wellhead.yaml", &text, &Fixed::default(), &kinds).unwrap();
    let hasher = KeyHasher::new(&[0; 32]);
    let context = CompileContext { generation: 1, hasher: &hasher, extra_apps: &[] };
    let (snapshot, _) = wellhead_config::compile(&document, &context).unwrap();
    Subjects::new(&document, &snapshot, None).unwrap().providers.remove(0)
}

fn subject(url: &str) -> Subject {
    subject_of(&format!("kind: openai-compatible, base_url: '{url}'"), "m1")
}

/// 2026-01-01.
const NOW: u64 = 1_767_225_600;

fn context() -> Context {
    let host = |host: &str, kind: &str| (host.to_owned(), kind.to_owned());
    Context {
        now_unix_s: NOW,
        hosts: vec![host("api.openai.com", "openai"), host("api.groq.com", "groq")],
        name_servers: vec!["192.0.2.53:5353".parse().unwrap()],
    }
}

fn timed<T>(value: T) -> Timed<T> {
    Timed { took: Duration::from_millis(7), value }
}

fn error(stage: Stage, cause: Cause, detail: &str) -> SendError {
    SendError { stage, cause, detail: detail.to_owned(), unprocessed: true }
}

/// A network in which everything is well, of these addresses.
fn network(addresses: &[(&str, AddressState)]) -> Examination {
    let parsed = |text: &str| text.parse::<SocketAddr>().unwrap();
    Examination {
        name: timed(Ok(addresses.iter().map(|(address, _)| parsed(address)).collect())),
        addresses: addresses.iter().map(|(at, state)| (parsed(at), timed(state.clone()))).collect(),
        tls: None,
    }
}

fn well() -> Examination {
    network(&[("192.0.2.7:443", AddressState::Connected)])
}

fn evidence(network: Examination, keys: Vec<KeyEvidence>) -> Evidence {
    Evidence { network: Arc::new(network), answered_by: None, port_speaks_tls: false, keys }
}

fn key(asked: Asked) -> KeyEvidence {
    KeyEvidence {
        key: Some(0),
        url: "https://api.example.com/v1/models".to_owned(),
        asked,
        lists_below: Vec::new(),
    }
}

fn answered(status: u16, headers: &[(&str, &str)], body: &str) -> KeyEvidence {
    let header = |(name, value): &(&str, &str)| {
        (HeaderName::try_from(*name).unwrap(), HeaderValue::from_str(value).unwrap())
    };
    let headers: HeaderMap = headers.iter().map(header).collect();
    let body = Bytes::copy_from_slice(body.as_bytes());
    key(Asked::Answered(Answer { status, headers, body, took: Duration::from_millis(9) }))
}

/// The finding of a layer, of which there has to be one.
fn of(findings: &[Finding], layer: Layer) -> &Finding {
    let all: Vec<_> = findings.iter().filter(|finding| finding.layer == layer).collect();
    let [one] = all[..] else { panic!("not one of {layer:?} in {findings:#?}") };
    one
}

/// Level, code, and words that text and fix have to have.
fn check(finding: &Finding, level: Level, code: Option<&str>, text: &[&str], fix: &[&str]) {
    assert_eq!((finding.level, finding.code), (level, code), "{finding:#?}");
    let said = finding.fix.as_deref().unwrap_or_default();
    assert!(text.iter().all(|word| finding.text.contains(word)), "{text:?} in {finding:#?}");
    assert!(fix.iter().all(|word| said.contains(word)), "{fix:?} in {finding:#?}");
    assert!(level < Level::Warn || finding.fix.is_some(), "what is wrong has a remedy: {finding:#?}");
    assert!(!format!("{finding:?}").contains(KEY));
}

#[test]
fn names() {
    for (url, cause, detail, code, fix) in [
        (
            "https://api.opneai.com/v1",
            Cause::NameNotFound,
            "NXDOMAIN",
            "DNS_NXDOMAIN",
            &["providers.a.base_url (wellhead.yaml:3)", "api.openai.com (kind openai)"][..],
        ),
        (
            "https://models.corp.internal/v1",
            Cause::NameNotFound,
            "NXDOMAIN",
            "DNS_NXDOMAIN",
            &["dns.servers", "dig @192.0.2.53 -p 5353 models.corp.internal"],
        ),
        (
            "https://api.example.com/v1",
            Cause::DnsError,
            "192.0.2.53:5353: SERVFAIL",
            "DNS_FAILED",
            &["`dns.servers`"],
        ),
        (
            "https://api.example.com/v1",
            Cause::DnsError,
            "(empty answer)",
            "DNS_NO_ADDRESS",
            &["has no address"],
        ),
    ] {
        let broken = Examination {
            name: timed(Err(error(Stage::Resolve, cause, detail))),
            addresses: Vec::new(),
            tls: None,
        };
        let findings = judge(&subject(url), &evidence(broken, Vec::new()), &context());
        check(of(&findings, Layer::Dns), Level::Fail, Some(code), &[detail], fix);
        // Nothing above was reached, and nothing above is blamed.
        assert!(
            findings.iter().all(|finding| finding.layer == Layer::Dns || finding.level == Level::Skipped)
        );
        assert_eq!(findings.len(), Layer::ALL.len(), "{findings:#?}");
    }
    let two = network(&[
        ("192.0.2.7:443", AddressState::Connected),
        ("[2001:db8::7]:443", AddressState::Connected),
    ]);
    let told = Evidence { answered_by: "192.0.2.53:53".parse().ok(), ..evidence(two, Vec::new()) };
    let found = name::judge(&subject("https://api.example.com/v1"), &told, &context());
    check(&found, Level::Ok, None, &["2 addresses (1 IPv4, 1 IPv6) in 7 ms, from 192.0.2.53:53"], &[]);
}

#[test]
fn ports() {
    use AddressState::{Connected, Failed, Refused, Silent, Unroutable};
    const V4: &str = "127.0.0.1:8080";
    const V6: &str = "[::1]:8080";
    let subject = subject("http://localhost:8080/v1");
    for (addresses, level, code, fix) in [
        (&[(V4, Connected), (V6, Connected)][..], Level::Ok, None, &[][..]),
        (&[(V4, Connected), (V6, Unroutable)], Level::Ok, None, &[]),
        (
            &[(V4, Refused), (V6, Connected)],
            Level::Warn,
            Some("DUAL_LOCALHOST"),
            &["write http://[::1]:8080/v1", "127.0.0.1"],
        ),
        (
            &[(V4, Connected), (V6, Refused)],
            Level::Warn,
            Some("DUAL_LOCALHOST"),
            &["write http://127.0.0.1:8080/v1"],
        ),
        (
            &[(V4, Refused), (V6, Refused)],
            Level::Fail,
            Some("PORT_REFUSED"),
            &["port 8080", "wellhead.yaml:3"],
        ),
        (&[(V4, Refused), (V6, Unroutable)], Level::Fail, Some("PORT_REFUSED"), &[]),
        (&[(V4, Refused), (V6, Silent)], Level::Fail, Some("CONNECT_TIMEOUT"), &["firewalls"]),
        (&[(V4, Silent)], Level::Fail, Some("CONNECT_TIMEOUT"), &["providers.a.timeouts.connect"]),
        (&[(V6, Unroutable)], Level::Fail, Some("CONNECT_TIMEOUT"), &[]),
        (&[(V4, Failed("no route to host".to_owned()))], Level::Fail, Some("CONNECT_TIMEOUT"), &[]),
    ] {
        let found = port::judge(&subject, &evidence(network(addresses), Vec::new()));
        let words: Vec<_> = addresses.iter().map(|(address, _)| *address).collect();
        check(&found, level, code, &words, fix);
    }
}

#[test]
fn handshakes_that_fail() {
    let subject = subject("https://api.example.com/v1");
    for (cause, detail, code, fix) in [
        (
            Cause::TlsPlaintext,
            "in plain HTTP",
            Some("TLS_PLAINTEXT_PORT"),
            &["providers.a.base_url (wellhead.yaml:3): write http://api.example.com:443/v1"][..],
        ),
        (Cause::TlsName, "SNI sent", Some("TLS_NAME"), &["providers.a.tls.server_name"]),
        (
            Cause::TlsCertificate,
            "the certificate has expired on 2021-02-03",
            Some("TLS_UNTRUSTED"),
            &["renew the certificate of api.example.com"],
        ),
        (
            Cause::TlsCertificate,
            "signed by Corporate CA, who is not trusted here",
            Some("TLS_UNTRUSTED"),
            &["providers.a.tls.ca_file"],
        ),
        (Cause::TlsClientCertificate, "alert 116", Some("TLS_CLIENT_CERT"), &["client certificates"]),
        (Cause::ConnectTimeout, "not answered", Some("CONNECT_TIMEOUT"), &["inspects TLS"]),
        (Cause::TlsError, "eof", None, &["openssl s_client -connect api.example.com:443"]),
    ] {
        let mut broken = well();
        broken.tls = Some(timed(Err(error(Stage::Tls, cause, detail))));
        let findings = judge(&subject, &evidence(broken, Vec::new()), &context());
        check(of(&findings, Layer::Tls), Level::Fail, code, &[detail], fix);
        check(of(&findings, Layer::Http), Level::Skipped, None, &["tls failed"], &[]);
    }
}

#[test]
fn certificates_run_out() {
    let mut params = rcgen::CertificateParams::new(["doctor.example".to_owned()]).unwrap();
    params.not_after = rcgen::date_time_ymd(2031, 5, 6);
    let made = params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap();
    for (days, level) in [(13, Level::Warn), (14, Level::Ok), (400, Level::Ok), (0, Level::Warn)] {
        let facts = wellhead_net::CertificateFacts::read(made.der()).unwrap();
        let until = u64::try_from(facts.not_after.unix_s).unwrap();
        let mut good = well();
        let agreed = TlsFacts { version: "TLS 1.3", alpn: Some("h2".to_owned()), certificate: Some(facts) };
        good.tls = Some(timed(Ok(agreed)));
        let context = Context { now_unix_s: until - days * 86_400 - 1, ..context() };
        let found =
            tls::judge(&subject("https://a.example/v1"), &evidence(good, Vec::new()), &context).unwrap();
        let words = ["TLS 1.3, h2", "doctor.example", "2031-05-06", &format!("({days} day")];
        check(&found, level, None, &words, if level == Level::Warn { &["renew"] } else { &[] });
    }
}

const LIST: &str = r#"{"object":"list","data":[{"id":"m1"},{"id":"m2"}]}"#;

#[test]
fn a_good_answer() {
    let headers = [("x-ratelimit-limit-requests", "100"), ("x-ratelimit-remaining-requests", "90")];
    let subject = subject("http://api.example.com/v1");
    let findings = judge(&subject, &evidence(well(), vec![answered(200, &headers, LIST)]), &context());
    assert!(findings.iter().all(|finding| finding.level == Level::Ok), "{findings:#?}");
    check(of(&findings, Layer::Http), Level::Ok, None, &["models answered 200 in 9 ms"], &[]);
    assert_eq!(of(&findings, Layer::Credential).about.as_deref(), Some("key …a1"));
    check(of(&findings, Layer::Quota), Level::Ok, None, &["90 of 100 requests left"], &[]);
    check(of(&findings, Layer::Model), Level::Ok, None, &["m1 is in the vendor's list of 2"], &[]);
}

#[test]
fn answers_that_refuse() {
    let quoted =
        format!(r#"{{"error":{{"message":"Incorrect API key provided: {KEY}","code":"invalid_api_key"}}}}"#);
    let scope = r#"{"error":{"message":"Missing scopes: api.model.read"}}"#;
    let spent = r#"{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","code":"insufficient_quota"}}"#;
    let https = "The plain HTTP request was sent to HTTPS port";
    let wait = [("retry-after", "7")];
    for (status, headers, body, layer, level, code, text, fix) in [
        (
            401,
            &[][..],
            &*quoted,
            Layer::Credential,
            Level::Fail,
            Some("KEY_REJECTED"),
            &["401", "Incorrect API key provided: …a1"][..],
            &["providers.a.keys[0] (wellhead.yaml:3)"][..],
        ),
        (
            403,
            &[],
            scope,
            Layer::Credential,
            Level::Warn,
            None,
            &["may not list"],
            &["nothing has to be done"],
        ),
        (402, &[], "", Layer::Quota, Level::Fail, Some("BUDGET_EXHAUSTED"), &["no credit"], &["add credit"]),
        (429, &[], spent, Layer::Quota, Level::Fail, Some("BUDGET_EXHAUSTED"), &["exceeded"], &[]),
        (429, &wait, "", Layer::Quota, Level::Fail, Some("KEY_LIMITED"), &["for 7 s"], &["add a key"]),
        (
            500,
            &[],
            "",
            Layer::Http,
            Level::Fail,
            Some("UPSTREAM_ERRORS"),
            &["answered 500"],
            &["status page"],
        ),
        (404, &[], "", Layer::Http, Level::Fail, None, &["answered 404"], &["http://api.example.com/v1"]),
        (
            200,
            &[("content-type", "text/html")],
            "<html>",
            Layer::Http,
            Level::Fail,
            None,
            &["text/html"],
            &["base_url"],
        ),
        (301, &[("location", "https://x/")], "", Layer::Http, Level::Fail, None, &["https://x/"], &[]),
        (
            400,
            &[],
            https,
            Layer::Http,
            Level::Fail,
            None,
            &["HTTPS port"],
            &["write https://api.example.com:80/x"],
        ),
        (418, &[], "", Layer::Http, Level::Warn, None, &["418"], &[]),
    ] {
        let subject = subject("http://api.example.com/x");
        let findings = judge(&subject, &evidence(well(), vec![answered(status, headers, body)]), &context());
        check(of(&findings, layer), level, code, text, fix);
        check(of(&findings, Layer::Model), Level::Skipped, None, &["no list"], &[]);
        let bad = findings.iter().filter(|finding| finding.level >= Level::Warn).count();
        assert_eq!(bad, 1, "one fault, one finding: {findings:#?}");
    }
}

#[test]
fn a_path_that_is_elsewhere_is_named() {
    let found = KeyEvidence { lists_below: vec!["/v1".to_owned()], ..answered(404, &[], "") };
    let subject = subject("http://api.example.com:8080/api");
    let findings = judge(&subject, &evidence(well(), vec![found]), &context());
    let fix =
        ["providers.a.base_url (wellhead.yaml:3): write http://api.example.com:8080/v1, where the list"];
    check(of(&findings, Layer::Http), Level::Fail, None, &["404"], &fix);
}

#[test]
fn a_vendor_without_a_list_is_not_blamed() {
    let bedrock = "kind: bedrock, base_url: 'https://bedrock-runtime.eu-west-1.amazonaws.com'";
    for provider in ["kind: groq", bedrock] {
        let subject = subject_of(provider, "m1");
        let findings = judge(&subject, &evidence(well(), vec![answered(404, &[], "")]), &context());
        assert!(findings.iter().all(|finding| finding.level < Level::Warn), "{provider}: {findings:#?}");
    }
}

#[test]
fn no_answer() {
    let subject = subject("http://api.example.com/v1");
    let failed = |stage, cause, detail: &str| key(Asked::Failed(error(stage, cause, detail)));
    for (key, speaks_tls, layer, code, fix) in [
        (
            failed(Stage::Headers, Cause::HeadersTimeout, "no answer"),
            false,
            Layer::Http,
            Some("SILENT"),
            &["load"][..],
        ),
        (
            failed(Stage::Headers, Cause::ProtocolError, "no HTTP"),
            false,
            Layer::Http,
            Some("UPSTREAM_ERRORS"),
            &["no HTTP server"],
        ),
        (
            failed(Stage::Headers, Cause::ProtocolError, "no HTTP"),
            true,
            Layer::Http,
            None,
            &["write https://api.example.com:80/v1"],
        ),
        (
            failed(Stage::Tls, Cause::TlsClientCertificate, "alert 116"),
            false,
            Layer::Tls,
            Some("TLS_CLIENT_CERT"),
            &["client certificates"],
        ),
    ] {
        let seen = Evidence { port_speaks_tls: speaks_tls, ..evidence(well(), vec![key]) };
        let findings = judge(&subject, &seen, &context());
        check(of(&findings, layer), Level::Fail, code, &[], fix);
        check(of(&findings, Layer::Credential), Level::Skipped, None, &["no answer"], &[]);
    }
}

#[test]
fn models() {
    let list = |names: &[&str]| {
        let entries: Vec<_> = names.iter().map(|name| format!(r#"{{"id":"{name}"}}"#)).collect();
        format!(r#"{{"data":[{}]}}"#, entries.join(","))
    };
    let plain = "kind: openai-compatible, base_url: 'http://127.0.0.1:1/v1'";
    let place = "models.chat.targets[0].model (wellhead.yaml:5)";
    for (provider, model, names, level, text, fix) in [
        (plain, "gpt-4.1", &["gpt-4.1"][..], Level::Ok, "list of 1", &[][..]),
        (plain, "gpt-41", &["gpt-4.1", "whisper-1"], Level::Fail, "gpt-41", &[place, "write gpt-4.1"]),
        (plain, "x", &["whisper-1"], Level::Fail, "list of 1", &["write whisper-1"]),
        (plain, "zebra", &["a1", "b1", "c1", "d1"], Level::Fail, "zebra", &["get access"]),
        (plain, "zebra", &[], Level::Fail, "list of 0", &["get access"]),
        ("kind: llama-cpp", "any", &["model.gguf"], Level::Warn, "any", &["write model.gguf"]),
        ("kind: openrouter", "v/m:free", &["v/m"], Level::Ok, "list of 1", &[]),
        (plain, "v/m:free", &["v/m"], Level::Fail, "v/m:free", &["write v/m"]),
    ] {
        let subject = subject_of(provider, &format!("'{model}'"));
        let findings = judge(&subject, &evidence(well(), vec![answered(200, &[], &list(names))]), &context());
        let code = (level >= Level::Warn).then_some("MODEL_UNKNOWN");
        check(of(&findings, Layer::Model), level, code, &[text], fix);
    }
    let page = r#"{"data":[{"id":"a"}],"has_more":true}"#;
    let subject = subject_of(plain, "m1");
    let findings = judge(&subject, &evidence(well(), vec![answered(200, &[], page)]), &context());
    check(of(&findings, Layer::Model), Level::Skipped, None, &["first page"], &[]);
}

#[test]
fn room_within_limits() {
    for (headers, level, code, text) in [
        (&[][..], Level::Skipped, None, "tells no limits"),
        (
            &[("x-ratelimit-remaining-tokens", "0"), ("x-ratelimit-limit-tokens", "9000")],
            Level::Fail,
            Some("KEY_LIMITED"),
            "0 of 9000 tokens",
        ),
        (
            &[("x-ratelimit-remaining-requests", "9"), ("x-ratelimit-limit-requests", "100")],
            Level::Warn,
            Some("KEY_LIMITED"),
            "9 of 100",
        ),
        (
            &[("x-ratelimit-remaining-requests", "10"), ("x-ratelimit-limit-requests", "100")],
            Level::Ok,
            None,
            "10 of 100",
        ),
        (&[("x-ratelimit-remaining-requests", "1")], Level::Ok, None, "1 requests"),
        (
            &[
                ("anthropic-ratelimit-input-tokens-remaining", "5"),
                ("anthropic-ratelimit-input-tokens-limit", "100"),
            ],
            Level::Warn,
            Some("KEY_LIMITED"),
            "5 of 100 input tokens",
        ),
        (
            &[("x-ratelimit-remaining-requests", "many"), ("x-ratelimit-reset-requests", "1s")],
            Level::Skipped,
            None,
            "no limits",
        ),
        (&[("x-ratelimit-remaining-requests", "NaN")], Level::Skipped, None, "no limits"),
    ] {
        let key = answered(200, headers, LIST);
        let Asked::Answered(answer) = &key.asked else { panic!() };
        check(&quota::judge(&answer.headers, 0), level, code, &[text], &[]);
    }
}

#[test]
fn one_key_of_two() {
    let mut subject = subject("http://api.example.com/v1");
    let mut provider = (*subject.provider).clone();
    let second = wellhead_config::snapshot::ProviderKey {
        id: "a#2".into(),
        secret: wellhead_types::Secret::new("sk-the-other-secret-b2"),
        cloud: None,
    };
    provider.keys.push(second);
    subject.provider = Arc::new(provider);
    let other = r#"{"data":[{"id":"m2"}]}"#;
    let keys = vec![answered(200, &[], LIST), KeyEvidence { key: Some(1), ..answered(200, &[], other) }];
    let findings = judge(&subject, &evidence(well(), keys), &context());
    check(of(&findings, Layer::Http), Level::Ok, None, &["200"], &[]);
    check(
        of(&findings, Layer::Model),
        Level::Warn,
        Some("MODEL_UNKNOWN"),
        &["not in that of key …b2"],
        &["access"],
    );
    let abouts: Vec<_> =
        findings.iter().filter(|f| f.layer == Layer::Credential).filter_map(|f| f.about.as_deref()).collect();
    assert_eq!(abouts, ["key …a1", "key …b2"]);
}

#[test]
fn a_model_is_examined_with_those_that_stand_in_for_it() {
    let text = "version: 1
providers:
  a: { kind: openai-compatible, base_url: 'http://127.0.0.1:1/v1' }
  b: { kind: openai-compatible, base_url: 'http://127.0.0.1:2/v1' }
  c: { kind: openai-compatible, base_url: 'http://127.0.0.1:3/v1' }
models:
  chat: { targets: [{ provider: a, model: m }], fallback: { model: small } }
  small: { targets: [{ provider: b, model: s }] }
  other: { targets: [{ provider: c, model: o }] }
";
    let kinds: Vec<_> = Catalog::builtin().unwrap().kinds().cloned().collect();
    let mut lookup = Fixed::default();
    let (document, _) = wellhead_config::load("wellhead.yaml", text, &lookup, &kinds).unwrap();
    let hasher = KeyHasher::new(&[0; 32]);
    let context = CompileContext { generation: 1, hasher: &hasher, extra_apps: &[] };
    let (snapshot, _) = wellhead_config::compile(&document, &context).unwrap();
    let names = |only| {
        let subjects = Subjects::new(&document, &snapshot, only).unwrap();
        subjects.providers.iter().map(|subject| subject.provider.name.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(names(Some("chat")), ["a", "b"]);
    assert_eq!(names(Some("small")), ["b"]);
    assert_eq!(names(Some("c")), ["c"]);
    assert_eq!(names(None), ["a", "b", "c"]);
    let unknown = Subjects::new(&document, &snapshot, Some("smal")).unwrap_err().to_string();
    assert!(unknown.contains("did you mean small?"), "{unknown}");
    // What the environment says is not to be looked for in the file.
    let variable = ("WELLHEAD_PROVIDERS__A__BASE_URL".to_owned(), "http://127.0.0.1:9/v1".to_owned());
    lookup.variables.extend([variable]);
    let (document, _) = wellhead_config::load("wellhead.yaml", text, &lookup, &kinds).unwrap();
    let (snapshot, _) = wellhead_config::compile(&document, &context).unwrap();
    let subjects = Subjects::new(&document, &snapshot, Some("a")).unwrap();
    assert_eq!(subjects.providers[0].places.base_url().to_string(), "providers.a.base_url (environment)");
}
