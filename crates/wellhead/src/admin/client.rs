//! One request per connection: commands make a handful.

use std::future::Future;
use std::io::ErrorKind;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use wellhead_types::Secret;

use super::locate;
use crate::cli::AdminArgs;

/// The gateway answers within 30 s; a little more covers the way.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(35);

/// On this machine or near it; longer means that nobody is there.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(5);

/// A page of a listing, or the status of a thousand targets.
const ANSWER_BYTES_MAX: usize = 16 << 20;

/// A client of one gateway.
pub(crate) struct Client {
    address: String,
    token: Option<(Secret, String)>,
    token_file: String,
    time_max: Duration,
}

/// What came back.
pub(crate) struct Answer {
    /// HTTP status.
    pub(crate) status: StatusCode,
    /// The body.
    pub(crate) body: Bytes,
}

impl Client {
    /// Finds out where to connect to and with which token. Nothing is sent yet.
    pub(crate) fn new(args: &AdminArgs) -> anyhow::Result<Self> {
        Ok(Self {
            address: locate::address(args)?,
            token: locate::token(args)?,
            token_file: locate::token_file(args).display().to_string(),
            time_max: ANSWER_TIME_MAX,
        })
    }

    /// As `new`, without looking for a token: for what answers to everybody.
    pub(crate) fn without_token(args: &AdminArgs, time_max: Duration) -> anyhow::Result<Self> {
        Ok(Self { address: locate::address(args)?, token: None, token_file: String::new(), time_max })
    }

    /// Sends one request. Any status is an answer; what is an error is that there is none.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Answer> {
        let exchange = self.exchange(method, path, body);
        tokio::time::timeout(self.time_max, exchange).await.unwrap_or_else(|_| {
            Err(anyhow!("{} did not answer within {} s", self.address, self.time_max.as_secs()))
        })
    }

    /// Sends one request to the API and reads its JSON. An answer that is no success is an error which says why.
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Value> {
        match self.try_call(method, path, body).await? {
            Ok(value) => Ok(value),
            Err((_, message)) => bail!(message),
        }
    }

    /// As `call`; a refusal is given back with its problem code, so that the caller can act on it.
    pub(crate) async fn try_call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Result<Value, (String, String)>> {
        if self.token.is_none() {
            bail!(
                "no admin token: {} does not exist; name the gateway's data directory with --data-dir, or set \
                 WELLHEAD_ADMIN_TOKEN",
                self.token_file
            );
        }
        let answer = self.send(method, path, body).await?;
        if answer.status == StatusCode::UNAUTHORIZED {
            let from = self.token.as_ref().map_or("", |(_, from)| from.as_str());
            bail!("{} refused the admin token from {from}; is that the token of this gateway?", self.address);
        }
        if answer.status == StatusCode::NO_CONTENT {
            return Ok(Ok(Value::Null));
        }
        let value: Value = serde_json::from_slice(&answer.body)
            .with_context(|| format!("{} answered with something that is not JSON", self.address))?;
        if answer.status.is_success() {
            return Ok(Ok(value));
        }
        let code = value["code"].as_str().unwrap_or_default().to_owned();
        Ok(Err((code, problem(answer.status, &value))))
    }

    async fn exchange(&self, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<Answer> {
        let connect = tokio::time::timeout(CONNECT_TIME_MAX, TcpStream::connect(&self.address));
        let stream = match connect.await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) if error.kind() == ErrorKind::ConnectionRefused => bail!(
                "nothing listens on {}; is wellhead running? Start it with `wellhead serve`, or say where it is with \
                 --admin",
                self.address
            ),
            Ok(Err(error)) => {
                return Err(error).with_context(|| format!("cannot connect to {}", self.address));
            }
            Err(_) => {
                bail!("{} did not take a connection within {} s", self.address, CONNECT_TIME_MAX.as_secs())
            }
        };
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, &self.address);
        if let Some((token, _)) = &self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {}", token.expose()));
        }
        let bytes = match body {
            Some(body) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Bytes::from(body.to_string())
            }
            None => Bytes::new(),
        };
        let request = request.body(Full::new(bytes)).context("the admin token cannot be sent in a header")?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        let answering = async {
            let response = sender.send_request(request).await?;
            let status = response.status();
            let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
            let body = body.map_err(|error| anyhow!(error))?.to_bytes();
            anyhow::Ok(Answer { status, body })
        };
        drive(answering, connection)
            .await
            .with_context(|| format!("{} is no Wellhead admin listener, or it went away", self.address))
    }
}

/// Runs the connection for as long as the answer needs it.
async fn drive<T>(
    answering: impl Future<Output = anyhow::Result<T>>,
    connection: impl Future<Output = hyper::Result<()>>,
) -> anyhow::Result<T> {
    tokio::pin!(answering, connection);
    tokio::select! {
        answer = &mut answering => answer,
        // The connection ends first when the server closes it behind the answer.
        _ = &mut connection => answering.await,
    }
}

/// RFC 9457 for a terminal.
fn problem(status: StatusCode, value: &Value) -> String {
    let mut text = value["detail"].as_str().map_or_else(|| status.to_string(), str::to_owned);
    let errors = value["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    if errors.len() > 1 {
        for error in errors {
            let place = error["pointer"].as_str().or(error["parameter"].as_str()).unwrap_or_default();
            text.push_str(&format!("\n  {place}: {}", error["detail"].as_str().unwrap_or_default()));
        }
    }
    text
}
