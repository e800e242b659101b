//! Failures of names, connections and handshakes, each over real sockets: the cause and the evidence have to be those
//! of the fault that was made.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

#[path = "../dns/authority.rs"]
#[expect(dead_code, reason = "shared with the tests of the resolver, who ask more of it")]
mod authority;
mod server;

use authority::Reply;
use server::{Authority, Client, VERSIONS};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use wellhead_net::{
    AddressState, Connector, Endpoint, OutBody, Pool, PoolLimits, Protocol, Resolver, SendError, TlsOptions,
};
use wellhead_types::{Cause, Stage};

/// Longer than any answer on a loopback takes, so that what comes sooner is no timeout.
const CONNECT_MAX: Duration = Duration::from_secs(20);

/// A connector that knows the name `dual.example`, with these addresses, and asks nobody.
fn connector(addresses: &[&str]) -> Connector {
    let file = tempfile::NamedTempFile::new().unwrap();
    let lines: Vec<_> = addresses.iter().map(|address| format!("{address} dual.example\n")).collect();
    std::fs::write(file.path(), lines.concat()).unwrap();
    // Read at every look-up, so it has to stay; the system cleans up.
    Connector::new(Resolver::with_hosts_file(file.keep().unwrap().1))
}

fn endpoint(host: &str, port: u16, tls: Option<TlsOptions>) -> Endpoint {
    Endpoint { host: host.to_owned(), port, tls, protocol: Protocol::Auto, connect_timeout: CONNECT_MAX }
}

async fn send(connector: &Connector, endpoint: Endpoint) -> Result<u16, SendError> {
    let pool = Pool::new(connector.clone(), PoolLimits::default());
    let uri = format!("https://{}/", endpoint.host);
    let build = move |version: http::Version| {
        let uri = if version == http::Version::HTTP_2 { uri.as_str() } else { "/" };
        let request = http::Request::builder().version(version).uri(uri).header("host", "api.example.com");
        request.body(OutBody::empty()).unwrap()
    };
    pool.send(&Arc::new(endpoint), &build).await.map(|response| response.status().as_u16())
}

/// Sends over TLS and expects a certificate for `name`.
async fn send_tls(authority: &Authority, to: SocketAddr, name: &str) -> Result<u16, SendError> {
    let tls = TlsOptions { ca_file: Some(authority.file()), server_name: Some(name.to_owned()) };
    send(&Connector::default(), endpoint("127.0.0.1", to.port(), Some(tls))).await
}

/// The failure has this cause, at the stage of TLS, and its evidence names all of this.
fn check(result: Result<u16, SendError>, cause: Cause, evidence: &[&str]) {
    let error = result.unwrap_err();
    assert_eq!((error.stage, error.cause), (Stage::Tls, cause), "{}", error.detail);
    for text in evidence {
        assert!(error.detail.contains(text), "{text:?} is missing in: {}", error.detail);
    }
    assert!(error.unprocessed, "nothing of the request was read");
}

#[tokio::test]
async fn a_good_certificate_is_good_with_both_versions_and_protocols() {
    let authority = Authority::new("Good CA");
    for version in VERSIONS {
        for alpn in ["http/1.1", "h2"] {
            let certificate = authority.certificate(&["api.example.com"], |_| ());
            let server =
                server::tls(authority.config(certificate, Client::Anonymous, version, &[alpn])).await;
            assert_eq!(send_tls(&authority, server, "api.example.com").await.unwrap(), 200);
        }
    }
}

#[tokio::test]
async fn a_certificate_for_other_names_names_what_was_sent_and_what_was_received() {
    let authority = Authority::new("Other CA");
    for version in VERSIONS {
        let certificate = authority.certificate(&["other.example", "*.inner.example"], |_| ());
        let server = server::tls(authority.config(certificate, Client::Anonymous, version, &[])).await;
        let result = send_tls(&authority, server, "api.example.com").await;
        let evidence =
            ["SNI sent: api.example.com", "other.example, *.inner.example", "Other CA", "2090-01-01"];
        check(result, Cause::TlsName, &evidence);
    }
}

#[tokio::test]
async fn an_address_is_no_name_in_the_certificate() {
    let authority = Authority::new("Other CA");
    let certificate = authority.certificate(&["other.example"], |_| ());
    let server = server::tls(authority.config(certificate, Client::Anonymous, VERSIONS[1], &[])).await;
    check(send_tls(&authority, server, "127.0.0.1").await, Cause::TlsName, &["no SNI sent", "127.0.0.1"]);
}

#[tokio::test]
async fn an_expired_certificate_says_since_when() {
    let authority = Authority::new("Slow CA");
    let certificate = authority.certificate(&["api.example.com"], |params| {
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(2021, 2, 3);
    });
    let server = server::tls(authority.config(certificate, Client::Anonymous, VERSIONS[1], &[])).await;
    let result = send_tls(&authority, server, "api.example.com").await;
    check(result, Cause::TlsCertificate, &["expired on 2021-02-03", "api.example.com", "Slow CA"]);
}

