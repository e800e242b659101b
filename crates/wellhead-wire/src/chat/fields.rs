//! Reading a JSON object member by member, with errors that name the member.

use super::{Dialect, Rest};
use serde_json::{Map, Value};

/// A member is missing, or is not what it has to be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct BadField {
    /// Where: `messages[3].content[0].image_url.url`.
    pub param: String,
    /// For the caller: what was expected.
    pub message: String,
    /// `missing_required_parameter`, `invalid_type`, `invalid_value`.
    pub code: &'static str,
}

/// An object that is being read. What has not been taken at the end is the object's [`Rest`]. A member that is `null`
/// counts as absent, as it does at every vendor.
#[derive(Debug)]
pub struct Fields {
    dialect: Dialect,
    path: String,
    members: Map<String, Value>,
}

impl Fields {
    /// The object at a place; `path` is empty for the body itself.
    pub fn new(dialect: Dialect, path: impl Into<String>, value: Value) -> Result<Self, BadField> {
        let path = path.into();
        match value {
            Value::Object(members) => Ok(Self { dialect, path, members }),
            other => Err(wrong(path, "an object", &other)),
        }
    }

    /// Where a member is.
    pub fn path(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    /// Where the object itself is.
    pub fn here(&self) -> &str {
        &self.path
    }

    /// Looks at a member without taking it.
    pub fn peek(&self, name: &str) -> Option<&Value> {
        self.members.get(name).filter(|value| !value.is_null())
    }

    /// Takes a member, whatever it is.
    pub fn take(&mut self, name: &str) -> Option<Value> {
        // Keeps the order of those that stay, unlike `remove`.
        self.members.shift_remove(name).filter(|value| !value.is_null())
    }

    /// A text.
    pub fn text(&mut self, name: &str) -> Result<Option<String>, BadField> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(wrong(self.path(name), "a string", &other)),
        }
    }

    /// A text that has to be there.
    pub fn need_text(&mut self, name: &str) -> Result<String, BadField> {
        self.text(name)?.ok_or_else(|| self.missing(name, "a string"))
    }

    /// `true` or `false`.
    pub fn flag(&mut self, name: &str) -> Result<Option<bool>, BadField> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(flag)),
            Some(other) => Err(wrong(self.path(name), "true or false", &other)),
        }
    }

    /// A number.
    pub fn number(&mut self, name: &str) -> Result<Option<f64>, BadField> {
        match self.take(name) {
            None => Ok(None),
            Some(value) => match value.as_f64() {
                Some(number) => Ok(Some(number)),
                None => Err(wrong(self.path(name), "a number", &value)),
            },
        }
    }

    /// A whole number, 0 or more. Some clients write 100.0 and mean 100.
    pub fn count(&mut self, name: &str) -> Result<Option<u64>, BadField> {
        match self.take(name) {
            None => Ok(None),
            Some(value) => match whole(&value).and_then(|number| u64::try_from(number).ok()) {
                Some(count) => Ok(Some(count)),
                None => Err(wrong(self.path(name), "a whole number, 0 or more", &value)),
            },
        }
    }

    /// A whole number of any sign.
    pub fn integer(&mut self, name: &str) -> Result<Option<i64>, BadField> {
        match self.take(name) {
            None => Ok(None),
            Some(value) => match whole(&value) {
                Some(number) => Ok(Some(number)),
                None => Err(wrong(self.path(name), "a whole number", &value)),
            },
        }
    }

    /// A list.
    pub fn list(&mut self, name: &str) -> Result<Option<Vec<Value>>, BadField> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Array(list)) => Ok(Some(list)),
            Some(other) => Err(wrong(self.path(name), "a list", &other)),
        }
    }

    /// A list of texts.
    pub fn texts(&mut self, name: &str) -> Result<Option<Vec<String>>, BadField> {
        let Some(list) = self.list(name)? else { return Ok(None) };
        let path = self.path(name);
        let texts = list.into_iter().enumerate().map(|(i, item)| match item {
            Value::String(text) => Ok(text),
            other => Err(wrong(format!("{path}[{i}]"), "a string", &other)),
        });
        texts.collect::<Result<_, _>>().map(Some)
    }

    /// An object's members.
    pub fn map(&mut self, name: &str) -> Result<Option<Map<String, Value>>, BadField> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Object(map)) => Ok(Some(map)),
            Some(other) => Err(wrong(self.path(name), "an object", &other)),
        }
    }

    /// An object, to be read further.
    pub fn object(&mut self, name: &str) -> Result<Option<Self>, BadField> {
        let Some(value) = self.take(name) else { return Ok(None) };
        Self::new(self.dialect, self.path(name), value).map(Some)
    }

    /// Each item of a list as an object, to be read further.
    pub fn objects(&mut self, name: &str) -> Result<Option<Vec<Self>>, BadField> {
        let Some(list) = self.list(name)? else { return Ok(None) };
        let path = self.path(name);
        let objects = list
            .into_iter()
            .enumerate()
            .map(|(i, item)| Self::new(self.dialect, format!("{path}[{i}]"), item));
        objects.collect::<Result<_, _>>().map(Some)
    }

    /// The error for a member that has to be there.
    pub fn missing(&self, name: &str, expected: &str) -> BadField {
        let param = self.path(name);
        BadField {
            message: format!("missing required parameter `{param}`: expected {expected}"),
            param,
            code: "missing_required_parameter",
        }
    }

    /// The error for a member whose value has no meaning. `expected` completes "expected ...".
    pub fn invalid(&self, name: &str, found: &str, expected: &str) -> BadField {
        let param = self.path(name);
        BadField {
            message: format!("`{param}` is {found}: expected {expected}"),
            param,
            code: "invalid_value",
        }
    }

    /// What nobody has taken, without the members that were `null`.
    pub fn rest(mut self) -> Rest {
        self.members.retain(|_, value| !value.is_null());
        Rest::new(self.dialect, self.members)
    }
}

/// The error for a value of the wrong type.
pub(crate) fn wrong(param: String, expected: &str, found: &Value) -> BadField {
    let found = match found {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    let message = if param.is_empty() {
        format!("the request body is {found}: expected {expected}")
    } else {
        format!("`{param}` is {found}: expected {expected}")
    };
    BadField { param, message, code: "invalid_type" }
}

/// A number without a fraction, within 64 bits.
fn whole(value: &Value) -> Option<i64> {
    /// Above this, floating point skips whole numbers.
    const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
    value.as_i64().or_else(|| {
        let number = value.as_f64().filter(|n| n.fract() == 0.0 && n.abs() <= EXACT_MAX)?;
        #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
        Some(number as i64)
    })
}
