//! Cutting an SSE body into events, only as far as the measurements need: is it content, is it the end, is it an
//! error. It serves any chat stream of OpenAI's and of Anthropic's dialect, and reads the time stamp where our own upstream put one.

use memchr::memmem;

/// The largest event that is kept while waiting for its end; a larger one is a broken stream.
const EVENT_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Digits of the upstream's time stamp at the beginning of the content.
const STAMP_DIGITS: usize = crate::upstream::STAMP_DIGITS;

/// What one event means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    /// Text; with the nanosecond at which the upstream sent it, if it said so.
    Content(Option<u64>),
    /// A finish reason without text.
    Finish,
    /// `[DONE]`.
    Done,
    /// An error inside the stream.
    Error,
    /// Role, usage, comments, anything else.
    Other,
}

/// Collects bytes until an event is whole.
#[derive(Default)]
pub(crate) struct Splitter {
    kept: Vec<u8>,
}

impl Splitter {
    /// Calls `each` for every event that `data` completes. `false`: an event has outgrown the limit.
    pub(crate) fn push(&mut self, data: &[u8], mut each: impl FnMut(Event)) -> bool {
        self.kept.extend_from_slice(data);
        let mut start = 0;
        while let Some(rest) = self.kept.get(start..) {
            let Some((end, gap)) = boundary(rest) else { break };
            each(classify(&rest[..end]));
            start += end + gap;
        }
        self.kept.drain(..start);
        self.kept.len() <= EVENT_BYTES_MAX
    }

    /// Bytes of an event that never ended.
    pub(crate) fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }
}

/// The first blank line: where the event ends, and how long the gap is. Both line endings of the SSE standard that
/// servers use are understood.
fn boundary(text: &[u8]) -> Option<(usize, usize)> {
    let lf = memmem::find(text, b"\n\n").map(|at| (at, 2));
    let crlf = memmem::find(text, b"\r\n\r\n").map(|at| (at, 4));
    match (lf, crlf) {
        (Some(a), Some(b)) => Some(if a.0 < b.0 { a } else { b }),
        (a, b) => a.or(b),
    }
}

fn classify(event: &[u8]) -> Event {
    let Some(data) = data_line(event) else { return Event::Other };
    if data == b"[DONE]" {
        return Event::Done;
    }
    // These open an event in their dialects; inside a string the quotes would be escaped.
    const ERRORS: [&[u8]; 3] = [b"{\"error\":", b"{ \"error\":", b"{\"type\":\"error\""];
    if ERRORS.iter().any(|error| data.starts_with(error)) {
        return Event::Error;
    }
    if data.starts_with(b"{\"type\":\"message_stop\"") {
        return Event::Done;
    }
    for name in [&b"\"content\":\""[..], b"\"text\":\""] {
        let text = memmem::find(data, name).and_then(|at| data.get(at + name.len()..));
        if let Some(text) = text.filter(|text| text.first() != Some(&b'"')) {
            return Event::Content(stamp(text));
        }
    }
    let finish = [&b"\"finish_reason\":\""[..], b"\"stop_reason\":\""];
    if finish.iter().any(|name| memmem::find(data, name).is_some()) { Event::Finish } else { Event::Other }
}

/// The value of the event's `data:` line; `event:` and comment lines before it are passed over.
fn data_line(event: &[u8]) -> Option<&[u8]> {
    event.split(|byte| *byte == b'\n').find_map(|line| {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let value = line.strip_prefix(b"data:")?;
        Some(value.strip_prefix(b" ").unwrap_or(value))
    })
}

fn stamp(text: &[u8]) -> Option<u64> {
    let digits = text.get(..STAMP_DIGITS)?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str = concat!(
        ": keep-alive\n\n",
        "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}]}\n\n",
        "data: {\"choices\":[{\"delta\":{\"content\":\"1700000000000000001 x\"},\"finish_reason\":null}]}\n\n",
        "event: message\r\ndata: {\"choices\":[{\"delta\":{\"content\":\"hello\"}}]}\r\n\r\n",
        "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n",
        "data: {\"choices\":[],\"usage\":{\"total_tokens\":3}}\n\n",
        "data: [DONE]\n\n",
    );

    fn read(pieces: &[&[u8]]) -> Vec<Event> {
        let mut splitter = Splitter::default();
        let mut events = Vec::new();
        for piece in pieces {
            assert!(splitter.push(piece, |event| events.push(event)));
        }
        assert!(splitter.is_empty());
        events
    }

    #[test]
    fn every_kind_of_event_is_recognised_however_the_bytes_are_cut() {
        let expected = vec![
            Event::Other,
            Event::Other,
            Event::Content(Some(1_700_000_000_000_000_001)),
            Event::Content(None),
            Event::Finish,
            Event::Other,
            Event::Done,
        ];
        let bytes = STREAM.as_bytes();
        assert_eq!(read(&[bytes]), expected);
        for cut in 0..bytes.len() {
            assert_eq!(read(&[&bytes[..cut], &bytes[cut..]]), expected, "cut at {cut}");
        }
    }

    #[test]
    fn a_stream_of_anthropics_is_read_too() {
        let events = read(&[concat!(
            "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"stop_reason\":null}}\n\n",
            "event: content_block_start\n",
            "data: {\"type\":\"content_block_start\",\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n",
            "data: {\"type\":\"content_block_delta\",\"delta\":{\"type\":\"text_delta\",\"text\":\"hi\"}}\n\n",
            "data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"}}\n\n",
            "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
            "event: error\ndata: {\"type\":\"error\",\"error\":{}}\n\n",
        )
        .as_bytes()]);
        use Event::{Content, Done, Error, Finish, Other};
        assert_eq!(events, vec![Other, Other, Content(None), Finish, Done, Error]);
    }

    #[test]
    fn an_error_event_is_an_error_and_half_an_event_is_none() {
        assert_eq!(read(&[b"data: {\"error\":{\"code\":\"x\"}}\n\n"]), vec![Event::Error]);
        let mut splitter = Splitter::default();
        assert!(splitter.push(b"data: [DONE]\n", |_| unreachable!("the event has not ended")));
        assert!(!splitter.is_empty());
    }

    #[test]
    fn an_endless_event_is_refused() {
        let mut splitter = Splitter::default();
        assert!(!splitter.push(&vec![b'x'; EVENT_BYTES_MAX + 1], |_| ()));
    }
}
