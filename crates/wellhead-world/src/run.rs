//! One seed, from its number to its verdict.

use crate::check;
use crate::log::Entries;
use crate::play::play;
use crate::scenario::{Kind, Scenario, Theme, make};
use std::collections::BTreeMap;
use wellhead_types::planted::{self, Planted};

/// What became of a world.
#[derive(Debug)]
pub struct Verdict {
    /// Its seed.
    pub seed: u64,
    /// What it was about.
    pub theme: Theme,
    /// The promises that were broken; each begins with the name of the promise.
    pub wrong: Vec<String>,
    /// One number for everything that happened.
    pub hash: u64,
    /// Requests by outcome and rung.
    pub rungs: BTreeMap<String, u64>,
}

impl Verdict {
    /// The command that plays the same world again and prints what happens in it.
    pub fn command(&self) -> String {
        format!("cargo run -q -p wellhead-world -- --seed {}", self.seed)
    }
}

/// Plays the world of a seed.
pub fn run(seed: u64, shows: bool) -> Verdict {
    run_with(seed, shows, None)
}

/// The same with a bug that is planted.
pub fn run_with(seed: u64, shows: bool, bug: Option<Planted>) -> Verdict {
    planted::plant(bug);
    let scenario = make(seed);
    let theme = scenario.theme;
    let outcome = played(scenario, shows);
    planted::plant(None);
    let (entries, wrong) = match outcome {
        Ok(played) => played,
        Err(why) => (Entries::default(), vec![format!("the world could not be set up: {why}")]),
    };
    Verdict { seed, theme, wrong, hash: entries.hash(), rungs: rungs(&entries) }
}

fn played(scenario: Scenario, shows: bool) -> Result<(Entries, Vec<String>), String> {
    // The slowness of one upstream is compared with the same world without it.
    let twin = (scenario.theme == Theme::Isolation).then(|| {
        scenario.without(|f| {
            matches!(f.kind, Kind::Slow(_) | Kind::Silent | Kind::StallAfter(_) | Kind::HangConnect)
        })
    });
    let (scenario, entries) = play(scenario, shows)?;
    let mut wrong = check::finally(&scenario, &entries);
    if let Some(twin) = twin {
        let (_, calm) = play(twin, false)?;
        wrong.extend(check::isolation(&scenario, &entries, &calm));
    }
    Ok((entries, wrong))
}

fn rungs(entries: &Entries) -> BTreeMap<String, u64> {
    let mut rungs = BTreeMap::new();
    for (_, _, record) in &entries.records {
        let name = format!("{}/{}", record.outcome.as_str(), record.rung.as_str());
        *rungs.entry(name).or_insert(0) += 1;
    }
    rungs
}
