//! Members of a request, with the errors of a real vendor.

use serde_json::{Map, Value};

use crate::reply::{self, Reply};

fn wrong(name: &str, wanted: &str, value: &Value) -> Reply {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "another number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    };
    let message = format!("Invalid value for '{name}': expected {wanted}, but got {kind}.");
    reply::error(400, "invalid_request_error", Some("invalid_type"), Some(name), &message)
}

/// A member that is there and not null.
pub(crate) fn given<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    object.get(name).filter(|value| !value.is_null())
}

/// A whole number from `low` to `high`.
pub(crate) fn number(
    object: &Map<String, Value>,
    name: &str,
    low: u64,
    high: u64,
) -> Result<Option<u64>, Reply> {
    let Some(value) = given(object, name) else { return Ok(None) };
    match value.as_u64() {
        Some(number) if (low..=high).contains(&number) => Ok(Some(number)),
        _ if high == u64::MAX => Err(wrong(name, &format!("a whole number from {low}"), value)),
        _ => Err(wrong(name, &format!("a whole number from {low} to {high}"), value)),
    }
}

/// A boolean, false if absent.
pub(crate) fn flag(object: &Map<String, Value>, name: &str) -> Result<bool, Reply> {
    match given(object, name) {
        None => Ok(false),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(value) => Err(wrong(name, "a boolean", value)),
    }
}

/// A string.
pub(crate) fn text<'a>(object: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, Reply> {
    match given(object, name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(value) => Err(wrong(name, "a string", value)),
    }
}

/// A string that must be there.
pub(crate) fn required<'a>(object: &'a Map<String, Value>, name: &str) -> Result<&'a str, Reply> {
    text(object, name)?.ok_or_else(|| missing(name))
}

/// The error for a member that must be there.
pub(crate) fn missing(name: &str) -> Reply {
    let message = format!("Missing required parameter: '{name}'.");
    reply::error(400, "invalid_request_error", Some("missing_required_parameter"), Some(name), &message)
}

/// An array.
pub(crate) fn list<'a>(object: &'a Map<String, Value>, name: &str) -> Result<Option<&'a Vec<Value>>, Reply> {
    match given(object, name) {
        None => Ok(None),
        Some(Value::Array(list)) => Ok(Some(list)),
        Some(value) => Err(wrong(name, "an array", value)),
    }
}

/// One of `known`, or the first of them.
pub(crate) fn choice<'a>(
    object: &'a Map<String, Value>,
    name: &str,
    known: &[&'static str],
) -> Result<&'a str, Reply>
where
    'static: 'a,
{
    match text(object, name)? {
        None => Ok(known.first().copied().unwrap_or("")),
        Some(given) if known.contains(&given) => Ok(given),
        Some(_) => {
            Err(reply::invalid(name, &format!("Invalid value for '{name}': known are {}.", known.join(", "))))
        }
    }
}

/// A string or a list of strings.
pub(crate) fn texts(object: &Map<String, Value>, name: &str) -> Result<Option<Vec<String>>, Reply> {
    match given(object, name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(vec![text.clone()])),
        Some(Value::Array(list)) => {
            let one = |value: &Value| {
                value
                    .as_str()
                    .map(str::to_owned)
                    .ok_or_else(|| wrong(name, "a string or an array of strings", value))
            };
            list.iter().map(one).collect::<Result<_, _>>().map(Some)
        }
        Some(value) => Err(wrong(name, "a string or an array of strings", value)),
    }
}
