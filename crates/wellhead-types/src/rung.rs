//! How far down the survival ladder a request had to go (decision 20), and how it ended.

/// The rung that answered; the value of `x-wellhead-survival`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Rung {
    /// The first attempt answered.
    #[default]
    Direct,
    /// Another attempt in the same tier answered.
    Retried,
    /// The request waited first.
    Held,
    /// A second, parallel attempt answered.
    Hedged,
    /// A target of another tier answered.
    FailedOver,
    /// A broken stream was continued.
    Resumed,
    /// A stale copy was served.
    Stale,
    /// A cached copy was served because nobody answered.
    Cached,
    /// A smaller model or a static answer was served.
    Degraded,
    /// The answer will come later.
    Deferred,
    /// There was nothing left but an honest no.
    Refused,
}

impl Rung {
    /// Every rung, in order.
    pub const ALL: [Self; 11] = [
        Self::Direct,
        Self::Retried,
        Self::Held,
        Self::Hedged,
        Self::FailedOver,
        Self::Resumed,
        Self::Stale,
        Self::Cached,
        Self::Degraded,
        Self::Deferred,
        Self::Refused,
    ];

    /// The word in headers, records and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Retried => "retried",
            Self::Held => "held",
            Self::Hedged => "hedged",
            Self::FailedOver => "failed-over",
            Self::Resumed => "resumed",
            Self::Stale => "stale",
            Self::Cached => "cached",
            Self::Degraded => "degraded",
            Self::Deferred => "deferred",
            Self::Refused => "refused",
        }
    }

    /// The outcome of a request that was answered on this rung.
    pub const fn outcome(self) -> Outcome {
        match self {
            Self::Direct => Outcome::Ok,
            Self::Retried | Self::Held | Self::Hedged | Self::FailedOver | Self::Resumed => Outcome::Rescued,
            Self::Stale => Outcome::Stale,
            Self::Cached | Self::Degraded | Self::Deferred => Outcome::Degraded,
            Self::Refused => Outcome::Failed,
        }
    }
}

/// How a request ended, in metrics and records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "decision 20 defines the words")]
pub enum Outcome {
    Ok,
    Rescued,
    Stale,
    Degraded,
    Shed,
    Failed,
    Rejected,
    Cancelled,
}

impl Outcome {
    /// Every outcome, in the order of their metric handles.
    pub const ALL: [Self; 8] = [
        Self::Ok,
        Self::Rescued,
        Self::Stale,
        Self::Degraded,
        Self::Shed,
        Self::Failed,
        Self::Rejected,
        Self::Cancelled,
    ];

    /// The word in records and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Rescued => "rescued",
            Self::Stale => "stale",
            Self::Degraded => "degraded",
            Self::Shed => "shed",
            Self::Failed => "failed",
            Self::Rejected => "rejected",
            Self::Cancelled => "cancelled",
        }
    }
}
