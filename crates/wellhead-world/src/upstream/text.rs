//! The bytes of answers.

use serde_json::json;

/// The head of an answer in one piece.
pub(super) fn head(status: u16, content_type: &str, length: usize, more: &str) -> String {
    format!("HTTP/1.1 {status} X\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\n{more}\r\n")
}

/// The head of a stream.
pub(super) fn stream_head() -> &'static str {
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
}

/// The end of a stream's framing.
pub(super) const END: &[u8] = b"0\r\n\r\n";

/// Bytes as one piece of a stream.
pub(super) fn piece(text: &str) -> Vec<u8> {
    format!("{:x}\r\n{text}\r\n", text.len()).into_bytes()
}

/// A text as JSON writes it.
pub(super) fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

/// A delta with a piece of the text.
pub(super) fn content(piece: &str) -> String {
    ["{\"content\":", &quoted(piece), "}"].concat()
}

/// A delta with a piece of the arguments of a call; the first one says what is called.
pub(super) fn call(first: Option<&str>, piece: &str) -> String {
    let piece = quoted(piece);
    match first {
        Some(id) => format!(
            "{{\"tool_calls\":[{{\"index\":0,\"id\":\"{id}\",\"type\":\"function\",\"function\":\
             {{\"name\":\"note\",\"arguments\":{piece}}}}}]}}"
        ),
        None => format!("{{\"tool_calls\":[{{\"index\":0,\"function\":{{\"arguments\":{piece}}}}}]}}"),
    }
}

/// One event with a delta, which is JSON. Put together by hand: a world has tens of thousands of them.
pub(super) fn event(who: &str, delta: &str, finish: Option<&str>) -> String {
    let finish = finish.map_or("null".to_owned(), quoted);
    let head = ["data: {\"id\":\"chatcmpl-", who, "\",\"object\":\"chat.completion.chunk\",\"created\":1"];
    let choice = [
        ",\"model\":\"",
        who,
        "\",\"choices\":[{\"index\":0,\"delta\":",
        delta,
        ",\"finish_reason\":",
        &finish,
    ];
    [&head[..], &choice[..], &["}]}\n\n"]].concat().concat()
}

/// The event that says what was used.
pub(super) fn usage_event(who: &str, words: usize) -> String {
    let usage = usage(words);
    format!(
        "data: {{\"id\":\"chatcmpl-{who}\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"{who}\",\
         \"choices\":[],\"usage\":{usage}}}\n\n"
    )
}

/// A whole answer.
pub(super) fn whole(who: &str, text: &str, arguments: Option<&str>, words: usize) -> String {
    let (text, usage) = (quoted(text), usage(words));
    let (calls, finish) = match arguments {
        Some(arguments) => (
            format!(
                ",\"tool_calls\":[{{\"id\":\"call-{who}\",\"type\":\"function\",\"function\":\
                 {{\"name\":\"note\",\"arguments\":{}}}}}]",
                quoted(arguments)
            ),
            "tool_calls",
        ),
        None => (String::new(), "stop"),
    };
    format!(
        "{{\"id\":\"chatcmpl-{who}\",\"object\":\"chat.completion\",\"created\":1,\"model\":\"{who}\",\"choices\":\
         [{{\"index\":0,\"message\":{{\"role\":\"assistant\",\"content\":{text}{calls}}},\
         \"finish_reason\":\"{finish}\"}}],\"usage\":{usage}}}"
    )
}

fn usage(words: usize) -> String {
    let total = words + 9;
    format!("{{\"prompt_tokens\":9,\"completion_tokens\":{words},\"total_tokens\":{total}}}")
}

/// An error in the vendor's words.
pub(super) fn error(kind: &str, code: Option<&str>, message: &str) -> String {
    json!({ "error": { "message": message, "type": kind, "code": code, "param": null } }).to_string()
}
