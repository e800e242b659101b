"""Anthropic's Messages."""

import re

from . import renamed

PATH = re.compile(r"^/v1/messages$")
NUMBERS = {
    "max_tokens": "max_tokens",
    "temperature": "temperature",
    "top_p": "top_p",
    "top_k": "top_k",
    "stop_sequences": "stop",
}


def text_of(content):
    if isinstance(content, str):
        return content
    return "\n".join(block["text"] for block in content)


def block_part(block):
    match block["type"]:
        case "text":
            return ("text", block["text"])
        case "image" | "document":
            return (block["type"], block["source"]["media_type"], block["source"]["data"])
        case "tool_use":
            return ("call", block["name"], block["input"], block["id"])
        case "tool_result":
            return ("result", block["tool_use_id"], text_of(block["content"]))
        case "thinking":
            assert block["signature"]
            return ("thought", block["thinking"])
    raise AssertionError(f"a block of type {block['type']}")


def parts(content):
    return [("text", content)] if isinstance(content, str) else [block_part(block) for block in content]


def read(entry, body):
    assert entry["headers"]["anthropic-version"] in ("2023-06-01", "2026-10-21")
    asked = renamed(body, NUMBERS)
    if "system" in body:
        asked["system"] = text_of(body["system"])
    if "tools" in body:
        asked["tools"] = [
            {"name": tool["name"], "description": tool["description"], "schema": tool["input_schema"]}
            for tool in body["tools"]
        ]
    choice = body.get("tool_choice", {})
    if choice.get("type") == "tool":
        asked["choice"] = {"name": choice["name"]}
    elif choice.get("type") in ("any", "none"):
        asked["choice"] = {"any": "required", "none": "none"}[choice["type"]]
    if "disable_parallel_tool_use" in choice:
        asked["parallel"] = not choice["disable_parallel_tool_use"]
    if form := body.get("output_config", {}).get("format"):
        assert form["type"] == "json_schema"
        asked["schema"] = form["schema"]
    return asked | {
        "stream": body.get("stream", False),
        "turns": [(message["role"], parts(message["content"])) for message in body["messages"]],
        "thinks": body.get("thinking", {}).get("type") in ("enabled", "adaptive"),
    }
