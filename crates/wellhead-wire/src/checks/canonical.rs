//! The canonical form against `serde_json`.

use crate::json::{NotCanonical, canonical, validate};
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::HashSet;

/// `serde_json` gives this name a meaning of its own, which no other parser knows.
const PRIVATE: &[u8] = b"$serde_json::private";

/// Whatever is valid and says nothing twice has a canonical form, which says the same, is its own canonical form, and is
/// not longer than promised.
pub fn json_canonical(body: &[u8]) {
    if memchr::memmem::find(body, PRIVATE).is_some() {
        return;
    }
    match canonical(body) {
        Ok(form) => {
            let (said, says): (Value, Value) =
                (serde_json::from_slice(body).expect("valid"), serde_json::from_slice(&form).expect("valid"));
            assert_eq!(said, says, "{}", String::from_utf8_lossy(&form));
            assert_eq!(canonical(&form).as_ref(), Ok(&form), "a canonical form is its own");
            assert!(form.len() <= 3 * body.len());
            assert!(!repeats(body), "a name stands there twice");
        }
        Err(NotCanonical::Duplicate { at }) => assert!(at <= body.len() && repeats(body)),
        Err(NotCanonical::Invalid(_)) => assert!(validate(body).is_err()),
    }
}

/// Whether some object has a name twice; false if it is not JSON.
fn repeats(body: &[u8]) -> bool {
    let Ok(value) = serde_json::from_slice::<&RawValue>(body) else { return false };
    value_repeats(value)
}

fn value_repeats(value: &RawValue) -> bool {
    match value.get().as_bytes().first() {
        Some(b'{') => {
            let members: Members<'_> = serde_json::from_str(value.get()).expect("an object");
            let mut seen = HashSet::new();
            members.0.into_iter().any(|(name, value)| !seen.insert(name) || value_repeats(value))
        }
        Some(b'[') => {
            let elements: Vec<&RawValue> = serde_json::from_str(value.get()).expect("an array");
            elements.into_iter().any(value_repeats)
        }
        _ => false,
    }
}

/// Every member, also of the same name.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> serde::Deserialize<'de> for Members<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;
        impl<'de> serde::de::Visitor<'de> for All {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: serde::de::MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(All).map(Members)
    }
}
