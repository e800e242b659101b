//! `wellhead doctor`: each fault is made over real sockets, with no gateway running, and has to be found at its layer,
//! with its remedy.

use std::net::SocketAddr;
use std::path::Path;

use rcgen::{CertificateParams, KeyPair};
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;
use wellhead_sim::{Sim, SimOptions, TlsIdentity};

use crate::support::dns::{Authority, Reply, at};
use crate::support::{Gateway, PROVIDER_KEY, binary, config, dead_port, fault, sim, sim_with, tls_identity};

/// What the command did.
struct Diagnosis {
    code: i32,
    out: String,
    err: String,
}

async fn doctor(dir: &Path, config: &str, arguments: &[&str]) -> Diagnosis {
    std::fs::write(dir.join("wellhead.yaml"), config).unwrap();
    let mut command = Command::new(binary());
    command.args(["doctor", "--config", "wellhead.yaml"]).args(arguments);
    let ran = command.env_clear().env("PATH", "/usr/bin:/bin").current_dir(dir).output().await.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let diagnosis =
        Diagnosis { code: ran.status.code().unwrap(), out: text(ran.stdout), err: text(ran.stderr) };
    for secret in [PROVIDER_KEY, "header-secret"] {
        assert!(!diagnosis.out.contains(secret) && !diagnosis.err.contains(secret), "{}", diagnosis.out);
    }
    assert!(!dir.join("wellhead-data").exists(), "it leaves nothing behind");
    diagnosis
}

impl Diagnosis {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|_| panic!("no JSON: {}{}", self.out, self.err))
    }
}

/// One provider `a` with one model `chat`.
fn one(provider: &str, model: &str) -> String {
    config(&format!(
        "providers:\n  a:\n    kind: openai-compatible\n    keys: [\"{PROVIDER_KEY}\"]\n    \
         headers: {{ x-team: header-secret }}\n    {provider}\n\
         models:\n  chat:\n    targets:\n      - {{ provider: a, model: {model} }}\n"
    ))
}

fn at_url(url: &str) -> String {
    one(&format!("base_url: \"{url}\""), "practice")
}

/// The findings of the only provider that are no good news, as `(layer, level, code)`; and all of it.
async fn bad(config: &str) -> (Vec<(String, String, String)>, Value) {
    let dir = TempDir::new().unwrap();
    let diagnosis = doctor(dir.path(), config, &["--json"]).await;
    let report = diagnosis.json();
    let text = |finding: &Value, member: &str| finding[member].as_str().unwrap_or_default().to_owned();
    let findings = report["providers"][0]["findings"].as_array().unwrap();
    let bad = findings.iter().filter(|finding| !["ok", "skipped"].contains(&&*text(finding, "level")));
    let bad: Vec<_> = bad.map(|f| (text(f, "layer"), text(f, "level"), text(f, "code"))).collect();
    let failed = bad.iter().any(|(_, level, _)| level == "fail");
    assert_eq!(diagnosis.code, i32::from(failed), "{}", diagnosis.out);
    assert_eq!(report["ok"], !failed);
    (bad, report)
}

/// Expects one finding, whose text and fix have these words, at this field of the configuration.
async fn expect(config: &str, finding: (&str, &str, &str), words: &[&str], path: &str) {
    let (bad, report) = bad(config).await;
    let (layer, level, code) = finding;
    assert_eq!(bad, [(layer.to_owned(), level.to_owned(), code.to_owned())], "{report:#}");
    let all = report["providers"][0]["findings"].as_array().unwrap();
    let found = all.iter().find(|finding| finding["level"] == level).unwrap();
    let said = format!("{} {}", found["text"].as_str().unwrap(), found["fix"].as_str().unwrap());
    for word in words {
        assert!(said.contains(word), "{word:?} is missing in {said}");
    }
    if !path.is_empty() {
        assert_eq!(found["place"]["path"], path, "{found:#}");
        let line = usize::try_from(found["place"]["line"].as_u64().unwrap()).unwrap();
        let field = path.rsplit(['.', '[']).next().unwrap().trim_end_matches(']');
        let written = config.lines().nth(line - 1).unwrap();
        assert!(
            written.contains(field) || field.parse::<u32>().is_ok(),
            "{path} is not in line {line}: {written}"
        );
    }
}

