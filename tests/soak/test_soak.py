#!/usr/bin/env python3
"""Tests of the soak's own judgement: every kind of broken promise is planted once, and must be found.
`python3 tests/soak/test_soak.py`."""

import gzip
import http.server
import json
import pathlib
import sys
import threading
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parent.parent / "bench")]

import run  # noqa: E402
from parts import (checks, client, kills, memory, outages, overload, report, scenario, steady,  # noqa: E402
                   survival, worlds)
from parts.checker import DEADLINE_S, SLACK_S, STREAM_S_MAX, check, codes, names  # noqa: E402
from parts.client import Answer, ask  # noqa: E402
from parts.scenario import Request, Scenario  # noqa: E402
from parts.settings import FINDINGS_KEPT_MAX, PARTS, Row, Settings, Sizes  # noqa: E402

TEXT = "The whole answer."
DIRECT = {"x-request-id": "1", "x-wellhead-survival": "direct", "x-wellhead-attempts": "1",
          "x-wellhead-target": "s7-t0/soak"}


def settings(seed=1):
    return Settings(Sizes.quick(), seed, HERE, HERE, HERE, 256, "0")


def of(*faults, streamed=True, steady=True, tiers=None):
    request = Request(streamed, 0, faults)
    return Scenario(7, tiers or tuple(range(len(faults))), steady, (request,)), request


def stream(**changes):
    """A whole and direct streamed answer, changed."""
    return Answer(**{"streamed": True, "status": 200, "headers": dict(DIRECT), "text": TEXT, "content_s": 0.1,
                     "ended_s": 0.2, "finish": "stop", "done": True, **changes})


def whole(**changes):
    """A whole and direct unstreamed answer, changed."""
    return stream(**{"streamed": False, "content_s": None, "done": False, **changes})


def refusal(status=503, code="no_healthy_upstream", headers=None, **changes):
    """An honest refusal, changed."""
    error = {"type": "server_error", "message": "none", "param": None, "code": code, "source": "provider",
             "request_id": "1", "attempts": [], "retry_after_s": 1.5}
    sent = {"x-request-id": "1", "x-wellhead-survival": "refused", "x-wellhead-attempts": "1",
            "x-should-retry": "true", "retry-after": "2", **(headers or {})}
    return Answer(**{"streamed": True, "status": status, "headers": sent, "ended_s": 0.2, "error": error,
                     "body": json.dumps({"error": error}).encode(), **changes})


