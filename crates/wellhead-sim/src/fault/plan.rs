//! The faults of one request, sorted by the moment at which they strike.

use std::time::Duration;

use super::{Fault, Faults};

/// What happens instead of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opening {
    Refuse,
    Reset,
    Silence,
}

/// What ends an answer early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interruption {
    Cut,
    Reset,
    Stall,
    Error,
}

/// How an answer is played.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Plan {
    pub(crate) opening: Option<Opening>,
    pub(crate) drip: Option<Duration>,
    pub(crate) reset_after_headers: bool,
    /// On top of the usual time to the first token.
    pub(crate) first_token: Duration,
    pub(crate) pace: Duration,
    /// Tokens sent before, and what then.
    pub(crate) interruption: Option<(u64, Interruption)>,
    pub(crate) malformed_after: Option<u64>,
    pub(crate) terminator: bool,
    /// `Some(true)`: even if the client does not accept gzip.
    pub(crate) compressed: Option<bool>,
    pub(crate) huge_line: Option<u64>,
}

impl Plan {
    /// Sorts `faults`; of two that strike at the same moment the later one counts.
    pub(crate) fn new(faults: &Faults, pace: Duration) -> Self {
        let mut plan = Self {
            opening: None,
            drip: None,
            reset_after_headers: false,
            first_token: Duration::ZERO,
            pace,
            interruption: None,
            malformed_after: None,
            terminator: true,
            compressed: None,
            huge_line: None,
        };
        for fault in &faults.0 {
            plan.add(fault);
        }
        plan
    }

    fn add(&mut self, fault: &Fault) {
        match fault {
            Fault::Refuse => self.opening = Some(Opening::Refuse),
            Fault::ResetBeforeHeaders => self.opening = Some(Opening::Reset),
            Fault::Silence => self.opening = Some(Opening::Silence),
            Fault::ResetAfterHeaders => self.reset_after_headers = true,
            Fault::SlowFirstToken { ms } => self.first_token = Duration::from_millis(*ms),
            Fault::SlowTokens { ms } => self.pace = Duration::from_millis(*ms),
            Fault::CutAfter { tokens } => self.interruption = Some((*tokens, Interruption::Cut)),
            Fault::ResetAfter { tokens } => self.interruption = Some((*tokens, Interruption::Reset)),
            Fault::StallAfter { tokens } => self.interruption = Some((*tokens, Interruption::Stall)),
            Fault::ErrorMidStream { tokens } => self.interruption = Some((*tokens, Interruption::Error)),
            Fault::MalformedEvent { tokens } => self.malformed_after = Some(*tokens),
            Fault::MissingTerminator => self.terminator = false,
            Fault::Compressed { force } => self.compressed = Some(*force),
            Fault::HugeLine { bytes } => self.huge_line = Some(*bytes),
            Fault::DripHeaders { ms } => self.drip = Some(Duration::from_millis(*ms)),
            // These change what is answered, not how it is sent: `disguise` and the endpoints see to them.
            Fault::Status { .. }
            | Fault::ErrorIn200
            | Fault::WrongContentType
            | Fault::EmptyBody
            | Fault::BadJson
            | Fault::Tokens { .. } => {}
        }
    }
}
