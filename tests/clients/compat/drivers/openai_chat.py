"""OpenAI's Python SDK, chat completions."""

import json

import openai
from openai.lib.streaming.chat import ChatCompletionStreamState

from . import Driver

STOPS = {"stop": "stop", "length": "length", "tool_calls": "tools"}


def tool(tool):
    function = {"name": tool["name"], "description": tool["description"], "parameters": tool["schema"]}
    return {"type": "function", "function": function}


def messages(question):
    if "system" in question:
        yield {"role": "system", "content": question["system"]}
    for turn in question["turns"]:
        if "native" in turn:
            yield turn["native"]
        elif turn["role"] == "results":
            for result in turn["results"]:
                yield {"role": "tool", "tool_call_id": result["id"], "content": result["text"]}
        elif "image" in turn or "document" in turn:
            yield {"role": "user", "content": [{"type": "text", "text": turn["text"]}, *media(turn)]}
        else:
            yield {"role": turn["role"], "content": turn["text"]}


def media(turn):
    if "image" in turn:
        yield {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{turn['image']}"}}
    if "document" in turn:
        file = {"filename": "paper.pdf", "file_data": f"data:application/pdf;base64,{turn['document']}"}
        yield {"type": "file", "file": file}


def parameters(question):
    """The question as the SDK's keyword arguments."""
    out = {"model": question["model"], "messages": list(messages(question))}
    if "tools" in question:
        out["tools"] = [tool(each) for each in question["tools"]]
    if choice := question.get("choice"):
        named = {"type": "function", "function": choice}
        out["tool_choice"] = choice if isinstance(choice, str) else named
    if "schema" in question:
        form = {"name": "answer", "schema": question["schema"], "strict": True}
        out["response_format"] = {"type": "json_schema", "json_schema": form}
    renamed = {"max_tokens": "max_completion_tokens", "effort": "reasoning_effort", "parallel": "parallel_tool_calls"}
    for name in ("max_tokens", "stop", "effort", "temperature", "top_p", "seed", "n", "presence_penalty",
                 "frequency_penalty", "logit_bias", "parallel"):
        if name in question:
            out[renamed.get(name, name)] = question[name]
    return out


class OpenAIChat(Driver):
    ERRORS = (openai.OpenAIError,)
    UNSAYABLE = ("top_k",)

    def __init__(self, url, key):
        self.client = openai.OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0, timeout=30)

    def connection(self, question):
        return self.client.with_options(api_key=question["key"]) if "key" in question else self.client

    def whole(self, question):
        return self.answer(self.connection(question).chat.completions.create(**parameters(question)), 0)

    def stream(self, question):
        state, pieces, got = ChatCompletionStreamState(), 0, 0
        events = self.connection(question).chat.completions.create(
            **parameters(question), stream=True, stream_options={"include_usage": True}
        )
        thoughts = ""
        for chunk in events:
            delta = chunk.choices[0].delta if chunk.choices else None
            thoughts += getattr(delta, "reasoning_content", None) or ""
            pieces += bool(delta and delta.content)
            state.handle_chunk(chunk)
            got += 1
            if got == question.get("leave_after"):
                events.close()
                return {"left": True}
        answer = self.answer(state.get_final_completion(), pieces)
        return answer | {"thoughts": thoughts}

    def answer(self, completion, pieces):
        message = completion.choices[0].message
        calls = [
            {"id": call.id, "name": call.function.name, "arguments": json.loads(call.function.arguments)}
            for call in message.tool_calls or []
        ]
        usage = completion.usage
        details = usage.completion_tokens_details
        return {
            "text": message.content or "",
            "texts": [choice.message.content for choice in completion.choices],
            "thoughts": getattr(message, "reasoning_content", None) or "",
            "calls": calls,
            "stop": STOPS.get(completion.choices[0].finish_reason),
            "usage": {
                "input": usage.prompt_tokens,
                "output": usage.completion_tokens,
                "total": usage.total_tokens,
                "thoughts": (details and details.reasoning_tokens) or 0,
            },
            "pieces": pieces,
            "native": message.model_dump(exclude_none=True),
        }

    def error(self, error):
        status = getattr(error, "status_code", None)
        return {"class": type(error).__name__, "status": status, "message": str(error),
                "param": getattr(error, "param", None)}
