//! Who is asking, and what is signed for them. Keys are 256-bit random, so a fast keyed hash is enough to store and compare them.

mod key;
mod webhook;

pub use key::{ApiKey, KeyHash, KeyHasher};
pub use webhook::{WebhookKey, fingerprint};
