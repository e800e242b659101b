//! What a signal can mean. Every vendor's words end in one of these, and each is one `Failure`.

use wellhead_types::{Cause, Retry, Scope, Side};

/// The meaning of a signal: cause, scope, whose fault, and whether another attempt can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Means {
    /// Too many requests or tokens of this key for this model (decision 17).
    Limited,
    /// More tokens than a whole minute of this key allows: waiting does not help, another target may.
    TooLargeForLimit,
    /// The credential has no money or no quota left.
    Spent,
    /// The account's quota for this model is used up, or there never was one.
    ModelSpent,
    /// The credential is rejected: wrong, expired, suspended, or not allowed here.
    KeyRejected,
    /// The model is unknown here, withdrawn, or not open to this account.
    ModelUnknown,
    /// The vendor's whole API says that it is overloaded. No key is at fault.
    ProviderOverloaded,
    /// The model or the server that was asked is busy, or still loading.
    Busy,
    /// The server failed.
    ServerError,
    /// The model failed at this request, by chance: the same words may succeed at once elsewhere.
    ModelFailed,
    /// This server cannot do what is asked; it is healthy all the same.
    NotImplemented,
    /// The server gave up waiting for the request or for its model.
    TimedOut,
    /// Two requests were in each other's way.
    Conflict,
    /// Something else than the API answered.
    NotTheApi,
    /// The request does not fit into the model's context window.
    TooLong,
    /// The vendor's filter stopped the request or its answer.
    Filtered,
    /// The request itself is wrong.
    BadRequest,
    /// A success was announced, and an error came.
    ErrorInSuccess,
}

/// The fields of a `Failure` that follow from its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Judgement {
    /// Whose fault.
    pub(super) side: Side,
    /// What has to rest.
    pub(super) scope: Scope,
    /// Whether another attempt can help.
    pub(super) retry: Retry,
    /// Why.
    pub(super) cause: Cause,
}

impl Means {
    /// Cause, scope, side and retry of this meaning.
    pub(super) const fn judgement(self) -> Judgement {
        const fn provider(scope: Scope, cause: Cause) -> Judgement {
            Judgement { side: Side::Provider, scope, retry: Retry::Elsewhere, cause }
        }
        const fn client(cause: Cause) -> Judgement {
            Judgement { side: Side::Client, scope: Scope::Request, retry: Retry::Never, cause }
        }
        match self {
            Self::Limited => provider(Scope::KeyModel, Cause::RateLimited),
            Self::TooLargeForLimit => provider(Scope::Request, Cause::RateLimited),
            Self::Spent => provider(Scope::Key, Cause::QuotaExhausted),
            Self::ModelSpent => provider(Scope::KeyModel, Cause::QuotaExhausted),
            Self::KeyRejected => provider(Scope::Key, Cause::KeyRejected),
            Self::ModelUnknown => provider(Scope::TargetModel, Cause::ModelUnknown),
            Self::ProviderOverloaded => provider(Scope::Provider, Cause::Overloaded),
            Self::Busy => provider(Scope::Endpoint, Cause::Overloaded),
            Self::ServerError => provider(Scope::Endpoint, Cause::Status5xx),
            Self::ModelFailed | Self::NotImplemented => provider(Scope::Request, Cause::Status5xx),
            Self::TimedOut => provider(Scope::Endpoint, Cause::RequestTimeout408),
            Self::Conflict => provider(Scope::Request, Cause::Conflict409),
            Self::NotTheApi => provider(Scope::Endpoint, Cause::ProtocolError),
            Self::ErrorInSuccess => provider(Scope::Endpoint, Cause::ErrorInSuccess),
            Self::TooLong => client(Cause::ContextLength),
            Self::Filtered => client(Cause::ContentFiltered),
            Self::BadRequest => client(Cause::BadRequest),
        }
    }
}
