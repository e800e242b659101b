//! When more is asked for than the slots can take: who is more important gets through. That no server has more at a time
//! than it has slots is seen by the upstream itself (ROOM).

use super::TIMERS_MS;
use crate::log::Entries;
use crate::scenario::Scenario;

/// Fewer requests than this say nothing about a share.
const SAMPLE_MIN: usize = 20;
/// Time that a request has to have for its turn and its answer, to be counted.
const TIME_MS: u64 = 8_000;

pub(super) fn check(scenario: &Scenario, entries: &Entries, wrong: &mut Vec<String>) {
    let Some(crowd) = scenario.crowd else { return };
    let share = |priority: &str| {
        let counted = entries.answers.iter().filter(|answer| {
            let ask = &scenario.asks[answer.ask];
            scenario.apps[ask.app].priority == priority
                && (crowd.from_ms..crowd.to_ms).contains(&ask.at_ms)
                && ask.leaves_ms.is_none()
                && ask.reads_ms == 0
                && scenario.deadline_ms(ask) + TIMERS_MS > TIME_MS
        });
        counted.fold((0, 0), |(good, all), answer| (good + usize::from(answer.is_success()), all + 1))
    };
    let (critical, bulk) = (share("critical"), share("bulk"));
    // What is critical is less than half of what the slots can take.
    if critical.1 >= SAMPLE_MIN && critical.0 * 100 < critical.1 * 90 {
        wrong.push(format!(
            "CLASS: {} of {} critical requests are answered in a crowd",
            critical.0, critical.1
        ));
    }
    let samples = critical.1 >= SAMPLE_MIN && bulk.1 >= SAMPLE_MIN;
    if samples && critical.0 * bulk.1 < bulk.0 * critical.1 {
        wrong.push(format!(
            "CLASS: in a crowd critical requests fare worse ({critical:?}) than bulk ({bulk:?})"
        ));
    }
}
