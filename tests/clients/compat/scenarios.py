"""What every client tries at every target. Each scenario looks at both ends: what the target was asked, in its own dialect,
and what the SDK made of the answer."""

import base64
import json
import struct
import zlib

import table

CITY = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
WEATHER = {"name": "get_weather", "description": "The weather in a city", "schema": CITY}
CLOCK = {"name": "get_time", "description": "The time in a city", "schema": CITY}
PLAN = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "mood": {"type": "string", "enum": ["calm", "tense"]},
        "steps": {"type": "array", "items": {"type": "integer"}},
    },
    "required": ["name", "mood", "steps"],
    "additionalProperties": False,
}
QUESTION = "What is a wellhead, in two sentences?"
USE_ONE = "Use the tool get_weather for Oslo."
USE_BOTH = "Use the tools get_weather and get_time for Oslo."
# What the practice model says always, somewhere in the middle.
STOP_WORD = " routing"


def png():
    """A picture of one pixel."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
    picture = b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0\0\0\0")) + chunk(b"IEND", b"")
    return base64.b64encode(picture).decode()


def pdf():
    """The smallest file that calls itself one: nobody here opens it."""
    return base64.b64encode(b"%PDF-1.4\n%%EOF\n").decode()


def user(text, **media):
    return {"role": "user", "text": text} | media


def text(cell):
    said = cell.say(QUESTION)
    answer = cell.ask(turns=[user(said)])
    assert (answer["text"], answer["stop"]) == (cell.expected(said), "stop")
    asked = cell.asked_once()
    assert (asked["turns"], asked["stream"]) == ([("user", [("text", said)])], False)


def stream(cell):
    said = cell.say(QUESTION)
    answer = cell.ask(turns=[user(said)], stream=True)
    assert (answer["text"], answer["stop"]) == (cell.expected(said), "stop")
    assert answer["pieces"] > 10
    assert cell.asked_once()["stream"]


def system(cell):
    said = cell.say(QUESTION)
    assert cell.ask(turns=[user(said)], system="Be brief.")["text"] == cell.expected(said)
    asked = cell.asked_once()
    assert (asked["system"], asked["turns"]) == ("Be brief.", [("user", [("text", said)])])


def turns(cell):
    said = [cell.say("Hello."), "Hello, how can I help?", 'Ünïcödé 漢字 🙂 and "quotes"?\n\tA line.']
    talk = [user(said[0]), {"role": "assistant", "text": said[1]}, user(said[2])]
    assert cell.ask(turns=talk)["text"] == cell.expected(said[2])
    roles = ["user", "assistant", "user"]
    assert cell.asked_once()["turns"] == [(role, [("text", each)]) for role, each in zip(roles, said)]


def check_calls(answer, names):
    assert [call["name"] for call in answer["calls"]] == names
    assert answer["stop"] == "tools"
    assert all(list(call["arguments"]) == ["city"] for call in answer["calls"])
    assert all(isinstance(call["arguments"]["city"], str) for call in answer["calls"])
    assert len({call["id"] for call in answer["calls"]}) == len(names)
    assert all(call["id"] for call in answer["calls"])


def tool(cell, **how):
    answer = cell.ask(turns=[user(cell.say(USE_ONE))], tools=[WEATHER], **how)
    check_calls(answer, ["get_weather"])
    assert cell.asked_once()["tools"] == [WEATHER]


def tool_stream(cell):
    tool(cell, stream=True)


def tools(cell, **how):
    answer = cell.ask(turns=[user(cell.say(USE_BOTH))], tools=[WEATHER, CLOCK], **how)
    check_calls(answer, ["get_weather", "get_time"])
    assert cell.asked_once()["tools"] == [WEATHER, CLOCK]


def tools_stream(cell):
    tools(cell, stream=True)


def results(cell):
    said = cell.say(USE_BOTH)
    both = {"tools": [WEATHER, CLOCK]}
    first = cell.ask(turns=[user(said)], **both)
    check_calls(first, ["get_weather", "get_time"])
    told = [
        {"id": call["id"], "name": call["name"], "text": f"{number} °C"} for number, call in enumerate(first["calls"])
    ]
    talk = [user(said), {"role": "assistant", "native": first["native"]}, {"role": "results", "results": told}]
    after = cell.ask(turns=talk, **both)
    assert (after["text"], after["calls"], after["stop"]) == (cell.expected(said), [], "stop")
    turns = cell.asked(2)[1]["turns"]
    assert turns[0] == ("user", [("text", said)])
    calls = [part for _, parts in turns for part in parts if part[0] == "call"]
    answers = [part for _, parts in turns for part in parts if part[0] == "result"]
    assert [call[1:3] for call in calls] == [(call["name"], call["arguments"]) for call in first["calls"]]
    # A result names its call; where the dialect has no ids, by the tool.
    assert [part[1] in (call[3], call[1]) for part, call in zip(answers, calls)] == [True, True]
    assert [part[2] for part in answers] == ["0 °C", "1 °C"]


def forced(cell):
    choice = {"name": "get_time"}
    answer = cell.ask(turns=[user(cell.say(QUESTION))], tools=[WEATHER, CLOCK], choice=choice)
    check_calls(answer, ["get_time"])
    assert cell.asked_once()["choice"] == choice


def forced_any(cell):
    answer = cell.ask(turns=[user(cell.say(QUESTION))], tools=[WEATHER, CLOCK], choice="required")
    check_calls(answer, ["get_weather"])
    assert cell.asked_once()["choice"] == "required"


def no_tools(cell):
    said = cell.say(USE_BOTH)
    answer = cell.ask(turns=[user(said)], tools=[WEATHER, CLOCK], choice="none")
    assert (answer["text"], answer["calls"]) == (cell.expected(said), [])
    assert cell.asked_once()["choice"] == "none"


def one_at_a_time(cell):
    answer = cell.ask(turns=[user(cell.say(USE_BOTH))], tools=[WEATHER, CLOCK], parallel=False)
    check_calls(answer, ["get_weather"])
    assert cell.asked_once()["parallel"] is False


def schema(cell, **how):
    answer = cell.ask(turns=[user(cell.say(QUESTION))], schema=PLAN, **how)
    plan = json.loads(answer["text"])
    assert sorted(plan) == ["mood", "name", "steps"]
    assert plan["mood"] in ("calm", "tense") and all(isinstance(step, int) for step in plan["steps"])
    assert cell.asked_once()["schema"] == PLAN


def schema_stream(cell):
    schema(cell, stream=True)


def image(cell):
    said, picture = cell.say("What is this?"), png()
    assert cell.ask(turns=[user(said, image=picture)])["text"] == cell.expected(said)
    ((role, parts),) = cell.asked_once()["turns"]
    assert role == "user" and sorted(parts) == sorted([("text", said), ("image", "image/png", picture)])


def document(cell):
    said, paper = cell.say("What is this?"), pdf()
    assert cell.ask(turns=[user(said, document=paper)])["text"] == cell.expected(said)
    ((role, parts),) = cell.asked_once()["turns"]
    assert role == "user" and sorted(parts) == sorted([("text", said), ("document", "application/pdf", paper)])


def reasoning(cell, **how):
    said = cell.say(QUESTION)
    answer = cell.ask(turns=[user(said)], effort="low", **how)
    assert answer["text"] == cell.expected(said)
    assert (answer["usage"]["thoughts"] > 0) is table.TARGETS[cell.target].counts_thoughts
    assert cell.asked_once()["thinks"]
    # Asked in its own Responses, the simulator counts its thoughts and tells nothing of them.
    if not (cell.client.startswith("responses") and cell.target == "openai"):
        assert answer["thoughts"] and answer["thoughts"] not in answer["text"]


def reasoning_stream(cell):
    reasoning(cell, stream=True)


def reasoning_turns(cell):
    """The first answer goes back as the SDK gave it, thoughts and proofs included."""
    said = cell.say(QUESTION)
    first = cell.ask(turns=[user(said)], effort="low")
    talk = [user(said), {"role": "assistant", "native": first["native"]}, user("And then?")]
    assert cell.ask(turns=talk, effort="low")["text"] == cell.expected("And then?")
    turns = cell.asked(2)[1]["turns"]
    assert [role for role, _ in turns] == ["user", "assistant", "user"]
    assert [part[1] for part in turns[1][1] if part[0] == "text"] == [first["text"]]


def stop(cell):
    said = cell.say(QUESTION)
    answer = cell.ask(turns=[user(said)], stop=[STOP_WORD])
    whole = cell.expected(said)
    assert STOP_WORD in whole
    assert (answer["text"], answer["stop"]) == (whole.split(STOP_WORD)[0], "stop")
    assert cell.asked_once()["stop"] == [STOP_WORD]


def max_tokens(cell):
    said = cell.say(QUESTION)
    answer = cell.ask(turns=[user(said)], max_tokens=17)
    assert (answer["stop"], answer["usage"]["output"]) == ("length", 17)
    assert answer["text"] and cell.expected(said).startswith(answer["text"])
    assert cell.asked_once()["max_tokens"] == 17


def passed_on(cell, **numbers):
    """Parameters that the simulator does not look at: they have to arrive, and the answer has to come."""
    said = cell.say(QUESTION)
    assert cell.ask(turns=[user(said)], **numbers)["text"] == cell.expected(said)
    asked = cell.asked_once()
    assert {name: asked.get(name) for name in numbers} == numbers


def sampling(cell):
    passed_on(cell, temperature=0.5, top_p=0.9)


def top_k(cell):
    passed_on(cell, top_k=40)


def seed(cell):
    passed_on(cell, seed=7)


def penalties(cell):
    passed_on(cell, presence_penalty=0.5, frequency_penalty=0.25)


def logit_bias(cell):
    passed_on(cell, logit_bias={"50256": -100})


def choices(cell):
    said = cell.say(QUESTION)
    answer = cell.ask(turns=[user(said)], n=2)
    assert answer["texts"] == [cell.expected(said)] * 2
    assert cell.asked_once()["n"] == 2


def usage(cell, **how):
    said = cell.say(QUESTION)
    answer = cell.ask(turns=[user(said)], **how)
    truth = cell.expected_usage(said)
    assert answer["usage"] == {
        "input": truth["prompt_tokens"],
        "output": truth["completion_tokens"],
        "total": truth["total_tokens"],
        "thoughts": 0,
    }


def usage_stream(cell):
    usage(cell, stream=True)


def abort(cell):
    assert cell.ask(turns=[user(cell.say(QUESTION))], stream=True, leave_after=3) == {"left": True}
    entry = cell.when_ended()
    assert entry["ended"] == "client_disconnected"
    assert entry["tokens_sent"] < 1000


def bad_request(cell):
    cell.fails(400)


def wrong_key(cell):
    cell.fails(401, attempts=False, key="wh-nobody")


def forbidden(cell):
    cell.fails(403, attempts=False, key=cell.key("elsewhere"))


def unknown_model(cell):
    assert cell.model in cell.fails(404, attempts=False)["message"]


def unprocessable(cell):
    cell.fails(422)


def rate_limit(cell):
    cell.fails(429)


def server_error(cell):
    cell.fails(503)


def overloaded(cell):
    cell.fails(503)


def upstream_key(cell):
    """The client's own key is good, so it is not told that it is bad."""
    cell.fails(503)


def broken_stream(cell):
    """What broke off and cannot be gone on with is an error of the SDK, and never an answer."""
    answer = cell.try_to(turns=[user(cell.say(QUESTION))], stream=True)
    assert answer.get("error", {}).get("message"), answer
    cell.asked()
