//! The endpoints: a request goes in, an answer comes out, without any I/O.

mod audio;
mod chat;
mod completions;
mod control;
mod dress;
mod embeddings;
mod images;
mod models;
mod moderations;
mod params;
mod parsed;
mod rerank;
mod responses;

pub(crate) use control::control;
pub(crate) use dress::{Window, dress};
pub(crate) use parsed::Parsed;

use crate::core::Core;
use crate::fault::{Fault, Faults};
use crate::net::Request;
use crate::options::ANSWER_TOKENS_MAX;
use crate::reply::{self, Reply};

/// Everything that an endpoint answers from.
pub(crate) struct Call<'a> {
    pub(crate) core: &'a Core,
    pub(crate) request: &'a Request,
    pub(crate) parsed: &'a Parsed,
    /// Tokens of an answer that nothing limits.
    pub(crate) tokens_wanted: usize,
}

impl Call<'_> {
    /// Tokens of each of `answers` answers: together they stay below the maximum of one.
    pub(crate) fn tokens_each(&self, answers: usize) -> usize {
        self.tokens_wanted.min(ANSWER_TOKENS_MAX / answers.max(1))
    }

    /// Seconds since 1970.
    #[expect(clippy::unused_self, reason = "reads as a property of the call")]
    pub(crate) fn created(&self) -> u64 {
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_secs())
    }

    /// A fresh id.
    pub(crate) fn id(&self, prefix: &str, length: usize) -> String {
        self.core.fresh().id(prefix, length)
    }
}

type Endpoint = fn(&Call<'_>) -> Result<Reply, Reply>;

/// The endpoint at `path`, below a base path; with the method that it takes.
fn endpoint(path: &str) -> Option<(&'static str, Endpoint)> {
    Some(match path {
        "/chat/completions" => ("POST", chat::chat),
        "/completions" => ("POST", completions::completions),
        "/responses" => ("POST", responses::responses),
        "/embeddings" => ("POST", embeddings::embeddings),
        "/moderations" => ("POST", moderations::moderations),
        "/rerank" => ("POST", rerank::rerank),
        "/images/generations" => ("POST", images::generations),
        "/images/edits" | "/images/variations" => ("POST", images::edits),
        "/audio/speech" => ("POST", audio::speech),
        "/audio/transcriptions" => ("POST", audio::transcriptions),
        "/audio/translations" => ("POST", audio::translations),
        "/models" => ("GET", models::list),
        path if path.strip_prefix("/models/").is_some_and(|name| !name.is_empty()) => ("GET", models::one),
        _ => return None,
    })
}

/// `path` without its base: one of the configured ones, or an Azure deployment.
fn below<'a>(core: &Core, path: &'a str) -> Option<&'a str> {
    let bases = core.options.base_paths.iter().map(|base| base.trim_end_matches('/'));
    let found = bases.filter_map(|base| path.strip_prefix(base)).find(|rest| endpoint(rest).is_some());
    found.or_else(|| {
        let rest = path.strip_prefix("/openai/deployments/")?;
        rest.find('/').map(|at| &rest[at..])
    })
}

/// Answers a request.
pub(crate) fn respond(core: &Core, request: &Request, parsed: &Parsed, faults: &Faults) -> Reply {
    if let Err(reply) = identify(core, request) {
        return reply;
    }
    let Some((method, endpoint)) = below(core, &request.path).and_then(endpoint) else {
        let message = format!("There is nothing at {} {}.", request.method, request.path);
        return reply::error(404, "invalid_request_error", Some("unknown_url"), None, &message);
    };
    if request.method != method && !(method == "GET" && request.method == "HEAD") {
        let message = format!("{} takes {method}, not {}.", request.path, request.method);
        return reply::error(405, "invalid_request_error", Some("method_not_supported"), None, &message)
            .with("allow", method);
    }
    let wanted = faults.0.iter().rev().find_map(|fault| match fault {
        Fault::Tokens { tokens } => usize::try_from(*tokens).ok(),
        _ => None,
    });
    let tokens_wanted = wanted.unwrap_or(core.options.tokens_default).min(ANSWER_TOKENS_MAX);
    let call = Call { core, request, parsed, tokens_wanted };
    endpoint(&call).unwrap_or_else(|reply| reply)
}

fn identify(core: &Core, request: &Request) -> Result<(), Reply> {
    let Some(keys) = &core.options.api_keys else { return Ok(()) };
    let message = match request.key() {
        Some(key) if keys.iter().any(|known| known == key) => return Ok(()),
        Some(key) => {
            let (start, end) = (key.chars().take(3), key.chars().rev().take(2).collect::<Vec<_>>());
            let (start, end) = (start.collect::<String>(), end.into_iter().rev().collect::<String>());
            format!("The API key {start}***{end} is not known here.")
        }
        None => "There is no API key: send the header Authorization: Bearer YOUR_KEY.".to_owned(),
    };
    Err(reply::error(401, "invalid_request_error", Some("invalid_api_key"), None, &message))
}
