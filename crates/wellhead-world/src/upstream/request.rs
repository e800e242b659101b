//! What the gateway asks for. An upstream of a world trusts nobody: what it cannot read is a finding.

use super::line::{Gone, Line};
use serde_json::Value;

/// A request.
#[derive(Debug)]
pub(super) struct Asked {
    /// The number of the client's request, from its prompt.
    pub(super) ask: usize,
    pub(super) model: usize,
    pub(super) key: Option<usize>,
    /// The credential is one of ours, or none is needed.
    pub(super) known: bool,
    pub(super) streamed: bool,
    pub(super) usage: bool,
    /// The beginning of the answer that was handed over.
    pub(super) given: Option<Given>,
}

/// The beginning of an answer.
#[derive(Debug)]
pub(super) struct Given {
    pub(super) text: String,
    /// As the last message of the assistant, rather than with a request in words.
    pub(super) prefill: bool,
    /// The vendor says the beginning again.
    pub(super) echoed: bool,
}

/// Reads the next request.
pub(super) async fn read(line: &mut Line) -> Result<Asked, Gone> {
    let head = loop {
        if let Some(end) = line.buffer().windows(4).position(|w| w == b"\r\n\r\n") {
            let head: Vec<u8> = line.buffer().drain(..end + 4).collect();
            break String::from_utf8_lossy(&head).into_owned();
        }
        line.read().await?;
    };
    let field = |name: &str| {
        head.lines().find_map(|l| l.split_once(": ").filter(|(n, _)| n.eq_ignore_ascii_case(name)))
    };
    let length = field("content-length").and_then(|(_, v)| v.trim().parse::<usize>().ok()).unwrap_or(0);
    while line.buffer().len() < length {
        line.read().await?;
    }
    let body: Vec<u8> = line.buffer().drain(..length).collect();
    let credential = field("authorization").map(|(_, value)| value.trim().to_owned());
    match understand(line, credential.as_deref(), &body) {
        Some(asked) => Ok(asked),
        None => {
            let (at, text) = (line.stage.now_ms(), String::from_utf8_lossy(&body).into_owned());
            let what = format!("{at} p{}: a request that cannot be read: {head}{text}", line.provider);
            line.stage.log.lock().wrong.push(what);
            Err(Gone::Closed)
        }
    }
}

fn understand(line: &Line, credential: Option<&str>, body: &[u8]) -> Option<Asked> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let messages = body["messages"].as_array()?;
    let text = |message: &Value| message["content"].as_str().map(str::to_owned);
    let prompt = messages.iter().find(|m| m["role"] == "user").and_then(text)?;
    let ask = prompt.strip_prefix("ask ")?.parse().ok()?;
    let model = body["model"].as_str()?.strip_prefix('v')?.parse().ok()?;
    let keys = line.stage.scenario.providers[line.provider].keys;
    let key = (0..keys).find(|key| {
        let secret = crate::scenario::secret(line.provider, *key);
        credential.and_then(|c| c.strip_prefix("Bearer ")) == Some(secret.as_str())
    });
    let assistant = messages.iter().rev().find(|m| m["role"] == "assistant");
    let given = assistant.map(|message| Given {
        text: text(message).unwrap_or_default(),
        prefill: messages.last() == Some(message),
        echoed: message["prefix"] == true,
    });
    Some(Asked {
        ask,
        model,
        known: if keys == 0 { credential.is_none() } else { key.is_some() },
        key,
        streamed: body["stream"] == true,
        usage: body["stream_options"]["include_usage"] == true,
        given,
    })
}
