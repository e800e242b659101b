"""Chat completions."""

import json
import re

from . import renamed

PATH = re.compile(r"^/v1/chat/completions$")
NUMBERS = {
    "max_completion_tokens": "max_tokens",
    "temperature": "temperature",
    "top_p": "top_p",
    "top_k": "top_k",
    "seed": "seed",
    "n": "n",
    "presence_penalty": "presence_penalty",
    "frequency_penalty": "frequency_penalty",
    "logit_bias": "logit_bias",
    "parallel_tool_calls": "parallel",
}


def data_uri(uri):
    kind, data = re.fullmatch(r"data:([^;]+);base64,(.*)", uri).groups()
    return kind, data


def content_parts(content):
    if content is None:
        return []
    if isinstance(content, str):
        return [("text", content)]
    parts = []
    for part in content:
        if part["type"] == "text":
            parts.append(("text", part["text"]))
        elif part["type"] == "image_url":
            parts.append(("image", *data_uri(part["image_url"]["url"])))
        else:
            parts.append(("document", *data_uri(part["file"]["file_data"])))
    return parts


def message_parts(message):
    if message["role"] == "tool":
        text = "".join(part[1] for part in content_parts(message["content"]))
        return [("result", message["tool_call_id"], text)]
    calls = [
        ("call", call["function"]["name"], json.loads(call["function"]["arguments"]), call["id"])
        for call in message.get("tool_calls", [])
    ]
    return content_parts(message.get("content")) + calls


def read(entry, body):
    said = [message for message in body["messages"] if message["role"] in ("system", "developer")]
    others = [message for message in body["messages"] if message not in said]
    asked = renamed(body, NUMBERS)
    if said:
        asked["system"] = "\n".join(part[1] for message in said for part in content_parts(message["content"]))
    if "stop" in body:
        asked["stop"] = [body["stop"]] if isinstance(body["stop"], str) else body["stop"]
    if "tools" in body:
        asked["tools"] = [
            {"name": tool["function"]["name"], "description": tool["function"]["description"],
             "schema": tool["function"]["parameters"]}
            for tool in body["tools"]
        ]
    choice = body.get("tool_choice")
    if isinstance(choice, dict):
        asked["choice"] = {"name": choice["function"]["name"]}
    elif choice in ("required", "none"):
        asked["choice"] = choice
    if body.get("response_format", {}).get("type") == "json_schema":
        asked["schema"] = body["response_format"]["json_schema"]["schema"]
    return asked | {
        "stream": body.get("stream", False),
        "turns": [(message["role"], message_parts(message)) for message in others],
        "thinks": body.get("reasoning_effort") not in (None, "none"),
    }
