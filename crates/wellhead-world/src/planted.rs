//! The bugs that are planted to prove that they would be found: one row per bug.

use crate::run::{Verdict, run_with};
use crate::scenario::Theme;
use wellhead_types::planted::Planted;

/// A bug, the promises that it breaks, and the worlds in which it shows.
#[derive(Debug)]
pub struct Row {
    /// The bug.
    pub bug: Planted,
    /// It is found when one of these is broken.
    pub breaks: &'static [&'static str],
    /// Worlds about this are tried.
    pub themes: &'static [Theme],
}

/// All of them.
pub const ROWS: &[Row] = &[
    Row { bug: Planted::BreakerNeverDue, breaks: &["I2", "I6"], themes: &[Theme::Standby, Theme::Outage] },
    Row { bug: Planted::BreakerNeverOpens, breaks: &["PROBES"], themes: &[Theme::Standby, Theme::Outage] },
    Row { bug: Planted::BalanceTakesTheHeavier, breaks: &["SLOWER", "I2", "I10"], themes: &[Theme::Standby] },
    Row { bug: Planted::BudgetNeverRefuses, breaks: &["I3"], themes: &[Theme::Sole] },
    Row { bug: Planted::BackoffIsZero, breaks: &["PAUSE"], themes: &[Theme::Sole] },
    Row { bug: Planted::HoldOutlastsTheDeadline, breaks: &["I4"], themes: &[Theme::Limits, Theme::Outage] },
    Row { bug: Planted::HoldForgetsToCall, breaks: &["WAITS"], themes: &[Theme::Limits] },
    Row { bug: Planted::HedgeAsksTwoAtOnce, breaks: &["HEDGES"], themes: &[Theme::Outage, Theme::Standby] },
    Row {
        bug: Planted::LatencyLimitIsNothing,
        breaks: &["I6", "STANDBY"],
        themes: &[Theme::Standby, Theme::Outage],
    },
    Row { bug: Planted::RampLetsNobodyIn, breaks: &["I6"], themes: &[Theme::Outage, Theme::Sole] },
    Row { bug: Planted::KeyRestIgnoresRetryAfter, breaks: &["RETRY-AFTER"], themes: &[Theme::Limits] },
    Row {
        bug: Planted::LadderAsksTheSilentAgain,
        breaks: &["SILENT"],
        themes: &[Theme::Outage, Theme::Mixed],
    },
    Row { bug: Planted::LadderGivesUpEarly, breaks: &["STANDBY"], themes: &[Theme::Standby] },
    Row { bug: Planted::LastLightLetsEverybodyIn, breaks: &["PROBES"], themes: &[Theme::Outage] },
    Row { bug: Planted::NamesBelieveAnEmptyAnswer, breaks: &["I1"], themes: &[Theme::Names] },
    Row {
        bug: Planted::ResumeAcceptsADifferentAnswer,
        breaks: &["I5"],
        themes: &[Theme::Cuts, Theme::Mixed],
    },
    Row { bug: Planted::StreamEndsACutLikeAFinish, breaks: &["I5"], themes: &[Theme::Cuts, Theme::Mixed] },
    Row { bug: Planted::SubstituteForgetsTheText, breaks: &["FALLBACK"], themes: &[Theme::Fallback] },
    Row { bug: Planted::SubstituteIsAShortCut, breaks: &["FALLBACK"], themes: &[Theme::Fallback] },
    Row { bug: Planted::CacheForgetsTheApp, breaks: &["CACHE"], themes: &[Theme::Fallback] },
    Row { bug: Planted::CacheForgetsItsTime, breaks: &["CACHE"], themes: &[Theme::Fallback] },
];

/// Plants one bug and plays worlds until it is found, `seeds` at most of those that may show it. `plays` is told each seed
/// before it is played.
pub fn find(row: &Row, seeds: usize, plays: &dyn Fn(u64)) -> Option<(Verdict, String)> {
    let may_show = |seed: &u64| row.themes.contains(&Theme::of(*seed));
    (0_u64..).filter(may_show).take(seeds).find_map(|seed| {
        plays(seed);
        let verdict = run_with(seed, false, Some(row.bug));
        let found = |what: &&String| {
            row.breaks.iter().any(|name| what.strip_prefix(name).is_some_and(|rest| rest.starts_with(':')))
        };
        let what = verdict.wrong.iter().find(found)?.clone();
        Some((verdict, what))
    })
}
