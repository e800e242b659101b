//! One struct for everything that can go wrong with an attempt. It answers the two questions that matter,
//! whose fault it was and whether trying again can help, as fields instead of guesses.

use std::time::Duration;

/// Whose fault it was. Shown to clients as `source`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// The caller sent something that no target can answer, or asked for more than it may.
    Client,
    /// This gateway: a limit, a bug, its own configuration.
    Gateway,
    /// The upstream, or the network on the way to it.
    Provider,
}

impl Side {
    /// The word used in error bodies and records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Gateway => "gateway",
            Self::Provider => "provider",
        }
    }
}

/// What is at fault and therefore has to rest; the narrowest scope that explains the failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Only this request: another one may succeed at once. Never counts against health.
    Request,
    /// The credential: rejected or out of credit.
    Key,
    /// The credential for this model: vendors limit per model (decision 17).
    KeyModel,
    /// The model at this provider: unknown or withdrawn (decision 17).
    TargetModel,
    /// The address that was talked to.
    Endpoint,
    /// The whole provider: its API says that it is overloaded.
    Provider,
}

/// How far the attempt had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stage {
    /// Before a socket existed: names, credentials, encoding.
    Prepare,
    /// Name resolution.
    Resolve,
    /// TCP connect.
    Connect,
    /// TLS handshake.
    Tls,
    /// Writing the request.
    Send,
    /// Waiting for response headers.
    Headers,
    /// Headers were there, no content yet.
    FirstToken,
    /// Content had begun.
    Stream,
}

impl Stage {
    /// The word in stories of requests.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Prepare => "prepare",
            Self::Resolve => "resolve",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Send => "send",
            Self::Headers => "headers",
            Self::FirstToken => "first_token",
            Self::Stream => "stream",
        }
    }
}

/// Whether another attempt can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Retry {
    /// No: every target would say the same.
    Never,
    /// Yes, with another key, endpoint or target; not with the same one now.
    Elsewhere,
    /// Yes, the same target too: nothing reached it (reused connection closed, refused stream).
    Anywhere,
}

/// Why, as a stable code. The first group is named by RFC 9209 tokens, the second by what vendors answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the codes say what they mean; as_str is their documentation")]
pub enum Cause {
    DnsError,
    /// The name does not exist, confirmed (NXDOMAIN).
    NameNotFound,
    ConnectionRefused,
    ConnectTimeout,
    ConnectionReset,
    TlsError,
    TlsCertificate,
    /// The certificate is valid for other names only.
    TlsName,
    /// The server wants a certificate of ours, or refuses it (alerts 42 and 116 of RFC 8446 section 6.2).
    TlsClientCertificate,
    /// What answered the handshake speaks no TLS.
    TlsPlaintext,
    HeadersTimeout,
    FirstTokenTimeout,
    IdleTimeout,
    ResponseIncomplete,
    ProtocolError,
    ResponseTooLarge,
    /// 2xx whose body is an error, HTML, or nothing.
    ErrorInSuccess,
    Status5xx,
    Overloaded,
    RequestTimeout408,
    Conflict409,
    RateLimited,
    QuotaExhausted,
    KeyRejected,
    /// A credential that has to be fetched first could not be had.
    CredentialUnavailable,
    ModelUnknown,
    ContextLength,
    ContentFiltered,
    /// Any other 4xx: the request itself is at fault.
    BadRequest,
    /// Every key of the provider is resting.
    NoKeyAvailable,
    DeadlineExceeded,
    /// Asked for the rest of an answer, the target said something else than the client has already.
    ContinuationDiffers,
    Internal,
}

