//! A client that speaks HTTP/2 with prior knowledge.

use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::Value;
use tokio::net::TcpStream;

use super::{Answer, Ending, KEY};

/// One HTTP/2 connection.
#[derive(Clone)]
pub(crate) struct H2 {
    sender: SendRequest<Full<Bytes>>,
    host: SocketAddr,
}

impl H2 {
    pub(crate) async fn connect(to: SocketAddr) -> Self {
        let socket = TcpStream::connect(to).await.unwrap();
        let (sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(socket)).await.unwrap();
        tokio::spawn(connection);
        Self { sender, host: to }
    }

    /// Sends a request; the body comes later.
    pub(crate) async fn open(&mut self, path: &str, body: &Value) -> hyper::Result<http::Response<Incoming>> {
        let request = http::Request::post(format!("http://{}{path}", self.host))
            .header("authorization", format!("Bearer {KEY}"))
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from(body.to_string())))
            .unwrap();
        self.sender.send_request(request).await
    }

    /// Sends a request and reads the whole answer.
    pub(crate) async fn post(&mut self, path: &str, body: &Value) -> Answer {
        let answer = self.open(path, body).await.unwrap();
        let headers = answer.headers().iter();
        let headers = headers.map(|(n, v)| (n.to_string(), v.to_str().unwrap().to_owned())).collect();
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.unwrap().to_bytes().to_vec();
        Answer { status, headers, body, ending: Ending::Proper }
    }
}
