"""What must hold for every answer, whatever the upstreams did. Pure: answers in, broken promises out.

* It ends before its deadline (a stream: content or an error by then, and no longer silence than allowed later).
* It is whole, or an error that nobody can take for a whole answer. Nothing is truncated, doubled or made up.
* Where a target without faults is in reach, the request is answered.
* `x-wellhead-survival`, `-attempts` and `-target` agree with each other and with what the upstreams saw.
* Errors have the documented shape and tell nothing internal."""

from .scenario import ATTEMPTS_MAX, DEADLINE_MS, SLOW_MS_MAX, STREAM_IDLE_MS, TOKENS

# What a busy machine may add to a time before the promise counts as broken.
SLACK_S = 2.0
DEADLINE_S = DEADLINE_MS / 1000
STREAM_S_MAX = DEADLINE_S + STREAM_IDLE_MS / 1000 + TOKENS * SLOW_MS_MAX / 1000 + 1.0 + SLACK_S
# A client that is still waiting then has been forgotten.
PATIENCE_S = STREAM_S_MAX + 5.0

RUNGS = ("direct", "retried", "held", "failed-over", "refused")
MEMBERS = ("type", "message", "param", "code", "source", "request_id", "attempts")
# Statuses by which an upstream says that the request itself is at fault; they are passed on.
PASSED_ON = (400, 404, 413, 422)
# The gateway's own, with the codes that they may carry.
OWN = {429: ("upstream_rate_limited",), 503: ("no_healthy_upstream",), 504: ("upstream_timeout",)}
# Faults that may strike a stream after its first content, when only an honest error is left.
MID_STREAM = ("cut-after", "reset-after", "stall-after", "malformed-event", "missing-terminator", "error-mid-stream",
              "slow-tokens", "huge-line")
# Faults that cost an unstreamed request its time: only the deadline bounds those.
PATIENT = ("silence", "stall-after", "slow-first-token", "slow-tokens", "drip-headers")
# The connection ends before a byte of an answer. On a connection that was used before, that may mean that it had been
# closed while idle, so the request is sent once more over a fresh one, which is no attempt of its own.
SILENT_ENDS = ("refuse", "reset-before-headers")
# What a stream says whose rest was asked of others: a seam, or that nobody could go on.
RESCUE_MARKS = (b'"wellhead":{"resumed"', b"upstream_stream_interrupted")
INTERNAL = (b"127.0.0.1", b"sk-soak", b"localhost")


def check(scenario, request, answer, expected, seen):
    """Every broken promise as one line. `expected` is the whole text of the answer, `seen` the number of requests that
    reached an upstream."""
    struck = [name for fault in request.faults if fault for name in names(fault)]
    passed_on = answer.status in PASSED_ON and answer.status in codes(request)
    broken = list(_time(answer))
    if answer.status is None:
        return [*broken, f"no answer at all ({answer.end})"]
    if answer.status == 200:
        broken += _success(answer, expected, struck)
    else:
        broken += _refusal(scenario, request, answer, struck, passed_on)
    sendings = 2 if set(struck) & set(SILENT_ENDS) else 1
    return broken + list(_rung(scenario, answer, seen / sendings, passed_on))


def names(fault):
    """The bare names of the faults in a text like `slow-first-token:50+cut-after:3`."""
    return [part.partition(":")[0] for part in fault.split("+")]


def codes(request):
    """The statuses that upstreams answer with in this request."""
    parts = [part for fault in request.faults if fault for part in fault.split("+")]
    return {int(part.split(":")[1].split(",")[0]) for part in parts if part.startswith("status:")}


def _time(answer):
    if answer.end == "stuck":
        yield f"not ended after {answer.ended_s:.1f} s"
        return
    first_s = answer.content_s if answer.content_s is not None else answer.ended_s
    if first_s > DEADLINE_S + SLACK_S:
        yield f"neither content nor an error by its deadline of {DEADLINE_S} s, but after {first_s:.1f} s"
    if not answer.streamed and answer.ended_s > DEADLINE_S + SLACK_S:
        yield f"ended {answer.ended_s - DEADLINE_S:.1f} s after its deadline"
    if answer.ended_s > STREAM_S_MAX:
        yield f"a stream of {answer.ended_s:.1f} s, although silence is limited"


