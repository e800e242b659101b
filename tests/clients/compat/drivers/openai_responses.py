"""OpenAI's Python SDK, Responses."""

import json


from . import openai_chat


def items(question):
    for turn in question["turns"]:
        if "native" in turn:
            yield from turn["native"]
        elif turn["role"] == "results":
            for result in turn["results"]:
                yield {"type": "function_call_output", "call_id": result["id"], "output": result["text"]}
        elif turn["role"] == "assistant":
            yield {"role": "assistant", "content": turn["text"]}
        else:
            yield {"role": "user", "content": [{"type": "input_text", "text": turn["text"]}, *media(turn)]}


def media(turn):
    if "image" in turn:
        yield {"type": "input_image", "detail": "auto", "image_url": f"data:image/png;base64,{turn['image']}"}
    if "document" in turn:
        url = f"data:application/pdf;base64,{turn['document']}"
        yield {"type": "input_file", "filename": "paper.pdf", "file_data": url}


def parameters(question):
    """The question as the SDK's keyword arguments."""
    out = {"model": question["model"], "input": list(items(question)), "store": False}
    if "system" in question:
        out["instructions"] = question["system"]
    if "tools" in question:
        out["tools"] = [
            {"type": "function", "name": tool["name"], "description": tool["description"],
             "parameters": tool["schema"], "strict": False}
            for tool in question["tools"]
        ]
    if choice := question.get("choice"):
        out["tool_choice"] = choice if isinstance(choice, str) else {"type": "function"} | choice
    if "schema" in question:
        form = {"type": "json_schema", "name": "answer", "schema": question["schema"], "strict": True}
        out["text"] = {"format": form}
    if "effort" in question:
        out["reasoning"] = {"effort": question["effort"], "summary": "auto"}
        out["include"] = ["reasoning.encrypted_content"]
    renamed = {"max_tokens": "max_output_tokens", "parallel": "parallel_tool_calls"}
    for name in ("max_tokens", "temperature", "top_p", "parallel"):
        if name in question:
            out[renamed.get(name, name)] = question[name]
    return out


class OpenAIResponses(openai_chat.OpenAIChat):
    UNSAYABLE = ("top_k", "stop", "seed", "n", "presence_penalty", "frequency_penalty", "logit_bias")

    def whole(self, question):
        return self.answer(self.connection(question).responses.create(**parameters(question)), 0)

    def stream(self, question):
        pieces, last, got = 0, None, 0
        events = self.connection(question).responses.create(**parameters(question), stream=True)
        for event in events:
            pieces += event.type == "response.output_text.delta"
            got += 1
            if event.type in ("response.completed", "response.incomplete"):
                last = event.response
            if event.type in ("error", "response.failed"):
                told = event if event.type == "error" else event.response.error
                return {"error": {"class": event.type, "status": None, "message": told.message, "param": None}}
            if got == question.get("leave_after"):
                events.close()
                return {"left": True}
        if last is None:
            return {"text": "", "stop": None, "pieces": pieces}
        return self.answer(last, pieces)

    def answer(self, response, pieces):
        calls = [
            {"id": item.call_id, "name": item.name, "arguments": json.loads(item.arguments)}
            for item in response.output if item.type == "function_call"
        ]
        thoughts = "".join(
            part.text for item in response.output if item.type == "reasoning"
            for part in [*item.summary, *(item.content or [])]
        )
        usage = response.usage
        stop = "length" if response.status == "incomplete" else "tools" if calls else "stop"
        return {
            "text": response.output_text, "texts": [response.output_text], "thoughts": thoughts, "calls": calls,
            "stop": stop if response.status in ("completed", "incomplete") else response.status,
            "usage": {"input": usage.input_tokens, "output": usage.output_tokens, "total": usage.total_tokens,
                      "thoughts": usage.output_tokens_details.reasoning_tokens},
            "pieces": pieces,
            "native": [item.model_dump(exclude_none=True) for item in response.output],
        }


