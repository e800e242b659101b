//! What a world may hold besides: something that stands in when nobody answers, tools, urgency, a crowd. Drawn from dice
//! of their own when everything else is written down, so that a new ingredient leaves the worlds without it as they are.

use super::{App, Ask, Change, Scenario, Theme};
use crate::dice::Dice;

/// What is said when there is nothing else to say.
pub(crate) const STAND_IN: &str = "We are back in a moment.";
/// Questions that are asked again and again, so that an earlier answer can be found.
const COMMON_QUESTIONS: usize = 3;
/// Questions of their own have numbers above the common ones.
const OWN_QUESTIONS_FROM: usize = 1_000;

/// `fallback` of a model.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fallback {
    /// `after`.
    pub after_ms: u64,
    /// `cache`.
    pub cache: Option<Cache>,
    /// `model`, by its number.
    pub smaller: Option<usize>,
    /// `larger_model`, by its number.
    pub larger: Option<usize>,
    /// `text` is declared.
    pub text: bool,
}

/// `cache` of a fallback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cache {
    /// `ttl`.
    pub ttl_ms: u64,
    /// `scope: all`.
    pub shared: bool,
}

/// What a request says about tools.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tools {
    /// There are some.
    Offered,
    /// One has to be called.
    Required,
}

/// A time in which more is asked for than can be answered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Crowd {
    /// From then on, in milliseconds of the world.
    pub from_ms: u64,
    /// Until then.
    pub to_ms: u64,
}

/// How often each class is asked for in a crowd, in percent.
const CLASSES: [(&str, u64); 4] = [("critical", 15), ("default", 25), ("best-effort", 20), ("bulk", 40)];

/// Adds them.
pub(super) fn add(scenario: &mut Scenario) {
    let mut dice = Dice::new(scenario.seed ^ 0xe274_a500);
    let theme = scenario.theme;
    let may_fall_back =
        matches!(theme, Theme::Mixed | Theme::Outage | Theme::Limits | Theme::Cuts | Theme::Flapping);
    if theme == Theme::Fallback || (may_fall_back && dice.chance(35)) {
        fallbacks(scenario, &mut dice);
    }
    if matches!(theme, Theme::Mixed | Theme::Cuts | Theme::Flapping | Theme::Fallback) && dice.chance(50) {
        tools(scenario, &mut dice);
    }
    match theme {
        Theme::Mixed => {
            let words = CLASSES.map(|(word, _)| word);
            scenario.apps.iter_mut().skip(1).for_each(|app| app.priority = dice.pick(&words));
        }
        Theme::Crowd => crowd(scenario, &mut dice),
        _ => {}
    }
    for (number, ask) in scenario.asks.iter_mut().enumerate() {
        if ask.question.is_none() {
            ask.question = Some(OWN_QUESTIONS_FROM + number);
        }
    }
}

fn fallbacks(scenario: &mut Scenario, dice: &mut Dice) {
    let count = scenario.models.len();
    for number in 0..count {
        // Where fallbacks are what the world is about, the first model has one and the others stand in.
        let declares = if scenario.theme == Theme::Fallback { number == 0 } else { dice.chance(60) };
        if !declares || scenario.models[number].attempts_max < 2 {
            continue;
        }
        let other = |dice: &mut Dice| (number + 1 + dice.index(count - 1)) % count;
        let smaller = (count > 1 && dice.chance(60)).then(|| other(dice));
        let larger =
            (count > 1 && dice.chance(30)).then(|| other(dice)).filter(|model| Some(*model) != smaller);
        let ttl_ms = dice.pick(&[4_000, 10_000, 60_000]);
        let cache = dice.chance(60).then(|| Cache { ttl_ms, shared: dice.chance(40) });
        let text = dice.chance(50) || (cache.is_none() && smaller.is_none() && larger.is_none());
        let after_ms = dice.pick(&[0, 500, 2_000, 5_000]);
        let fallback = Some(Fallback { after_ms, cache, smaller, larger, text });
        scenario.models[number].fallback.clone_from(&fallback);
        for (_, change) in &mut scenario.changes {
            if let Change::Models(models) = change {
                models[number].fallback.clone_from(&fallback);
            }
        }
        for ask in scenario.asks.iter_mut().filter(|ask| ask.model == number) {
            // Only where somebody else may take it: nothing else is to be seen of a request that is too long.
            ask.long = larger.is_some() && dice.chance(15);
            if cache.is_some() && !ask.long && dice.chance(60) {
                ask.question = Some(dice.index(COMMON_QUESTIONS));
            }
        }
    }
}

fn tools(scenario: &mut Scenario, dice: &mut Dice) {
    for ask in &mut scenario.asks {
        if dice.chance(20) {
            ask.tools = Some(dice.pick(&[Tools::Offered, Tools::Required]));
        }
    }
}

/// More than the slots can take, of all classes.
fn crowd(scenario: &mut Scenario, dice: &mut Dice) {
    scenario.apps = CLASSES
        .iter()
        .enumerate()
        .map(|(number, (word, _))| App { priority: word, ..App::plain(number) })
        .collect();
    for ask in &mut scenario.asks {
        ask.app = dice.index(CLASSES.len());
    }
    let mut capacity_per_s = 0.0;
    for provider in &mut scenario.providers {
        let slots = dice.within(2, 4);
        provider.concurrency = u32::try_from(slots).ok();
        // An answer has eleven words on average.
        let answer_ms = provider.dial_ms + provider.first_ms + 11 * provider.pace_ms;
        capacity_per_s += slots as f64 * 1_000.0 / answer_ms as f64;
    }
    let model = &mut scenario.models[0];
    model.hold_ms = 30_000;
    // At all other times half of the slots are enough.
    let share = capacity_per_s / 2.0 / model.per_second;
    scenario.asks.retain(|_| (dice.within(0, 999) as f64) < share * 1_000.0);
    let from_ms = dice.within(6_000, 10_000);
    let crowd = Crowd { from_ms, to_ms: from_ms + dice.within(8_000, 12_000) };
    let per_second = capacity_per_s * dice.within(20, 30) as f64 / 10.0;
    let mut at_ms = crowd.from_ms;
    loop {
        at_ms += dice.pause_ms(per_second);
        if at_ms >= crowd.to_ms {
            break;
        }
        let streamed = dice.chance(50);
        let app = class(dice.within(0, 99));
        scenario.asks.push(Ask { at_ms, app, model: 0, streamed, ..Ask::default() });
    }
    scenario.asks.sort_by_key(|ask| ask.at_ms);
    scenario.crowd = Some(crowd);
}

/// The app of a draw out of a hundred.
fn class(drawn: u64) -> usize {
    let mut sum = 0;
    let below = |(_, percent): &&(&str, u64)| {
        sum += percent;
        drawn >= sum
    };
    CLASSES.iter().take_while(below).count()
}
