//! TLS to targets: the roots and the name that the configuration gives, and no others.

use std::sync::Arc;

use tempfile::TempDir;
use wellhead_sim::{Sim, SimOptions};

use crate::support::{Answer, Gateway, config, expected, sim_with, tls_identity};

fn encrypted() -> (Sim, String) {
    let identity = tls_identity("sim.test");
    let pem = identity.certificate_pem.clone();
    let options = SimOptions {
        tls: Some(identity),
        tokens_default: 24,
        token_pace: std::time::Duration::from_millis(1),
        ..SimOptions::default()
    };
    (sim_with(options), pem)
}

async fn ask(sim: &Sim, roots: &str, tls: &str, more: &str) -> Answer {
    let dir = Arc::new(TempDir::new().unwrap());
    std::fs::write(dir.path().join("roots.pem"), roots).unwrap();
    let text = config(&format!(
        "providers:\n  a: {{ kind: openai-compatible, base_url: \"{}\", keys: [k-1], tls: {{ {tls} }}{more} }}\n\
         models:\n  chat: {{ targets: [{{ provider: a, model: m1 }}], attempts_max: 1 }}\n",
        sim.base_url()
    ));
    Gateway::start_in(dir, Some(&text), &[]).await.chat(true).await
}

#[tokio::test]
async fn a_target_is_trusted_by_the_configured_roots_and_name() {
    for (more, version) in
        [("", "HTTP/2"), (", protocol: http2", "HTTP/2"), (", protocol: http1", "HTTP/1.1")]
    {
        let (sim, roots) = encrypted();
        let answer = ask(&sim, &roots, "ca_file: roots.pem, server_name: sim.test", more).await;
        assert_eq!(answer.status, 200, "{more}: {}", answer.everything());
        assert_eq!(answer.content(), expected().await);
        assert_eq!(sim.requests()[0].version, version, "{more}");
    }
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_gets_no_request_and_no_key() {
    let stranger = tls_identity("sim.test").certificate_pem;
    let (sim, own) = encrypted();
    for (roots, tls) in [
        (stranger.as_str(), "ca_file: roots.pem, server_name: sim.test"),
        (own.as_str(), "ca_file: roots.pem, server_name: other.test"),
        (own.as_str(), "server_name: sim.test"),
    ] {
        let answer = ask(&sim, roots, tls, "").await;
        assert_eq!((answer.status, answer.code().as_str()), (503, "no_healthy_upstream"), "{tls}");
        assert!(
            answer.header("proxy-status").contains("tls_certificate_error"),
            "{tls}: {:?}",
            answer.headers
        );
    }
    assert!(sim.requests().is_empty());
}
