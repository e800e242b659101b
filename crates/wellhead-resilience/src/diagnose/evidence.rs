//! What the decider is told.

use crate::Nanos;
use crate::breaker::Phase;
use crate::hold::ANSWER_MARGIN;
use wellhead_types::{Cause, Diagnosis, Failure, Name, Scope, Stage};

/// Everything that is known at the moment at which a request is given up.
#[derive(Debug, Clone)]
pub struct Evidence {
    /// Now.
    pub now: Nanos,
    /// The model that was asked for.
    pub model: Name,
    /// What the request may take; `None`: there is no request, somebody looks at the status.
    pub patience: Option<Patience>,
    /// Every target that could have answered.
    pub targets: Vec<TargetEvidence>,
}

/// How long a request may take, by whose will.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// When it came.
    pub started: Nanos,
    /// When it has to be answered.
    pub deadline: Nanos,
    /// When it would have to be if the caller had not said less.
    pub model_deadline: Nanos,
    /// Longest wait for a recovery that the model allows.
    pub hold_max: Nanos,
    /// When the first target recovers, as the ladder sees it.
    pub recovery: Option<Nanos>,
}

impl Patience {
    /// Whether the caller allows less than the model does.
    pub const fn is_callers(self) -> bool {
        self.deadline < self.model_deadline
    }

    /// Whether no attempt fits in any more.
    pub(super) const fn is_over(self, now: Nanos) -> bool {
        now.saturating_add(crate::SECOND / 20) >= self.deadline
    }

    /// Whether the request would have been held until the recovery, had the caller not been in a hurry.
    pub(super) fn more_would_help(self, now: Nanos, recovery: Option<Nanos>) -> bool {
        recovery.is_some_and(|at| {
            let answered = at.saturating_add(ANSWER_MARGIN);
            answered > self.deadline
                && answered <= self.model_deadline
                && at.saturating_sub(now) <= self.hold_max
        })
    }
}

/// What is known of one target.
#[derive(Debug, Clone)]
pub struct TargetEvidence {
    /// `provider/vendor-model`.
    pub target: Name,
    /// Its provider, as the configuration names it.
    pub provider: Name,
    /// The vendor's model.
    pub vendor_model: Name,
    /// Where it is: `https://api.example.com:443`.
    pub place: String,
    /// Its breaker.
    pub phase: Phase,
    /// When it may be asked again.
    pub rests_until: Option<Nanos>,
    /// Since when it has been failing.
    pub failing_since: Option<Nanos>,
    /// When it last answered well.
    pub last_success: Option<Nanos>,
    /// What went wrong there last, for whichever request.
    pub last: Option<Fault>,
    /// What went wrong there in this request.
    pub met: Vec<Fault>,
    /// Its keys.
    pub keys: KeysEvidence,
    /// What is wrong with its name.
    pub name: Option<NameEvidence>,
    /// One of its addresses refuses and another answers.
    pub half: Option<Half>,
    /// What its active check says against the traffic.
    pub check: Option<Check>,
}

impl TargetEvidence {
    /// Left alone, as a whole or because no key is free.
    pub(super) fn is_left_alone(&self) -> bool {
        matches!(self.phase, Phase::Open | Phase::Probing) || self.keys.all_rest()
    }

    /// Whether what is remembered of it is bad news.
    pub(super) const fn is_failing(&self) -> bool {
        self.failing_since.is_some() || matches!(self.phase, Phase::Open | Phase::Probing)
    }
}

/// One failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Why.
    pub cause: Cause,
    /// How far it had come.
    pub stage: Stage,
    /// What it concerns.
    pub scope: Scope,
    /// The upstream's status.
    pub status: Option<u16>,
    /// When.
    pub at: Nanos,
    /// What exactly was seen or said; may name addresses.
    pub detail: String,
}

impl Fault {
    /// The part of a failure that is evidence, its detail cut to `detail_bytes_max`.
    pub fn of(failure: &Failure, at: Nanos, detail_bytes_max: usize) -> Self {
        let end = failure.detail.floor_char_boundary(detail_bytes_max);
        Self {
            cause: failure.cause,
            stage: failure.stage,
            scope: failure.scope,
            status: failure.status,
            at,
            detail: failure.detail[..end].to_owned(),
        }
    }
}

/// The keys of a target, for its model.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeysEvidence {
    /// How many there are.
    pub total: usize,
    /// Rate limited for the model.
    pub limited: usize,
    /// Refused by the vendor.
    pub rejected: usize,
    /// Without credit.
    pub exhausted: usize,
    /// Not to be had from whoever gives them out.
    pub unavailable: usize,
    /// Why one of those cannot be had.
    pub trouble: Option<String>,
    /// When the first one is free, if all rest.
    pub free_at: Option<Nanos>,
    /// Some of those that rest, masked: `…a1`.
    pub examples: Vec<String>,
}

impl KeysEvidence {
    pub(super) const fn all_rest(&self) -> bool {
        self.total > 0 && self.limited + self.rejected + self.exhausted + self.unavailable >= self.total
    }
}

/// What is wrong with a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameEvidence {
    /// The name.
    pub host: Name,
    /// In which way.
    pub trouble: NameTrouble,
    /// Addresses that are used all the same.
    pub addresses: usize,
    /// When a server last confirmed them.
    pub last_good: Option<Nanos>,
    /// Since when look-ups fail.
    pub failing_since: Option<Nanos>,
    /// What the newest one said, with the server that said it.
    pub last_error: Option<String>,
}

/// In which way a name fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameTrouble {
    /// Look-ups fail; the addresses of before are used.
    StaleKept,
    /// Look-ups fail, and there never was an address.
    Failed,
    /// It does not exist.
    NoSuchName,
    /// It has no address.
    NoAddress,
}

impl NameTrouble {
    pub(super) const fn diagnosis(self) -> Diagnosis {
        match self {
            Self::StaleKept => Diagnosis::DnsFailedStaleKept,
            Self::Failed => Diagnosis::DnsFailed,
            Self::NoSuchName => Diagnosis::DnsNxdomain,
            Self::NoAddress => Diagnosis::DnsNoAddress,
        }
    }
}

/// Two addresses of one host, of which only one takes connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Half {
    /// The host and its port.
    pub host: Name,
    /// The address that refuses.
    pub refused: String,
    /// The address that answers.
    pub answers: String,
    /// When that was seen.
    pub at: Nanos,
}

/// What an active check says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// It fails, and so many requests succeeded meanwhile.
    Contradicted {
        /// Failed checks in a row.
        failed: u32,
        /// Requests that succeeded meanwhile.
        successes: u64,
    },
    /// It cannot connect, and no traffic says otherwise.
    Blocked,
}
