//! TLS, with HTTP/1.1 and HTTP/2 by ALPN.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs};
use wellhead_sim::{Ended, Sim, SimOptions, TlsIdentity};

use crate::client::{CHAT, chat, sim_with};

async fn connect(
    sim: &Sim,
    root: &CertificateDer<'static>,
    protocol: &[u8],
) -> TlsStream<tokio::net::TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(root.clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let mut config = config
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.to_vec()];
    let socket = tokio::net::TcpStream::connect(sim.addr()).await.unwrap();
    TlsConnector::from(Arc::new(config))
        .connect(ServerName::try_from("localhost").unwrap(), socket)
        .await
        .unwrap()
}

fn identity() -> (TlsIdentity, CertificateDer<'static>) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let identity =
        TlsIdentity { certificate_pem: made.cert.pem(), key_pem: made.signing_key.serialize_pem() };
    (identity, made.cert.der().clone())
}

#[tokio::test]
async fn both_protocols_are_spoken_behind_tls() {
    let (identity, root) = identity();
    let sim = sim_with(|options| options.tls = Some(identity));
    assert!(sim.base_url().starts_with("https://127.0.0.1:"));
    let mut stream = connect(&sim, &root, b"http/1.1").await;
    let body = chat("m", true).to_string();
    let head = format!(
        "POST {CHAT} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all((head + &body).as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    assert!(text.starts_with("HTTP/1.1 200 OK\r\n") && text.ends_with("data: [DONE]\n\n\r\n0\r\n\r\n"));

    let stream = connect(&sim, &root, b"h2").await;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let io = hyper_util::rt::TokioIo::new(stream);
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(hyper_util::rt::TokioExecutor::new(), io).await.unwrap();
    tokio::spawn(connection);
    let request = http::Request::get("https://localhost/v1/models").body(String::new()).unwrap();
    assert_eq!(sender.send_request(request).await.unwrap().status(), 200);
    assert_eq!(sim.requests().iter().map(|entry| entry.version).collect::<Vec<_>>(), ["HTTP/1.1", "HTTP/2"]);
}

#[tokio::test]
async fn a_cut_behind_tls_is_an_end_without_the_end_of_the_answer() {
    let (identity, root) = identity();
    let sim = sim_with(|options| options.tls = Some(identity));
    let mut stream = connect(&sim, &root, b"http/1.1").await;
    let body = chat("m+cut-after-2", true).to_string();
    stream
        .write_all(format!("POST {CHAT} HTTP/1.1\r\ncontent-length: {}\r\n\r\n{body}", body.len()).as_bytes())
        .await
        .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    assert_eq!(text.matches("data: ").count(), 1 + 2);
    let log = sim.wait_for(|log| log[0].ended.is_some(), Duration::from_secs(10)).await.unwrap();
    assert_eq!(log[0].ended, Some(Ended::Cut));
}

#[tokio::test]
async fn an_identity_that_cannot_be_used_is_an_error_at_start() {
    let tls = TlsIdentity { certificate_pem: "nothing".into(), key_pem: "nothing".into() };
    let error = Sim::start(SimOptions { tls: Some(tls), ..SimOptions::default() }).unwrap_err();
    assert!(error.to_string().contains("TLS"));
}
