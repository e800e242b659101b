//! From a seed to a scenario.

use super::{App, Ask, Change, Host, Model, Provider, Scenario, Target, Theme, extras, theme};
use crate::dice::Dice;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// After the last fault, the longest that the gateway's own back-off leaves anybody alone: the wait of an open target
/// (20 s ± 50 %), or a look-up that failed again and again (30 s).
pub(crate) const BACK_OFF_MS: u64 = 30_000;
/// How long everybody has to be seen at work after that.
pub(crate) const WATCHED_MS: u64 = 30_000;

/// Writes the world of a seed.
pub(crate) fn make(seed: u64) -> Scenario {
    let mut dice = Dice::new(seed);
    let theme = Theme::of(seed);
    let count = match theme {
        Theme::Sole => usize::try_from(dice.within(1, 2)).unwrap_or(1),
        Theme::Isolation | Theme::Standby | Theme::Fallback => 3,
        Theme::Crowd => usize::try_from(dice.within(1, 2)).unwrap_or(1),
        _ => usize::try_from(dice.within(2, 4)).unwrap_or(2),
    };
    let providers: Vec<Provider> = (0..count).map(|number| provider(number, theme, &mut dice)).collect();
    let models = models(theme, count, &mut dice);
    let apps = apps(theme, &mut dice);
    let mut scenario = Scenario {
        seed,
        theme,
        workers: usize::try_from(dice.within(1, 3)).unwrap_or(1),
        providers,
        models,
        apps,
        faults: Vec::new(),
        name_faults: Vec::new(),
        changes: Vec::new(),
        asks: Vec::new(),
        crowd: None,
        quiet_ms: dice.within(30_000, 60_000),
        rest_ms: 0,
        end_ms: 0,
    };
    theme::trouble(&mut scenario, &mut dice);
    if matches!(theme, Theme::Mixed | Theme::Cuts | Theme::Names | Theme::Calm) {
        changes(&mut scenario, &mut dice);
    }
    scenario.rest_ms = scenario.faults.iter().map(|fault| fault.kind.rest_ms()).max().unwrap_or(0);
    scenario.end_ms = scenario.quiet_ms + scenario.rest_ms + BACK_OFF_MS + WATCHED_MS;
    scenario.asks = asks(&scenario, &mut dice);
    extras::add(&mut scenario);
    scenario
}

fn provider(number: usize, theme: Theme, dice: &mut Dice) -> Provider {
    let octet = u8::try_from(number + 1).unwrap_or(u8::MAX);
    let v4 = |net: u8| IpAddr::V4(Ipv4Addr::new(198, 51, 100, net + octet));
    let v6 = |net: u16| IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, net, 0, 0, 0, 0, octet.into()));
    let name = format!("p{number}.example");
    let host = match dice.within(0, 3) {
        0 if theme != Theme::Names => Host::At(v4(0)),
        1 => Host::Named { name, addresses: vec![v4(0), v6(0)], later: vec![v4(100), v6(1)] },
        2 => Host::Named { name, addresses: vec![v4(0), v4(50)], later: vec![v4(100)] },
        _ => Host::Named { name, addresses: vec![v4(0)], later: vec![v4(100)] },
    };
    let keys = match theme {
        Theme::Limits => dice.pick(&[0, 1, 1, 2, 3]),
        _ => dice.pick(&[0, 1, 1, 2, 3]),
    };
    let prefill = dice.pick(&["none", "none", "none", "trailing", "vllm", "mistral", "partial"]);
    let equal = theme == Theme::Isolation;
    Provider {
        name: format!("p{number}"),
        host,
        keys: usize::try_from(keys).unwrap_or(0),
        // Apps that are kept to a region find somebody there.
        region: if number == 0 || dice.chance(60) { Some("eu") } else { None },
        prefill,
        // Some configurations promise what the server does not keep.
        prefills: prefill != "none" && dice.chance(80),
        voice: if theme == Theme::Cuts { dice.pick(&[0, 0, 1]) } else { dice.pick(&[0, 0, 0, 1]) },
        first_ms: if equal { 200 } else { dice.within(30, 600) },
        pace_ms: if equal { 20 } else { dice.within(2, 30) },
        dial_ms: dice.within(1, 30),
        concurrency: None,
    }
}

fn models(theme: Theme, providers: usize, dice: &mut Dice) -> Vec<Model> {
    let count = match theme {
        Theme::Sole => providers,
        Theme::Isolation => 2,
        Theme::Fallback => 3,
        Theme::Crowd => 1,
        _ => usize::try_from(dice.within(1, 3)).unwrap_or(1),
    };
    (0..count)
        .map(|number| {
            let targets = targets(theme, number, providers, dice);
            Model {
                name: format!("m{number}"),
                targets,
                deadline_ms: dice.pick(&[10_000, 20_000, 40_000]),
                first_token_ms: dice.within(2_500, 4_000),
                idle_ms: dice.within(2_000, 5_000),
                hold_ms: dice.pick(&[0, 5_000, 30_000, 30_000]),
                attempts_max: u32::try_from(dice.within(3, 8)).unwrap_or(6),
                rescue: dice.pick(&["exact", "exact", "exact", "best", "off"]),
                atomic: dice.chance(10),
                // Crowds are what outages are about.
                per_second: f64::from(u32::try_from(dice.within(12, 30)).unwrap_or(20))
                    / match theme {
                        Theme::Outage => 4.0,
                        // Clients ask for the first one.
                        Theme::Fallback if number > 0 => 60.0,
                        Theme::Fallback => 6.0,
                        _ => 10.0,
                    },
                fallback: None,
            }
        })
        .collect()
}

