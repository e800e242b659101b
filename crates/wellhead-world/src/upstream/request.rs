//! What the gateway asks for. An upstream of a world trusts nobody: what it cannot read is a finding.

use super::line::{Gone, Line};
use serde::Deserialize;
use std::borrow::Cow;

/// A request.
#[derive(Debug)]
pub(super) struct Asked {
    /// The number of the client's request, as it says who it is.
    pub(super) ask: usize,
    /// What is asked.
    pub(super) question: usize,
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

/// What an upstream looks at in a request.
#[derive(Debug, Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    model: Cow<'a, str>,
    #[serde(borrow)]
    messages: Vec<Message<'a>>,
    #[serde(default)]
    stream: bool,
    stream_options: Option<StreamOptions>,
    tools: Option<serde::de::IgnoredAny>,
}

#[derive(Debug, Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    role: Cow<'a, str>,
    #[serde(borrow)]
    content: Option<Cow<'a, str>>,
    #[serde(default)]
    prefix: bool,
}

#[derive(Debug, Deserialize)]
struct StreamOptions {
    #[serde(default)]
    include_usage: bool,
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
    let ask = field("user-agent").and_then(|(_, who)| who.trim().strip_prefix("ask-")?.parse().ok());
    match understand(line, ask, credential.as_deref(), &body) {
        Some(asked) => Ok(asked),
        None => {
            let (at, text) = (line.stage.now_ms(), String::from_utf8_lossy(&body).into_owned());
            let what = format!("{at} p{}: a request that cannot be read: {head}{text}", line.provider);
            line.stage.log.lock().wrong.push(what);
            Err(Gone::Closed)
        }
    }
}

fn understand(line: &Line, ask: Option<usize>, credential: Option<&str>, body: &[u8]) -> Option<Asked> {
    let body: Body<'_> = serde_json::from_slice(body).ok()?;
    let text = |message: &Message<'_>| message.content.as_deref().map(str::to_owned);
    let prompt = body.messages.iter().find(|m| m.role == "user")?.content.as_deref()?;
    let question = prompt.strip_prefix("question ")?.parse().ok()?;
    let ask = ask.filter(|ask| *ask < line.stage.scenario.asks.len())?;
    if body.tools.is_some() != line.stage.scenario.asks[ask].tools.is_some() {
        return None;
    }
    let model = body.model.strip_prefix('v')?.parse().ok()?;
    let keys = line.stage.scenario.providers[line.provider].keys;
    let key = (0..keys).find(|key| {
        let secret = crate::scenario::secret(line.provider, *key);
        credential.and_then(|c| c.strip_prefix("Bearer ")) == Some(secret.as_str())
    });
    let assistant = body.messages.iter().rposition(|m| m.role == "assistant");
    let given = assistant.map(|number| Given {
        text: text(&body.messages[number]).unwrap_or_default(),
        prefill: number + 1 == body.messages.len(),
        echoed: body.messages[number].prefix,
    });
    Some(Asked {
        ask,
        question,
        model,
        known: if keys == 0 { credential.is_none() } else { key.is_some() },
        key,
        streamed: body.stream,
        usage: body.stream_options.is_some_and(|options| options.include_usage),
        given,
    })
}
