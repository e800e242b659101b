"""An answer that breaks off anywhere is brought to its end by another server, byte for byte, or ends in an error.

The servers have the same random weights, and every token is one ASCII character: a greedy answer that was cut behind
any of them can be compared with the one that was not. See `rescue_world.py` for what runs, `cutter.py` for the cuts.
"""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from cutter import REFUSAL
from openai import OpenAI
from rescue_asks import CHAT, COMPLETIONS, chat, completion, find_answer, json_answer, tool_answer
from rescue_world import AT_ONCE, IDLE_SECONDS, KEY, Case, start_world
from shared import text_of
from streams import ask

pytestmark = pytest.mark.gateway

INTERRUPTED = "upstream_stream_interrupted"


@pytest.fixture(scope="module")
def world():
    with start_world() as world:
        yield world


@pytest.fixture(scope="module")
def plain(world):
    """A chat with white space within its answer, and that answer."""
    return find_answer(world, CHAT, chat)


@pytest.fixture(scope="module", params=["text", "blank"])
def either(world, plain, request):
    """The same, and one whose answer begins with white space, which nobody can be asked to continue."""
    return plain if request.param == "text" else find_answer(world, CHAT, chat, blank_first=True)


def beginnings(uncut):
    """The text that is delivered when so many events have passed."""
    pieces = iter(uncut.pieces)
    texts = [""]
    for event in uncut.events:
        texts.append(texts[-1] + (next(pieces) if event.get("choices") else ""))
    return [*texts, texts[-1]]


def finish_of(uncut):
    """How many events have passed with the finish reason."""
    reasons = [event["choices"][0]["finish_reason"] if event.get("choices") else None for event in uncut.events]
    return next(count for count, reason in enumerate(reasons, 1) if reason)


def every_cut(world, uncut, name, second=None, prefill=None, end="close"):
    """A case for every number of events before the answer's finish reason, and one with all but the body's own end."""
    for count in (*range(finish_of(uncut)), len(uncut.events) + 1):
        yield cut_behind(count, world, name, second, prefill, end)


def cut_behind(count, world, name, second=None, prefill=None, end="close"):
    doors = [world.first_door(events=count, end=end), world.second_door(**(second or {}))]
    return Case(f"{name}-{count}", doors, prefill=(None, prefill), cut=count)


def assert_whole(answer, uncut):
    """It is the uncut answer, and one stream."""
    assert answer.status == 200 and answer.errors == []
    assert answer.text == uncut.text
    assert answer.finishes == uncut.finishes and len(answer.finishes) == 1
    assert answer.done == 1 and not answer.late and answer.framed
    for member in ("id", "model"):
        assert len(answer.named(member)) == 1, f"{member}: {answer.named(member)}"
    # This server tells the time of each event; the other's time must not show.
    seam = next((at for at, event in enumerate(answer.events) if "wellhead" in event), len(answer.events))
    assert {event["created"] for event in answer.events[seam:]} <= {answer.events[0]["created"]}
    roles = [delta for delta in answer.deltas if delta.get("role")]
    assert len(roles) == len([delta for delta in uncut.deltas if delta.get("role")])


def assert_clean_error(answer):
    """Nothing in it looks finished, and the cause is told in the client's own dialect."""
    assert answer.status == 200 and len(answer.errors) == 1
    assert answer.errors[0]["code"] == INTERRUPTED
    assert answer.finishes == [] and answer.done == 0
    assert "error" in answer.events[-1] and REFUSAL not in answer.body.decode()


def assert_record(record, answer, delivered):
    """What was done for the request is told as it was."""
    results = [attempt["result"] for attempt in record["attempts"]]
    assert results[0] != "ok" and results[-1] == "ok", record
    wanted = ("rescued", "resumed" if delivered else "failed-over")
    assert (record["outcome"], record["rung"]) == wanted, record
    assert len(answer.seams) == (1 if delivered else 0)
    if delivered:
        assert answer.seams[0]["seam"] == len(delivered)


def checker(uncut, requests_of):
    """Checks a case of `every_cut`; `requests_of` says what the second server must have been asked."""
    texts, finish = beginnings(uncut), finish_of(uncut)

    def check(case, answer, record):
        assert_whole(answer, uncut)
        assert answer.usage == uncut.usage
        asked = [last_of(request) for request in case.asked_of_second]
        if case.cut >= finish:
            assert asked == [] and record["outcome"] == "ok", record
        else:
            assert_record(record, answer, texts[case.cut])
            assert asked == requests_of(texts[case.cut])

    return check


def last_of(request):
    """The role and text that a request ends in; of a completion the prompt."""
    if "prompt" in request:
        return ("prompt", request["prompt"])
    return (request["messages"][-1]["role"], request["messages"][-1]["content"].rstrip())


def by_prefill(request, uncut):
    """What a server that takes prefills is asked: to go on, if there is something to go on with and something left."""

    def asked(delivered):
        solid = delivered.rstrip()
        if not solid or len(solid) == len(uncut.text):
            return [last_of(request)]
        return [("assistant", solid)]

    return asked