class Checker(unittest.TestCase):
    """Honest answers pass; each planted lie is named."""

    def found(self, answer, *faults, seen=1, **options):
        one, request = of(*faults, **options)
        return check(one, request, answer, TEXT, seen)

    def assert_found(self, word, answer, *faults, **options):
        found = self.found(answer, *faults, **options)
        self.assertTrue(any(word in text for text in found), f"{word!r} not in {found}")

    def test_honest_answers_pass(self):
        broken_off = stream(text=TEXT[:5], done=False, finish=None, error={"code": "upstream_stream_interrupted"})
        for answer, faults, options in (
            (stream(), (None,), {}),
            (whole(), ("cut-after:3",), {"streamed": False}),
            (broken_off, ("cut-after:3",), {}),
            (refusal(), ("status:500",), {"steady": False}),
            (refusal(504, "upstream_timeout", streamed=False), ("silence",), {"streamed": False}),
            (refusal(400, "bad", headers={"x-wellhead-survival": "direct"}), ("status:400",), {}),
            (stream(headers={**DIRECT, "x-wellhead-survival": "failed-over", "x-wellhead-attempts": "2",
                             "x-wellhead-target": "s7-steady/soak"}), ("status:500",), {}),
        ):
            self.assertEqual(self.found(answer, *faults, **options), [], answer)

    def test_a_truncated_success_is_found(self):
        self.assert_found("looks finished", stream(text=TEXT[:5]), "cut-after:3")
        self.assert_found("looks finished", stream(finish=None), "missing-terminator")
        self.assert_found("looks finished", stream(text=TEXT + TEXT), "cut-after:3")
        self.assert_found("not JSON", stream(unreadable=1), "malformed-event:1")
        self.assert_found("without an end mark and without an error", stream(done=False), "missing-terminator")
        self.assert_found("same stream", stream(error={"code": "x"}), "error-mid-stream:3")
        self.assert_found("after the end mark", stream(after_done=1), None)
        self.assert_found("a 200 with", whole(text=TEXT[:5]), "cut-after:3", streamed=False)
        self.assert_found("broke off", whole(end="broken"), "cut-after:3", streamed=False)

    def test_text_that_no_upstream_sent_is_found(self):
        made_up = stream(text="Another", done=False, error={"code": "x"})
        self.assert_found("not the start of the answer", made_up, "cut-after:3")
        self.assert_found("no upstream breaks off", stream(done=False, text="", error={"code": "x"}), "status:500")

    def test_lateness_is_found(self):
        late = DEADLINE_S + SLACK_S + 0.1
        self.assert_found("deadline", stream(content_s=late, ended_s=late), None)
        self.assert_found("deadline", whole(ended_s=late), None, streamed=False)
        self.assert_found("deadline", refusal(ended_s=late), "silence", steady=False)
        self.assert_found("silence is limited", stream(ended_s=STREAM_S_MAX + 0.1), None)
        self.assert_found("not ended", stream(end="stuck", done=False), "stall-after:3")
        self.assert_found("no answer", Answer(streamed=True, end="broken"), "refuse")

    def test_a_lost_request_is_found(self):
        self.assert_found("in reach", refusal(), "status:500")
        self.assert_found("in reach", refusal(504, "upstream_timeout"), "silence")
        self.assert_found("nothing went wrong", refusal(), None, steady=False)

    def test_a_bad_refusal_is_found(self):
        self.assert_found("without an error object", refusal(error=None), "status:500", steady=False)
        self.assert_found("contract does not have", refusal(503, "oops"), "status:500", steady=False)
        self.assert_found("contract does not have", refusal(500, "oops"), "status:500", steady=False)
        self.assert_found("x-should-retry", refusal(headers={"x-should-retry": "maybe"}), "status:500", steady=False)
        self.assert_found("retry-after", refusal(headers={"retry-after": "7200"}), "status:500", steady=False)
        self.assert_found("internal", refusal(body=b'{"error":{"message":"127.0.0.1:1"}}'), "status:500", steady=False)
        self.assert_found("internal", refusal(headers={"x-key": "sk-soak-s7-t0"}), "status:500", steady=False)

    def test_implausible_rungs_are_found(self):
        for word, changed, seen in (
            ("x-wellhead-survival", {"x-wellhead-survival": "fine"}, 1),
            ("direct after", {"x-wellhead-attempts": "2"}, 2),
            ("retried after", {"x-wellhead-survival": "retried"}, 1),
            ("in tier", {"x-wellhead-target": "s7-steady/soak"}, 1),
            ("in tier", {"x-wellhead-survival": "failed-over"}, 1),
            ("no target of this model", {"x-wellhead-target": "s8-t0/soak"}, 1),
            ("refused with status 200", {"x-wellhead-survival": "refused"}, 1),
            ("upstreams saw", {}, 2),
            ("upstreams saw", {"x-wellhead-survival": "retried", "x-wellhead-attempts": "2"}, 3),
            ("no x-request-id", {"x-request-id": ""}, 1),
        ):
            self.assert_found(word, stream(headers={**DIRECT, **changed}), None, seen=seen)

    def test_a_request_may_be_sent_again_only_where_a_connection_ended_silently(self):
        self.assertEqual(self.found(stream(), "reset-before-headers", seen=2), [])
        self.assert_found("upstreams saw", stream(), "reset-before-headers", seen=3)
        self.assert_found("upstreams saw", stream(), "reset-after-headers", seen=2)

    def test_faults_are_read(self):
        self.assertEqual(names("slow-first-token:50+cut-after:3"), ["slow-first-token", "cut-after"])
        self.assertEqual(codes(Request(True, 0, ("status:429,retry-after=2", None, "status:400"))), {429, 400})