/// Nothing but lists of models was asked for.
fn only_lists(sim: &Sim) {
    let requests = sim.requests();
    assert!(!requests.is_empty());
    for request in requests {
        assert_eq!(
            (request.method.as_str(), request.path.ends_with("/models")),
            ("GET", true),
            "{request:?}"
        );
    }
}

#[tokio::test]
async fn a_healthy_provider_is_healthy_at_every_layer_and_no_token_is_spent() {
    let sim = sim_with(SimOptions { api_keys: Some(vec![PROVIDER_KEY.to_owned()]), ..SimOptions::default() });
    let dir = TempDir::new().unwrap();
    let diagnosis = doctor(dir.path(), &at_url(&sim.base_url()), &[]).await;
    assert_eq!(diagnosis.code, 0, "{}{}", diagnosis.out, diagnosis.err);
    for line in ["dns", "tcp", "http", "credential", "model"] {
        let good = |text: &str| text.trim_start().starts_with(line) && text.contains(" ok ");
        assert!(diagnosis.out.lines().any(good), "{line} is not well: {}", diagnosis.out);
    }
    assert!(diagnosis.out.ends_with("nothing wrong was found\n"), "{}", diagnosis.out);
    only_lists(&sim);
    assert_eq!(sim.requests().len(), 1);
}

#[tokio::test]
async fn tls_with_its_certificate_is_healthy_too() {
    let identity = tls_identity("sim.test");
    let dir = TempDir::new().unwrap();
    std::fs::write(dir.path().join("roots.pem"), &identity.certificate_pem).unwrap();
    let sim = sim_with(SimOptions { tls: Some(identity), ..SimOptions::default() });
    let tls = "tls: { ca_file: roots.pem, server_name: sim.test }";
    let text = one(&format!("base_url: \"{}\"\n    {tls}", sim.base_url()), "practice");
    let diagnosis = doctor(dir.path(), &text, &[]).await;
    assert_eq!(diagnosis.code, 0, "{}{}", diagnosis.out, diagnosis.err);
    assert!(diagnosis.out.contains("TLS 1.3, h2"), "{}", diagnosis.out);
    assert!(diagnosis.out.contains("the certificate is for sim.test"), "{}", diagnosis.out);
    only_lists(&sim);
}

#[tokio::test]
async fn a_port_where_nobody_listens() {
    let port = dead_port();
    let text = at_url(&format!("http://127.0.0.1:{port}/v1"));
    let words = [&*format!("127.0.0.1:{port} refuses"), "start the server"];
    expect(&text, ("tcp", "fail", "PORT_REFUSED"), &words, "providers.a.base_url").await;
}

#[tokio::test]
async fn a_name_that_does_not_exist_is_a_slip_of_one_that_does() {
    let dns = Authority::start(Reply::NoSuchName, Reply::NoSuchName).await;
    let servers = format!("dns: {{ servers: [\"{}\"] }}\n", dns.address);
    let text = at_url("https://api.opneai.com/v1") + &servers;
    let words = ["NXDOMAIN", "did you mean api.openai.com (kind openai)?", &dns.address.to_string()];
    expect(&text, ("dns", "fail", "DNS_NXDOMAIN"), &words, "providers.a.base_url").await;
}

#[tokio::test]
async fn name_servers_that_fail_are_named() {
    let dns = Authority::start(Reply::ServFail, Reply::ServFail).await;
    let servers = format!("dns: {{ servers: [\"{}\"] }}\n", dns.address);
    let text = at_url("https://api.example.com/v1") + &servers;
    let words = ["SERVFAIL", "dns.servers", &format!("dig @127.0.0.1 -p {}", dns.address.port())];
    expect(&text, ("dns", "fail", "DNS_FAILED"), &words, "providers.a.base_url").await;
}

