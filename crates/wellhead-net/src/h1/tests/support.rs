//! A server that does what a test says, and a client in front of it.

use crate::{Connector, Endpoint, InBody, OutBody, Pool, PoolLimits, Protocol, SendError, TlsOptions};
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// Against a test that hangs; nothing is measured with it.
const HUNG: Duration = Duration::from_secs(60);

pub(super) async fn guard<T>(test: impl Future<Output = T>) -> T {
    tokio::time::timeout(HUNG, test).await.expect("the test hangs")
}

/// Where the client's requests arrive.
pub(super) struct Peer {
    listener: TcpListener,
    pub(super) endpoint: Arc<Endpoint>,
    tls: Option<TlsAcceptor>,
    /// Held for as long as it may be read.
    _ca: Option<tempfile::NamedTempFile>,
}

impl Peer {
    /// In clear text.
    pub(super) async fn clear() -> Self {
        Self::new(None, None, None).await
    }

    /// Behind TLS, with a certificate that the endpoint trusts.
    pub(super) async fn tls() -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = rustls_pki_types::PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key.into())
            .unwrap();
        let ca = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(ca.path(), made.cert.pem()).unwrap();
        let options =
            TlsOptions { ca_file: Some(ca.path().to_owned()), server_name: Some("localhost".to_owned()) };
        Self::new(Some(options), Some(TlsAcceptor::from(Arc::new(config))), Some(ca)).await
    }

    pub(super) async fn either(tls: bool) -> Self {
        if tls { Self::tls().await } else { Self::clear().await }
    }

    async fn new(
        options: Option<TlsOptions>,
        tls: Option<TlsAcceptor>,
        ca: Option<tempfile::NamedTempFile>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = Arc::new(Endpoint {
            host: "127.0.0.1".to_owned(),
            port: listener.local_addr().unwrap().port(),
            tls: options,
            protocol: Protocol::Http1,
            connect_timeout: HUNG,
        });
        Self { listener, endpoint, tls, _ca: ca }
    }

    pub(super) async fn accept(&self) -> Conn {
        let (tcp, _) = self.listener.accept().await.unwrap();
        tcp.set_nodelay(true).unwrap();
        match &self.tls {
            Some(tls) => Conn::new(tls.accept(tcp).await.unwrap()),
            None => Conn::new(tcp),
        }
    }

    /// Nobody else has connected.
    pub(super) async fn is_left_alone(&self) -> bool {
        settle().await;
        tokio::select! {
            biased;
            _ = self.listener.accept() => false,
            () = std::future::ready(()) => true,
        }
    }

    /// The next request, and the connection that it comes on. `true` if it is `old`, which is closed otherwise or
    /// stays silent.
    pub(super) async fn asked_again(&self, mut old: Conn) -> (bool, Conn) {
        // Kept while the old one is looked at: it may have been accepted by then.
        let fresh = self.asked();
        tokio::pin!(fresh);
        tokio::select! {
            biased;
            request = old.try_request() => if request.is_some() {
                return (true, old);
            },
            conn = &mut fresh => return (false, conn),
        }
        (false, fresh.await)
    }

    /// A new connection whose request has been read whole.
    pub(super) async fn asked(&self) -> Conn {
        let mut conn = self.accept().await;
        conn.request().await;
        conn
    }
}

pub(super) trait Io: AsyncRead + AsyncWrite + Unpin + Send {
    fn tcp(&self) -> &TcpStream;
}

impl Io for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }
}

impl Io for tokio_rustls::server::TlsStream<TcpStream> {
    fn tcp(&self) -> &TcpStream {
        self.get_ref().0
    }
}

/// One connection, from the server's side.
pub(super) struct Conn {
    pub(super) io: Box<dyn Io>,
    /// Read and not yet taken.
    read: Vec<u8>,
}

impl Conn {
    fn new(io: impl Io + 'static) -> Self {
        Self { io: Box::new(io), read: Vec::new() }
    }

    /// One whole request, head and body; `None` if the client has closed before its first byte.
    pub(super) async fn try_request(&mut self) -> Option<Vec<u8>> {
        loop {
            if let Some(bytes) = request_bytes(&self.read) {
                return Some(self.read.drain(..bytes).collect());
            }
            match self.io.read_buf(&mut self.read).await {
                Ok(0) if self.read.is_empty() => return None,
                Ok(0) => panic!("a request cut short: {:?}", String::from_utf8_lossy(&self.read)),
                Ok(_) => {}
                Err(error) if is_close(&error) => return None,
                Err(error) => panic!("{error}"),
            }
        }
    }

