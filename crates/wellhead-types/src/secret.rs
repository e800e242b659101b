//! Text that must never be printed: provider keys, admin tokens.

use std::fmt;
use std::sync::Arc;

/// A secret. `Debug` and `Display` show at most its last two characters; `expose` gives it out on purpose.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Arc<str>);

impl Secret {
    /// Wraps the text.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// The text itself. Call it only where a credential is written to the wire, hashed or sealed.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// `…a1`: enough to tell two keys apart in a log; for secrets shorter than 8 characters only `…`.
    pub fn masked(&self) -> String {
        let tail_start = self.0.char_indices().rev().nth(1).map(|(i, _)| i);
        match tail_start {
            Some(start) if self.0.chars().count() >= 8 => format!("…{}", &self.0[start..]),
            _ => "…".to_owned(),
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn a_secret_prints_at_most_two_characters() {
        assert_eq!(format!("{:?} {0}", Secret::new("sk-upstream")), "…am …am");
        assert_eq!(Secret::new("short").to_string(), "…");
        assert_eq!(Secret::new("").to_string(), "…");
    }
}
