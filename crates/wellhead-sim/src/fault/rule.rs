//! Which requests a fault happens to: rules with conditions, counts and chances.

use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::{Fault, FaultError, Faults};
use crate::mind::Rng;
use crate::options::RULES_MAX;

/// Conditions of a [`Rule`]; all that are set must hold. A trailing `*` stands for anything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Match {
    /// The model that the request names.
    pub model: Option<String>,
    /// The path, without query.
    pub path: Option<String>,
    /// The API key that the request carries.
    pub key: Option<String>,
}

impl Match {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Faults for the requests that match.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Which requests.
    pub matches: Match,
    /// What happens to them.
    pub faults: Faults,
    /// How often, at most; `None` is always.
    pub times: Option<u32>,
    /// The chance for each request, from 0 to 1; drawn from the simulator's seed.
    pub probability: f64,
    /// How long the rule lives.
    pub lifetime: Option<Duration>,
}

impl Rule {
    /// `faults` for every request.
    pub fn always(faults: impl Into<Faults>) -> Self {
        Self {
            matches: Match::default(),
            faults: faults.into(),
            times: None,
            probability: 1.0,
            lifetime: None,
        }
    }

    /// Only for this model.
    #[must_use]
    pub fn model(mut self, model: impl Into<String>) -> Self {
        self.matches.model = Some(model.into());
        self
    }

    /// Only for this path.
    #[must_use]
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.matches.path = Some(path.into());
        self
    }

    /// Only for this API key.
    #[must_use]
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.matches.key = Some(key.into());
        self
    }

    /// At most so often.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// Does it strike at accept, before a request is read?
    fn at_accept(&self) -> bool {
        self.matches.is_empty() && self.faults.0.contains(&Fault::Refuse)
    }

    /// How a rule is shown by the control calls.
    pub(crate) fn to_json(&self) -> Value {
        let Match { model, path, key } = &self.matches;
        json!({
            "match": {"model": model, "path": path, "key": key},
            "fault": self.faults.to_string(),
            "times": self.times,
            "probability": self.probability,
            "for_ms": self.lifetime.map(|life| u64::try_from(life.as_millis()).unwrap_or(u64::MAX)),
        })
    }
}

impl From<Fault> for Faults {
    fn from(fault: Fault) -> Self {
        Self(vec![fault])
    }
}

impl From<Fault> for Rule {
    fn from(fault: Fault) -> Self {
        Self::always(fault)
    }
}

impl From<Faults> for Rule {
    fn from(faults: Faults) -> Self {
        Self::always(faults)
    }
}

fn fits(pattern: Option<&str>, value: Option<&str>) -> bool {
    match (pattern, value) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(pattern), Some(value)) => match pattern.strip_suffix('*') {
            Some(start) => value.starts_with(start),
            None => pattern == value,
        },
    }
}

/// What a rule is chosen by.
pub(crate) struct Chosen<'a> {
    pub(crate) model: Option<&'a str>,
    pub(crate) path: &'a str,
    pub(crate) key: Option<&'a str>,
}

/// The rules in force, the newest last.
pub(crate) struct Rules {
    rules: Vec<(Rule, Instant)>,
    chance: Rng,
}

impl Rules {
    pub(crate) fn new(seed: u64) -> Self {
        Self { rules: Vec::new(), chance: Rng::new(seed) }
    }

    /// Adds a rule; beyond the maximum the oldest is forgotten.
    pub(crate) fn add(&mut self, rule: Rule, now: Instant) {
        if self.rules.len() == RULES_MAX {
            self.rules.remove(0);
        }
        self.rules.push((rule, now));
    }

    pub(crate) fn clear(&mut self) {
        self.rules.clear();
    }

    /// Drops what has expired and lists the rest, the newest first.
    pub(crate) fn list(&mut self, now: Instant) -> Vec<Value> {
        self.expire(now);
        self.rules.iter().rev().map(|(rule, _)| rule.to_json()).collect()
    }