fn targets(theme: Theme, model: usize, providers: usize, dice: &mut Dice) -> Vec<Target> {
    let one = |provider, tier, weight| Target { provider, tier, weight };
    match theme {
        Theme::Sole => vec![one(model, 0, 1)],
        // The second model has nothing to do with the first one's upstream.
        Theme::Isolation if model == 0 => vec![one(0, 0, 1)],
        Theme::Isolation => vec![one(1, 0, 1), one(2, 0, 1)],
        // The first one fails; the second and third never do.
        Theme::Standby => {
            let tier = u8::from(dice.chance(50));
            vec![one(0, 0, 1), one(1, tier, 1), one(2, 1, 1)]
        }
        // The first two fail, the third seldom; a second target may be one that works.
        Theme::Fallback if model == 0 && dice.chance(50) => vec![one(0, 0, 1)],
        Theme::Fallback if model == 0 => vec![one(0, 0, 1), one(1, 1, 1)],
        Theme::Fallback => vec![one(2, 0, 1)],
        Theme::Crowd => (0..providers).map(|provider| one(provider, 0, 1)).collect(),
        _ => {
            let mut all: Vec<usize> = (0..providers).collect();
            for i in (1..all.len()).rev() {
                all.swap(i, dice.index(i + 1));
            }
            let count = 1 + dice.index(providers.min(3));
            let count = match theme {
                Theme::Outage => count.max(2),
                Theme::Limits if dice.chance(50) => 1,
                _ => count,
            };
            let tiered = dice.chance(50);
            all.into_iter()
                .take(count)
                .enumerate()
                .map(|(place, provider)| {
                    let tier = if tiered && place > 0 { u8::from(dice.chance(60)) } else { 0 };
                    one(provider, tier, dice.pick(&[1, 1, 2, 3]))
                })
                .collect()
        }
    }
}

fn apps(theme: Theme, dice: &mut Dice) -> Vec<App> {
    let app = |number, regions, concurrency| App { regions, concurrency, ..App::plain(number) };
    let mut apps = vec![app(0, None, None)];
    if theme == Theme::Mixed && dice.chance(50) {
        apps.push(app(1, if dice.chance(50) { Some("eu") } else { None }, None));
        apps.push(app(2, None, Some(u32::try_from(dice.within(2, 6)).unwrap_or(4))));
    }
    if theme == Theme::Fallback {
        apps.push(app(1, None, None));
    }
    apps
}

/// Configurations that arrive meanwhile: other weights, a target more or less, or a text that is wrong.
fn changes(scenario: &mut Scenario, dice: &mut Dice) {
    let mut models = scenario.models.clone();
    for _ in 0..dice.within(0, 3) {
        let at = dice.within(2_000, scenario.quiet_ms);
        if dice.chance(25) {
            scenario.changes.push((at, Change::Broken));
            continue;
        }
        let number = dice.index(models.len());
        let model = &mut models[number];
        let unused = (0..scenario.providers.len()).find(|p| model.targets.iter().all(|t| t.provider != *p));
        match (dice.within(0, 2), unused) {
            (0, Some(provider)) => model.targets.push(Target { provider, tier: 0, weight: 1 }),
            (1, _) if model.targets.len() > 1 => {
                let gone = dice.index(model.targets.len());
                model.targets.remove(gone);
            }
            _ => {
                let other = dice.index(model.targets.len());
                model.targets[other].weight = dice.pick(&[1, 2, 3]);
            }
        }
        scenario.changes.push((at, Change::Models(models.clone())));
    }
    // Each was made from the one before: they have to arrive in that order.
    let mut times: Vec<u64> = scenario.changes.iter().map(|(at, _)| *at).collect();
    times.sort_unstable();
    scenario.changes.iter_mut().zip(times).for_each(|(change, at)| change.0 = at);
}

fn asks(scenario: &Scenario, dice: &mut Dice) -> Vec<Ask> {
    let mut asks = Vec::new();
    for (model, spec) in scenario.models.iter().enumerate() {
        let mut at_ms = 0;
        loop {
            // While keys rest for minutes there is little to see.
            let waiting = at_ms > scenario.quiet_ms && at_ms + WATCHED_MS + BACK_OFF_MS < scenario.end_ms;
            at_ms += dice.pause_ms(if waiting { 0.5 } else { spec.per_second }) + 1;
            if at_ms >= scenario.end_ms {
                break;
            }
            asks.push(ask(at_ms, model, scenario, dice));
        }
    }
    asks.sort_by_key(|ask| ask.at_ms);
    asks
}

fn ask(at_ms: u64, model: usize, scenario: &Scenario, dice: &mut Dice) -> Ask {
    // In a world about shares of time, nobody may be odd.
    let odd = scenario.theme != Theme::Isolation;
    Ask {
        at_ms,
        app: dice.index(scenario.apps.len()),
        model,
        streamed: dice.chance(65),
        patience_ms: if odd && dice.chance(30) { Some(dice.within(4_000, 30_000)) } else { None },
        leaves_ms: if odd && dice.chance(4) { Some(dice.within(20, 3_000)) } else { None },
        reads_ms: if odd && dice.chance(4) { dice.within(10, 150) } else { 0 },
        ..Ask::default()
    }
}
