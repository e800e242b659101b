"""Requests whose answers are worth cutting: looked for, since what a random model says depends on the processor."""

import functools
import json
from concurrent.futures import ThreadPoolExecutor
from itertools import product

from rescue_world import AT_ONCE
from streams import ask

CHAT = "/v1/chat/completions"
COMPLETIONS = "/v1/completions"
TOKENS = 48
GREEDY = {"model": "tiny", "temperature": 0, "seed": 1, "stream": True, "stream_options": {"include_usage": True}}
QUESTIONS = [
    "Why?",
    "hello",
    "a b c",
    "Tell me more",
    "What is a wellhead?",
    "Once upon a time",
    "one two three",
    "x y",
]
# How much more likely than by chance the character is.
BIASES = [4, 5, 6, 7, 3, 8, 2]
# The same for the mark of a tool call, and how readily an answer ends where the grammar lets it.
CALL_BIASES = [2.5, 3, 4, 5, 2]
END_BIAS = 5
END = "2"

SCHEMA = {
    "type": "object",
    "properties": {
        "level": {"enum": ["low", "middle", "high"]},
        "marks": {"type": "array", "items": {"enum": ["red", "blue"]}, "minItems": 1, "maxItems": 2},
        "note": {"type": "string", "maxLength": 8},
    },
    "required": ["level", "marks", "note"],
    "additionalProperties": False,
}
PLACE = {
    "type": "object",
    "properties": {"city": {"enum": ["rome", "oslo"]}, "days": {"enum": [1, 2, 3]}},
    "required": ["city", "days"],
}
TOOLS = [
    {"type": "function", "function": {"name": name, "description": name, "parameters": PLACE}}
    for name in ("get_weather", "get_time")
]


def token(character):
    """The number of a printable character in the vocabulary of `tiny_model.py`: behind 5 marks and 256 bytes."""
    return str(5 + 256 + ord(character) - ord(" "))


def blanks(bias):
    """Makes white space likely. The end of a line is a byte of its own, and those are less likely than characters."""
    return {"logit_bias": {token(" "): bias, str(5 + ord("\n")): bias + 3}}


def chat(question, bias):
    messages = [{"role": "user", "content": question}]
    return GREEDY | blanks(bias) | {"messages": messages, "max_tokens": TOKENS}


def completion(question, bias):
    return GREEDY | blanks(bias) | {"prompt": question, "max_tokens": TOKENS}


def candidates(path, make, world, fits, biases=BIASES):
    """The first request whose answer by the first server is of use."""
    for question, bias in product(QUESTIONS, biases):
        request = make(question, bias)
        answer = ask(world.first, path, request)
        assert answer.status == 200, answer
        if fits(request, answer):
            return request, answer
    raise AssertionError("none of the questions has an answer of the kind that is needed")


def find_answer(world, path, make, blank_first=False):
    """An answer with white space of both kinds, which the second server itself continues from anywhere."""

    def fits(request, answer):
        text = answer.text
        return (
            answer.finishes == ["length"]
            and len(text) == TOKENS
            and text[0].isspace() == blank_first
            and len(text.split()) >= 4
            and any(run in text for run in ("  ", " \n", "\n ", "\n\n"))
            and " " in text
            and "\n" in text
            and continues(world.second, path, request, answer, range(1, TOKENS))
        )

    return candidates(path, make, world, fits)


def continues(server, path, request, uncut, cuts):
    """Whether a server goes on with these beginnings of the text as the uncut answer does. Blank ones are none."""

    def goes_on(cut):
        beginning = uncut.text[:cut].rstrip()
        changed = request | {"max_tokens": request["max_tokens"] - len(beginning)}
        if "prompt" in request:
            changed["prompt"] = request["prompt"] + beginning
        else:
            changed["messages"] = [*request["messages"], {"role": "assistant", "content": beginning}]
        answer = ask(server, path, changed)
        return (answer.text, answer.calls) == (uncut.text[len(beginning) :], uncut.calls)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return all(pool.map(goes_on, [cut for cut in cuts if uncut.text[:cut].strip()]))


def json_answer(world):
    """A request for JSON, its answer, and what tells whether another answer to it is right."""

    def make(question, _):
        schema = {"type": "json_schema", "json_schema": {"name": "thing", "strict": True, "schema": SCHEMA}}
        messages = [{"role": "user", "content": question}]
        return GREEDY | {"messages": messages, "max_tokens": 300, "response_format": schema}

    def valid(text):
        try:
            thing = json.loads(text)
        except ValueError:
            return False
        right = thing["level"] in SCHEMA["properties"]["level"]["enum"] and len(thing["note"]) <= 8
        return right and set(thing) == {"level", "marks", "note"} and set(thing["marks"]) <= {"red", "blue"}

    def fits(_, answer):
        return answer.finishes == ["stop"] and valid(answer.text) and len(answer.events) < 100

    request, answer = candidates(CHAT, make, world, fits)
    return request, answer, valid


@functools.cache
def tool_answer(world, choice, calls_min, text_min):
    """So much text and then so many tool calls."""

    def make(question, bias):
        asked = {"messages": [{"role": "user", "content": question}], "tools": TOOLS, "tool_choice": choice}
        return GREEDY | {"logit_bias": {token("#"): bias, END: END_BIAS}, "max_tokens": 150} | asked

    def fits(request, answer):
        length = len(answer.text)
        enough = len(answer.calls) >= calls_min and length >= text_min
        if answer.finishes != ["tool_calls"] or not enough:
            return False
        # A call that must come is not asked for behind a beginning, so it need not come out the same there.
        cuts = range(max(length - 6, 1), length + 1) if choice == "auto" else ()
        return continues(world.second, CHAT, request, answer, cuts)

    return candidates(CHAT, make, world, fits, CALL_BIASES)