class Scenarios(unittest.TestCase):
    """A number and a seed give one scenario; many of them cover every fault."""

    def test_the_same_seed_gives_the_same_scenario(self):
        self.assertEqual(scenario.scenario(settings(3), 8), scenario.scenario(settings(3), 8))
        self.assertNotEqual(scenario.scenario(settings(3), 8), scenario.scenario(settings(4), 8))

    def test_every_fault_comes_up_within_a_full_run(self):
        drawn = [scenario.scenario(settings(), number) for number in range(Sizes().scenarios)]
        met = {name for one in drawn for request in one.requests for fault in request.faults if fault
               for name in names(fault)}
        self.assertEqual(len(met), 21 - 1, met)  # all that the simulators know but `tokens`, which is none
        self.assertTrue(all(max(one.tiers) <= 2 and one.tiers[0] == 0 for one in drawn))


class Transport(unittest.TestCase):
    """The client tells a clean end from a cut, on a real socket."""

    def answer(self, body, length=None, streamed=True, status=200, packed=False, accepts=None):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                self.rfile.read(int(self.headers["content-length"]))
                self.send_response(status)
                if packed:
                    self.send_header("content-encoding", "gzip")
                self.send_header("content-length", str(length or len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
            thread = threading.Thread(target=server.handle_request)
            thread.start()
            answer = ask(server.server_port, {"stream": streamed}, 5, accepts)
            thread.join()
        return answer

    def test_a_stream_is_read_event_by_event(self):
        events = (b': comment\n\ndata: {"choices":[{"delta":{"content":"Hel"}}]}\r\n\r\n'
                  b'data: {"choices":[{"delta":{"content":"lo"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n')
        answer = self.answer(events)
        self.assertEqual((answer.text, answer.finish, answer.done, answer.end), ("Hello", "stop", True, "clean"))
        self.assertIsNotNone(answer.content_s)

    def test_errors_and_garbage_are_told_apart(self):
        answer = self.answer(b"data: {\"choi\n\ndata: {\"error\": {\"code\": \"x\"}}\n\n")
        self.assertEqual((answer.unreadable, answer.error, answer.done), (1, {"code": "x"}, False))
        answer = self.answer(b'{"error": {"code": "y"}}', status=503)
        self.assertEqual((answer.status, answer.error), (503, {"code": "y"}))

    def test_a_body_that_is_cut_short_is_broken(self):
        self.assertEqual(self.answer(b"data: [DONE]\n\n", length=100).end, "broken")
        self.assertEqual(self.answer(b"{}", length=100, streamed=False).end, "broken")

    def test_a_compressed_answer_counts_only_for_those_who_asked_for_one(self):
        body = gzip.compress(b'{"choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}]}')
        read = lambda body, accepts: self.answer(body, None, False, 200, True, accepts)  # noqa: E731
        self.assertEqual(read(body, "gzip").text, "Hi")
        self.assertEqual((read(body, None).text, read(body, "identity").text), ("", ""))
        self.assertEqual(read(body[:-4], "gzip").end, "broken")

    def test_nobody_there(self):
        with http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as server:
            port = server.server_port
        answer = ask(port, {}, 1)
        self.assertEqual((answer.status, answer.end), (None, "broken"))


class Outages(unittest.TestCase):
    """Every broken promise of an outage is planted once. Times are seconds; the target is down from 20 to 80."""

    def outage(self, calls=None, **changes):
        calls = [self.call(number / 100) for number in range(10_000)] if calls is None else calls
        return outages.Outage(**{"calls": calls, "began": 20.0, "known": 25.0, "returned": 80.0, "failures_before": 12,
                                 "failures_after": 9, "probes": 9, **changes})

    def call(self, began, took=0.1, answered=True, target=None):
        target = target or ("b/m" if 20 <= began < 85 else "a/m")
        return steady.Call(began, True, began + took, answered, target)

    def assert_found(self, word, outage):
        found = list(outages.judge(outage, "a"))
        self.assertTrue(any(word in text for text in found), f"{word!r} not in {found}")

    def test_a_good_outage_passes(self):
        outage = self.outage()
        self.assertEqual(list(outages.judge(outage, "a")), [])
        self.assertAlmostEqual(outage.back_s("a"), 5.0, delta=0.1)

    def test_every_broken_promise_is_found(self):
        good = self.outage().calls
        self.assert_found("requests failed", self.outage([*good, self.call(50, answered=False)]))
        self.assert_found("probes were due", self.outage(failures_after=5_000))
        self.assert_found("the schedule allows", self.outage(probes=40))
        self.assert_found("before the target was left alone", self.outage(failures_before=2_000))
        slow = [self.call(call.began, 0.2 if 30 < call.began < 31 else 0.1) for call in good]
        self.assert_found("p99 100 ms healthy, 200 ms meanwhile", self.outage(slow))
        self.assert_found("the traffic was back 35.0 s", self.outage([*good, self.call(115, target="b/m")]))

    def test_few_requests_have_no_p99(self):
        few = [self.call(number / 2, 1.0 if number > 50 else 0.1) for number in range(200)]
        self.assertEqual(list(outages.judge(self.outage(few), "a")), [])

    def test_the_schedule_of_probes(self):
        # Waits of at least 0.5, 1, 2, 4, 8, then 9 seconds.
        self.assertEqual([outages.probes_max(s) for s in (0.4, 0.6, 1.6, 15.6, 24.6, 60)], [0, 1, 2, 5, 6, 9])

    def test_goodput_that_comes_late_or_goes_again_is_seen(self):
        calls = [self.call(number / 50) for number in range(5_000) if not 20 <= number / 50 < 86]
        self.assertAlmostEqual(outages.recovered_s(calls, 80.0, 50.0, 99.0), 6.0, delta=0.5)
        gone_again = [call for call in calls if call.began < 93]
        self.assertIsNone(outages.recovered_s(gone_again, 80.0, 50.0, 99.0))

    def test_answers_to_steady_load_are_judged(self):
        refused = refusal(headers={"retry-after-ms": "1500"})
        self.assertEqual([steady.wrong(stream(), TEXT), steady.wrong(whole(), TEXT), steady.wrong(refused, TEXT)],
                         ["", "", ""])
        self.assertEqual((steady.told_s(refused), steady.should_retry(refused)), (1.5, True))
        self.assertEqual(steady.should_retry(refusal(headers={"x-should-retry": "false"})), False)
        for answer in (stream(text=TEXT[:3]), stream(done=False), whole(end="broken"), refusal(error=None),
                       refusal(headers={"x-should-retry": "maybe"}), refusal(headers={"retry-after": "3600"})):
            self.assertNotEqual(steady.wrong(answer, TEXT), "", answer)

    def test_answers_are_parsed_from_their_bytes(self):
        event = b'data: {"choices":[{"delta":{"content":"Hi"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-A: b\r\n\r\n"
        chunked = head + b"%x\r\n%s\r\n0\r\n\r\n" % (len(event), event)
        for raw, end, text in ((chunked, "clean", "Hi"), (chunked[:-5], "broken", "Hi"), (head + b"ff\r\nda", "broken", ""),
                               (b"", "broken", ""), (b"HTTP/1.1 503 X\r\nContent-Length: 9\r\n\r\n{}", "broken", "")):
            answer = Answer(streamed=True)
            client.parse(answer, raw)
            self.assertEqual((answer.end, answer.text), (end, text), raw)
        self.assertEqual(answer.status, 503)


class Judgement(unittest.TestCase):
    """Fates of streams, logs of programs, and what a run says about itself."""

    def test_fates_of_streams_around_a_kill(self):
        fate = {"complete": False, "got_content": True, "error": "error-in-stream"}
        self.assertEqual(kills.judge({**fate, "complete": True, "error": None}), "whole")
        self.assertEqual(kills.judge(fate), "honest")
        self.assertIn("lost", kills.judge({**fate, "got_content": False}))
        for error in ("no-terminator", "broken-off", "wrong-chunk-count", "timeout"):
            self.assertIn("honest error", kills.judge({**fate, "error": error}))

    def test_panics_are_seen(self):
        log = "INFO fine\nthread 'worker-0' panicked at src/x.rs:1:2:\nboom\n"
        self.assertEqual(len(memory.panicked(log)), 1)
        self.assertEqual(memory.panicked("INFO nothing\n"), [])

    def test_test_reports_are_read(self):
        self.assertEqual(checks.passed("     Summary [   1.2s] 34 tests run: 33 passed, 1 failed, 0 skipped\n"),
                         "34 tests: 33 passed, 1 failed, 0 skipped")
        self.assertEqual(checks.passed("test result: ok. 3 passed; 0 failed; 0 ignored\n"
                                       "test result: FAILED. 4 passed; 1 failed; 0 ignored\n"),
                         "8 tests: 7 passed, 1 failed")

    def test_the_fault_matrix_is_read(self):
        log = ("survival: 12 cases in 1.5 s, 2 broken promises\nthread 'survival::the_fault_matrix' panicked at x.rs:1:2:\n"
               "12 cases in 1.5 s; broken promises:\nsilence / none, whole: it took 30s\n"
               "status:400 invalid_value / cut-after:5, streamed: \"a\" is not the start of \"b\"\nstack backtrace:\n")
        self.assertEqual(survival.figures(log), "12 cases in 1.5 s, 2 broken promises")
        self.assertEqual(survival.broken(log), ["silence / none, whole: it took 30s",
                         'status:400 invalid_value / cut-after:5, streamed: "a" is not the start of "b"'])
        self.assertEqual((survival.figures("error: could not compile"), survival.broken("")), (None, []))

    def test_broken_promises_of_the_overload_are_read_once(self):
        said = ("    thread 'resilience::overload::a_server_x' (12) panicked at tests/it/resilience/overload.rs:154:5:\n"
                "    goodput 1 of 2: []\n")
        self.assertEqual(overload.broken(said + said), ["a_server_x: goodput 1 of 2: []"])
        self.assertEqual(overload.broken("ok"), [])

    def test_worlds_are_read(self):
        good = "      300 cancelled/direct\n    26461 ok/direct\n64 worlds, 0 of them break promises\n"
        self.assertEqual(worlds.figures(good), "26,761 requests; 0 worlds break promises")
        self.assertEqual(worlds.broken(good), [])
        bad = "seed 5 (Limits) breaks promises: cargo run -- --seed 5\n  I4: 7 ask 1: late\n  I4: 8 ask 2: late\n" \
              "seed 9 breaks promises: it does not end: cargo run -- --seed 9\n"
        self.assertEqual(worlds.broken(bad), [
            "seed 5 (Limits) breaks promises: cargo run -- --seed 5 I4: 7 ask 1: late",
            "seed 9 breaks promises: it does not end: cargo run -- --seed 9"])
        self.assertIsNone(worlds.figures(bad))

    def test_failed_properties_are_named_with_their_input(self):
        log = ("        FAIL [   3.1s] (168/245) wellhead-x tests::y\n  stderr\n    Test failed: left 2\n"
               "    minimal failing input: a = 1\n        FAIL [   3.1s] (168/245) wellhead-x tests::y\n")
        self.assertEqual(checks.failed(log),
                         "wellhead-x tests::y; Test failed: left 2; minimal failing input: a = 1")
        self.assertEqual(checks.failed("Summary"), "")

    def test_findings_are_counted_beyond_what_is_kept(self):
        made = settings()
        for number in range(FINDINGS_KEPT_MAX + 5):
            made.finding("kills", f"number {number}")
        made.finding("faults", "another")
        self.assertEqual((made.findings_count, len(made.findings)), (FINDINGS_KEPT_MAX + 6, FINDINGS_KEPT_MAX + 1))
        shape = {"processor": "p", "cores": 2, "memory_gib": 1, "system": "s", "kernel": "k"}
        page = report.render(made, [Row("kills", "what", "figures", 61), Row("fuzz", "all", "not run", ran=False)],
                             shape, "1", "abc", "2026-01-01", False)
        for part in ("26 promises were broken", "and 5 more", "| kills | what | figures | 61 s |", "Not run: fuzz.",
                     "shortened", "abc", "2026-01-01"):
            self.assertIn(part, page)

    def test_options(self):
        given = run.options(["--quick", "--kills", "7", "--only", "kills,memory"])
        self.assertEqual((run.sizes(given).kills, run.sizes(given).reloads, given.parts),
                         (7, Sizes.quick().reloads, ["kills", "memory"]))
        self.assertEqual(run.options([]).parts, list(PARTS))
        self.assertEqual(run.sizes(run.options([])), Sizes())
        for wrong in (["--only", "kill"], ["--kills", "0"], ["--fuzz-minutes", "0"], ["--scenario", "3"]):
            with self.assertRaises(SystemExit):
                run.options(wrong)


if __name__ == "__main__":
    unittest.main()