def _success(answer, expected, struck):
    """A 200: whole and right, or visibly broken."""
    if not answer.streamed:
        if answer.end != "clean":
            yield "an unstreamed 200 that broke off: it could have been answered by another target or refused"
        elif answer.text != expected or answer.finish is None:
            yield f"a 200 with {len(answer.text)} of {len(expected)} characters, finish reason {answer.finish}"
        return
    if answer.after_done:
        yield f"{answer.after_done} events after the end mark"
    if answer.done and answer.error is None:
        if answer.text != expected or answer.finish is None:
            yield f"looks finished with {len(answer.text)} of {len(expected)} characters, finish {answer.finish}"
        if answer.unreadable:
            yield f"looks finished, but {answer.unreadable} events are not JSON"
        if answer.end != "clean":
            yield f"the end mark came, then the transport was {answer.end}"
        return
    if answer.done:
        yield "an error event and an end mark in the same stream"
    if answer.error is None:
        yield f"ended without an end mark and without an error ({answer.end})"
    elif not answer.error.get("code"):
        yield f"an error in the stream without a code: {answer.error}"
    if not expected.startswith(answer.text):
        yield f"broke off, but the text before is not the start of the answer: {answer.text[-60:]!r}"
    if not set(struck) & set(MID_STREAM):
        yield f"a stream broke off, but no upstream breaks off streams here: {answer.error}"


def _refusal(scenario, request, answer, struck, passed_on):
    """Anything but a 200."""
    patient = not request.streamed and set(struck) & set(PATIENT)
    if scenario.steady and not passed_on and not (answer.status in (503, 504) and patient):
        yield f"refused with {answer.status}, although a target without faults is in reach: {answer.body[:200]!r}"
    if not scenario.steady and not struck:
        yield f"refused with {answer.status}, although nothing went wrong: {answer.body[:200]!r}"
    if answer.end != "clean":
        yield f"the refusal itself broke off ({answer.end})"
    error = answer.error
    if error is None:
        yield f"{answer.status} without an error object: {answer.body[:100]!r}"
        return
    wanted = MEMBERS[:4] if passed_on else MEMBERS
    missing = [member for member in wanted if member not in error]
    if missing:
        yield f"{answer.status} without {', '.join(missing)}"
    if not isinstance(error.get("retry_after_s", 0), (int, float)):
        yield f"{answer.status} with retry_after_s: {error['retry_after_s']}"
    if not passed_on and error.get("code") not in OWN.get(answer.status, ()):
        yield f"{answer.status} with code {error.get('code')}, which the contract does not have"
    if answer.header("x-should-retry") not in ("true", "false"):
        yield f"{answer.status} with x-should-retry: {answer.header('x-should-retry')}"
    after = answer.header("retry-after")
    if after is not None and not (after.isdigit() and int(after) <= 60):
        yield f"{answer.status} with retry-after: {after}; SDKs ignore what is above 60"
    shown = answer.body + b"\n".join(f"{k}: {v}".encode() for k, v in answer.headers.items())
    yield from (f"{answer.status} tells something internal: {text.decode()}" for text in INTERNAL if text in shown)


def _rung(scenario, answer, least_attempts, passed_on):
    """The diagnostic headers against each other and against the upstreams' log."""
    if not answer.header("x-request-id"):
        yield "no x-request-id"
    rung = answer.header("x-wellhead-survival")
    if rung not in RUNGS:
        yield f"x-wellhead-survival: {rung}"
        return
    # What an upstream says about the request itself is its answer, on whatever rung; it is no refusal by the gateway.
    if (rung == "refused") != (answer.status != 200) and not passed_on:
        yield f"{rung} with status {answer.status}"
    attempts = answer.header("x-wellhead-attempts")
    if attempts is None or not attempts.isdigit():
        yield f"x-wellhead-attempts: {attempts}"
        return
    attempts = int(attempts)
    # The headers of a stream go out before it can break off: what its rescue adds is in its events, not in them.
    rescued = any(mark in answer.body for mark in RESCUE_MARKS)
    if least_attempts > (ATTEMPTS_MAX if rescued else attempts):
        yield f"the upstreams saw {least_attempts} attempts or more, x-wellhead-attempts says {attempts}"
    target = answer.header("x-wellhead-target") or ""
    if rung == "refused" or passed_on and not target:
        return
    tier = scenario.tier_of(target.partition("/")[0])
    if tier is None:
        yield f"{rung} from {target!r}, which is no target of this model"
    elif tier > 0 and rung != "failed-over" or tier == 0 and rung == "failed-over" and attempts < 2:
        # Back to tier 0 after another tier was asked first is a change of tier, too.
        yield f"{rung} after {attempts} attempts from {target}, which is in tier {tier}"
    if rung == "direct" and attempts != 1 or rung == "retried" and attempts < 2 or attempts < 1:
        yield f"{rung} after {attempts} attempts"
