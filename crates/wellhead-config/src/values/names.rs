//! The names that people choose, and how many of each there may be.

use super::Problem;
use super::text::check;

/// What a name has to look like, and how many a mapping of them holds.
pub trait NameRule {
    /// What is named: "provider".
    const WHAT: &'static str;
    /// Entries in one mapping.
    const ENTRIES_MAX: usize;
    /// Pattern for editors.
    const PATTERN: &'static str;

    /// Checks a name.
    ///
    /// # Errors
    /// Why it cannot be used.
    fn check(name: &str) -> Result<(), Problem>;
}

/// Longest identifier: it becomes a metric label and part of a target's id.
const IDENTIFIER_BYTES_MAX: usize = 64;
const IDENTIFIER_PATTERN: &str = "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$";

fn identifier(name: &str) -> Result<(), Problem> {
    let good = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    let begins = name.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
    if begins && name.len() <= IDENTIFIER_BYTES_MAX && name.bytes().all(good) {
        return Ok(());
    }
    let expected = "1 to 64 letters, digits, '.', '_' and '-', beginning with a letter or digit";
    Err(Problem::new("is not a usable name").expected(expected))
}

macro_rules! identifiers {
    ($($(#[doc = $doc:literal])* $name:ident = $what:literal, $max:expr;)*) => {$(
        $(#[doc = $doc])*
        #[derive(Debug, Clone, PartialEq)]
        pub struct $name;

        impl NameRule for $name {
            const WHAT: &'static str = $what;
            const ENTRIES_MAX: usize = $max;
            const PATTERN: &'static str = IDENTIFIER_PATTERN;

            fn check(name: &str) -> Result<(), Problem> {
                identifier(name)
            }
        }
    )*};
}

identifiers! {
    /// Providers: accounts and model servers. 1,000 is ten times what the largest fleets name by hand.
    ProviderName = "provider", 1_000;
    /// Apps in the file. Larger fleets live in the store (decision 25).
    AppName = "app", 10_000;
    /// Published APIs: the 10,000 routes that a file has to carry (decision 25).
    ApiName = "API", 10_000;
    /// Teams.
    TeamName = "team", 10_000;
    /// Tags of an app: they become dimensions of reports.
    TagName = "tag", 32;
    /// Query parameters that a published API is matched by.
    QueryName = "query parameter", 64;
}

/// Models, as clients send them: `gpt-4.1`, `meta/llama-3`. 10,000 is what a file has to carry (decision 25).
#[derive(Debug, Clone, PartialEq)]
pub struct ModelName;

/// Longest model name in bytes: vendors' longest are near 120.
const MODEL_BYTES_MAX: usize = 256;

impl NameRule for ModelName {
    const WHAT: &'static str = "model";
    const ENTRIES_MAX: usize = 10_000;
    const PATTERN: &'static str = "^\\S(.{0,254}\\S)?$";

    fn check(name: &str) -> Result<(), Problem> {
        check(name, MODEL_BYTES_MAX)
    }
}

/// Entries of the catalogue: `KIND/MODEL`, as in `openai/gpt-4.1`.
#[derive(Debug, Clone, PartialEq)]
pub struct CatalogName;

impl NameRule for CatalogName {
    const WHAT: &'static str = "catalogue";
    const ENTRIES_MAX: usize = 10_000;
    const PATTERN: &'static str = "^[a-z0-9-]+/\\S(.{0,254}\\S)?$";

    fn check(name: &str) -> Result<(), Problem> {
        let expected = "KIND/MODEL, such as openai/gpt-4.1";
        let (kind, model) = name
            .split_once('/')
            .ok_or_else(|| Problem::new("does not say of which kind of provider").expected(expected))?;
        if kind.is_empty() || !kind.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        {
            return Err(Problem::new("does not begin with a kind of provider").expected(expected));
        }
        check(model, MODEL_BYTES_MAX)
    }
}

/// Names of extra headers (RFC 9110 section 5.1), without those that the gateway itself has to set.
#[derive(Debug, Clone, PartialEq)]
pub struct HeaderName;

/// Headers that belong to one connection or to the message's framing (RFC 9110 section 7.6.1).
const CONNECTION_HEADERS: [&str; 13] = [
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "accept-encoding",
];
/// Headers that carry credentials: those come from `keys:`, where they are rotated, rested and masked.
const CREDENTIAL_HEADERS: [&str; 7] = [
    "authorization",
    "proxy-authorization",
    "proxy-authenticate",
    "api-key",
    "x-api-key",
    "x-goog-api-key",
    "cookie",
];

impl NameRule for HeaderName {
    const WHAT: &'static str = "header";
    const ENTRIES_MAX: usize = 64;
    const PATTERN: &'static str = "^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$";

    fn check(name: &str) -> Result<(), Problem> {
        let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        if name.is_empty() || name.len() > 128 || !name.bytes().all(token) {
            let problem = Problem::new("is not a header name");
            return Err(problem.expected("letters, digits and hyphens, such as x-team"));
        }
        let folded = name.to_ascii_lowercase();
        if CONNECTION_HEADERS.contains(&folded.as_str()) {
            let problem = Problem::new("is set by the gateway for each connection and message");
            return Err(problem.expected("a header of your own, or no entry"));
        }
        if CREDENTIAL_HEADERS.contains(&folded.as_str()) {
            let problem = Problem::new("carries a credential");
            return Err(problem.expected("the credential in `keys:`"));
        }
        Ok(())
    }
}
