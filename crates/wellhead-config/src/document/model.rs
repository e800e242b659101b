//! `models:`.

use crate::section::section;
use crate::values::{
    Bytes, CacheScopeChoice, DeferUnknown, DeferWhen, HedgeChoice, Int, List, Rescue, StreamMode, Text, Time,
};

section! {
    /// A name that clients send; it stands for targets in tiers.
    Model {
        /// Where it can be answered.
        Must targets: List<Target, 1, 64>,
        /// Times to wait.
        May timeouts: ModelTimeouts,
        /// Most attempts for one request, over all targets, but for probes while it waits for a recovery. Default: 6.
        May attempts_max: Int<1, 64>,
        /// How streams are delivered and rescued. Default: the section `stream`.
        May stream: Stream,
        /// Regions of providers that may be asked. Default: all.
        May regions: List<Text, 1, 64>,
        /// Parameters that are left out for targets of another dialect that cannot do them, as the client names them; `*`
        /// is all. Default: none, the request is refused by the parameter's name.
        May drop_unsupported: List<Text, 1, 64>,
        /// What stands in when no target can answer. Default: nothing, the client is told so.
        May fallback: Fallback,
        /// Lets answers come later: the request is kept on disk, a 202 says where its answer will be. Default: no.
        May defer: ModelDefer,
    }
}

section! {
    /// What stands in when no target can answer, in this order: an earlier answer, a smaller model, a text. Only the
    /// fallback of the model that the client named counts; regions hold as ever.
    Fallback {
        /// Longest wait for a target to recover before something else is tried. Default: 2s.
        May after: Time<0, 3_600_000>,
        /// Keep answers, and give one again to the very same request.
        May cache: AnswerCache,
        /// Another model of this file that can do less. Apps that may use this model need no permission for it.
        May model: Text,
        /// Another model of this file for requests that are too long for this one; it is asked once.
        May larger_model: Text,
        /// What is said in place of an answer, where the request leaves its form open.
        May text: Text,
    }
}

section! {
    /// Answers that are kept in memory for an outage.
    AnswerCache {
        /// How long an answer may be given again. Default: 1h.
        May ttl: Time<1000, 604_800_000>,
        /// Who may get it: app (the one that it was given to) or all. Default: app.
        May scope: CacheScopeChoice,
        /// Largest answer that is kept. Default: 1MiB.
        May answer_bytes_max: Bytes<1, 16_777_216>,
    }
}

section! {
    /// Answers that may come later.
    ModelDefer {
        /// asked: only where the request says `Prefer: respond-async`; unavailable: also instead of an error when no
        /// target can answer. Default: asked.
        May when: DeferWhen,
        /// How long an answer is worth waiting for. Default: 24h.
        May within: Time<1000, 2_592_000_000>,
        /// What becomes of a request when nobody knows whether its target has done it, and the target's provider does
        /// not honour idempotency keys. fail: it ends, so that nothing is done and paid twice; resend: it is sent again.
        /// Default: fail.
        May unknown: DeferUnknown,
        /// Requests under way at once, reached by steps after an outage. Default: 4.
        May concurrency: Int<1, 32>,
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
        /// Limit for the first token of a stream when another target or a fallback exists. What has been learnt of a
        /// target makes it shorter, never longer. Default: 12s, for models that think 60s, or the deadline if that is
        /// shorter.
        May first_token: Time<1, 86_400_000>,
        /// Longest silence within a stream. What has been learnt of a target makes it shorter, never longer. Default:
        /// 60s, or stream_max if that is shorter.
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
        /// on: where the first content of a stream is late, a second target is asked too, for at most one stream in
        /// fifty, and whoever is first answers; off: never. Default: on.
        May hedge: HedgeChoice,
    }
}
