//! proto3 JSON: what Google's parsers accept besides the canonical form.

use super::GEMINI;
use crate::chat::{BadField, Fields};
use serde_json::{Map, Number, Value};

/// The members of a message under their camelCase names. A name that is there in both forms keeps the camelCase one.
pub(super) fn members(path: &str, value: Value) -> Result<Map<String, Value>, BadField> {
    let members = match value {
        Value::Object(members) => members,
        other => return Fields::new(GEMINI, path, other).map(|_| Map::new()),
    };
    if !members.keys().any(|name| name.contains('_')) {
        return Ok(members);
    }
    let mut camel = Map::with_capacity(members.len());
    let mut snake = Vec::new();
    for (name, value) in members {
        match camel_case(&name) {
            Some(name) => snake.push((name, value)),
            None => drop(camel.insert(name, value)),
        }
    }
    for (name, value) in snake {
        camel.entry(name).or_insert(value);
    }
    Ok(camel)
}

fn camel_case(name: &str) -> Option<String> {
    if !name.contains('_') || !name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    {
        return None;
    }
    let mut words = name.split('_');
    let mut camel = words.next().unwrap_or("").to_owned();
    for word in words {
        let mut letters = word.chars();
        camel.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        camel.push_str(letters.as_str());
    }
    Some(camel)
}

/// A message, to be read member by member.
pub(super) fn message(path: impl Into<String>, value: Value) -> Result<Fields, BadField> {
    let path = path.into();
    let members = members(&path, value)?;
    Fields::new(GEMINI, path, Value::Object(members))
}

/// A message within a message.
pub(super) fn child(fields: &mut Fields, name: &str) -> Result<Option<Fields>, BadField> {
    let path = fields.path(name);
    fields.take(name).map(|value| message(path, value)).transpose()
}

/// A repeated message's values. One alone may stand without brackets, as Google's own examples have it.
pub(super) fn repeated(fields: &mut Fields, name: &str) -> Result<Vec<Value>, BadField> {
    if fields.peek(name).is_some_and(Value::is_object) {
        return Ok(fields.take(name).into_iter().collect());
    }
    Ok(fields.list(name)?.unwrap_or_default())
}

/// Repeated messages, to be read member by member.
pub(super) fn children(fields: &mut Fields, name: &str) -> Result<Vec<Fields>, BadField> {
    let path = fields.path(name);
    let values = repeated(fields, name)?;
    values.into_iter().enumerate().map(|(at, value)| message(format!("{path}[{at}]"), value)).collect()
}

/// A number, which may be a text.
pub(super) fn number(fields: &mut Fields, name: &str) -> Result<Option<f64>, BadField> {
    let spelt = fields.peek(name).and_then(Value::as_str).and_then(|text| text.parse::<f64>().ok());
    match spelt.filter(|number| number.is_finite()) {
        Some(number) => Ok(fields.take(name).map(|_| number)),
        None => fields.number(name),
    }
}

/// A whole number, which may be a text.
pub(super) fn integer(fields: &mut Fields, name: &str) -> Result<Option<i64>, BadField> {
    let spelt = fields.peek(name).and_then(Value::as_str).and_then(|text| text.parse::<i64>().ok());
    match spelt {
        Some(number) => Ok(fields.take(name).map(|_| number)),
        None => fields.integer(name),
    }
}

/// A whole number, 0 or more, which may be a text.
pub(super) fn count(fields: &mut Fields, name: &str) -> Result<Option<u64>, BadField> {
    let spelt = fields.peek(name).and_then(Value::as_str).and_then(|text| text.parse::<u64>().ok());
    match spelt {
        Some(number) => Ok(fields.take(name).map(|_| number)),
        None => fields.count(name),
    }
}

/// A number; those that JSON has no form for are null.
pub(super) fn json_number(number: f64) -> Value {
    Number::from_f64(number).map_or(Value::Null, Value::Number)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

    use super::{camel_case, children, count, members, message, number};
    use serde_json::json;

    #[test]
    fn names_in_snake_case_are_the_same_names() {
        for (snake, camel) in [
            ("generation_config", Some("generationConfig")),
            ("top_p", Some("topP")),
            ("generationConfig", None),
            ("text", None),
            ("A_b", None),
        ] {
            assert_eq!(camel_case(snake).as_deref(), camel);
        }
        let both = members("", json!({"top_k": 1, "topK": 2, "x": {"in_side": 1}})).unwrap();
        assert_eq!(both, *json!({"topK": 2, "x": {"in_side": 1}}).as_object().unwrap());
        assert_eq!(members("contents[0]", json!(7)).unwrap_err().param, "contents[0]");
    }

    #[test]
    fn numbers_may_be_texts_and_lists_may_lack_brackets() {
        let mut fields =
            message("", json!({"max_output_tokens": "100", "temperature": "0.5", "seed": "x"})).unwrap();
        assert_eq!(count(&mut fields, "maxOutputTokens").unwrap(), Some(100));
        assert_eq!(number(&mut fields, "temperature").unwrap(), Some(0.5));
        assert!(super::integer(&mut fields, "seed").is_err());
        let mut fields = message("", json!({"contents": {"parts": {"text": "x"}}})).unwrap();
        assert_eq!(children(&mut fields, "contents").unwrap().len(), 1);
    }
}
