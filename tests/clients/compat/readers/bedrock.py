"""Amazon Bedrock's Converse."""

import json
import re

from . import renamed

PATH = re.compile(r"^/model/[^/]+/(converse|converse-stream)$")
NUMBERS = {
    "maxTokens": "max_tokens",
    "temperature": "temperature",
    "topP": "top_p",
    "stopSequences": "stop",
}
# The formats of this dialect are words of its own.
TYPES = {"png": "image/png", "pdf": "application/pdf"}


def block_part(block):
    ((kind, inner),) = block.items()
    match kind:
        case "text":
            return ("text", inner)
        case "image" | "document":
            assert kind == "image" or inner["name"]
            return (kind, TYPES[inner["format"]], inner["source"]["bytes"])
        case "toolUse":
            return ("call", inner["name"], inner["input"], inner["toolUseId"])
        case "toolResult":
            return ("result", inner["toolUseId"], "".join(part["text"] for part in inner["content"]))
        case "reasoningContent":
            assert inner["reasoningText"]["signature"]
            return ("thought", inner["reasoningText"]["text"])
    raise AssertionError(f"a block of type {kind}")


def chosen(body):
    """Which tool has to be called, and whether several may be: Anthropic's models are told the latter in their own words."""
    more = body.get("additionalModelRequestFields", {}).get("tool_choice")
    if "toolConfig" not in body:
        # There is no word for calling none of the tools: whoever is offered none calls none.
        return {"choice": "none"}
    if more is not None:
        assert "toolChoice" not in body["toolConfig"], "said twice it is refused"
        assert more["type"] == "auto"
        return {"parallel": not more["disable_parallel_tool_use"]}
    choice = body["toolConfig"].get("toolChoice", {})
    if "tool" in choice:
        return {"choice": {"name": choice["tool"]["name"]}}
    return {"choice": "required"} if "any" in choice else {}


def read(entry, body):
    more = body.get("additionalModelRequestFields", {})
    asked = renamed(body.get("inferenceConfig", {}), NUMBERS) | renamed(more, {"top_k": "top_k"}) | chosen(body)
    if "system" in body:
        asked["system"] = "\n".join(block["text"] for block in body["system"])
    if "toolConfig" in body:
        asked["tools"] = [
            {"name": tool["toolSpec"]["name"], "description": tool["toolSpec"]["description"],
             "schema": tool["toolSpec"]["inputSchema"]["json"]}
            for tool in body["toolConfig"]["tools"]
        ]
    if form := body.get("outputConfig", {}).get("textFormat"):
        assert form["type"] == "json_schema"
        asked["schema"] = json.loads(form["structure"]["jsonSchema"]["schema"])
    return asked | {
        "stream": entry["path"].endswith("-stream"),
        "turns": [(turn["role"], [block_part(block) for block in turn["content"]]) for turn in body["messages"]],
        "thinks": more.get("thinking", {}).get("type") in ("enabled", "adaptive"),
    }