#[tokio::test]
async fn an_address_that_refuses_beside_one_that_answers_is_a_warning() {
    let sim = sim();
    let dns = Authority::start(at(&["127.0.0.2", "127.0.0.1"]), Reply::Empty).await;
    let text = at_url(&format!("http://model.internal:{}/v1", sim.addr().port()))
        + &format!("dns: {{ servers: [\"{}\"] }}\n", dns.address);
    let fix = format!("write http://127.0.0.1:{}/v1", sim.addr().port());
    expect(&text, ("tcp", "warn", "DUAL_LOCALHOST"), &["127.0.0.2", &fix], "providers.a.base_url").await;
    only_lists(&sim);
}

#[tokio::test]
async fn https_to_a_port_that_speaks_http() {
    let sim = sim();
    let text = at_url(&format!("https://{}/v1", sim.addr()));
    let words = ["in plain HTTP", &format!("write {}", sim.base_url())];
    expect(&text, ("tls", "fail", "TLS_PLAINTEXT_PORT"), &words, "providers.a.base_url").await;
}

#[tokio::test]
async fn http_to_a_port_that_speaks_tls() {
    let sim = sim_with(SimOptions { tls: Some(tls_identity("sim.test")), ..SimOptions::default() });
    let text = at_url(&format!("http://{}/v1", sim.addr()));
    let words = ["the port speaks TLS", &format!("write {}", sim.base_url())];
    expect(&text, ("http", "fail", ""), &words, "providers.a.base_url").await;
}

/// A simulator with a certificate, and the configuration that trusts it.
fn encrypted(dir: &Path, identity: TlsIdentity) -> (Sim, String) {
    let roots = dir.join("roots.pem");
    std::fs::write(&roots, &identity.certificate_pem).unwrap();
    let sim = sim_with(SimOptions { tls: Some(identity), ..SimOptions::default() });
    let trust = format!("tls: {{ ca_file: \"{}\" }}", roots.display());
    let text = one(&format!("base_url: \"{}\"\n    {trust}", sim.base_url()), "practice");
    (sim, text)
}

#[tokio::test]
async fn a_certificate_for_another_name() {
    let dir = TempDir::new().unwrap();
    let (sim, text) = encrypted(dir.path(), tls_identity("sim.test"));
    let words = ["the certificate is for sim.test", "expect its name: providers.a.tls.server_name"];
    expect(&text, ("tls", "fail", "TLS_NAME"), &words, "").await;
    assert!(sim.requests().is_empty(), "no key was sent to a stranger");
}

#[tokio::test]
async fn an_expired_certificate_and_one_that_soon_will_be() {
    let made = |until: (i32, u8, u8)| {
        let mut params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        params.not_after = rcgen::date_time_ymd(until.0, until.1, until.2);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        TlsIdentity { certificate_pem: certificate.pem(), key_pem: key.serialize_pem() }
    };
    let dir = TempDir::new().unwrap();
    let (_sim, text) = encrypted(dir.path(), made((2021, 2, 3)));
    let words = ["expired on 2021-02-03", "renew the certificate of 127.0.0.1"];
    expect(&text, ("tls", "fail", "TLS_UNTRUSTED"), &words, "").await;
    let (_sim, text) = encrypted(dir.path(), made((2090, 1, 1)));
    assert_eq!(bad(&text).await.0, []);
}

#[tokio::test]
async fn a_certificate_of_an_unknown_issuer() {
    let sim = sim_with(SimOptions { tls: Some(tls_identity("127.0.0.1")), ..SimOptions::default() });
    let words = ["who is not trusted here", "providers.a.tls.ca_file"];
    expect(&at_url(&sim.base_url()), ("tls", "fail", "TLS_UNTRUSTED"), &words, "").await;
}

#[tokio::test]
async fn a_key_that_the_vendor_rejects() {
    let sim = sim_with(SimOptions { api_keys: Some(vec!["another".to_owned()]), ..SimOptions::default() });
    let words = ["rejected with 401", "write a valid key: providers.a.keys[0]"];
    expect(&at_url(&sim.base_url()), ("credential", "fail", "KEY_REJECTED"), &words, "providers.a.keys[0]")
        .await;
    only_lists(&sim);
}

#[tokio::test]
async fn a_base_url_that_lacks_its_path_or_has_another() {
    let sim = sim();
    for wrong in ["", "/api"] {
        let text = at_url(&format!("http://{}{wrong}", sim.addr()));
        let words = ["answered 404", &format!("write {}, where the list of models is", sim.base_url())];
        expect(&text, ("http", "fail", ""), &words, "providers.a.base_url").await;
    }
    only_lists(&sim);
}

