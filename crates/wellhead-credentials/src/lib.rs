//! Credentials that clouds give out: short-lived keys of AWS, access tokens of Google Cloud and of Microsoft Entra ID.
//!
//! * [`Keeper`]: one thread per process that fetches them, ahead of their end, each credential by itself. A good one is
//!   held until it really ends, whatever fails meanwhile.
//! * [`Credential`]: what a request reads. It never waits while a good one is there.
//! * [`sigv4`]: how requests are signed for AWS. Pure: parts of the request, keys and time in, headers out.
//!
//! No secret is in a log line, in an error or in `Debug`.

mod aws;
mod azure;
mod client;
mod credential;
mod error;
mod gcp;
mod json;
mod keeper;
mod material;
mod schedule;
pub mod sigv4;
mod surroundings;
#[cfg(test)]
mod tests;
mod time;

pub use credential::{Credential, Unready};
pub use error::{FetchError, Trouble};
pub use keeper::{Keeper, fetch_once};
pub use material::{AwsKeys, Material};
pub use surroundings::Surroundings;
