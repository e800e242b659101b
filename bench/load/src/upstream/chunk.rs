//! One event of a chat stream, of an exact size, that carries the time at which it was sent.

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;

/// Digits of nanoseconds since 1970: 19 until the year 2286, so every stamp has the same width.
pub(crate) const STAMP_DIGITS: usize = 19;

const HEAD: &str = concat!(
    r#"data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1700000000,"#,
    r#""model":"bench","choices":[{"index":0,"delta":{"content":""#
);
const TAIL: &str = "\"},\"finish_reason\":null}]}\n\n";
const FINISH: &str = concat!(
    r#"data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1700000000,"#,
    r#""model":"bench","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#,
    "\n\n",
    r#"data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1700000000,"#,
    r#""model":"bench","choices":[],"usage":{"prompt_tokens":64,"completion_tokens":200,"total_tokens":264}}"#,
    "\n\ndata: [DONE]\n\n"
);

/// A chunk with room for the stamp.
#[derive(Clone)]
pub(crate) struct Template {
    bytes: Bytes,
}

impl Template {
    /// Fails when the wanted size has no room for the JSON around the content.
    pub(crate) fn new(chunk_bytes: usize) -> Result<Template, String> {
        let least = HEAD.len() + STAMP_DIGITS + TAIL.len();
        if chunk_bytes < least {
            return Err(format!("--chunk-bytes {chunk_bytes}: at least {least} are needed"));
        }
        let mut text = String::with_capacity(chunk_bytes);
        text.push_str(HEAD);
        text.push_str(&"0".repeat(STAMP_DIGITS));
        text.extend(" once more".chars().cycle().take(chunk_bytes - least));
        text.push_str(TAIL);
        Ok(Template { bytes: Bytes::from(text) })
    }

    /// A copy that carries the present time.
    pub(crate) fn stamped(&self) -> Bytes {
        let mut copy = self.bytes.to_vec();
        let mut rest = nanos_since_1970();
        for place in copy.iter_mut().skip(HEAD.len()).take(STAMP_DIGITS).rev() {
            *place = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        Bytes::from(copy)
    }

    /// Finish reason, usage and terminator.
    pub(crate) fn finish() -> Bytes {
        Bytes::from_static(FINISH.as_bytes())
    }
}

/// The wall clock, because both ends are processes on one machine and have no other clock in common.
pub(crate) fn nanos_since_1970() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_chunk_has_its_size_and_is_a_valid_event() {
        let chunk = Template::new(200).unwrap().stamped();
        assert_eq!(chunk.len(), 200);
        let text = std::str::from_utf8(&chunk).unwrap();
        let json = text.strip_prefix("data: ").unwrap().strip_suffix("\n\n").unwrap();
        let value: serde_json::Value = serde_json::from_str(json).unwrap();
        let content = value["choices"][0]["delta"]["content"].as_str().unwrap();
        let stamp: u64 = content[..STAMP_DIGITS].parse().unwrap();
        assert!(stamp <= nanos_since_1970() && stamp > 1_700_000_000_000_000_000);
    }

    #[test]
    fn a_size_without_room_is_refused() {
        assert!(Template::new(64).is_err());
    }

    #[test]
    fn the_finish_is_three_valid_events() {
        let events: Vec<&str> = FINISH.trim_end().split("\n\n").collect();
        assert_eq!(events.len(), 3);
        for event in &events[..2] {
            let json = event.strip_prefix("data: ").unwrap();
            assert!(serde_json::from_str::<serde_json::Value>(json).is_ok(), "{json}");
        }
        assert_eq!(events[2], "data: [DONE]");
    }
}
