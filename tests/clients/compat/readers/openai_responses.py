"""Responses."""

import json
import re

from . import renamed
from .openai_chat import data_uri

PATH = re.compile(r"^/v1/responses$")
NUMBERS = {
    "max_output_tokens": "max_tokens",
    "temperature": "temperature",
    "top_p": "top_p",
    "parallel_tool_calls": "parallel",
    "instructions": "system",
}


def part_of(part):
    match part["type"]:
        case "input_text" | "output_text":
            return ("text", part["text"])
        case "input_image":
            return ("image", *data_uri(part["image_url"]))
        case "input_file":
            return ("document", *data_uri(part["file_data"]))
    raise AssertionError(f"a part of type {part['type']}")


def turn_of(item):
    match item.get("type", "message"):
        case "message":
            content = item["content"]
            parts = [("text", content)] if isinstance(content, str) else [part_of(part) for part in content]
            return (item["role"], parts)
        case "function_call":
            return ("assistant", [("call", item["name"], json.loads(item["arguments"]), item["call_id"])])
        case "function_call_output":
            return ("tool", [("result", item["call_id"], item["output"])])
        case "reasoning":
            return ("assistant", [("thought", "".join(part["text"] for part in item["summary"]))])
    raise AssertionError(f"an item of type {item['type']}")


def read(entry, body):
    asked = renamed(body, NUMBERS)
    if "tools" in body:
        asked["tools"] = [
            {"name": tool["name"], "description": tool["description"], "schema": tool["parameters"]}
            for tool in body["tools"]
        ]
    choice = body.get("tool_choice")
    if isinstance(choice, dict):
        asked["choice"] = {"name": choice["name"]}
    elif choice in ("required", "none"):
        asked["choice"] = choice
    if body.get("text", {}).get("format", {}).get("type") == "json_schema":
        asked["schema"] = body["text"]["format"]["schema"]
    turns = []
    for role, parts in map(turn_of, body["input"]):
        # Items of one side that follow each other are one turn in every other dialect.
        if turns and turns[-1][0] == role == "assistant":
            turns[-1][1].extend(parts)
        else:
            turns.append((role, parts))
    return asked | {
        "stream": body.get("stream", False),
        "turns": turns,
        "thinks": body.get("reasoning", {}).get("effort") not in (None, "none"),
    }
