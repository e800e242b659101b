//! One event of a chat stream, of an exact size, that carries the time at which it was sent.

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use clap::ValueEnum;

/// Digits of nanoseconds since 1970: 19 until the year 2286, so every stamp has the same width.
pub(crate) const STAMP_DIGITS: usize = 19;

/// Whose stream it looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Dialect {
    /// OpenAI Chat Completions.
    Openai,
    /// Anthropic Messages.
    Anthropic,
    /// Gemini, with the line ends that Google sends.
    Gemini,
}

/// What surrounds the text of each chunk, and what comes before the first and behind the last one.
struct Form {
    opening: &'static str,
    head: &'static str,
    tail: &'static str,
    finish: &'static str,
}

const OPENAI: Form = Form {
    opening: "",
    head: concat!(
        r#"data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1700000000,"#,
        r#""model":"bench","choices":[{"index":0,"delta":{"content":""#
    ),
    tail: "\"},\"finish_reason\":null}]}\n\n",
    finish: concat!(
        r#"data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1700000000,"#,
        r#""model":"bench","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#,
        "\n\n",
        r#"data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1700000000,"#,
        r#""model":"bench","choices":[],"usage":{"prompt_tokens":64,"completion_tokens":200,"total_tokens":264}}"#,
        "\n\ndata: [DONE]\n\n"
    ),
};

const ANTHROPIC: Form = Form {
    opening: concat!(
        "event: message_start\n",
        r#"data: {"type":"message_start","message":{"id":"msg_bench","type":"message","role":"assistant","#,
        r#""model":"bench","content":[],"stop_reason":null,"stop_sequence":null,"#,
        r#""usage":{"input_tokens":64,"output_tokens":1}}}"#,
        "\n\nevent: content_block_start\n",
        r#"data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
        "\n\n"
    ),
    head: concat!(
        "event: content_block_delta\n",
        r#"data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":""#
    ),
    tail: "\"}}\n\n",
    finish: concat!(
        "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n",
        "event: message_delta\n",
        r#"data: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"#,
        r#""usage":{"output_tokens":200}}"#,
        "\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"
    ),
};

const GEMINI: Form = Form {
    opening: "",
    head: r#"data: {"candidates": [{"content": {"parts": [{"text": ""#,
    tail: "\"}],\"role\": \"model\"},\"index\": 0}],\"modelVersion\": \"bench\"}\r\n\r\n",
    finish: concat!(
        r#"data: {"candidates": [{"content": {"parts": [{"text": ""}],"role": "model"},"#,
        r#""finishReason": "STOP","index": 0}],"usageMetadata": {"promptTokenCount": 64,"#,
        r#""candidatesTokenCount": 200,"totalTokenCount": 264},"modelVersion": "bench"}"#,
        "\r\n\r\n"
    ),
};

impl Dialect {
    const fn form(self) -> &'static Form {
        match self {
            Self::Openai => &OPENAI,
            Self::Anthropic => &ANTHROPIC,
            Self::Gemini => &GEMINI,
        }
    }
}

/// A chunk with room for the stamp.
#[derive(Clone)]
pub(crate) struct Template {
    form: &'static Form,
    bytes: Bytes,
}

impl Template {
    /// Fails when the wanted size has no room for the JSON around the content.
    pub(crate) fn new(dialect: Dialect, chunk_bytes: usize) -> Result<Template, String> {
        let form = dialect.form();
        let least = form.head.len() + STAMP_DIGITS + form.tail.len();
        if chunk_bytes < least {
            return Err(format!("--chunk-bytes {chunk_bytes}: at least {least} are needed"));
        }
        let mut text = String::with_capacity(chunk_bytes);
        text.push_str(form.head);
        text.push_str(&"0".repeat(STAMP_DIGITS));
        text.extend(" once more".chars().cycle().take(chunk_bytes - least));
        text.push_str(form.tail);
        Ok(Template { form, bytes: Bytes::from(text) })
    }

    /// The first chunk, behind what opens a stream of the dialect.
    pub(crate) fn first(&self) -> Bytes {
        Bytes::from([self.form.opening.as_bytes(), &self.stamped()].concat())
    }

    /// A copy that carries the present time.
    pub(crate) fn stamped(&self) -> Bytes {
        let mut copy = self.bytes.to_vec();
        let mut rest = nanos_since_1970();
        for place in copy.iter_mut().skip(self.form.head.len()).take(STAMP_DIGITS).rev() {
            *place = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        Bytes::from(copy)
    }

    /// Finish reason, usage and terminator.
    pub(crate) fn finish(&self) -> Bytes {
        Bytes::from_static(self.form.finish.as_bytes())
    }
}

/// The wall clock, because both ends are processes on one machine and have no other clock in common.
pub(crate) fn nanos_since_1970() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
    use super::*;

    const ALL: [Dialect; 3] = [Dialect::Openai, Dialect::Anthropic, Dialect::Gemini];

    /// The JSON of every event.
    fn values(text: &str) -> Vec<serde_json::Value> {
        let lines = text.lines().filter_map(|line| line.strip_prefix("data: "));
        let values = lines.filter(|data| *data != "[DONE]");
        values.map(|data| serde_json::from_str(data).unwrap()).collect()
    }

    #[test]
    fn a_chunk_has_its_size_and_is_a_valid_event() {
        for dialect in ALL {
            let chunk = Template::new(dialect, 200).unwrap().stamped();
            assert_eq!(chunk.len(), 200);
            let [value] = &values(std::str::from_utf8(&chunk).unwrap())[..] else { panic!("one event") };
            let content = match dialect {
                Dialect::Openai => &value["choices"][0]["delta"]["content"],
                Dialect::Anthropic => &value["delta"]["text"],
                Dialect::Gemini => &value["candidates"][0]["content"]["parts"][0]["text"],
            };
            let stamp: u64 = content.as_str().unwrap()[..STAMP_DIGITS].parse().unwrap();
            assert!(stamp <= nanos_since_1970() && stamp > 1_700_000_000_000_000_000);
        }
    }

    #[test]
    fn a_size_without_room_is_refused() {
        assert!(Template::new(Dialect::Openai, 64).is_err());
    }

    #[test]
    fn what_opens_and_ends_a_stream_is_valid() {
        let number = |dialect: Dialect| {
            let form = dialect.form();
            (values(form.opening).len(), values(form.finish).len())
        };
        assert_eq!(ALL.map(number), [(0, 2), (2, 3), (0, 1)]);
        assert!(OPENAI.finish.ends_with("\n\ndata: [DONE]\n\n"));
    }
}