    /// The faults of the newest rule that matches this request.
    pub(crate) fn choose(&mut self, request: &Chosen<'_>, now: Instant) -> Faults {
        self.take(now, |rule| {
            !rule.at_accept()
                && fits(rule.matches.model.as_deref(), request.model)
                && fits(rule.matches.path.as_deref(), Some(request.path))
                && fits(rule.matches.key.as_deref(), request.key)
        })
        .unwrap_or_default()
    }

    /// Is a connection that arrives now to be refused?
    pub(crate) fn refuse(&mut self, now: Instant) -> bool {
        !self.rules.is_empty() && self.take(now, Rule::at_accept).is_some()
    }

    fn take(&mut self, now: Instant, fits: impl Fn(&Rule) -> bool) -> Option<Faults> {
        self.expire(now);
        for (rule, _) in self.rules.iter_mut().rev() {
            if !fits(rule) || (rule.probability < 1.0 && self.chance.unit() >= rule.probability) {
                continue;
            }
            if let Some(times) = &mut rule.times {
                *times -= 1;
            }
            return Some(rule.faults.clone());
        }
        None
    }

    fn expire(&mut self, now: Instant) {
        self.rules.retain(|(rule, since)| {
            rule.times != Some(0)
                && rule.lifetime.is_none_or(|life| now.saturating_duration_since(*since) < life)
        });
    }
}

/// Reads the JSON form of a rule, as `POST /_sim/faults` takes it.
pub(crate) fn rule_from_json(value: Value) -> Result<Rule, FaultError> {
    let Value::Object(mut object) = value else {
        return Err(FaultError(
            "a rule is a JSON object with a fault, as in {\"fault\": \"cut-after:5\"}".into(),
        ));
    };
    let fault = object.remove("fault").ok_or_else(|| FaultError("fault is missing".into()))?;
    let mut rule = Rule::always(faults_from_json(fault)?);
    if let Some(matches) = object.remove("match").filter(|value| !value.is_null()) {
        rule.matches = match_from_json(matches)?;
    }
    if let Some(times) = object.remove("times").filter(|value| !value.is_null()) {
        let times = times.as_u64().and_then(|times| u32::try_from(times).ok()).filter(|times| *times > 0);
        rule.times = Some(times.ok_or_else(|| FaultError("times is a whole number from 1".into()))?);
    }
    if let Some(chance) = object.remove("probability").filter(|value| !value.is_null()) {
        let chance = chance.as_f64().filter(|chance| (0.0..=1.0).contains(chance));
        rule.probability = chance.ok_or_else(|| FaultError("probability is a number from 0 to 1".into()))?;
    }
    if let Some(life) = object.remove("for_ms").filter(|value| !value.is_null()) {
        let life = life.as_u64().filter(|ms| (1..=super::FAULT_MS_MAX).contains(ms));
        let wrong = || FaultError("for_ms is a whole number of milliseconds from 1 to 3600000".into());
        rule.lifetime = Some(Duration::from_millis(life.ok_or_else(wrong)?));
    }
    no_more(&object, "fault, match, times, probability, for_ms")?;
    if rule.at_accept() && rule.times.is_none() && rule.lifetime.is_none() {
        let message =
            "refuse without match also refuses the call that would lift it: add times, for_ms or match";
        return Err(FaultError(message.into()));
    }
    Ok(rule)
}

fn match_from_json(value: Value) -> Result<Match, FaultError> {
    let Value::Object(mut object) = value else {
        return Err(FaultError("match is an object with model, path or key".into()));
    };
    let mut text = |name: &str| match object.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(FaultError(format!("match.{name} is a text; a trailing * stands for anything"))),
    };
    let matches = Match { model: text("model")?, path: text("path")?, key: text("key")? };
    no_more(&object, "model, path, key")?;
    Ok(matches)
}

fn no_more(rest: &Map<String, Value>, known: &str) -> Result<(), FaultError> {
    match rest.keys().next() {
        None => Ok(()),
        Some(key) => Err(FaultError(format!("{key} is not known here; known are {known}"))),
    }
}

