"""A model that does what a test says, in the dialect of its vendor: it asks for one tool, and when it has the result it
says what it has seen. Written after the vendors' documentation; the gateway's own codecs have no part in it."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

USAGE_INPUT, USAGE_OUTPUT = 100, 20


class Model:
    """A server on a port of loopback. `script(results)` gives a text, or (tool, arguments); `results` are the texts of the
    results of tools so far. `cut_after`: the first answers break off behind so many events."""

    def __init__(self, dialect, script, status=200, cuts=0, cut_after=4):
        self.dialect, self.script, self.status = dialect, script, status
        self.cuts, self.cut_after = cuts, cut_after
        self.requests = []
        model = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                model.requests.append((self.path, body))
                model.answer(self, body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def answer(self, handler, body):
        if self.status != 200:
            return send(handler, self.status, "application/json", ERRORS[self.dialect])
        results = RESULTS[self.dialect](body)
        events = list(EVENTS[self.dialect](self.script(results), f"call{len(self.requests)}"))
        if self.cuts > 0:
            self.cuts -= 1
            events = events[: self.cut_after]
            handler.close_connection = True
        send(handler, 200, "text/event-stream", "".join(events))


def send(handler, status, kind, text):
    data = text.encode()
    handler.send_response(status)
    handler.send_header("content-type", kind)
    handler.send_header("content-length", str(len(data)))
    handler.end_headers()
    handler.wfile.write(data)


def pieces(text, size=12):
    return [text[at : at + size] for at in range(0, len(text), size)]


def named(kind, **members):
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **members})}\n\n"


def plain(value):
    return f"data: {json.dumps(value)}\n\n"


def anthropic_events(said, call):
    usage = {"input_tokens": USAGE_INPUT, "output_tokens": 1}
    message = {"id": f"msg_{call}", "type": "message", "role": "assistant", "model": "scripted", "content": []}
    yield named("message_start", message={**message, "stop_reason": None, "stop_sequence": None, "usage": usage})
    if isinstance(said, str):
        yield named("content_block_start", index=0, content_block={"type": "text", "text": ""})
        for piece in pieces(said):
            yield named("content_block_delta", index=0, delta={"type": "text_delta", "text": piece})
    else:
        tool, arguments = said
        block = {"type": "tool_use", "id": f"toolu_{call}", "name": tool, "input": {}}
        yield named("content_block_start", index=0, content_block=block)
        for piece in pieces(json.dumps(arguments)):
            yield named("content_block_delta", index=0, delta={"type": "input_json_delta", "partial_json": piece})
    yield named("content_block_stop", index=0)
    reason = "end_turn" if isinstance(said, str) else "tool_use"
    ending = {"stop_reason": reason, "stop_sequence": None}
    yield named("message_delta", delta=ending, usage={"output_tokens": USAGE_OUTPUT})
    yield named("message_stop")


def anthropic_results(body):
    blocks = [block for message in body["messages"] if isinstance(message["content"], list) for block in message["content"]]
    return [text_of(block["content"]) for block in blocks if block["type"] == "tool_result"]


def chat_events(said, call):
    def chunk(delta, reason=None):
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        head = {"id": f"chatcmpl-{call}", "object": "chat.completion.chunk", "created": 1700000000, "model": "scripted"}
        return plain({**head, "choices": [choice]})

    yield chunk({"role": "assistant", "content": ""})
    if isinstance(said, str):
        for piece in pieces(said):
            yield chunk({"content": piece})
        yield chunk({}, "stop")
    else:
        tool, arguments = said
        first = {"index": 0, "id": f"call_{call}", "type": "function", "function": {"name": tool, "arguments": ""}}
        yield chunk({"tool_calls": [first]})
        for piece in pieces(json.dumps(arguments)):
            yield chunk({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]})
        yield chunk({}, "tool_calls")
    counts = {"prompt_tokens": USAGE_INPUT, "completion_tokens": USAGE_OUTPUT, "total_tokens": USAGE_INPUT + USAGE_OUTPUT}
    yield plain({"id": f"chatcmpl-{call}", "object": "chat.completion.chunk", "choices": [], "usage": counts})
    yield "data: [DONE]\n\n"


def chat_results(body):
    return [text_of(message["content"]) for message in body["messages"] if message["role"] == "tool"]


def gemini_events(said, call):
    def chunk(parts, reason=None):
        candidate = {"index": 0, "content": {"role": "model", "parts": parts}}
        if reason:
            candidate["finishReason"] = reason
        counts = {"promptTokenCount": USAGE_INPUT, "candidatesTokenCount": USAGE_OUTPUT}
        return plain({"candidates": [candidate], "usageMetadata": counts, "responseId": call})

    if isinstance(said, str):
        for piece in pieces(said):
            yield chunk([{"text": piece}])
        yield chunk([{"text": ""}], "STOP")
    else:
        tool, arguments = said
        yield chunk([{"functionCall": {"name": tool, "args": arguments}, "thoughtSignature": "c2lnbmVk"}], "STOP")


def gemini_results(body):
    parts = [part for content in body["contents"] for part in content["parts"]]
    return [json.dumps(part["functionResponse"]["response"]) for part in parts if "functionResponse" in part]


def text_of(content):
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content)


EVENTS = {"anthropic": anthropic_events, "openai-compatible": chat_events, "gemini": gemini_events}
RESULTS = {"anthropic": anthropic_results, "openai-compatible": chat_results, "gemini": gemini_results}
ERRORS = {
    "anthropic": json.dumps({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}),
    "openai-compatible": json.dumps({"error": {"message": "Overloaded", "type": "server_error", "code": None}}),
    "gemini": json.dumps({"error": {"code": 503, "message": "Overloaded", "status": "UNAVAILABLE"}}),
}
