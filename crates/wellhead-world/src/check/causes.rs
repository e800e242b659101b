//! I8: whatever the gateway names as a cause was the matter with that target at that time.

use crate::log::{Answer, Entries};
use crate::scenario::{NameKind, Scenario};

/// Words that blame nobody: the caller's own patience, and an attempt that was given up or was the slower of two.
const NEUTRAL: [&str; 4] = ["ok", "cancelled", "deadline_exceeded", "hedge_lost"];

/// A fault shows later than it strikes: a connection that was made, or a stream that began, while it was on.
const LATE_MS: u64 = 45_000;

pub(super) fn check(scenario: &Scenario, entries: &Entries, wrong: &mut Vec<String>) {
    for answer in &entries.answers {
        for (target, outcome) in &answer.attempts {
            if !is_true(scenario, entries, answer, target, outcome) {
                let (at, ask) = (answer.ended_ms, answer.ask);
                wrong.push(format!(
                    "I8: {at} ask {ask} blames {target} for {outcome}, which was not the matter"
                ));
            }
        }
    }
}

fn is_true(scenario: &Scenario, entries: &Entries, answer: &Answer, target: &str, outcome: &str) -> bool {
    let name = target.split('/').next().unwrap_or_default();
    let Some(provider) = scenario.providers.iter().position(|p| p.name == name) else { return false };
    let (from, to) = (answer.at_ms.saturating_sub(LATE_MS), answer.ended_ms);
    let injected = scenario
        .faults
        .iter()
        .any(|f| f.provider == provider && f.met(from, to) && f.kind.causes().contains(&outcome));
    let named = scenario
        .name_faults
        .iter()
        .any(|f| f.provider == provider && f.from_ms <= to && names(f.kind).contains(&outcome));
    let mut heard = entries.heard.iter().filter(|h| h.ask == answer.ask && h.provider == provider);
    let seen = match outcome {
        "context_length" => scenario.asks[answer.ask].long,
        "bad_request" => heard.any(|h| h.refused_prefill),
        // It was asked for the rest, and meant something else than the client has.
        "continuation_differs" => heard.any(|h| !h.meant.starts_with(&answer.text)),
        _ => false,
    };
    NEUTRAL.contains(&outcome) || injected || named || seen
}

/// With which causes a name that is wrong may be explained.
const fn names(kind: NameKind) -> &'static [&'static str] {
    match kind {
        NameKind::NoSuchName => &["dns_error", "name_not_found"],
        NameKind::Moves => &["connection_refused"],
        NameKind::Silent => &["dns_error", "connection_timeout"],
        NameKind::Fails | NameKind::Empty | NameKind::Loses { .. } => &["dns_error"],
    }
}
