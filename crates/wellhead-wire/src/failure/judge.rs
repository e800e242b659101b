//! From a vendor's answer to the two questions that matter: whose fault, and can another attempt help.

use super::facts::Facts;
use super::means::{Judgement, Means};
use super::row::{Row, Seen};
use super::rows::TABLES;
use super::vendor::Vendor;
use super::wait;
use http::HeaderMap;
use std::time::Duration;
use wellhead_types::{Cause, Failure, Retry, Side, Stage};

/// Longest list of a vendor's words for machines that goes into our own log.
const WORDS_SHOWN_BYTES_MAX: usize = 256;

/// Judges an answer that is not a success. `vendor` is who is believed to have written it, `now_unix_s` is needed for
/// dates.
///
/// The body is read in every shape that vendors use, and it outweighs the status: the same 429 means "wait" or "no
/// money left", the same 400 "wrong request", "wrong key" or "too long for this model". What is looked for is the table
/// of [`super::rows`]; the first row that fits counts.
pub fn classify(
    vendor: Option<Vendor>,
    status: u16,
    headers: &HeaderMap,
    body: &[u8],
    now_unix_s: u64,
) -> Failure {
    let facts = Facts::read(headers, body);
    let told = wait::read(headers, &facts, now_unix_s);
    let seen = Seen { status: Some(status), headers, facts: &facts, told: told.is_some() };
    let (means, wait) = match find(vendor, &seen) {
        Some(row) => {
            let is_limit = matches!(row.means, Means::Limited | Means::TooLargeForLimit);
            let told = told.or_else(|| if is_limit { wait::from_resets(headers, now_unix_s) } else { None });
            (row.means, wait::of_row(row.wait, told, &facts, Some(now_unix_s)))
        }
        // Informational, success or redirect: not an answer to this request.
        None => (Means::NotTheApi, told),
    };
    let mut judgement = means.judgement();
    // The vendor knows better than a table whether its 4xx is final.
    if means == Means::BadRequest && says_retry(headers) {
        judgement = Judgement { retry: Retry::Elsewhere, side: Side::Provider, ..judgement };
    }
    failure(judgement, status, Stage::Headers, wait, &facts)
}

/// Judges an error that came inside a success. Causes that say what to rest are kept; everything else is the
/// provider's fault, whatever it claims, because a success was announced.
pub(super) fn in_success(
    vendor: Option<Vendor>,
    status: u16,
    facts: &Facts,
    stage: Stage,
    now: Option<u64>,
) -> Failure {
    let told = wait::from_body(facts, now);
    let headers = HeaderMap::new();
    let seen = Seen { status: facts.status, headers: &headers, facts, told: told.is_some() };
    let row = find(vendor, &seen);
    let wait = row.map_or(told, |row| wait::of_row(row.wait, told, facts, now));
    let means = match row.map_or(Means::ErrorInSuccess, |row| row.means) {
        Means::ServerError
        | Means::NotImplemented
        | Means::TimedOut
        | Means::Conflict
        | Means::NotTheApi
        | Means::BadRequest => Means::ErrorInSuccess,
        means => means,
    };
    failure(means.judgement(), status, stage, wait, facts)
}

/// A success that holds no answer.
pub(crate) fn success_failure(status: u16, stage: Stage, detail: &str) -> Failure {
    let judgement = Means::ErrorInSuccess.judgement();
    Failure { detail: detail.to_owned(), ..failure(judgement, status, stage, None, &Facts::default()) }
}

/// Bytes that are not what the protocol promises.
pub(crate) fn protocol_failure(status: u16, stage: Stage, detail: impl Into<String>) -> Failure {
    Failure { status: Some(status), ..Failure::endpoint(stage, Cause::ProtocolError, detail) }
}

/// The first row that fits.
fn find(vendor: Option<Vendor>, seen: &Seen<'_>) -> Option<&'static Row> {
    TABLES.iter().flat_map(|table| table.iter()).find(|row| row.fits(vendor, seen))
}

fn says_retry(headers: &HeaderMap) -> bool {
    headers.get("x-should-retry").is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"true"))
}

fn failure(
    judgement: Judgement,
    status: u16,
    stage: Stage,
    wait: Option<Duration>,
    facts: &Facts,
) -> Failure {
    let Judgement { side, scope, retry, cause } = judgement;
    let mut words = facts.words.join(" ");
    words.truncate(words.floor_char_boundary(WORDS_SHOWN_BYTES_MAX));
    let message = facts.message.as_deref().unwrap_or("(no message)");
    Failure {
        side,
        scope,
        stage,
        retry,
        cause,
        status: Some(status),
        retry_after: if retry == Retry::Never { None } else { wait },
        detail: format!("status {status} [{words}] {message}"),
    }
}
