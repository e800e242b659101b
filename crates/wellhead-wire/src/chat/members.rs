//! Taking an object of a vendor's answer apart, leniently: a member of the wrong type counts as absent.

use serde_json::{Map, Value};

pub(crate) type Members = Map<String, Value>;

/// Takes a member that is not `null`, and keeps the others in order.
pub(crate) fn take(members: &mut Members, name: &str) -> Option<Value> {
    members.shift_remove(name).filter(|value| !value.is_null())
}

/// A text.
pub(crate) fn text(members: &mut Members, name: &str) -> Option<String> {
    match take(members, name) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    }
}

/// A text that says something.
pub(crate) fn word(members: &mut Members, name: &str) -> Option<String> {
    text(members, name).filter(|text| !text.trim().is_empty())
}

/// A whole number, 0 or more.
pub(crate) fn count(members: &mut Members, name: &str) -> Option<u64> {
    let value = take(members, name)?;
    // Some write 3.0, some "3".
    value.as_u64().or_else(|| value.as_str()?.parse().ok()).or_else(|| {
        let number = value.as_f64().filter(|number| (0.0..9e15).contains(number))?;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
        Some(number as u64)
    })
}

pub(crate) fn list(members: &mut Members, name: &str) -> Vec<Value> {
    match take(members, name) {
        Some(Value::Array(list)) => list,
        _ => Vec::new(),
    }
}

pub(crate) fn object(members: &mut Members, name: &str) -> Option<Members> {
    match take(members, name) {
        Some(Value::Object(object)) => Some(object),
        _ => None,
    }
}

/// The objects of a list.
pub(crate) fn objects(members: &mut Members, name: &str) -> impl Iterator<Item = Members> {
    list(members, name).into_iter().filter_map(|value| match value {
        Value::Object(object) => Some(object),
        _ => None,
    })
}

/// Leaves out what is `null`.
pub(crate) fn dense(mut members: Members) -> Members {
    members.retain(|_, value| !value.is_null());
    members
}
