//! `models:`.

use crate::section::section;
use crate::values::{Int, List, Rescue, StreamMode, Text, Time};

section! {
    /// A name that clients send; it stands for targets in tiers.
    Model {
        /// Where it can be answered.
        Must targets: List<Target, 1, 64>,
        /// Times to wait.
        May timeouts: ModelTimeouts,
        /// Most attempts for one request, over all targets. Default: 6.
        May attempts_max: Int<1, 64>,
        /// How streams are delivered and rescued. Default: the section `stream`.
        May stream: Stream,
        /// Regions of providers that may be asked. Default: all.
        May regions: List<Text, 1, 64>,
    }
}

section! {
    /// One place that can answer.
    Target {
        /// Name of a provider.
        Must provider: Text,
        /// The vendor's name for the model.
        Must model: Text,
        /// Share within its tier. Default: 1.
        May weight: Int<1, 1_000_000>,
        /// Tiers are used in order; 0 is first. Default: 0.
        May tier: Int<0, 255>,
    }
}

section! {
    /// Times to wait for an answer.
    ModelTimeouts {
        /// Limit of one request over all attempts: to the first content token when streamed, to completion otherwise.
        /// Default: 10m.
        May deadline: Time<1, 86_400_000>,
        /// Limit for the first content token of a stream when another target exists. Default: 12s, or the deadline if
        /// that is shorter.
        May first_token: Time<1, 86_400_000>,
        /// Longest silence within a stream. Default: 60s, or stream_max if that is shorter.
        May stream_idle: Time<1, 86_400_000>,
        /// Longest stream. Default: 1h.
        May stream_max: Time<1, 604_800_000>,
        /// Longest wait for a target to recover when none can be asked. Default: 30s; 0s refuses at once.
        May hold: Time<0, 3_600_000>,
    }
}

section! {
    /// How streams are delivered and rescued.
    Stream {
        /// How an answer that broke off is continued: off, exact (only where the text stays the same) or best (also by
        /// asking another target to go on). Default: exact.
        May rescue: Rescue,
        /// relay: as it comes; atomic: not before it is complete. Default: relay.
        May mode: StreamMode,
    }
}