/// A fault as text (several joined with `+`), as an object, or a list of objects.
fn faults_from_json(value: Value) -> Result<Faults, FaultError> {
    match value {
        Value::String(text) => text.parse(),
        Value::Array(items) => {
            let one = |item| faults_from_json(item).map(|faults| faults.0);
            Ok(Faults(items.into_iter().map(one).collect::<Result<Vec<_>, _>>()?.concat()))
        }
        Value::Object(object) => {
            let given: Vec<String> = object.keys().cloned().collect();
            let fault: Fault = serde_json::from_value(Value::Object(object))
                .map_err(|error| FaultError(format!("fault: {error}")))?;
            fault.check()?;
            let known = serde_json::to_value(&fault).map_err(|error| FaultError(error.to_string()))?;
            match given.iter().find(|key| known.get(key.as_str()).is_none()) {
                None => Ok(Faults::from(fault)),
                Some(key) => Err(FaultError(format!("fault.{key} is not known for {fault}"))),
            }
        }
        _ => Err(FaultError("fault is a text as cut-after:5 or an object with kind".into())),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
    use super::*;

    const REQUEST: Chosen<'_> = Chosen { model: Some("m-1"), path: "/v1/models", key: Some("k") };

    fn status(code: u16) -> Fault {
        format!("status:{code}").parse().unwrap()
    }

    #[tokio::test]
    async fn the_newest_rule_that_matches_wins_and_counts_down() {
        let (now, mut rules) = (Instant::now(), Rules::new(1));
        rules.add(Rule::always(status(500)), now);
        rules.add(Rule::always(status(502)).model("m-*").times(2), now);
        rules.add(Rule::always(status(503)).model("other"), now);
        rules.add(Rule::always(status(504)).key("other"), now);
        rules.add(Rule::always(status(505)).path("/v1/chat*"), now);
        let mut next = || rules.choose(&REQUEST, now).to_string();
        assert_eq!([next(), next(), next()], ["status:502", "status:502", "status:500"]);
    }

    #[tokio::test]
    async fn a_rule_with_a_lifetime_ends_with_it() {
        let (now, mut rules) = (Instant::now(), Rules::new(1));
        rules.add(rule_from_json(json!({"fault": "refuse", "for_ms": 100})).unwrap(), now);
        assert!(rules.refuse(now + Duration::from_millis(99)));
        assert!(!rules.refuse(now + Duration::from_millis(100)));
    }

    #[tokio::test]
    async fn chances_come_from_the_seed_and_are_about_right() {
        let draw = |seed| {
            let (now, mut rules) = (Instant::now(), Rules::new(seed));
            rules.add(rule_from_json(json!({"fault": "silence", "probability": 0.25})).unwrap(), now);
            (0..1000).map(|_| !rules.choose(&REQUEST, now).0.is_empty()).collect::<Vec<_>>()
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
        let struck = draw(7).into_iter().filter(|hit| *hit).count();
        assert!((180..320).contains(&struck), "{struck} of 1000");
    }

    #[test]
    fn wrong_rules_name_the_member() {
        for (value, part) in [
            (json!(3), "JSON object"),
            (json!({}), "fault is missing"),
            (json!({"fault": "nope"}), "no fault"),
            (json!({"fault": {"kind": "nope"}}), "nope"),
            (json!({"fault": {"kind": "status"}}), "code"),
            (json!({"fault": {"kind": "status", "code": 42}}), "200"),
            (json!({"fault": {"kind": "silence", "ms": 42}}), "fault.ms"),
            (json!({"fault": "silence", "times": 0}), "times"),
            (json!({"fault": "silence", "probability": 2}), "probability"),
            (json!({"fault": "silence", "for_ms": 0}), "for_ms"),
            (json!({"fault": "silence", "match": {"host": "x"}}), "host"),
            (json!({"fault": "silence", "match": {"model": 3}}), "match.model"),
            (json!({"fault": "silence", "often": true}), "often"),
            (json!({"fault": "refuse"}), "lift it"),
        ] {
            let error = rule_from_json(value.clone()).unwrap_err().to_string();
            assert!(error.contains(part), "{value} gave {error:?}");
        }
        let full = json!({"fault": {"kind": "status", "code": 429, "headers": {"x-a": "b"}, "body": {"e": 1}, "retry_after": "3"}});
        assert_eq!(rule_from_json(full).unwrap().faults.to_string(), "status:429,retry-after=3");
    }
}
