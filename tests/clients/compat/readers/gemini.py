"""Gemini's generateContent, at Google's own API and at Vertex AI."""

import re

from . import renamed

PATH = re.compile(
    r"^/(v1beta|v1/projects/p/locations/l/publishers/google)/models/[^/]+:(generateContent|streamGenerateContent)$"
)
NUMBERS = {
    "maxOutputTokens": "max_tokens",
    "temperature": "temperature",
    "topP": "top_p",
    "topK": "top_k",
    "seed": "seed",
    "candidateCount": "n",
    "presencePenalty": "presence_penalty",
    "frequencyPenalty": "frequency_penalty",
    "stopSequences": "stop",
    "responseJsonSchema": "schema",
}


# What is within these belongs to whoever wrote it.
OPAQUE = ("parametersJsonSchema", "responseJsonSchema", "args", "response")


def camel(value):
    """Names as the APIs write them. They take `mime_type` for `mimeType`, which is how the Python SDK sends it."""
    if isinstance(value, list):
        return [camel(each) for each in value]
    if not isinstance(value, dict):
        return value
    named = {re.sub(r"_(.)", lambda found: found[1].upper(), name): each for name, each in value.items()}
    return {name: each if name in OPAQUE else camel(each) for name, each in named.items()}


def part_of(part):
    if "functionCall" in part:
        call = part["functionCall"]
        return ("call", call["name"], call.get("args", {}), call.get("id"))
    if "functionResponse" in part:
        result = part["functionResponse"]
        texts = [value for value in result["response"].values() if isinstance(value, str)]
        return ("result", result.get("id") or result["name"], "".join(texts))
    if "inlineData" in part:
        kind = part["inlineData"]["mimeType"]
        return ("image" if kind.startswith("image/") else "document", kind, part["inlineData"]["data"])
    return ("thought" if part.get("thought") else "text", part["text"])


def read(entry, body):
    body = camel(body)
    config = body.get("generationConfig", {})
    asked = renamed(config, NUMBERS)
    if "schema" in asked:
        assert config["responseMimeType"] == "application/json"
    if "systemInstruction" in body:
        asked["system"] = "\n".join(part["text"] for part in body["systemInstruction"]["parts"])
    if "tools" in body:
        asked["tools"] = [
            {"name": tool["name"], "description": tool["description"], "schema": tool["parametersJsonSchema"]}
            for group in body["tools"] for tool in group["functionDeclarations"]
        ]
    calling = body.get("toolConfig", {}).get("functionCallingConfig", {})
    if names := calling.get("allowedFunctionNames"):
        assert calling["mode"] == "ANY" and len(names) == 1
        asked["choice"] = {"name": names[0]}
    elif calling.get("mode") in ("ANY", "NONE"):
        asked["choice"] = {"ANY": "required", "NONE": "none"}[calling["mode"]]
    thinking = config.get("thinkingConfig", {})
    stream = entry["path"].endswith(":streamGenerateContent")
    # Anything else than events has no ends that could be seen.
    assert not stream or entry["query"] == "alt=sse"
    turns = [(turn["role"], [part_of(part) for part in turn["parts"]]) for turn in body["contents"]]
    roles = {"model": "assistant", "user": "user"}
    return asked | {
        "stream": stream,
        "turns": [(roles[role], parts) for role, parts in turns],
        "thinks": thinking.get("thinkingBudget", 0) != 0 or "thinkingLevel" in thinking,
    }
