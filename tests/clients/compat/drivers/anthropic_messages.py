"""Anthropic's Python SDK."""

import anthropic

from . import Driver

STOPS = {"end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length", "tool_use": "tools"}
# The dialect wants a limit with every question: more than any answer of a scenario has.
MAX_TOKENS = 4000
BUDGETS = {"low": 1024, "medium": 2048, "high": 3000}


def messages(question):
    for turn in question["turns"]:
        if "native" in turn:
            yield {"role": "assistant", "content": turn["native"]}
        elif turn["role"] == "results":
            blocks = [
                {"type": "tool_result", "tool_use_id": result["id"], "content": result["text"]}
                for result in turn["results"]
            ]
            yield {"role": "user", "content": blocks}
        elif "image" in turn or "document" in turn:
            yield {"role": "user", "content": [*media(turn), {"type": "text", "text": turn["text"]}]}
        else:
            yield {"role": turn["role"], "content": turn["text"]}


def media(turn):
    for name, kind in [("image", "image/png"), ("document", "application/pdf")]:
        if name in turn:
            yield {"type": name, "source": {"type": "base64", "media_type": kind, "data": turn[name]}}


def choice(question):
    """`tool_choice`, which says about parallel calls too."""
    wanted = question.get("choice")
    alone = {"disable_parallel_tool_use": True} if question.get("parallel") is False else {}
    if isinstance(wanted, dict):
        return {"type": "tool", "name": wanted["name"]} | alone
    kinds = {"required": "any", "none": "none"}
    if wanted in kinds:
        return {"type": kinds[wanted]} | alone
    return {"type": "auto"} | alone if alone else None


def parameters(question):
    """The question as the SDK's keyword arguments."""
    out = {"model": question["model"], "messages": list(messages(question))}
    out["max_tokens"] = question.get("max_tokens", MAX_TOKENS)
    if "tools" in question:
        out["tools"] = [
            {"name": tool["name"], "description": tool["description"], "input_schema": tool["schema"]}
            for tool in question["tools"]
        ]
    if wanted := choice(question):
        out["tool_choice"] = wanted
    if "schema" in question:
        out["output_config"] = {"format": {"type": "json_schema", "schema": question["schema"]}}
    if "effort" in question:
        out["thinking"] = {"type": "enabled", "budget_tokens": BUDGETS[question["effort"]]}
    if "stop" in question:
        out["stop_sequences"] = question["stop"]
    sampling = {name: question[name] for name in ("temperature", "top_p", "top_k") if name in question}
    if sampling:
        # The newest version of the API refuses these, and the SDK has no parameters for them any more.
        out["extra_body"] = sampling
        out["extra_headers"] = {"anthropic-version": "2023-06-01"}
    if "system" in question:
        out["system"] = question["system"]
    return out


class AnthropicMessages(Driver):
    ERRORS = (anthropic.AnthropicError,)
    UNSAYABLE = ("seed", "n", "presence_penalty", "frequency_penalty", "logit_bias")

    def __init__(self, url, key):
        self.client = anthropic.Anthropic(base_url=url, api_key=key, max_retries=0, timeout=30)

    def connection(self, question):
        return self.client.with_options(api_key=question["key"]) if "key" in question else self.client

    def whole(self, question):
        return self.answer(self.connection(question).messages.create(**parameters(question)), 0)

    def stream(self, question):
        pieces, got = 0, 0
        with self.connection(question).messages.stream(**parameters(question)) as stream:
            for event in stream:
                pieces += event.type == "text"
                got += 1
                if got == question.get("leave_after"):
                    return {"left": True}
            return self.answer(stream.get_final_message(), pieces)

    def answer(self, message, pieces):
        text = "".join(block.text for block in message.content if block.type == "text")
        calls = [
            {"id": block.id, "name": block.name, "arguments": block.input}
            for block in message.content if block.type == "tool_use"
        ]
        usage = message.usage
        details = usage.output_tokens_details
        return {
            "text": text,
            "texts": [text],
            "thoughts": "".join(block.thinking for block in message.content if block.type == "thinking"),
            "calls": calls,
            "stop": STOPS.get(message.stop_reason),
            "usage": {"input": usage.input_tokens, "output": usage.output_tokens,
                      "total": usage.input_tokens + usage.output_tokens,
                      "thoughts": (details and details.thinking_tokens) or 0},
            "pieces": pieces,
            "native": message.content,
        }

    def error(self, error):
        body = getattr(error, "body", None)
        told = body.get("error", {}) if isinstance(body, dict) else {}
        return {"class": type(error).__name__, "status": getattr(error, "status_code", None),
                "message": told.get("message", str(error)), "param": None}
