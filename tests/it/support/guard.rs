//! A server in front of a simulator that looks at every request first: lets it pass, or answers itself.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A request, as it came.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    /// With the query.
    pub(crate) path: String,
    /// Names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

/// What becomes of a request.
pub(crate) enum Ruling {
    /// It goes to this server, under this path.
    Pass(SocketAddr, String),
    /// It is answered with a status, header lines and a body.
    Say(u16, Vec<(&'static str, String)>, String),
}

/// The server; it ends with the test.
pub(crate) struct Guard {
    addr: SocketAddr,
    seen: Arc<Mutex<Vec<Asked>>>,
}

impl Guard {
    pub(crate) async fn start(rule: impl Fn(&Asked) -> Ruling + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let seen = Arc::<Mutex<Vec<Asked>>>::default();
        let (rule, log) = (Arc::new(rule), seen.clone());
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (rule, log) = (rule.clone(), log.clone());
                tokio::spawn(async move {
                    let mut socket = socket;
                    let Some(asked) = read(&mut socket).await else { return };
                    let ruling = rule(&asked);
                    log.lock().unwrap().push(asked.clone());
                    serve(socket, asked, ruling).await;
                });
            }
        });
        Self { addr, seen }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }

    /// Everything that was asked.
    pub(crate) fn seen(&self) -> Vec<Asked> {
        self.seen.lock().unwrap().clone()
    }
}

/// One request; each connection has one, so that bytes can be copied until the end.
async fn read(socket: &mut TcpStream) -> Option<Asked> {
    let mut bytes = Vec::new();
    let mut piece = vec![0; 64 * 1024];
    let head = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at;
        }
        let n = socket.read(&mut piece).await.ok().filter(|n| *n > 0)?;
        bytes.extend_from_slice(&piece[..n]);
    };
    let text = String::from_utf8(bytes[..head].to_vec()).unwrap();
    let mut lines = text.split("\r\n");
    let (method, rest) = lines.next()?.split_once(' ')?;
    let headers: BTreeMap<String, String> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = bytes[head + 4..].to_vec();
    while body.len() < length {
        let n = socket.read(&mut piece).await.ok().filter(|n| *n > 0)?;
        body.extend_from_slice(&piece[..n]);
    }
    let path = rest.trim_end_matches(" HTTP/1.1").to_owned();
    Some(Asked { method: method.to_owned(), path, headers, body })
}

async fn serve(mut socket: TcpStream, asked: Asked, ruling: Ruling) {
    match ruling {
        Ruling::Say(status, headers, body) => {
            let mut text =
                format!("HTTP/1.1 {status} Said\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
            for (name, value) in headers {
                text.push_str(&format!("{name}: {value}\r\n"));
            }
            text.push_str("\r\n");
            text.push_str(&body);
            drop(socket.write_all(text.as_bytes()).await);
        }
        Ruling::Pass(to, path) => {
            let mut head = format!("{} {path} HTTP/1.1\r\nconnection: close\r\n", asked.method);
            for (name, value) in asked.headers.iter().filter(|(name, _)| *name != "connection") {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
            head.push_str("\r\n");
            let mut upstream = TcpStream::connect(to).await.unwrap();
            upstream.write_all(head.as_bytes()).await.unwrap();
            upstream.write_all(&asked.body).await.unwrap();
            drop(tokio::io::copy(&mut upstream, &mut socket).await);
        }
    }
    drop(socket.shutdown().await);
}
