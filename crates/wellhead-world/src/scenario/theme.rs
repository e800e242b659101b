//! What a world is mainly about. Chance alone would seldom make the situations that promises are about: an outage with
//! a standby, one without, keys that are all limited, one slow upstream among healthy ones.

use super::fault::{Fault, Kind, NameFault, NameKind};
use super::{Host, Scenario};
use crate::dice::Dice;

/// The kinds of worlds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    /// Nothing goes wrong.
    Calm,
    /// Anything, anywhere.
    Mixed,
    /// Everybody is away for a while, and comes back.
    Outage,
    /// One is away or broken, and another one works all the time.
    Standby,
    /// Limits, rejected and spent keys.
    Limits,
    /// Streams that break after they have begun.
    Cuts,
    /// Name servers say wrong things.
    Names,
    /// One comes and goes.
    Flapping,
    /// One is slow, and others have nothing to do with it.
    Isolation,
    /// A single target fails again and again.
    Sole,
    /// Nobody can answer as asked, and something was declared for that.
    Fallback,
    /// More is asked for than the slots can take, of all classes.
    Crowd,
}

impl Theme {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Calm,
        Self::Mixed,
        Self::Outage,
        Self::Standby,
        Self::Limits,
        Self::Cuts,
        Self::Names,
        Self::Flapping,
        Self::Isolation,
        Self::Sole,
        Self::Fallback,
        Self::Crowd,
    ];

    /// The theme of a seed: neighbouring seeds differ, so that a few hundred hold plenty of each.
    pub fn of(seed: u64) -> Self {
        const ROUND: [Theme; 20] = [
            Theme::Mixed,
            Theme::Outage,
            Theme::Standby,
            Theme::Cuts,
            Theme::Mixed,
            Theme::Limits,
            Theme::Names,
            Theme::Sole,
            Theme::Mixed,
            Theme::Flapping,
            Theme::Isolation,
            Theme::Cuts,
            Theme::Mixed,
            Theme::Outage,
            Theme::Standby,
            Theme::Fallback,
            Theme::Crowd,
            Theme::Mixed,
            Theme::Fallback,
            Theme::Calm,
        ];
        ROUND[usize::try_from(seed % ROUND.len() as u64).unwrap_or(0)]
    }
}

/// Faults begin when there is something to disturb.
const FIRST_MS: u64 = 4_000;

/// Writes what goes wrong into the scenario, until `quiet_ms`.
pub(super) fn trouble(scenario: &mut Scenario, dice: &mut Dice) {
    let quiet = scenario.quiet_ms;
    let count = scenario.providers.len();
    match scenario.theme {
        Theme::Calm | Theme::Crowd => {}
        Theme::Mixed => {
            for _ in 0..dice.within(2, 7) {
                let (provider, kind) = (dice.index(count), any(dice));
                for_a_while(scenario, dice, provider, kind);
            }
            if dice.chance(40) {
                names(scenario, dice);
            }
        }
        Theme::Outage => {
            let kind =
                dice.pick(&[Kind::Refuse, Kind::Refuse, Kind::Partition, Kind::Status(503), Kind::Silent]);
            let from_ms = dice.within(FIRST_MS, 12_000);
            for provider in 0..count {
                scenario.faults.push(Fault { provider, kind, from_ms, to_ms: quiet, percent: 100 });
            }
        }
        Theme::Standby => {
            let kind = dice.pick(&[
                Kind::Refuse,
                Kind::Refuse,
                Kind::HangConnect,
                Kind::Silent,
                Kind::Status(500),
                Kind::ResetBeforeHeaders,
                Kind::ErrorInSuccess,
                Kind::Slow(12),
            ]);
            let from_ms = dice.within(FIRST_MS, 12_000);
            scenario.faults.push(Fault { provider: 0, kind, from_ms, to_ms: quiet, percent: 100 });
        }
        Theme::Limits => limits(scenario, dice),
        Theme::Cuts => {
            for provider in 0..count {
                for _ in 0..dice.within(1, 2) {
                    let kind = cut(dice);
                    for_a_while(scenario, dice, provider, kind);
                }
            }
        }
        Theme::Names => {
            for _ in 0..dice.within(2, 4) {
                names(scenario, dice);
            }
        }
        Theme::Flapping => {
            let (mut at, kind) = (FIRST_MS, any(dice));
            while at < quiet {
                let to_ms = (at + dice.within(300, 6_000)).min(quiet);
                scenario.faults.push(Fault { provider: 0, kind, from_ms: at, to_ms, percent: 100 });
                at = to_ms + dice.within(300, 6_000);
            }
        }
        Theme::Isolation => {
            let kind = dice.pick(&[Kind::Slow(20), Kind::Silent, Kind::StallAfter(1), Kind::HangConnect]);
            scenario.faults.push(Fault { provider: 0, kind, from_ms: FIRST_MS, to_ms: quiet, percent: 100 });
        }
        Theme::Fallback => away(scenario, dice),
        Theme::Sole => {
            let kind = dice.pick(&[
                Kind::Refuse,
                Kind::Status(500),
                Kind::Status(529),
                Kind::ResetBeforeHeaders,
                Kind::ErrorInSuccess,
            ]);
            for provider in 0..count {
                for_a_while(scenario, dice, provider, kind);
            }
        }
    }
}