    pub(super) async fn request(&mut self) -> Vec<u8> {
        self.try_request().await.expect("closed without a request")
    }

    pub(super) async fn say(&mut self, bytes: impl AsRef<[u8]>) {
        self.io.write_all(bytes.as_ref()).await.unwrap();
        self.io.flush().await.unwrap();
    }

    /// Waits until the client has closed; whatever it still sends is read. Returns how many bytes that were.
    pub(super) async fn closed(mut self) -> usize {
        let mut bytes = self.read.len();
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match self.io.read(&mut buffer).await {
                Ok(0) => return bytes,
                Ok(more) => bytes += more,
                Err(error) if is_close(&error) => return bytes,
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// An orderly end: `close_notify` where there is TLS, then FIN.
    pub(super) async fn finish(mut self) {
        self.io.shutdown().await.unwrap();
    }

    /// An end without a word of TLS: FIN, or RST.
    pub(super) fn hang_up(self, how: HangUp) {
        if how == HangUp::Reset {
            socket2::SockRef::from(self.io.tcp()).set_linger(Some(Duration::ZERO)).unwrap();
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HangUp {
    Fin,
    Reset,
}

fn is_close(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::UnexpectedEof)
}

/// The length of the request at the beginning, once all of it is there.
fn request_bytes(read: &[u8]) -> Option<usize> {
    let head = read.windows(4).position(|w| w == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&read[..head]).unwrap();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length: "));
    let whole = head + length.map_or(0, |text| text.parse::<usize>().unwrap());
    (read.len() >= whole).then_some(whole)
}

/// Lets the client see everything that has reached its sockets: what the kernel had ready before these round trips was
/// ready before their own bytes were.
pub(super) async fn settle() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (client, server) =
        tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
    let (mut client, (mut server, _)) = (client.unwrap(), server.unwrap());
    for _ in 0..4 {
        client.write_all(b"x").await.unwrap();
        server.read_u8().await.unwrap();
        server.write_all(b"x").await.unwrap();
        client.read_u8().await.unwrap();
    }
}

pub(super) fn pool() -> Pool {
    Pool::new(Connector::default(), PoolLimits::default())
}

pub(super) fn post(body: Bytes) -> Request<OutBody> {
    Request::post("/v1/x").header("host", "a.example").body(OutBody::full(body)).unwrap()
}

/// Asks with a small POST.
pub(super) async fn send(pool: &Pool, peer: &Peer) -> Result<Response<InBody>, SendError> {
    pool.send(&peer.endpoint, &|_| post(Bytes::from_static(b"question"))).await
}

/// Asks and reads the whole answer.
pub(super) async fn ask(pool: &Pool, peer: &Peer) -> Result<(StatusCode, Bytes), SendError> {
    read(send(pool, peer).await?).await
}

pub(super) async fn ask_by(
    pool: &Pool,
    peer: &Peer,
    method: &Method,
) -> Result<(StatusCode, Bytes), SendError> {
    let build = |_| Request::builder().method(method).uri("/").body(OutBody::empty()).unwrap();
    read(pool.send(&peer.endpoint, &build).await?).await
}

pub(super) async fn read(response: Response<InBody>) -> Result<(StatusCode, Bytes), SendError> {
    let status = response.status();
    Ok((status, response.into_body().collect().await?.to_bytes()))
}

/// An answer with this body and a length.
pub(super) fn answer(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

/// One exchange that leaves an idle connection.
pub(super) async fn idle(pool: &Pool, peer: &Peer) -> Conn {
    let (got, conn) = tokio::join!(ask(pool, peer), async {
        let mut conn = peer.asked().await;
        conn.say(answer("first")).await;
        conn
    });
    assert_eq!(got.unwrap().1, "first");
    conn
}

/// The next request is asked on another connection and answered there.
pub(super) async fn is_replaced(pool: &Pool, peer: &Peer) {
    let (got, ()) = tokio::join!(ask(pool, peer), async {
        let mut conn = peer.asked().await;
        conn.say(answer("fresh")).await;
    });
    assert_eq!(got.unwrap().1, "fresh");
}
