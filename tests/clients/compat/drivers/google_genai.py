"""Google's Python SDK."""

import base64
import json

from google import genai
from google.genai import errors, types

from . import Driver

STOPS = {"STOP": "stop", "MAX_TOKENS": "length"}
BUDGETS = {"low": 1024, "medium": 2048, "high": 3000}


def contents(question):
    for turn in question["turns"]:
        if "native" in turn:
            yield turn["native"]
        elif turn["role"] == "results":
            parts = [
                types.Part(function_response=types.FunctionResponse(
                    id=result["id"], name=result["name"], response={"output": result["text"]}))
                for result in turn["results"]
            ]
            yield types.Content(role="user", parts=parts)
        else:
            role = "model" if turn["role"] == "assistant" else "user"
            yield types.Content(role=role, parts=[*media(turn), types.Part(text=turn["text"])])


def media(turn):
    for name, kind in [("image", "image/png"), ("document", "application/pdf")]:
        if name in turn:
            yield types.Part.from_bytes(data=base64.b64decode(turn[name]), mime_type=kind)


def tool_config(choice):
    if isinstance(choice, dict):
        calling = types.FunctionCallingConfig(mode="ANY", allowed_function_names=[choice["name"]])
    else:
        calling = types.FunctionCallingConfig(mode={"required": "ANY", "none": "NONE"}[choice])
    return types.ToolConfig(function_calling_config=calling)


def parameters(question):
    """The question as the SDK's keyword arguments."""
    config = {"automatic_function_calling": types.AutomaticFunctionCallingConfig(disable=True)}
    if "system" in question:
        config["system_instruction"] = question["system"]
    if "tools" in question:
        declared = [
            types.FunctionDeclaration(
                name=tool["name"], description=tool["description"], parameters_json_schema=tool["schema"])
            for tool in question["tools"]
        ]
        config["tools"] = [types.Tool(function_declarations=declared)]
    if "choice" in question:
        config["tool_config"] = tool_config(question["choice"])
    if "schema" in question:
        config |= {"response_mime_type": "application/json", "response_json_schema": question["schema"]}
    if "effort" in question:
        budget = BUDGETS[question["effort"]]
        config["thinking_config"] = types.ThinkingConfig(include_thoughts=True, thinking_budget=budget)
    renamed = {"max_tokens": "max_output_tokens", "stop": "stop_sequences", "n": "candidate_count"}
    for name in ("max_tokens", "stop", "temperature", "top_p", "top_k", "seed", "n", "presence_penalty",
                 "frequency_penalty"):
        if name in question:
            config[renamed.get(name, name)] = question[name]
    return {"model": question["model"], "contents": list(contents(question)),
            "config": types.GenerateContentConfig(**config)}


class GoogleGenAI(Driver):
    ERRORS = (errors.APIError,)
    UNSAYABLE = ("logit_bias", "parallel")

    def __init__(self, url, key):
        self.url, self.client = url, self.connect(url, key)

    @staticmethod
    def connect(url, key):
        options = types.HttpOptions(base_url=url, timeout=30_000)
        return genai.Client(api_key=key, vertexai=False, http_options=options)

    def connection(self, question):
        return self.connect(self.url, question["key"]) if "key" in question else self.client

    def whole(self, question):
        client = self.connection(question)
        return self.answer([client.models.generate_content(**parameters(question))], 0)

    def stream(self, question):
        client = self.connection(question)
        chunks, pieces = [], 0
        events = client.models.generate_content_stream(**parameters(question))
        for chunk in events:
            chunks.append(chunk)
            pieces += any(part.text and not part.thought for part in parts_of(chunk))
            if len(chunks) == question.get("leave_after"):
                events.close()
                return {"left": True}
        return self.answer(chunks, pieces)

    def answer(self, chunks, pieces):
        parts = [part for chunk in chunks for part in parts_of(chunk)]
        text = "".join(part.text or "" for part in parts if not part.thought)
        calls = [
            {"id": part.function_call.id, "name": part.function_call.name, "arguments": part.function_call.args or {}}
            for part in parts if part.function_call
        ]
        usage = chunks[-1].usage_metadata
        reason = chunks[-1].candidates[0].finish_reason
        stop = STOPS.get(reason.name if reason else None)
        thoughts = usage.thoughts_token_count or 0
        return {
            "text": text,
            "texts": [texts_of(each) for each in chunks[-1].candidates],
            "thoughts": "".join(part.text or "" for part in parts if part.thought),
            "calls": calls,
            # The dialect has no word of its own for an answer that ends with calls.
            "stop": "tools" if calls and stop == "stop" else stop,
            "usage": {"input": usage.prompt_token_count, "output": (usage.candidates_token_count or 0) + thoughts,
                      "total": usage.total_token_count, "thoughts": thoughts},
            "pieces": pieces,
            "native": types.Content(role="model", parts=parts),
        }

    def error(self, error):
        told = error.details if isinstance(error.details, dict) else {}
        return {"class": type(error).__name__, "status": error.code, "message": error.message or json.dumps(told),
                "param": None}


def parts_of(chunk):
    content = chunk.candidates[0].content if chunk.candidates else None
    return (content.parts if content else None) or []


def texts_of(candidate):
    return "".join(part.text or "" for part in candidate.content.parts)
