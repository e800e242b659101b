//! A server that answers as a test says and remembers what it was asked.

use crate::error::FetchError;
use crate::keeper::fetch_once;
use crate::material::Material;
use crate::surroundings::Surroundings;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use wellhead_config::snapshot::{BaseUrl, TokenSource};
use wellhead_net::Connector;

/// What was asked.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// Method and path with query: `GET /a?b=c`.
    pub(super) line: String,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: String,
}

impl Asked {
    /// A field of the form in the body, decoded.
    pub(super) fn field(&self, name: &str) -> Option<String> {
        let pair = self.body.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}=")))?;
        let mut decoded = Vec::new();
        let mut bytes = pair.bytes();
        while let Some(byte) = bytes.next() {
            if byte == b'%' {
                let digits: Vec<u8> = bytes.by_ref().take(2).collect();
                decoded.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
            } else {
                decoded.push(byte);
            }
        }
        Some(String::from_utf8(decoded).unwrap())
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

pub(super) struct Fake {
    port: u16,
    seen: Arc<Mutex<Vec<Asked>>>,
}

impl Fake {
    /// Answers with a status and a body.
    pub(super) async fn start(answer: impl Fn(&Asked) -> (u16, String) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::<Mutex<Vec<Asked>>>::default();
        let (answer, log) = (Arc::new(answer), seen.clone());
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (answer, log) = (answer.clone(), log.clone());
                tokio::spawn(async move {
                    let mut socket = socket;
                    while let Some(asked) = read(&mut socket).await {
                        let (status, body) = answer(&asked);
                        log.lock().unwrap().push(asked);
                        let text =
                            format!("HTTP/1.1 {status} Said\r\ncontent-length: {}\r\n\r\n{body}", body.len());
                        socket.write_all(text.as_bytes()).await.unwrap();
                    }
                });
            }
        });
        Self { port, seen }
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(super) fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub(super) fn base(&self) -> BaseUrl {
        BaseUrl { tls: false, host: "127.0.0.1".to_owned(), port: self.port, path: String::new() }
    }

    /// Everything that was asked.
    pub(super) fn seen(&self) -> Vec<Asked> {
        self.seen.lock().unwrap().clone()
    }
}

async fn read(socket: &mut TcpStream) -> Option<Asked> {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at;
        }
        let mut piece = [0; 4096];
        let n = socket.read(&mut piece).await.ok().filter(|n| *n > 0)?;
        bytes.extend_from_slice(&piece[..n]);
    };
    let text = String::from_utf8(bytes[..head].to_vec()).unwrap();
    let mut lines = text.split("\r\n");
    let line = lines.next()?.trim_end_matches(" HTTP/1.1").to_owned();
    let headers: BTreeMap<String, String> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = bytes[head + 4..].to_vec();
    while body.len() < length {
        let mut piece = [0; 4096];
        let n = socket.read(&mut piece).await.ok().filter(|n| *n > 0)?;
        body.extend_from_slice(&piece[..n]);
    }
    Some(Asked { line, headers, body: String::from_utf8(body).unwrap() })
}

/// A port on which nobody listens.
pub(super) async fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

/// Fetches once with these variables.
pub(super) async fn fetch(source: TokenSource, variables: &[(&str, &str)]) -> Result<Material, FetchError> {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    fetch_once(Connector::default(), &Surroundings::Fixed(variables.collect()), &source).await
}

/// The token of a material.
pub(super) fn token(material: &Material) -> String {
    match material {
        Material::Token { token, header } => {
            assert!(header.is_sensitive());
            assert_eq!(header.to_str().unwrap(), format!("Bearer {}", token.expose()));
            token.expose().to_owned()
        }
        Material::Aws(_) => panic!("keys instead of a token"),
    }
}
