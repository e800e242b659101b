//! Second attempts for late streams are rare: two for every hundred streams, of which a few may have been saved up.

use crate::log::Entries;
use crate::scenario::{BACK_OFF_MS, Scenario};
use wellhead_resilience::hedge::SAVED_HEDGES_MAX;
use wellhead_telemetry::RequestRecord;
use wellhead_types::Rung;

/// Streams that pay for one hedge (2 %).
const STREAMS_PER_HEDGE: usize = 50;

/// Once everything has been well for longer than any target is left alone there are no probes, which may be hedged
/// without being paid for.
pub(super) fn check(scenario: &Scenario, entries: &Entries, wrong: &mut Vec<String>) {
    let from = scenario.quiet_ms + scenario.rest_ms + BACK_OFF_MS;
    for (number, model) in scenario.models.iter().enumerate() {
        let late = |ask: &usize| {
            scenario
                .asks
                .get(*ask)
                .is_some_and(|ask| ask.model == number && ask.streamed && ask.at_ms >= from)
        };
        let records: Vec<&RequestRecord> =
            entries.records.iter().filter(|(ask, _, _)| late(ask)).map(|(_, _, record)| record).collect();
        let hedged = records.iter().filter(|record| is_hedged(record)).count();
        let allowed = SAVED_HEDGES_MAX as usize + records.len() / STREAMS_PER_HEDGE;
        if hedged > allowed {
            let name = &model.name;
            wrong.push(format!(
                "HEDGES: {hedged} streams of {name} had a second attempt since {from}, {allowed} were allowed"
            ));
        }
    }
}

fn is_hedged(record: &RequestRecord) -> bool {
    record.rung == Rung::Hedged || record.attempts.iter().any(|attempt| attempt.result == "hedge_lost")
}
