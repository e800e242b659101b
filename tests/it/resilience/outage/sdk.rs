//! A client that asks again as the official SDKs of OpenAI do: twice at most, when `x-should-retry` says so or, without
//! it, when the status does; after the time that `retry-after-ms` or `Retry-After` names, or after its own pause.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::load::is_whole;
use crate::support::{Answer, CHAT, Ending, Request, chat};

/// Requests after the first one.
const RETRIES_MAX: u32 = 2;
/// The longest wait that an SDK lets itself be told.
const TOLD_MAX: Duration = Duration::from_secs(60);

/// One call of an application: a request and its retries.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) ended: Instant,
    pub(super) answered: bool,
    /// What was no clean answer and no honest refusal.
    pub(super) lies: Vec<String>,
}

fn told(answer: &Answer) -> Option<Duration> {
    let ms = answer.header("retry-after-ms").parse::<f64>().ok().map(|ms| ms / 1000.0);
    let seconds = ms.or_else(|| answer.header("retry-after").parse().ok())?;
    (seconds > 0.0 && seconds <= TOLD_MAX.as_secs_f64()).then(|| Duration::from_secs_f64(seconds))
}

fn should_retry(answer: &Answer) -> bool {
    match answer.header("x-should-retry") {
        "true" => true,
        "false" => false,
        _ => matches!(answer.status, 408 | 409 | 429) || answer.status >= 500,
    }
}

/// What is wrong with a refusal (contract.md 2.2; decision 18).
fn lie(answer: &Answer) -> Option<String> {
    let known = matches!(
        (answer.status, answer.code().as_str()),
        (503, "no_healthy_upstream" | "overloaded")
            | (504, "upstream_timeout")
            | (429, "upstream_rate_limited")
    );
    let advised = match answer.header("x-should-retry") {
        "true" => told(answer).is_some(),
        "false" => true,
        _ => false,
    };
    let honest = known && advised && answer.ending == Ending::Proper;
    (!honest).then(|| format!("{:?}: {}", answer.ending, answer.everything()))
}

/// Makes one call, with this read timeout in seconds. `refused` is told of every refusal on the way.
pub(super) async fn call(
    to: SocketAddr,
    stream: bool,
    expected: &str,
    patience: &str,
    refused: impl Fn(),
) -> Call {
    let mut lies = Vec::new();
    for retry in 0..=RETRIES_MAX {
        let request = Request::post(CHAT)
            .header("x-stainless-retry-count", &retry.to_string())
            .header("x-stainless-read-timeout", patience)
            .json(&chat(stream));
        let answer = request.send(to).await;
        if is_whole(&answer, stream, expected) {
            return Call { ended: Instant::now(), answered: true, lies };
        }
        refused();
        if answer.status == 200 {
            // A stream that broke off after its headers: SDKs do not repeat it.
            let clean = answer.ending == Ending::Proper && answer.stream_error().is_some() && !answer.done();
            lies.extend((!clean).then(|| answer.everything()));
            break;
        }
        lies.extend(lie(&answer));
        if retry == RETRIES_MAX || !should_retry(&answer) {
            break;
        }
        let own = Duration::from_millis(500 << retry);
        tokio::time::sleep(told(&answer).unwrap_or(own)).await;
    }
    Call { ended: Instant::now(), answered: false, lies }
}
