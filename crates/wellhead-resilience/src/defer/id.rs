//! The name of a deferred request.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::fmt;
use std::str::FromStr;

/// What ids begin with, so that they are recognised in logs and tickets.
const PREFIX: &str = "dfr_";

/// The id of a deferred request: 128 bits that begin with the time, so that ids sort by age.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(pub u128);

impl Id {
    /// From milliseconds since 1970 and randomness.
    pub const fn from_parts(unix_ms: u64, random: [u64; 2]) -> Self {
        let low = ((random[0] as u128) << 64 | random[1] as u128) & ((1 << 80) - 1);
        Self((unix_ms as u128) << 80 | low)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{:032x}", self.0)
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is no id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAnId;

impl FromStr for Id {
    type Err = NotAnId;

    /// Only the one spelling that [`fmt::Display`] writes.
    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let digits = text.strip_prefix(PREFIX).ok_or(NotAnId)?;
        let lower = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if digits.len() != 32 || !digits.bytes().all(lower) {
            return Err(NotAnId);
        }
        u128::from_str_radix(digits, 16).map(Self).map_err(|_| NotAnId)
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
        text.parse().map_err(|NotAnId| D::Error::custom("not an id of a deferred request"))
    }
}

#[cfg(test)]
mod tests {
    use super::Id;

    #[test]
    fn ids_read_back_sort_by_time_and_have_one_spelling() {
        let early = Id::from_parts(1_000, [u64::MAX; 2]);
        let late = Id::from_parts(1_001, [0, 0]);
        assert!(early < late && early.to_string() < late.to_string());
        assert_eq!(early.to_string().parse(), Ok(early));
        let text = late.to_string();
        for wrong in [&text[1..], &text.to_uppercase(), &format!("{text}0"), &text[..35], "dfr_", ""] {
            assert!(wrong.parse::<Id>().is_err(), "{wrong}");
        }
    }
}
