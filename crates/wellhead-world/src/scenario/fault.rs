//! What goes wrong, where and when.

/// A way in which an upstream fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Connections are refused; those that are open are reset.
    Refuse,
    /// Connecting is never answered.
    HangConnect,
    /// Nothing gets through in either direction, and nobody is told.
    Partition,
    /// The request is read, then the connection is reset.
    ResetBeforeHeaders,
    /// The same with a proper end.
    CloseBeforeHeaders,
    /// Headers, then a reset.
    ResetAfterHeaders,
    /// The request is read, and that is all.
    Silent,
    /// Headers, and that is all.
    SilentAfterHeaders,
    /// So many tokens, then a proper end without an end signal.
    CutAfter(u32),
    /// The same with a reset.
    ResetAfter(u32),
    /// So many tokens, then silence on an open connection.
    StallAfter(u32),
    /// Everything takes so many times as long.
    Slow(u32),
    /// An error answer with this status.
    Status(u16),
    /// 429, with a `Retry-After` in seconds.
    Limited(Option<u32>),
    /// 401.
    KeyRejected,
    /// 402.
    QuotaSpent,
    /// 200 with the JSON of an error; in a stream, as its first event.
    ErrorInSuccess,
    /// A stream whose events are no JSON, or an answer that is none.
    Malformed,
    /// A whole answer but for the end signal of a stream.
    NoTerminator,
    /// The JSON of an answer ends in the middle, by its own length; a stream in the middle of an event.
    Truncated,
    /// 200 with a page of HTML.
    Html,
    /// Connections are closed as soon as an answer is complete, or just before the next request on them.
    DropIdle,
}

impl Kind {
    /// The causes with which the gateway may explain an attempt that met this fault. A fault that shows late (a stall,
    /// a slow answer) may be met by whichever limit is over first.
    pub(crate) const fn causes(self) -> &'static [&'static str] {
        match self {
            Self::Refuse => &["connection_refused", "connection_terminated", "response_incomplete"],
            Self::HangConnect => &["connection_timeout"],
            Self::Partition => {
                &["connection_timeout", "headers_timeout", "first_token_timeout", "idle_timeout"]
            }
            Self::ResetBeforeHeaders | Self::CloseBeforeHeaders | Self::DropIdle => {
                &["connection_terminated"]
            }
            Self::ResetAfterHeaders | Self::CutAfter(_) | Self::ResetAfter(_) => {
                &["response_incomplete", "connection_terminated"]
            }
            Self::Silent => &["headers_timeout"],
            Self::SilentAfterHeaders => &["first_token_timeout"],
            Self::StallAfter(_) => &["idle_timeout", "first_token_timeout"],
            Self::Slow(_) => &["headers_timeout", "first_token_timeout", "idle_timeout"],
            Self::Status(503 | 529) => &["overloaded"],
            Self::Status(_) => &["server_error"],
            Self::Limited(_) => &["rate_limited"],
            Self::KeyRejected => &["key_rejected"],
            Self::QuotaSpent => &["quota_exhausted"],
            Self::ErrorInSuccess => &["error_in_success", "server_error"],
            Self::Malformed => &["error_in_success", "protocol_error", "response_incomplete"],
            Self::NoTerminator => &[],
            Self::Truncated => &["response_incomplete", "error_in_success", "protocol_error"],
            Self::Html => &["error_in_success"],
        }
    }

    /// How long after its end the gateway may still leave the target alone because of it, beyond its own back-off:
    /// what the upstream itself asked for, and the rests of rejected and spent keys (decision 17).
    pub(crate) fn rest_ms(self) -> u64 {
        let nanos = match self {
            Self::KeyRejected => wellhead_resilience::key_rest::REJECTED,
            Self::QuotaSpent => wellhead_resilience::key_rest::EXHAUSTED,
            Self::Limited(None) => wellhead_resilience::key_rest::LIMITED_DEFAULT,
            Self::Limited(Some(seconds)) => u64::from(seconds) * wellhead_resilience::SECOND,
            _ => 0,
        };
        nanos / wellhead_resilience::MILLI
    }
}

/// A failure of one upstream for a while.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fault {
    /// The number of the provider.
    pub provider: usize,
    /// How it fails.
    pub kind: Kind,
    /// From then on, in milliseconds of the world.
    pub from_ms: u64,
    /// Until then.
    pub to_ms: u64,
    /// So many requests in a hundred meet it. What concerns connections concerns all of them.
    pub percent: u64,
}

impl Fault {
    /// Whether it is there at that moment.
    pub(crate) const fn is_on(&self, at_ms: u64) -> bool {
        self.from_ms <= at_ms && at_ms < self.to_ms
    }

    /// Whether it was there at any moment of a span, its ends included.
    pub(crate) const fn met(&self, from_ms: u64, to_ms: u64) -> bool {
        self.from_ms <= to_ms && from_ms <= self.to_ms
    }
}

/// What name servers say about a provider's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NameKind {
    /// SERVFAIL.
    Fails,
    /// Nothing, until the resolver's patience is over.
    Silent,
    /// It exists and has no address.
    Empty,
    /// It does not exist. Never for as long as it takes to be believed: that would be no fault but the truth.
    NoSuchName,
    /// One family is gone: that of IPv6, or of IPv4.
    Loses {
        /// Which.
        v6: bool,
    },
    /// It has other addresses; the old ones refuse. Stays that way.
    Moves,
}

/// Name servers that say something wrong, or something new, for a while.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NameFault {
    /// The number of the provider whose name it is.
    pub provider: usize,
    /// What they say.
    pub kind: NameKind,
    /// From then on, in milliseconds of the world.
    pub from_ms: u64,
    /// Until then.
    pub to_ms: u64,
}