impl Cause {
    /// The code in records, metrics and `attempts[].outcome`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DnsError => "dns_error",
            Self::NameNotFound => "name_not_found",
            Self::ConnectionRefused => "connection_refused",
            Self::ConnectTimeout => "connection_timeout",
            Self::ConnectionReset => "connection_terminated",
            Self::TlsError => "tls_protocol_error",
            Self::TlsCertificate => "tls_certificate_error",
            Self::TlsName => "tls_name_mismatch",
            Self::TlsClientCertificate => "tls_client_certificate",
            Self::TlsPlaintext => "tls_plaintext_port",
            Self::HeadersTimeout => "headers_timeout",
            Self::FirstTokenTimeout => "first_token_timeout",
            Self::IdleTimeout => "idle_timeout",
            Self::ResponseIncomplete => "response_incomplete",
            Self::ProtocolError => "protocol_error",
            Self::ResponseTooLarge => "response_too_large",
            Self::ErrorInSuccess => "error_in_success",
            Self::Status5xx => "server_error",
            Self::Overloaded => "overloaded",
            Self::RequestTimeout408 => "request_timeout",
            Self::Conflict409 => "conflict",
            Self::RateLimited => "rate_limited",
            Self::QuotaExhausted => "quota_exhausted",
            Self::KeyRejected => "key_rejected",
            Self::CredentialUnavailable => "credential_unavailable",
            Self::ModelUnknown => "model_unknown",
            Self::ContextLength => "context_length",
            Self::ContentFiltered => "content_filtered",
            Self::BadRequest => "bad_request",
            Self::NoKeyAvailable => "no_key_available",
            Self::DeadlineExceeded => "deadline_exceeded",
            Self::ContinuationDiffers => "continuation_differs",
            Self::Internal => "internal",
        }
    }

    /// The RFC 9209 section 2.3 error token for `Proxy-Status`.
    pub const fn proxy_status(self) -> &'static str {
        match self {
            Self::DnsError | Self::NameNotFound => "dns_error",
            Self::ConnectionRefused => "connection_refused",
            Self::ConnectTimeout => "connection_timeout",
            Self::ConnectionReset => "connection_terminated",
            Self::TlsError | Self::TlsPlaintext => "tls_protocol_error",
            Self::TlsCertificate | Self::TlsName => "tls_certificate_error",
            Self::TlsClientCertificate => "tls_alert_received",
            Self::HeadersTimeout | Self::FirstTokenTimeout | Self::IdleTimeout | Self::DeadlineExceeded => {
                "http_response_timeout"
            }
            Self::ResponseIncomplete | Self::ContinuationDiffers => "http_response_incomplete",
            Self::ProtocolError | Self::ErrorInSuccess | Self::ResponseTooLarge => "http_protocol_error",
            Self::RateLimited | Self::NoKeyAvailable => "connection_limit_reached",
            Self::Status5xx
            | Self::Overloaded
            | Self::RequestTimeout408
            | Self::Conflict409
            | Self::QuotaExhausted
            | Self::KeyRejected
            | Self::CredentialUnavailable => "destination_unavailable",
            Self::ModelUnknown => "destination_not_found",
            Self::ContextLength | Self::ContentFiltered | Self::BadRequest => "http_request_error",
            Self::Internal => "proxy_internal_error",
        }
    }

    /// Whether the attempt ended because time ran out.
    pub const fn is_timeout(self) -> bool {
        matches!(
            self,
            Self::ConnectTimeout
                | Self::HeadersTimeout
                | Self::FirstTokenTimeout
                | Self::IdleTimeout
                | Self::DeadlineExceeded
        )
    }
}

/// Why one attempt did not produce an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Whose fault.
    pub side: Side,
    /// What has to rest.
    pub scope: Scope,
    /// How far it had come.
    pub stage: Stage,
    /// Whether another attempt can help.
    pub retry: Retry,
    /// Why.
    pub cause: Cause,
    /// The upstream's HTTP status, if it sent one.
    pub status: Option<u16>,
    /// How long the upstream asked us to stay away.
    pub retry_after: Option<Duration>,
    /// For our own log only: may name addresses. Never sent to a client.
    pub detail: String,
}

impl Failure {
    /// A failure of the connection to an endpoint; worth another try elsewhere.
    pub fn endpoint(stage: Stage, cause: Cause, detail: impl Into<String>) -> Self {
        Self {
            side: Side::Provider,
            scope: Scope::Endpoint,
            stage,
            retry: Retry::Elsewhere,
            cause,
            status: None,
            retry_after: None,
            detail: detail.into(),
        }
    }
}