#[tokio::test]
async fn a_model_that_the_vendor_does_not_have() {
    let sim = sim();
    let text = one(&format!("base_url: \"{}\"", sim.base_url()), "practise");
    let words = ["\"practise\"", "write practice"];
    expect(&text, ("model", "fail", "MODEL_UNKNOWN"), &words, "models.chat.targets[0].model").await;
}

#[tokio::test]
async fn limits_credit_and_errors_of_the_vendor() {
    for (code, text, finding) in [
        (429, "limited", ("quota", "fail", "KEY_LIMITED")),
        (402, "no credit", ("quota", "fail", "BUDGET_EXHAUSTED")),
        (503, "answered 503", ("http", "fail", "UPSTREAM_ERRORS")),
    ] {
        let sim = sim();
        sim.set_fault(fault(&format!("status:{code}")));
        expect(&at_url(&sim.base_url()), finding, &[text], "").await;
        only_lists(&sim);
    }
}

#[tokio::test]
async fn one_model_or_one_provider_can_be_asked_for() {
    let sim = sim();
    let dead: SocketAddr = ([127, 0, 0, 1], dead_port()).into();
    let text = config(&format!(
        "providers:\n  good: {{ kind: openai-compatible, base_url: \"{}\" }}\n  \
           dead: {{ kind: openai-compatible, base_url: \"http://{dead}/v1\" }}\n\
         models:\n  chat: {{ targets: [{{ provider: good, model: practice }}] }}\n  \
           other: {{ targets: [{{ provider: dead, model: m }}, {{ provider: good, model: practice, tier: 1 }}] }}\n",
        sim.base_url()
    ));
    let dir = TempDir::new().unwrap();
    for (name, code, providers) in [
        (&[][..], 1, &["dead", "good"][..]),
        (&["chat"], 0, &["good"]),
        (&["other"], 1, &["dead", "good"]),
        (&["good"], 0, &["good"]),
    ] {
        let arguments: Vec<&str> = name.iter().copied().chain(["--json"]).collect();
        let diagnosis = doctor(dir.path(), &text, &arguments).await;
        assert_eq!(diagnosis.code, code, "{name:?}: {}", diagnosis.out);
        let report = diagnosis.json();
        let examined = report["providers"].as_array().unwrap().iter();
        let examined: Vec<_> = examined.map(|one| one["provider"].as_str().unwrap()).collect();
        assert_eq!(examined, providers, "{name:?}");
    }
    let unknown = doctor(dir.path(), &text, &["chatt"]).await;
    assert_eq!(unknown.code, 2);
    assert!(unknown.err.contains("did you mean chat?"), "{}", unknown.err);
}

#[tokio::test]
async fn a_configuration_that_is_none_has_an_exit_code_of_its_own() {
    let dir = TempDir::new().unwrap();
    let diagnosis = doctor(dir.path(), "version: 1\nproviderz: {}\n", &[]).await;
    assert_eq!(diagnosis.code, 3);
    assert!(diagnosis.err.contains("wellhead.yaml:2:1"), "{}", diagnosis.err);
}

#[tokio::test]
async fn a_running_gateway_adds_what_it_has_met() {
    let sim = sim_with(SimOptions { api_keys: Some(vec!["another".to_owned()]), ..SimOptions::default() });
    let text = at_url(&sim.base_url());
    let gateway = Gateway::start(&text).await;
    let dir = gateway.dir();
    let data = dir.join("data").display().to_string();
    let arguments = ["--json", "--data-dir", &data];
    let before = doctor(dir, &text, &arguments).await.json();
    assert_eq!(before["gateway"]["remarks"], serde_json::json!([]), "{before:#}");
    assert_ne!(gateway.chat(false).await.status, 200);
    let after = doctor(dir, &text, &arguments).await.json();
    let remark = after["gateway"]["remarks"][0].as_str().unwrap();
    assert!(remark.starts_with("key …4b of a is rejected"), "{remark}");
}
