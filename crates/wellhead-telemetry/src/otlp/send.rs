//! One message to the collector over HTTP/1.1, on a connection of its own: there is one message in five seconds.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper::{Method, Request, StatusCode, Uri, header};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::EndpointError;

/// Most of an answer that is read. A partial success is a few hundred bytes.
const RESPONSE_BYTES_MAX: usize = 64 * 1024;

/// Port of OTLP over HTTP, where the URL names none.
const DEFAULT_PORT: u16 = 4318;

/// Where the messages go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Collector {
    host: String,
    port: u16,
    /// Value of `Host`.
    authority: String,
    path: String,
}

/// What became of a message.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// Taken, apart from this many spans.
    Accepted { rejected: u64 },
    /// Not taken, and it would not be another time.
    Refused(String),
    /// Not taken now.
    TryAgain { why: String, retry_after: Option<Duration> },
}

impl Collector {
    pub(super) fn parse(endpoint: &str) -> Result<Self, EndpointError> {
        let malformed = || EndpointError::Malformed(endpoint.to_owned());
        let uri: Uri = endpoint.trim().parse().map_err(|_| malformed())?;
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") => return Err(EndpointError::Https(endpoint.to_owned())),
            Some(_) => return Err(EndpointError::Scheme(endpoint.to_owned())),
            None => return Err(malformed()),
        }
        let authority = uri.authority().ok_or_else(malformed)?;
        let plain =
            !authority.as_str().contains('@') && uri.query().is_none() && !authority.host().is_empty();
        if !plain {
            return Err(malformed());
        }
        Ok(Self {
            host: authority.host().trim_matches(['[', ']']).to_owned(),
            port: authority.port_u16().unwrap_or(DEFAULT_PORT),
            authority: authority.to_string(),
            path: format!("{}/v1/traces", uri.path().trim_end_matches('/')),
        })
    }

    pub(super) async fn send(&self, body: Bytes, timeout: Duration) -> Sent {
        match tokio::time::timeout(timeout, self.exchange(body)).await {
            Ok(Ok(sent)) => sent,
            Ok(Err(e)) => Sent::TryAgain { why: e.to_string(), retry_after: None },
            Err(_) => Sent::TryAgain { why: format!("no answer within {timeout:?}"), retry_after: None },
        }
    }

    async fn exchange(&self, body: Bytes) -> Result<Sent, Box<dyn std::error::Error + Send + Sync>> {
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let request = Request::builder()
            .method(Method::POST)
            .uri(&self.path)
            .header(header::HOST, &self.authority)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::USER_AGENT, "wellhead")
            .header(header::CONNECTION, "close")
            .body(Full::new(body))?;
        let exchange = async {
            let response = sender.send_request(request).await?;
            let (head, body) = response.into_parts();
            let text = Limited::new(body, RESPONSE_BYTES_MAX).collect().await.map(|b| b.to_bytes());
            Ok(verdict(head.status, &head.headers, &text.unwrap_or_default()))
        };
        // The connection lives exactly as long as the exchange: dropped with it when time is up.
        let mut connection = std::pin::pin!(connection);
        let mut exchange = std::pin::pin!(exchange);
        tokio::select! {
            biased;
            sent = &mut exchange => sent,
            closed = &mut connection => match closed {
                Err(e) => Err(e.into()),
                // All bytes are there; what is left is to read them out of memory.
                Ok(()) => exchange.await,
            },
        }
    }
}

/// The OTLP/HTTP rules: 2xx is success, maybe partial; 429, 502, 503 and 504 are worth another try; the rest is not.
fn verdict(status: StatusCode, headers: &header::HeaderMap, body: &[u8]) -> Sent {
    if status.is_success() {
        return Sent::Accepted { rejected: rejected_spans(body) };
    }
    match status.as_u16() {
        429 | 502 | 503 | 504 => {
            let seconds = headers.get(header::RETRY_AFTER).and_then(|v| v.to_str().ok()?.trim().parse().ok());
            Sent::TryAgain {
                why: format!("the collector answered {status}"),
                retry_after: seconds.map(Duration::from_secs),
            }
        }
        _ => Sent::Refused(format!("the collector answered {status}")),
    }
}

/// `partialSuccess.rejectedSpans`, a number or a string of digits. An answer that is not JSON rejects nothing.
fn rejected_spans(body: &[u8]) -> u64 {
    let answer: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let rejected = &answer["partialSuccess"]["rejectedSpans"];
    rejected.as_u64().or_else(|| rejected.as_str()?.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests;