def test_the_answer_has_seams_in_white_space(plain):
    _, uncut = plain
    blank = [text for text in beginnings(uncut) if text != text.rstrip()]
    assert len(set(blank)) >= 3
    assert len(uncut.text) == len([piece for piece in uncut.pieces if piece])


def test_every_cut_is_continued(world, either):
    request, uncut = either
    with world.gateway(list(every_cut(world, uncut, "prefill"))) as gateway:
        gateway.check_all(CHAT, request, checker(uncut, by_prefill(request, uncut)))


def test_every_cut_is_matched_by_an_answer_from_the_start(world, either):
    request, uncut = either
    with world.gateway(list(every_cut(world, uncut, "restart", prefill="none"))) as gateway:
        gateway.check_all(CHAT, request, checker(uncut, lambda _: [last_of(request)]))


def test_a_refused_prefill_is_never_seen(world, either):
    request, uncut = either
    prefilled = by_prefill(request, uncut)

    def asked(delivered):
        first = prefilled(delivered)
        return first if first == [last_of(request)] else [*first, last_of(request)]

    second = {"refuses_prefill": True}
    with world.gateway(list(every_cut(world, uncut, "refused", second))) as gateway:
        for answer in gateway.check_all(CHAT, request, checker(uncut, asked)):
            assert REFUSAL not in answer.body.decode()


@pytest.mark.parametrize("prefill", [None, "none"])
def test_completions(world, prefill):
    """Their prompt grows, whatever the server thinks of chats."""
    request, uncut = find_answer(world, COMPLETIONS, completion)

    def asked(delivered):
        solid = delivered.rstrip()
        whole = len(solid) == len(uncut.text)
        return [("prompt", request["prompt"] + ("" if whole else solid))]

    with world.gateway(list(every_cut(world, uncut, f"text-{prefill}", prefill=prefill))) as gateway:
        gateway.check_all(COMPLETIONS, request, checker(uncut, asked))


def test_a_stop_word_at_the_seam(world, plain):
    """The server keeps back what may become the stop word, so that one event can hold several tokens."""
    request, longer = plain
    stop = longer.text.rstrip()[-3:-1]
    request = request | {"stop": [stop]}
    uncut = ask(world.first, CHAT, request)
    assert uncut.finishes == ["stop"] and len(uncut.text) > 10
    with world.gateway(list(every_cut(world, uncut, "stop"))) as gateway:
        gateway.check_all(CHAT, request, lambda case, answer, record: assert_whole(answer, uncut))


def test_a_cut_within_an_event(world, plain):
    """All places around the borders of three events, and places all over the body before its finish reason."""
    request, uncut = plain
    unasked = {name: value for name, value in request.items() if name != "stream_options"}
    borders = [at + 2 for at in range(len(uncut.body)) if uncut.body[at : at + 2] == b"\n\n"]
    near = {border + step for border in borders[3:6] for step in range(-4, 12)}
    places = sorted(near | set(range(1, borders[finish_of(uncut) - 1] - 2, 131)))
    cases = [
        Case(f"byte-{place}", [world.first_door(bytes=place), world.second_door()], cut=place) for place in places
    ]

    def check(case, answer, record):
        assert_whole(answer, uncut)
        assert answer.usage is None

    with world.gateway(cases) as gateway:
        gateway.check_all(CHAT, unasked, check)


@pytest.mark.parametrize("end", ["stall", "reset", "clean"])
def test_other_ways_to_break_off(world, plain, end):
    """Silence, a reset, and a body that ends as if all were well."""
    request, uncut = plain
    counts = (2, 3, 9, 20, finish_of(uncut) - 1, len(uncut.events) + 1)
    cases = [cut_behind(count, world, end, end=end) for count in counts]

    def check(case, answer, record):
        assert_whole(answer, uncut)
        assert end != "stall" or answer.seconds < IDLE_SECONDS + 10

    with world.gateway(cases) as gateway:
        gateway.check_all(CHAT, request, check)


@pytest.mark.parametrize("end", ["close", "stall", "reset", "clean"])
def test_only_the_end_signal_is_missing(world, plain, end):
    """Behind the finish reason nothing is missing that anybody could add but Wellhead itself."""
    request, uncut = plain
    finish = finish_of(uncut)
    cases = [cut_behind(count, world, end, end=end) for count in range(finish, len(uncut.events) + 1)]
    for case in cases:
        case.settings = {"timeouts": {"stream_idle": "20s"}}

    def check(case, answer, record):
        assert_whole(answer, uncut)
        assert answer.seconds < 10, "the end is seen at once, not after the longest silence"
        assert case.cut == finish or answer.usage == uncut.usage
        assert case.asked_of_second == [] and record["outcome"] == "ok", record

    with world.gateway(cases) as gateway:
        gateway.check_all(CHAT, request, check)


def test_a_chain_of_cuts(world, plain):
    request, uncut = plain
    cases = []
    for first in (3, 10, 25):
        for second in (3, 8):
            doors = [world.first_door(events=first), world.second_door(events=second), world.first_door()]
            cases.append(Case(f"chain-{first}-{second}", doors, prefill=(None, None, None)))
    with world.gateway(cases) as gateway:
        gateway.check_all(CHAT, request, lambda case, answer, record: assert_whole(answer, uncut))


