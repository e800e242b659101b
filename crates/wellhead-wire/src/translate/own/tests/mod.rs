#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod random;
mod requests;
mod streams;

use crate::chat::{Abilities, Dialect, Origin, Shown, Target};

fn origin() -> Origin {
    Origin { provider: "p".into(), model: "vendors-model".into() }
}

fn target() -> Target {
    Target { origin: origin(), output_tokens_max: None, can: Abilities::default() }
}

fn shown() -> Shown {
    Shown { model: "chat".into(), id: "1".into(), created: 1, stream_usage: true }
}

/// As the vendors write it: white space, members that nobody here knows, blocks of the vendor's own tools.
const ANTHROPIC: &str = r#"event: message_start
data: {"type": "message_start", "message": {"id": "msg_1", "type": "message", "role": "assistant", "model": "vendors-model", "content": [], "stop_reason": null, "stop_sequence": null, "usage": {"input_tokens": 9, "output_tokens": 1, "server_tool_use": {"web_search_requests": 0}}, "container": {"id": "c_1"}}}

event: content_block_start
data: {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": "", "signature": ""}}

event: ping
data: {"type": "ping"}

event: content_block_delta
data: {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "Let me see é."}}

event: content_block_delta
data: {"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "c2ln"}}

event: content_block_stop
data: {"type": "content_block_stop", "index": 0}

event: content_block_start
data: {"type": "content_block_start", "index": 1, "content_block": {"type": "server_tool_use", "id": "srv_1", "name": "web_search", "input": {}}}

event: content_block_delta
data: {"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": "{\"query\": \"x\"}"}}

event: content_block_stop
data: {"type": "content_block_stop", "index": 1}

event: content_block_start
data: {"type": "content_block_start", "index": 2, "content_block": {"type": "web_search_tool_result", "tool_use_id": "srv_1", "content": [{"type": "web_search_result", "url": "https://x", "encrypted_content": "e"}]}}

event: content_block_stop
data: {"type": "content_block_stop", "index": 2}

event: content_block_start
data: {"type": "content_block_start", "index": 3, "content_block": {"type": "text", "text": "", "citations": []}}

event: content_block_delta
data: {"type": "content_block_delta", "index": 3, "delta": {"type": "text_delta", "text": "Hello"}}

event: content_block_delta
data: {"type": "content_block_delta", "index": 3, "delta": {"type": "citations_delta", "citation": {"type": "web_search_result_location", "url": "https://x", "cited_text": "y"}}}

event: content_block_delta
data: {"type": "content_block_delta", "index": 3, "delta": {"type": "text_delta", "text": " there, friend"}}

event: content_block_stop
data: {"type": "content_block_stop", "index": 3}

event: content_block_start
data: {"type": "content_block_start", "index": 4, "content_block": {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}}

event: content_block_delta
data: {"type": "content_block_delta", "index": 4, "delta": {"type": "input_json_delta", "partial_json": "{\"a\":"}}

event: content_block_delta
data: {"type": "content_block_delta", "index": 4, "delta": {"type": "input_json_delta", "partial_json": " 1}"}}

event: content_block_stop
data: {"type": "content_block_stop", "index": 4}

event: content_block_start
data: {"type": "content_block_start", "index": 5, "content_block": {"type": "text", "text": ""}}

event: content_block_delta
data: {"type": "content_block_delta", "index": 5, "delta": {"type": "text_delta", "text": "behind it"}}

event: content_block_stop
data: {"type": "content_block_stop", "index": 5}

event: brand_new
data: {"type": "brand_new", "x": [1, 2]}

event: message_delta
data: {"type": "message_delta", "delta": {"stop_reason": "tool_use", "stop_sequence": null}, "usage": {"output_tokens": 30}, "context_management": {"applied_edits": []}}

event: message_stop
data: {"type": "message_stop"}

"#;

const GEMINI: &str = "data: {\"candidates\": [{\"content\": {\"parts\": [{\"text\": \"Think\",\"thought\": true}],\"role\": \"model\"},\"index\": 0}],\"usageMetadata\": {\"promptTokenCount\": 4,\"totalTokenCount\": 5},\"modelVersion\": \"vendors-model\",\"responseId\": \"r1\"}\r\n\r\ndata: {\"candidates\": [{\"content\": {\"parts\": [{\"text\": \"Hel\"}],\"role\": \"model\"},\"index\": 0,\"brandNew\": 1}],\"modelVersion\": \"vendors-model\",\"responseId\": \"r1\"}\r\n\r\ndata: {\"candidates\": [{\"content\": {\"parts\": [{\"text\": \"lo\"},{\"functionCall\": {\"name\": \"f\",\"args\": {\"a\": 1}},\"thoughtSignature\": \"c2ln\"}],\"role\": \"model\"},\"index\": 0}],\"modelVersion\": \"vendors-model\",\"responseId\": \"r1\"}\r\n\r\ndata: {\"candidates\": [{\"content\": {\"parts\": [{\"text\": \"\"}],\"role\": \"model\"},\"finishReason\": \"STOP\",\"index\": 0,\"groundingMetadata\": {\"x\": [1]}}],\"usageMetadata\": {\"promptTokenCount\": 4,\"candidatesTokenCount\": 3,\"totalTokenCount\": 7},\"modelVersion\": \"vendors-model\",\"responseId\": \"r1\"}\r\n\r\n";

const STREAMS: [(Dialect, &str); 2] = [(Dialect::Anthropic, ANTHROPIC), (Dialect::Gemini, GEMINI)];

/// What a client gets who called the model `chat`.
fn named(stream: &str) -> String {
    stream.replace("vendors-model", "chat")
}
