//! `WELLHEAD_SECTION__KEY=value`: a variable of the environment that stands for one value of the configuration, as
//! containers like it. It wins over the file, goes through the same checks, and messages name it.

use crate::diagnostic::{At, Report};
use crate::lookup::Lookup;
use crate::path::Path;
use crate::tree::{self, Key, Node, Scalar, Value};

/// What the names of such variables begin with.
pub const PREFIX: &str = "WELLHEAD_";
/// What separates the steps of a path in a name: a single `_` is part of most of them.
pub const SEPARATOR: &str = "__";
/// Variables that are looked at; an environment with more of them was not written by a person.
const OVERRIDES_MAX: usize = 1_000;

/// Whether a variable stands for a value of the configuration.
pub fn is_override(name: &str) -> bool {
    name.strip_prefix(PREFIX).is_some_and(|path| path.contains(SEPARATOR))
}

/// Puts every such variable in its place. Returns their names, by which [`At::override_number`] counts.
pub(crate) fn apply(root: &mut Node, lookup: &dyn Lookup, report: &mut Report) -> Vec<String> {
    let mut overrides = lookup.overrides();
    overrides.sort();
    let left_out = overrides.len().saturating_sub(OVERRIDES_MAX);
    overrides.truncate(OVERRIDES_MAX);
    let names: Vec<String> = overrides.iter().map(|(name, _)| name.clone()).collect();
    report.read_environment(&names);
    if left_out > 0 {
        let message = format!("{left_out} variables {PREFIX}… are too many");
        report.error(At::START, "", message).expected(format!("at most {OVERRIDES_MAX}"));
    }
    for (number, (name, text)) in overrides.iter().enumerate() {
        let at = At::override_number(number);
        if let Err((path, message, expected)) = set(root, name, text, at) {
            report.error(at, &path, message).expected(expected);
        }
    }
    names
}

/// Where it went wrong, what, and what would be right.
type Wrong = (String, String, &'static str);

fn set(root: &mut Node, name: &str, text: &str, at: At) -> Result<(), Wrong> {
    let mut path = Path::default();
    let mut node = root;
    for step in name.strip_prefix(PREFIX).unwrap_or_default().split(SEPARATOR) {
        if step.is_empty() {
            let expected =
                "names of sections and keys with `__` between them: WELLHEAD_LIMITS__BODY_BYTES_MAX";
            return Err((
                path.text().to_owned(),
                "the variable's name has an empty step".to_owned(),
                expected,
            ));
        }
        node = descend(node, step, at, &mut path)?;
    }
    node.value = value(text, at).map_err(|expected| {
        (path.text().to_owned(), "the variable's text is not valid YAML".to_owned(), expected)
    })?;
    node.at = at;
    node.range = 0..0;
    Ok(())
}

/// One step down, into what is there or into something new.
fn descend<'n>(node: &'n mut Node, step: &str, at: At, path: &mut Path) -> Result<&'n mut Node, Wrong> {
    if let Value::Scalar(scalar) = &node.value
        && scalar.plain
        && matches!(scalar.text.as_str(), "" | "~" | "null")
    {
        node.value = Value::Map(Vec::new());
    }
    match &mut node.value {
        Value::Map(entries) => {
            let mut fitting = (0..entries.len()).filter(|i| spelled(&entries[*i].0.text) == spelled(step));
            let index = match (fitting.next(), fitting.next()) {
                (Some(index), None) => index,
                (Some(_), Some(_)) => {
                    let message = format!("{step} fits several keys, which differ in punctuation only");
                    return Err((path.text().to_owned(), message, "a change in the file instead"));
                }
                (None, _) => {
                    let key = Key { text: step.to_lowercase(), at, range: 0..0, plain: true };
                    entries.push((key, Node { at, range: 0..0, value: Value::Map(Vec::new()) }));
                    entries.len() - 1
                }
            };
            let (key, below) = &mut entries[index];
            path.enter_key(&key.text);
            Ok(below)
        }
        Value::List(items) => {
            let count = items.len();
            let index = step.parse::<usize>().ok().filter(|index| *index < count);
            let Some(index) = index else {
                let message = format!("{step} is no place in a list of {count}");
                return Err((path.text().to_owned(), message, "a number, counted from 0, or the whole list"));
            };
            path.enter_index(index);
            Ok(&mut items[index])
        }
        Value::Scalar(_) | Value::Broken => {
            let message = format!("{step} would be below a single value");
            Err((path.text().to_owned(), message, "a name that ends here"))
        }
    }
}

/// Names of variables have letters, digits and `_` only.
fn spelled(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect()
}

/// Text stays one value, whatever is in it; lists and mappings are written as in YAML's flow style or in JSON.
fn value(text: &str, at: At) -> Result<Value, &'static str> {
    if !text.starts_with(['[', '{']) {
        return Ok(Value::Scalar(Scalar { text: text.to_owned(), plain: true, substituted: true }));
    }
    let mut report = Report::new("");
    let parsed = tree::parse(text, &mut report, &mut Vec::new()).filter(|_| !report.has_errors());
    let mut node = parsed.ok_or("a list or a mapping in one line: [a, b] or {key: value}")?;
    move_to(&mut node, at);
    Ok(node.value)
}

/// Everything in it is at one place, and is never shown.
fn move_to(node: &mut Node, at: At) {
    node.at = at;
    node.range = 0..0;
    match &mut node.value {
        Value::Broken => {}
        Value::Scalar(scalar) => scalar.substituted = true,
        Value::List(items) => items.iter_mut().for_each(|item| move_to(item, at)),
        Value::Map(entries) => {
            for (key, below) in entries {
                (key.at, key.range) = (at, 0..0);
                move_to(below, at);
            }
        }
    }
}
