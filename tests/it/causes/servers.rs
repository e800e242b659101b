//! Servers that go wrong in one way each, below HTTP.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::server::WebPkiClientVerifier;
use rustls::version::{TLS12, TLS13};
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};
use rustls_pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_rustls::TlsAcceptor;

/// The name that the gateway expects in certificates.
pub(super) const NAME: &str = "api.causes.test";

/// What is wrong with a server that speaks TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrong {
    /// The certificate is for other names.
    Name,
    /// Its time is over.
    Expired,
    /// Its time has not come.
    Early,
    /// Nobody who is trusted has signed it.
    Stranger,
    /// It wants a certificate of the client's; the flag asks for TLS 1.2.
    Client { old: bool },
}

/// A certificate authority.
pub(super) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(super) fn new(name: &str) -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(super) fn pem(&self) -> String {
        self.0.pem()
    }

    fn config(&self, wrong: Wrong) -> ServerConfig {
        let name = if wrong == Wrong::Name { "other.causes.test" } else { NAME };
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.not_after = rcgen::date_time_ymd(2090, 1, 1);
        match wrong {
            Wrong::Expired => {
                params.not_before = rcgen::date_time_ymd(2020, 1, 1);
                params.not_after = rcgen::date_time_ymd(2021, 1, 1);
            }
            Wrong::Early => params.not_before = rcgen::date_time_ymd(2089, 1, 1),
            Wrong::Name | Wrong::Stranger | Wrong::Client { .. } => {}
        }
        let stranger = Self::new("Nobody");
        let issuer = if wrong == Wrong::Stranger { &stranger } else { self };
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &issuer.0).unwrap().der().clone();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let version: &'static SupportedProtocolVersion =
            if wrong == (Wrong::Client { old: true }) { &TLS12 } else { &TLS13 };
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
        let builder = builder.with_protocol_versions(&[version]).unwrap();
        let builder = match wrong {
            Wrong::Client { .. } => {
                let mut roots = RootCertStore::empty();
                roots.add(self.0.der().clone()).unwrap();
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                builder.with_client_cert_verifier(verifier.build().unwrap())
            }
            _ => builder.with_no_client_auth(),
        };
        let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        builder.with_single_cert(vec![certificate], key).unwrap()
    }

    /// A server with that fault. Whoever gets through to it is answered with an empty 200.
    pub(super) async fn serve(&self, wrong: Wrong) -> SocketAddr {
        let acceptor = TlsAcceptor::from(Arc::new(self.config(wrong)));
        accept(move |tcp| {
            let acceptor = acceptor.clone();
            async move {
                let Ok(mut stream) = acceptor.accept(tcp).await else { return };
                let mut request = [0; 4_096];
                while stream.read(&mut request).await.is_ok_and(|read| read > 0) {
                    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.ok();
                }
            }
        })
        .await
    }
}

async fn accept<F>(serve: impl Fn(TcpStream) -> F + Send + 'static) -> SocketAddr
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            tokio::spawn(serve(tcp));
        }
    });
    address
}

/// Answers the first bytes with these, or says them at once, and closes when the client does.
pub(super) async fn says(words: &'static [u8], at_once: bool) -> SocketAddr {
    accept(move |mut tcp| async move {
        let mut read = [0; 4_096];
        if at_once || tcp.read(&mut read).await.is_ok_and(|read| read > 0) {
            tcp.write_all(words).await.ok();
            // Closing with unread bytes would be a reset, which takes back what was said.
            while tcp.read(&mut read).await.is_ok_and(|read| read > 0) {}
        }
    })
    .await
}

/// Reads the first bytes and closes.
pub(super) async fn hangs_up() -> SocketAddr {
    accept(|mut tcp| async move {
        let read = tcp.read(&mut [0; 4_096]).await;
        drop((read, tcp));
    })
    .await
}

/// Takes connections, reads, and says nothing.
pub(super) async fn mute() -> SocketAddr {
    says(b"", true).await
}

/// A port whose queue of connections is full: the system answers no further one.
pub(super) struct Full {
    pub(super) address: SocketAddr,
    _kept: (TcpListener, Vec<TcpStream>),
}

impl Full {
    pub(super) async fn new() -> Self {
        /// The queue has room for two; a few more on systems that round up.
        const CONNECTIONS_MAX: usize = 64;
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(1).unwrap();
        let address = listener.local_addr().unwrap();
        let mut queued = Vec::new();
        while let Ok(connected) =
            tokio::time::timeout(Duration::from_millis(200), TcpStream::connect(address)).await
        {
            queued.push(connected.unwrap());
            assert!(queued.len() < CONNECTIONS_MAX, "the queue of the port does not fill up");
        }
        Self { address, _kept: (listener, queued) }
    }
}
