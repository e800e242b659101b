//! One line of `catalog/models/*.csv`. No field holds a comma, so there are no quotes.

use std::sync::Arc;

use super::{Abilities, Ability, Mode, Model, Price, Prices, Rates, TIERS_MAX, Tier, Unit};
use crate::check::SOURCES;

/// The columns, as the first line of each file names them.
pub const COLUMNS: &str = "model,mode,window,output_max,input,output,cache_read,cache_write,more_prices,tiers,\
                           abilities,deprecated,sources";

/// Number of columns.
const FIELDS: usize = 13;
/// Units with a column of their own, from the fifth column on.
const PRICED: [Unit; 4] = [Unit::Input, Unit::Output, Unit::CacheRead, Unit::CacheWrite];
/// Sources beside those of kinds: published price data that rows were made from.
const DATA: [&str; 3] = ["models.dev", "litellm", "genai-prices"];

/// Reads a line without its line feed.
///
/// # Errors
/// What is wrong, what was expected, and how to fix it.
pub(crate) fn read(line: &str) -> Result<Model, String> {
    let mut fields = [""; FIELDS];
    let mut found = 0;
    for field in line.split(',') {
        if let Some(slot) = fields.get_mut(found) {
            *slot = field;
        }
        found += 1;
    }
    if found != FIELDS {
        return Err(format!("{found} fields; expected {FIELDS}: {COLUMNS}"));
    }
    let [id, mode, window, output_max, prices @ .., more, tiers, abilities, deprecated, sources] = fields;
    if id.is_empty() || id.trim() != id {
        return Err("the model's name is empty or has a space around it".to_owned());
    }
    let wrong = |what: String| format!("model \"{id}\": {what}");
    let mode = Mode::named(mode).ok_or_else(|| {
        let words: Vec<&str> = Mode::ALL.iter().map(|mode| mode.name()).collect();
        wrong(format!("mode \"{mode}\" is not one of: {}", words.join(", ")))
    })?;
    let count = |name: &str, text: &str| count(name, text).map_err(wrong);
    Ok(Model {
        id: id.into(),
        mode: Some(mode),
        window: count("window", window)?,
        output_max: count("output_max", output_max)?,
        prices: Prices {
            base: base(&prices, more).map_err(wrong)?,
            tiers: read_tiers(tiers).map_err(wrong)?,
        },
        abilities: read_abilities(abilities).map_err(wrong)?,
        deprecated: date(deprecated).map_err(wrong)?,
        sources: read_sources(sources).map_err(wrong)?,
        overlay: None,
        family: None,
    })
}

fn count(name: &str, text: &str) -> Result<Option<u64>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    match text.parse() {
        Ok(0) | Err(_) => Err(format!("{name} \"{text}\" is not a number of tokens from 1 up")),
        Ok(number) => Ok(Some(number)),
    }
}

fn base(columns: &[&str; 4], more: &str) -> Result<Rates, String> {
    let mut rates = rates(more)?;
    for (unit, text) in PRICED.into_iter().zip(columns).filter(|(_, text)| !text.is_empty()) {
        if rates.get(unit).is_some() {
            return Err(format!("the price \"{}\" is given twice", unit.name()));
        }
        rates.set(unit, price(unit, text)?);
    }
    Ok(rates)
}

/// `cache_write_1h=6 audio_input=40`
fn rates(text: &str) -> Result<Rates, String> {
    let mut rates = Rates::default();
    for word in text.split_ascii_whitespace() {
        let (name, amount) =
            word.split_once('=').ok_or_else(|| format!("price \"{word}\": expected NAME=DOLLARS"))?;
        let unit = Unit::named(name).ok_or_else(|| {
            let names: Vec<&str> = Unit::ALL.iter().map(|unit| unit.name()).collect();
            format!("price \"{name}\" is not one of: {}", names.join(", "))
        })?;
        if rates.get(unit).is_some() {
            return Err(format!("the price \"{name}\" is given twice"));
        }
        rates.set(unit, price(unit, amount)?);
    }
    Ok(rates)
}

fn price(unit: Unit, text: &str) -> Result<Price, String> {
    Price::parse(text, unit).map_err(|problem| format!("the price \"{}\": \"{text}\" {problem}", unit.name()))
}

/// `200000: input=6 output=22.5; 500000: input=12`
fn read_tiers(text: &str) -> Result<Vec<Tier>, String> {
    let mut tiers: Vec<Tier> = Vec::new();
    for part in text.split(';').filter(|part| !part.trim().is_empty()) {
        let (above, listed) = part
            .split_once(':')
            .ok_or_else(|| format!("tier \"{}\": expected TOKENS: NAME=DOLLARS …", part.trim()))?;
        let above = count("tier", above.trim())?.unwrap_or(0);
        if tiers.last().is_some_and(|last| last.above >= above) {
            return Err(format!("tier {above}: tiers begin with the smallest"));
        }
        let rates = rates(listed)?;
        if above == 0 || rates.is_empty() {
            return Err(format!("tier \"{}\": expected TOKENS: NAME=DOLLARS …", part.trim()));
        }
        tiers.push(Tier { above, rates });
    }
    if tiers.len() > TIERS_MAX {
        return Err(format!("{} tiers; at most {TIERS_MAX} are allowed", tiers.len()));
    }
    Ok(tiers)
}

/// `tools vision !sampling`
fn read_abilities(text: &str) -> Result<Abilities, String> {
    let mut abilities = Abilities::default();
    for word in text.split_ascii_whitespace() {
        let name = word.strip_prefix('!').unwrap_or(word);
        let ability = Ability::named(name).ok_or_else(|| {
            let names: Vec<&str> = Ability::ALL.iter().map(|ability| ability.name()).collect();
            format!("ability \"{name}\" is not one of: {}", names.join(", "))
        })?;
        if abilities.get(ability).is_some() {
            return Err(format!("the ability \"{name}\" is given twice"));
        }
        abilities.set(ability, name.len() == word.len());
    }
    Ok(abilities)
}

fn date(text: &str) -> Result<Option<Arc<str>>, String> {
    match text {
        "" => Ok(None),
        day if is_date(day) => Ok(Some(day.into())),
        other => Err(format!("deprecated \"{other}\" is not a day written YYYY-MM-DD")),
    }
}

/// Whether a text is a day written `YYYY-MM-DD`. How long months are is not checked.
pub fn is_date(text: &str) -> bool {
    let mut parts = text.split('-');
    let mut number = |digits: usize, from: u16, to: u16| {
        parts.next().is_some_and(|part| {
            let digits = part.len() == digits && part.bytes().all(|b| b.is_ascii_digit());
            digits && part.parse().is_ok_and(|number| (from..=to).contains(&number))
        })
    };
    number(4, 2000, 2999) && number(2, 1, 12) && number(2, 1, 31) && parts.next().is_none()
}

fn read_sources(text: &str) -> Result<Arc<str>, String> {
    let known = |word: &str| SOURCES.contains(&word) || DATA.contains(&word);
    match text.split_ascii_whitespace().find(|word| !known(word)) {
        Some(word) => {
            Err(format!("source \"{word}\" is not one of: {}, {}", DATA.join(", "), SOURCES.join(", ")))
        }
        None if text.trim().is_empty() => Err("sources is empty; say how the facts are known".to_owned()),
        None => Ok(text.into()),
    }
}
