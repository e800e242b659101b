//! A body that is to be read.

use super::BadField;
use serde_json::Value;

/// A request's body cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadBody {
    /// It is no JSON, or nested deeper than 128 levels.
    #[error("the request body is not valid JSON: {message}, at byte {offset}")]
    Syntax {
        /// Bytes before the place where reading stopped.
        offset: usize,
        /// What was found or expected there.
        message: String,
    },
    /// It is JSON, but a member is not what it has to be.
    #[error(transparent)]
    Field(#[from] BadField),
}

impl BadBody {
    /// The JSON of a body.
    pub fn parse(body: &[u8]) -> Result<Value, Self> {
        serde_json::from_slice(body).map_err(|error| {
            let said = error.to_string();
            // The place is given as a byte: bodies of machines have one line.
            let message = said.rsplit_once(" at line ").map_or(&*said, |(message, _)| message).to_owned();
            Self::Syntax { offset: offset_of(body, error.line(), error.column()), message }
        })
    }

    /// The parameter at fault, if it is one.
    pub fn param(&self) -> Option<&str> {
        match self {
            Self::Syntax { .. } => None,
            Self::Field(field) => Some(&field.param).filter(|param| !param.is_empty()).map(String::as_str),
        }
    }

    /// The stable word: `invalid_json` or that of the field.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Syntax { .. } => "invalid_json",
            Self::Field(field) => field.code,
        }
    }
}

/// `line` counts from 1, `column` is how many bytes of it were read.
fn offset_of(body: &[u8], line: usize, column: usize) -> usize {
    let start = match line.checked_sub(2) {
        None => 0,
        Some(skipped) => memchr::memchr_iter(b'\n', body).nth(skipped).map_or(body.len(), |at| at + 1),
    };
    (start + column).min(body.len())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

    use super::BadBody;

    #[test]
    fn errors_say_at_which_byte() {
        for (body, offset) in [("", 0), ("{\"a\": x}", 7), ("{\n\n \"a\":1,}", 11), ("{} {}", 4)] {
            let error = BadBody::parse(body.as_bytes()).unwrap_err();
            assert!(
                matches!(error, BadBody::Syntax { offset: at, .. } if at == offset),
                "{body:?}: {error:?}"
            );
            assert_eq!((error.param(), error.code()), (None, "invalid_json"));
            assert!(!error.to_string().contains("line"), "{error}");
        }
        assert!(BadBody::parse(b"{\"a\":\"\xff\"}").is_err(), "no UTF-8");
        let deep = "[".repeat(200) + &"]".repeat(200);
        assert!(BadBody::parse(deep.as_bytes()).is_err());
    }
}
