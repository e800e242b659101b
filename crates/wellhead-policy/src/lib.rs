//! Who is asking. Keys are 256-bit random, so a fast keyed hash is enough to store and compare them.

mod key;

pub use key::{ApiKey, KeyHash, KeyHasher};