#[tokio::test]
async fn a_certificate_of_the_future_says_from_when() {
    let authority = Authority::new("Hasty CA");
    let certificate = authority.certificate(&["api.example.com"], |params| {
        params.not_before = rcgen::date_time_ymd(2089, 4, 5);
    });
    let server = server::tls(authority.config(certificate, Client::Anonymous, VERSIONS[1], &[])).await;
    let result = send_tls(&authority, server, "api.example.com").await;
    check(result, Cause::TlsCertificate, &["not valid before 2089-04-05", "clock"]);
}

#[tokio::test]
async fn an_unknown_issuer_is_named() {
    let (authority, stranger) = (Authority::new("Known CA"), Authority::new("Corporate Proxy CA"));
    let certificate = stranger.certificate(&["api.example.com"], |_| ());
    let server = server::tls(stranger.config(certificate, Client::Anonymous, VERSIONS[1], &[])).await;
    let result = send_tls(&authority, server, "api.example.com").await;
    check(result, Cause::TlsCertificate, &["Corporate Proxy CA, who is not trusted"]);
}

/// With TLS 1.3 the alert comes only when the handshake is over and the request is out, over HTTP/2 in the background.
#[tokio::test]
async fn a_server_that_wants_a_client_certificate() {
    let authority = Authority::new("CA");
    for version in VERSIONS {
        for alpn in [&[][..], &["http/1.1"], &["h2"]] {
            let certificate = authority.certificate(&["api.example.com"], |_| ());
            let server = server::tls(authority.config(certificate, Client::Certified, version, alpn)).await;
            let result = send_tls(&authority, server, "api.example.com").await;
            check(result, Cause::TlsClientCertificate, &["alert 116, CertificateRequired"]);
        }
    }
}

#[tokio::test]
async fn a_port_that_speaks_no_tls_says_what_it_speaks() {
    let authority = Authority::new("CA");
    for (first, at_once, evidence) in [
        (
            "HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n",
            false,
            "in plain HTTP: \"HTTP/1.1 400 Bad Request\"",
        ),
        ("SSH-2.0-OpenSSH_9.6\r\n", true, "in SSH: \"SSH-2.0-OpenSSH_9.6\""),
        ("-ERR unknown command\r\n", false, "in text: \"-ERR unknown command\""),
    ] {
        let server = server::plain(first, at_once).await;
        check(send_tls(&authority, server, "api.example.com").await, Cause::TlsPlaintext, &[evidence]);
    }
}

#[tokio::test]
async fn a_handshake_that_is_cut_or_never_answered_is_no_plain_port() {
    let authority = Authority::new("CA");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let accepting = tokio::spawn(async move { drop(listener.accept().await) });
    check(send_tls(&authority, address, "api.example.com").await, Cause::TlsError, &[]);
    accepting.await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let tls = Some(TlsOptions { ca_file: Some(authority.file()), server_name: None });
    let mut silent = endpoint("127.0.0.1", listener.local_addr().unwrap().port(), tls);
    silent.connect_timeout = Duration::from_millis(200);
    let result = send(&Connector::default(), silent).await;
    check(result, Cause::ConnectTimeout, &["TLS handshake was not answered within 200ms"]);
}

/// The port of a listener on `127.0.0.1`, and the listener.
async fn listener() -> (u16, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    (listener.local_addr().unwrap().port(), listener)
}

#[tokio::test]
async fn refused_is_the_cause_when_all_addresses_refuse() {
    let (port, listener) = listener().await;
    drop(listener);
    let connector = connector(&["127.0.0.2", "127.0.0.1"]);
    let error = send(&connector, endpoint("dual.example", port, None)).await.unwrap_err();
    assert_eq!((error.stage, error.cause), (Stage::Connect, Cause::ConnectionRefused));
    for address in ["127.0.0.1", "127.0.0.2"] {
        assert!(error.detail.contains(&format!("{address}:{port}")), "{}", error.detail);
    }
}

#[tokio::test]
async fn an_address_that_refuses_beside_one_that_answers_is_survived_and_reported() {
    let address = server::plain("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", false).await;
    let connector = connector(&["127.0.0.2", "127.0.0.1"]);
    let send = send(&connector, endpoint("dual.example", address.port(), None));
    assert_eq!(send.await.unwrap(), 200);
    let report = connector.resolver().report();
    assert_eq!(report[0].finding.unwrap().as_str(), "DUAL_LOCALHOST");
    let [partly] = &report[0].partly_refused[..] else { panic!("{report:?}") };
    assert_eq!((partly.port, partly.refusing.len()), (address.port(), 1));
    assert_eq!(
        (partly.refusing[0].to_string(), partly.answering.to_string()),
        ("127.0.0.2".into(), "127.0.0.1".into())
    );
}

