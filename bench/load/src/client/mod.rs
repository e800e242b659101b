//! The client side: one HTTP/1.1 connection per stream slot, kept alive between requests as SDKs do.

pub(crate) mod calls;
pub(crate) mod events;
pub(crate) mod idle;
pub(crate) mod slow;
pub(crate) mod streams;

use std::path::PathBuf;

use bytes::Bytes;
use clap::Args;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Method, Request, Response, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::Fault;

/// Streams that one run may open: what the measurements need (4,000), with room, below the descriptor limit.
pub(crate) const STREAMS_MAX: usize = 16_000;

/// Where to send what; shared by all clients.
#[derive(Debug, Clone, Args)]
pub(crate) struct Target {
    /// `http://host:port/path`
    #[arg(long)]
    url: Uri,
    /// File with the request body; `{}` if absent.
    #[arg(long)]
    body: Option<PathBuf>,
    /// Sent as `Authorization: Bearer`.
    #[arg(long)]
    key: Option<String>,
    /// Largest time for one request from first to last byte; a request beyond it counts as failed.
    #[arg(long, default_value_t = 60_000)]
    request_ms_max: u64,
}

/// A target that has been checked.
#[derive(Debug, Clone)]
pub(crate) struct Aim {
    authority: String,
    path: String,
    host: HeaderValue,
    bearer: Option<HeaderValue>,
    body: Bytes,
    /// See [`Target::request_ms_max`].
    pub(crate) request_max: std::time::Duration,
}

impl Target {
    /// Fails for anything but a plain http address, and for a body that cannot be read.
    pub(crate) fn aim(&self) -> Result<Aim, Fault> {
        if self.url.scheme_str() != Some("http") {
            return Err(format!("--url {}: expected http://host:port/path", self.url).into());
        }
        let authority = self.url.authority().ok_or("--url: no host")?;
        let port = authority.port_u16().unwrap_or(80);
        let body = match &self.body {
            Some(path) => {
                Bytes::from(std::fs::read(path).map_err(|e| format!("--body {}: {e}", path.display()))?)
            }
            None => Bytes::from_static(b"{}"),
        };
        Ok(Aim {
            authority: format!("{}:{port}", authority.host()),
            path: self.url.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string),
            host: HeaderValue::from_str(authority.as_str())?,
            bearer: match &self.key {
                Some(key) => Some(HeaderValue::from_str(&format!("Bearer {key}"))?),
                None => None,
            },
            body,
            request_max: std::time::Duration::from_millis(self.request_ms_max),
        })
    }
}

/// One connection.
pub(crate) struct Line {
    sender: SendRequest<Full<Bytes>>,
}

impl Line {
    /// Connects; an error names the stage, which is the error kind in the reports.
    pub(crate) async fn open(aim: &Aim) -> Result<Line, &'static str> {
        let stream = TcpStream::connect(&aim.authority).await.map_err(|_| "connect")?;
        stream.set_nodelay(true).map_err(|_| "connect")?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(|_| "connect")?;
        tokio::spawn(async move {
            // Its error also reaches the request that was under way, which reports it.
            let _ = connection.await;
        });
        Ok(Line { sender })
    }

    /// Whether another request can go over this connection.
    pub(crate) async fn usable(&mut self) -> bool {
        self.sender.ready().await.is_ok()
    }

    /// Sends the request and waits for the response head.
    pub(crate) async fn send(&mut self, aim: &Aim) -> Result<Response<Incoming>, &'static str> {
        let mut request = Request::new(Full::new(aim.body.clone()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = aim.path.parse().map_err(|_| "request")?;
        let headers = request.headers_mut();
        headers.insert(HOST, aim.host.clone());
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(bearer) = &aim.bearer {
            headers.insert(AUTHORIZATION, bearer.clone());
        }
        self.sender.send_request(request).await.map_err(|_| "no-response")
    }
}

/// Checks a number of streams against [`STREAMS_MAX`].
pub(crate) fn checked_count(name: &str, count: usize) -> Result<usize, Fault> {
    if count == 0 || count > STREAMS_MAX {
        return Err(format!("{name} {count}: expected 1 to {STREAMS_MAX}").into());
    }
    Ok(count)
}
