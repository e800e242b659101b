"""Ollama's own chat."""

import base64
import re

from . import renamed

PATH = re.compile(r"^/api/chat$")
NUMBERS = {
    "num_predict": "max_tokens",
    "temperature": "temperature",
    "top_p": "top_p",
    "top_k": "top_k",
    "seed": "seed",
    "presence_penalty": "presence_penalty",
    "frequency_penalty": "frequency_penalty",
    "stop": "stop",
}


def image(data):
    """Which type it is of is seen in its bytes: nothing says so."""
    assert base64.b64decode(data).startswith(b"\x89PNG")
    return ("image", "image/png", data)


def parts(message):
    if message["role"] == "tool":
        return [("result", message["tool_call_id"], message["content"])]
    text = [("text", message["content"])] if message["content"] else []
    thoughts = [("thought", message["thinking"])] if "thinking" in message else []
    calls = [
        ("call", call["function"]["name"], call["function"]["arguments"], call["id"])
        for call in message.get("tool_calls", [])
    ]
    return thoughts + text + [image(data) for data in message.get("images", [])] + calls


def read(entry, body):
    asked = renamed(body.get("options", {}), NUMBERS) | renamed(body, {"format": "schema"})
    said = [message for message in body["messages"] if message["role"] == "system"]
    others = [message for message in body["messages"] if message not in said]
    if said:
        asked["system"] = "\n".join(message["content"] for message in said)
    if "tools" in body:
        asked["tools"] = [
            {"name": tool["function"]["name"], "description": tool["function"]["description"],
             "schema": tool["function"]["parameters"]}
            for tool in body["tools"]
        ]
    else:
        # There is no word for calling none of the tools: whoever is offered none calls none.
        asked["choice"] = "none"
    return asked | {
        # Nothing said means yes there.
        "stream": body.get("stream", True),
        "turns": [(message["role"], parts(message)) for message in others],
        "thinks": body.get("think", False) is not False,
    }
