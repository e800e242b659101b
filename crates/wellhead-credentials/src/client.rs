//! One small question over HTTP to whoever gives out credentials, with the connections that requests use: the same
//! resolver, the same trust in certificates. Redirects are answers like any other that is not 2xx.

use crate::error::{FetchError, Trouble};
use crate::sigv4::encode_into;
use bytes::Bytes;
use http::header::{HOST, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, Uri, Version};
use http_body_util::{BodyExt, Limited};
use std::sync::Arc;
use std::time::Duration;
use wellhead_config::snapshot::BaseUrl;
use wellhead_net::{Connector, Endpoint, OutBody, Pool, PoolLimits, Protocol, TlsOptions};

/// Time for an answer.
const ANSWER_MAX: Duration = Duration::from_secs(10);
/// Time to connect.
const CONNECT_MAX: Duration = Duration::from_secs(3);
/// Largest answer: tokens are a few kibibytes.
const ANSWER_BYTES_MAX: usize = 256 * 1024;

/// Asks.
#[derive(Debug)]
pub(crate) struct Client {
    pool: Pool,
}

/// Where a question goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) tls: bool,
    pub(crate) host: String,
    port: u16,
    /// With the query.
    path: String,
}

/// A question.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) method: Method,
    pub(crate) address: Address,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Bytes,
}

/// An answer, whatever its status.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Bytes,
}

impl Address {
    /// Takes a URL apart.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let uri: Uri = text.parse().ok()?;
        let tls = match uri.scheme_str()? {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let host = uri.host()?.trim_start_matches('[').trim_end_matches(']').to_owned();
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        let port = uri.port_u16().unwrap_or(if tls { 443 } else { 80 });
        (!host.is_empty()).then_some(Self { tls, host, port, path })
    }

    /// A path below a base URL.
    pub(crate) fn below(base: &BaseUrl, path: &str) -> Self {
        Self { tls: base.tls, host: base.host.clone(), port: base.port, path: format!("{}{path}", base.path) }
    }

    /// The same host with another path behind this one's.
    pub(crate) fn with(&self, path: &str) -> Self {
        Self { path: format!("{}{path}", self.path.trim_end_matches('/')), ..self.clone() }
    }

    pub(crate) fn path(&self) -> &str {
        self.path.split('?').next().unwrap_or_default()
    }

    /// Encrypted, or not leaving the machine.
    pub(crate) fn is_private(&self) -> bool {
        self.tls || self.is_loopback()
    }

    pub(crate) fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
    }

    /// What `Host` says.
    pub(crate) fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        match (self.tls, self.port) {
            (true, 443) | (false, 80) => host,
            (_, port) => format!("{host}:{port}"),
        }
    }
}

impl Question {
    /// `GET`.
    pub(crate) fn get(address: Address) -> Self {
        Self { method: Method::GET, address, headers: Vec::new(), body: Bytes::new() }
    }

    /// `POST` of a form.
    pub(crate) fn form(address: Address, fields: &[(&str, &str)]) -> Self {
        let mut body = String::new();
        for (name, value) in fields {
            if !body.is_empty() {
                body.push('&');
            }
            encode_into(name, b"", &mut body);
            body.push('=');
            encode_into(value, b"", &mut body);
        }
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        let headers = vec![(http::header::CONTENT_TYPE, form)];
        Self { method: Method::POST, address, headers, body: body.into() }
    }

    /// With a header, which is treated as a secret.
    pub(crate) fn header(mut self, name: &'static str, value: &str, from: &str) -> Result<Self, FetchError> {
        let bad = |_| {
            let detail = format!("what should go into the header {name} cannot stand in one");
            FetchError::new(Trouble::Malformed, from, detail, "")
        };
        let mut value = HeaderValue::from_str(value).map_err(bad)?;
        value.set_sensitive(true);
        self.headers.push((HeaderName::from_static(name), value));
        Ok(self)
    }
}

impl Client {
    pub(crate) fn new(connector: Connector) -> Self {
        Self { pool: Pool::new(connector, PoolLimits::default()) }
    }

    /// Asks. `from` is who is asked, for errors.
    pub(crate) async fn ask(&self, from: &str, question: Question) -> Result<Answer, FetchError> {
        self.ask_within(from, question, ANSWER_MAX).await
    }

    /// The same within another time.
    pub(crate) async fn ask_within(
        &self,
        from: &str,
        question: Question,
        limit: Duration,
    ) -> Result<Answer, FetchError> {
        let address = &question.address;
        let unreachable = |detail: String| {
            let fix = format!("look for a firewall or a proxy between here and {}", address.authority());
            FetchError::new(Trouble::Unreachable, from, detail, fix)
        };
        let endpoint = Arc::new(Endpoint {
            host: address.host.clone(),
            port: address.port,
            tls: address.tls.then(TlsOptions::default),
            protocol: Protocol::Http1,
            connect_timeout: CONNECT_MAX.min(limit),
        });
        let headers = question.head(from)?;
        let path: Uri = address
            .path
            .parse()
            .map_err(|_| FetchError::new(Trouble::Malformed, from, "its address is no URL", "correct it"))?;
        let build = |_: Version| {
            let mut request = Request::new(OutBody::full(question.body.clone()));
            *request.method_mut() = question.method.clone();
            *request.uri_mut() = path.clone();
            *request.headers_mut() = headers.clone();
            request
        };
        let exchange = async {
            let response = self
                .pool
                .send(&endpoint, &build)
                .await
                .map_err(|error| unreachable(format!("{}: {}", error.cause.as_str(), error.detail)))?;
            let status = response.status().as_u16();
            let body = response.into_body().map_err(|error| std::io::Error::other(error.detail));
            let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
            let body = body.map_err(|_| unreachable("the answer broke off or is too large".to_owned()))?;
            Ok(Answer { status, body: body.to_bytes() })
        };
        let late = || unreachable(format!("no answer within {} s", limit.as_secs_f64()));
        tokio::time::timeout(limit, exchange).await.unwrap_or_else(|_| Err(late()))
    }
}

impl Question {
    fn head(&self, from: &str) -> Result<HeaderMap, FetchError> {
        let bad =
            |_| FetchError::new(Trouble::Malformed, from, "its host cannot stand in a header", "correct it");
        let mut headers = HeaderMap::with_capacity(self.headers.len() + 3);
        headers.insert(HOST, HeaderValue::from_str(&self.address.authority()).map_err(bad)?);
        let agent = concat!("wellhead/", env!("CARGO_PKG_VERSION"));
        headers.insert(http::header::USER_AGENT, HeaderValue::from_static(agent));
        headers.extend(self.headers.iter().cloned());
        Ok(headers)
    }
}