#[tokio::test]
async fn addresses_that_all_answer_are_nothing_to_report() {
    let address = server::plain("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", false).await;
    let connector = connector(&["127.0.0.1"]);
    assert_eq!(send(&connector, endpoint("dual.example", address.port(), None)).await.unwrap(), 200);
    assert_eq!(connector.resolver().report()[0].finding, None);
}

#[tokio::test]
async fn a_name_that_is_denied_does_not_exist_and_one_that_fails_is_an_error_of_dns() {
    for (reply, cause, text) in [
        (Reply::NoSuchName, Cause::NameNotFound, "NXDOMAIN"),
        (Reply::ServFail, Cause::DnsError, "SERVFAIL"),
        (Reply::Empty, Cause::DnsError, "empty answer"),
        (Reply::Silence, Cause::DnsError, "no answer"),
    ] {
        let dns = authority::Authority::start(reply.clone(), reply).await;
        let connector = Connector::new(Resolver::with_hosts_file("/nonexistent/hosts"));
        connector.resolver().configure(&[dns.address], [""; 0]);
        let error = send(&connector, endpoint("api.example.com", 443, None)).await.unwrap_err();
        assert_eq!((error.stage, error.cause), (Stage::Resolve, cause), "{}", error.detail);
        assert!(error.detail.contains(text) && error.detail.contains("api.example.com"), "{}", error.detail);
    }
}

/// A denial is not believed while addresses are known: they are used on, and their failures have causes of their own.
#[tokio::test]
async fn a_denial_takes_no_address_away() {
    let server = server::plain("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", false).await;
    let dns = authority::Authority::start(authority::at(&["127.0.0.1"]), Reply::Empty).await;
    let connector = Connector::new(Resolver::with_hosts_file("/nonexistent/hosts"));
    connector.resolver().configure(&[dns.address], ["api.example.com"]);
    let to = |port| endpoint("api.example.com", port, None);
    assert_eq!(send(&connector, to(server.port())).await.unwrap(), 200);
    dns.set(Reply::NoSuchName, Reply::NoSuchName);
    let (refusing, listener) = listener().await;
    drop(listener);
    let denied = async {
        while connector.resolver().report()[0].finding.is_none() {
            let error = send(&connector, to(refusing)).await.unwrap_err();
            assert_eq!(error.cause, Cause::ConnectionRefused, "{}", error.detail);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), denied).await.expect("the denial is noticed");
    assert_eq!(send(&connector, to(server.port())).await.unwrap(), 200);
}

#[tokio::test]
async fn an_examination_tells_every_layer() {
    let authority = Authority::new("Good CA");
    let certificate = authority.certificate(&["dual.example"], |_| ());
    let server =
        server::tls(authority.config(certificate, Client::Anonymous, VERSIONS[1], &["http/1.1"])).await;
    let connector = connector(&["127.0.0.2", "127.0.0.1"]);
    let tls = TlsOptions { ca_file: Some(authority.file()), server_name: None };
    let seen = connector.examine(&endpoint("dual.example", server.port(), Some(tls))).await;
    assert_eq!(seen.name.value.unwrap().len(), 2);
    let states: Vec<_> =
        seen.addresses.iter().map(|(at, state)| (at.ip().to_string(), state.value.clone())).collect();
    let expected = [("127.0.0.2", AddressState::Refused), ("127.0.0.1", AddressState::Connected)];
    assert_eq!(states, expected.map(|(at, state)| (at.to_owned(), state)));
    let facts = seen.tls.unwrap().value.unwrap();
    assert_eq!((facts.version, facts.alpn.as_deref()), ("TLS 1.3", Some("http/1.1")));
    let certificate = facts.certificate.unwrap();
    assert_eq!((certificate.names_text().as_str(), certificate.issuer.as_str()), ("dual.example", "Good CA"));
}

#[tokio::test]
async fn an_examination_ends_where_a_layer_fails() {
    let dns = authority::Authority::start(Reply::NoSuchName, Reply::NoSuchName).await;
    let connector = Connector::new(Resolver::with_hosts_file("/nonexistent/hosts"));
    connector.resolver().configure(&[dns.address], [""; 0]);
    let tls = Some(TlsOptions::default());
    let seen = connector.examine(&endpoint("api.example.com", 443, tls)).await;
    assert_eq!(seen.name.value.unwrap_err().cause, Cause::NameNotFound);
    assert!(seen.addresses.is_empty() && seen.tls.is_none());
}

#[tokio::test]
async fn the_server_that_told_the_addresses_is_known() {
    let dns = authority::Authority::start(authority::at(&["127.0.0.1"]), Reply::Empty).await;
    let connector = Connector::new(Resolver::with_hosts_file("/nonexistent/hosts"));
    connector.resolver().configure(&[dns.address], [""; 0]);
    let seen = connector.examine(&endpoint("api.example.com", 9, None)).await;
    assert!(seen.name.value.is_ok());
    assert_eq!(connector.resolver().report()[0].answered_by, Some(dns.address));
}