def differently(request):
    """The same request, but for what is asked."""
    changed = [message | {"content": "Quite another question"} for message in request["messages"][:1]]
    return request | {"messages": changed + request["messages"][1:]}


def test_another_answer_is_never_joined(world, plain):
    """A server that cannot continue, and one that refuses to, say something else: the client has a true beginning."""
    request, uncut = plain
    texts = beginnings(uncut)
    refusing = {"rewrite": differently, "refuses_prefill": True}
    counts = (3, 4, 11, 30, finish_of(uncut) - 1)
    cases = [cut_behind(count, world, "other", {"rewrite": differently}, "none") for count in counts]
    cases += [cut_behind(count, world, "refusing", refusing) for count in counts]
    for case in cases:
        # Were the first asked again, it would go on with what it has said itself.
        case.settings = {"attempts_max": 2 if case.name.startswith("other") else 3}

    def check(case, answer, record):
        assert_clean_error(answer)
        assert record["outcome"] == "failed", record
        assert len(record["attempts"]) <= case.settings["attempts_max"], record
        assert answer.text == texts[case.cut]

    with world.gateway(cases) as gateway:
        gateway.check_all(CHAT, request, check)


@pytest.mark.parametrize("second", [{}, {"rewrite": differently}], ids=["same", "other"])
@pytest.mark.parametrize("prefill", [None, "none"])
def test_json_is_whole_or_an_error(world, second, prefill):
    request, uncut, valid = json_answer(world)
    same = not second

    def check(case, answer, record):
        if same:
            assert_whole(answer, uncut)
        if answer.done or answer.finishes:
            assert answer.done == 1 and answer.finishes == ["stop"] and answer.errors == []
            assert valid(answer.text), answer.text
        else:
            assert_clean_error(answer)

    cases = list(every_cut(world, uncut, "json", second, prefill))
    # Whoever is told something else asks several times, with pauses.
    cases = cases if same else cases[2::6]
    with world.gateway(cases) as gateway:
        answers = gateway.check_all(CHAT, request, check)
    failed = [answer for answer in answers if answer.errors]
    assert same or prefill is None or failed


@pytest.mark.parametrize(("calls", "text"), [(2, 1), (1, 20)], ids=["two-calls", "behind-text"])
@pytest.mark.parametrize("choice", ["required", "auto"])
@pytest.mark.parametrize("second", [{}, {"rewrite": differently}], ids=["same", "other"])
def test_tool_calls_are_whole_or_an_error(world, second, choice, calls, text):
    request, uncut = tool_answer(world, choice, calls, text)
    begin = next(at for at, delta in enumerate(uncut.deltas) if delta.get("tool_calls"))
    # With the mark of the next call, or the finish reason, the first is whole and goes to the client.
    again = next(at for at, delta in enumerate(uncut.deltas) if at > begin and calls_again(delta, uncut, at))

    def check(case, answer, record):
        for name, arguments in answer.calls:
            assert name and set(json.loads(arguments)) == {"city", "days"}
        if answer.errors:
            assert_clean_error(answer)
        else:
            assert answer.done == 1 and len(answer.finishes) == 1
            # What another model makes of the request may be cut by its limit.
            assert answer.finishes == uncut.finishes or second
            assert answer.calls or answer.finishes != ["tool_calls"]
        if not second:
            # A call that was delivered cannot be had again; until then the whole answer can.
            assert bool(answer.errors) == (again < case.cut < finish_of(uncut))
            if not answer.errors:
                assert_whole(answer, uncut)
                assert answer.calls == uncut.calls

    cases = [case for case in every_cut(world, uncut, f"tools-{choice}", second) if case.cut > begin - 6]
    # Of what differs little or takes long, some.
    step = 5 if second else 2 if choice == "auto" else 1
    cases = cases[::step]
    with world.gateway(cases) as gateway:
        gateway.check_all(CHAT, request, check)


def calls_again(delta, uncut, at):
    """Whether this event begins another call, or none comes behind it."""
    parts = delta.get("tool_calls") or []
    return any(part["index"] > 0 for part in parts) or bool(uncut.choices[at].get("finish_reason"))


def test_the_official_client_reads_on(world, plain):
    request, uncut = plain
    cases = [cut_behind(count, world, "sdk") for count in range(3, finish_of(uncut), 12)]
    ours = {name: value for name, value in request.items() if name != "model"}
    with world.gateway(cases) as gateway, OpenAI(base_url=f"{gateway.url}/v1", api_key=KEY, max_retries=0) as client:

        def read(case):
            return list(client.chat.completions.create(model=case.name, **ours))

        with ThreadPoolExecutor(AT_ONCE) as pool:
            for chunks in pool.map(read, cases):
                assert text_of(chunks) == uncut.text
                assert chunks[-1].usage.completion_tokens == uncut.usage["completion_tokens"]