/// The first one is away, perhaps the second as well; the one that stands in seldom.
fn away(scenario: &mut Scenario, dice: &mut Dice) {
    let quiet = scenario.quiet_ms;
    let kind = dice.pick(&[
        Kind::Refuse,
        Kind::Partition,
        Kind::HangConnect,
        Kind::Status(500),
        Kind::Status(503),
        Kind::ResetBeforeHeaders,
        Kind::Silent,
        Kind::Limited(Some(3)),
        Kind::Malformed,
    ]);
    let from_ms = dice.within(8_000, 15_000);
    scenario.faults.push(Fault { provider: 0, kind, from_ms, to_ms: quiet, percent: 100 });
    if dice.chance(50) {
        scenario.faults.push(Fault { provider: 1, kind, from_ms, to_ms: quiet, percent: 100 });
    }
    if dice.chance(30) {
        let kind = any(dice);
        for_a_while(scenario, dice, 2, kind);
    }
}

fn for_a_while(scenario: &mut Scenario, dice: &mut Dice, provider: usize, kind: Kind) {
    let from_ms = dice.within(FIRST_MS, scenario.quiet_ms - 8_000);
    let to_ms = (from_ms + dice.within(2_000, 30_000)).min(scenario.quiet_ms);
    let percent = dice.pick(&[15, 40, 100, 100]);
    scenario.faults.push(Fault { provider, kind, from_ms, to_ms, percent });
}

/// Any fault but those that make keys rest for minutes; worlds that have them are longer.
fn any(dice: &mut Dice) -> Kind {
    let tokens = u32::try_from(dice.within(0, 8)).unwrap_or(0);
    let status = dice.pick(&[500, 502, 503, 529]);
    let retry_after = dice.pick(&[None, Some(1), Some(3)]);
    dice.pick(&[
        Kind::Refuse,
        Kind::HangConnect,
        Kind::Partition,
        Kind::ResetBeforeHeaders,
        Kind::CloseBeforeHeaders,
        Kind::ResetAfterHeaders,
        Kind::Silent,
        Kind::SilentAfterHeaders,
        Kind::CutAfter(tokens),
        Kind::ResetAfter(tokens),
        Kind::StallAfter(tokens),
        Kind::Slow(4),
        Kind::Slow(20),
        Kind::Status(status),
        Kind::Limited(retry_after),
        Kind::ErrorInSuccess,
        Kind::Malformed,
        Kind::NoTerminator,
        Kind::Truncated,
        Kind::Html,
        Kind::DropIdle,
    ])
}

fn cut(dice: &mut Dice) -> Kind {
    let tokens = u32::try_from(dice.within(1, 9)).unwrap_or(1);
    dice.pick(&[
        Kind::CutAfter(tokens),
        Kind::CutAfter(tokens),
        Kind::ResetAfter(tokens),
        Kind::StallAfter(tokens),
        Kind::Truncated,
        Kind::NoTerminator,
    ])
}

fn limits(scenario: &mut Scenario, dice: &mut Dice) {
    let retry_after = dice.pick(&[None, Some(2), Some(3), Some(8)]);
    let (from_ms, to_ms) = (dice.within(FIRST_MS, 15_000), scenario.quiet_ms);
    let all = dice.chance(60);
    for provider in 0..scenario.providers.len() {
        if all || dice.chance(50) {
            let kind = Kind::Limited(retry_after);
            let to_ms = (from_ms + dice.within(2_000, 12_000)).min(to_ms);
            let percent = dice.pick(&[50, 100, 100]);
            scenario.faults.push(Fault { provider, kind, from_ms, to_ms, percent });
        }
    }
    if dice.chance(35) {
        let (provider, kind) = (dice.index(scenario.providers.len()), Kind::KeyRejected);
        for_a_while(scenario, dice, provider, kind);
    }
    if dice.chance(15) {
        let (provider, kind) = (dice.index(scenario.providers.len()), Kind::QuotaSpent);
        for_a_while(scenario, dice, provider, kind);
    }
}

/// Something about one name. A denial never lasts as long as it takes to be believed (30 s): it would be the truth.
/// For that reason there is one at most.
fn names(scenario: &mut Scenario, dice: &mut Dice) {
    let provider = dice.index(scenario.providers.len());
    if !matches!(scenario.providers[provider].host, Host::Named { .. }) {
        return;
    }
    let v6 = dice.chance(50);
    let kind = dice.pick(&[
        NameKind::Fails,
        NameKind::Silent,
        NameKind::Empty,
        NameKind::Empty,
        NameKind::NoSuchName,
        NameKind::Loses { v6 },
        NameKind::Moves,
    ]);
    let of_this = |fault: &NameFault| fault.provider == provider;
    if matches!(kind, NameKind::NoSuchName | NameKind::Moves)
        && scenario.name_faults.iter().any(|f| of_this(f) && f.kind == kind)
    {
        return;
    }
    let quiet = scenario.quiet_ms;
    let from_ms = dice.within(0, quiet - 10_000);
    let to_ms = match kind {
        NameKind::NoSuchName => from_ms + dice.within(1_000, 20_000),
        NameKind::Moves => u64::MAX,
        _ => from_ms + dice.within(1_000, 40_000),
    };
    let to_ms = if kind == NameKind::Moves { to_ms } else { to_ms.min(quiet) };
    scenario.name_faults.push(NameFault { provider, kind, from_ms, to_ms });
}
