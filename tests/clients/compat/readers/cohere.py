"""Cohere's chat, in its second version."""

import json
import re

from . import renamed
from .openai_chat import content_parts

PATH = re.compile(r"^/v2/chat$")
NUMBERS = {
    "max_tokens": "max_tokens",
    "temperature": "temperature",
    "p": "top_p",
    "k": "top_k",
    "seed": "seed",
    "presence_penalty": "presence_penalty",
    "frequency_penalty": "frequency_penalty",
    "stop_sequences": "stop",
}


def parts(message):
    content = message.get("content") or []
    if message["role"] == "tool":
        return [("result", message["tool_call_id"], "".join(part[1] for part in content_parts(content)))]
    thoughts = [part for part in content if not isinstance(content, str) and part["type"] == "thinking"]
    others = content if isinstance(content, str) else [part for part in content if part not in thoughts]
    calls = [
        ("call", call["function"]["name"], json.loads(call["function"]["arguments"]), call["id"])
        for call in message.get("tool_calls", [])
    ]
    return [("thought", part["thinking"]) for part in thoughts] + content_parts(others) + calls


def chosen(body):
    match body.get("tool_choice"):
        case "NONE":
            return "none"
        case "REQUIRED" if len(body["tools"]) == 1:
            # A tool is demanded by offering no other.
            return {"name": body["tools"][0]["function"]["name"]}
        case "REQUIRED":
            return "required"
    return None


def read(entry, body):
    asked = renamed(body, NUMBERS)
    said = [message for message in body["messages"] if message["role"] == "system"]
    others = [message for message in body["messages"] if message not in said]
    if said:
        asked["system"] = "\n".join(part[1] for message in said for part in parts(message))
    if "tools" in body:
        asked["tools"] = [
            {"name": tool["function"]["name"], "description": tool["function"]["description"],
             "schema": tool["function"]["parameters"]}
            for tool in body["tools"]
        ]
    if choice := chosen(body):
        asked["choice"] = choice
    if form := body.get("response_format"):
        assert form["type"] == "json_object"
        asked["schema"] = form["json_schema"]
    return asked | {
        "stream": body["stream"],
        "turns": [(message["role"], parts(message)) for message in others],
        "thinks": body.get("thinking", {}).get("type") == "enabled",
    }
