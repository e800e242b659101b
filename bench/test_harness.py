#!/usr/bin/env python3
"""Tests of the harness's own arithmetic and process accounting: `python3 bench/test_harness.py`."""

import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from harness import bars, procs, report, settings, upstreams  # noqa: E402


def results(wellhead_us, nginx_us):
    """Two rounds of two rows."""
    rounds = lambda value: [{"cpu_us": value - 1, "p99_us": 1}, {"cpu_us": value + 1, "p99_us": 1}]  # noqa: E731
    return {"json": {"wellhead": rounds(wellhead_us), "nginx": rounds(nginx_us)}}


def alive(pid):
    """Whether a process still runs; one that only waits to be collected does not."""
    try:
        return ") Z " not in pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


class Bars(unittest.TestCase):
    """A bar is met up to its limit, missed above it, and never judged without a measurement."""

    def chat(self, measured):
        return next(row for row in bars.judge(measured) if row["bar"].startswith("AI chat relay"))

    def test_at_the_limit_and_above(self):
        self.assertIs(self.chat(results(13, 10))["met"], True)
        above = self.chat(results(26, 10))
        self.assertIs(above["met"], False)
        self.assertEqual(above["note"], "100 % above")

    def test_without_wellhead_or_nginx(self):
        self.assertIsNone(self.chat({"json": {}})["met"])
        self.assertIsNone(self.chat({"json": {"wellhead": [{"cpu_us": 5}]}})["met"])

    def test_a_disturbed_run_is_not_judged(self):
        measured = results(13, 10)
        measured["json"]["nginx"][1]["noise"] = 0.5
        row = self.chat(measured)
        self.assertIsNone(row["met"])
        self.assertEqual((row["measured"], "50 %" in row["note"]), ("1.30 ×", True))

    def test_every_bar_of_an_empty_run_is_open(self):
        self.assertEqual({row["met"] for row in bars.judge({})}, {None})


class Processes(unittest.TestCase):
    """CPU time and memory are those of the whole tree, and the tree ends with its leader."""

    def start(self, code):
        work = tempfile.TemporaryDirectory()
        self.addCleanup(work.cleanup)
        made = settings.Settings(settings.Sizes(), 0, 0, pathlib.Path("load"), None, None, pathlib.Path(work.name), 256)
        core = min(procs.os.sched_getaffinity(0))
        return procs.Proc(made, "test", [sys.executable, "-c", code], core, stdout=subprocess.PIPE)

    def test_cpu_and_memory_of_a_child_are_counted(self):
        child = ("import time; data = b'x' * (64 << 20); end = time.process_time() + 0.3\n"
                 "while time.process_time() < end: pass\nprint('done', flush=True); time.sleep(60)")
        with self.start(f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])") as proc:
            self.assertEqual(proc.child.stdout.readline(), b"done\n")
            self.assertEqual(len(proc.pids()), 2)
            self.assertGreaterEqual(proc.cpu_seconds(), 0.28)
            self.assertLess(proc.cpu_seconds(), 3.0)
            self.assertGreater(proc.rss_bytes(), 64 << 20)
            pids = proc.pids()
            proc.kill9()
            # The signal has been sent when kill9 returns; the kernel may still be taking the memory back.
            end = time.monotonic() + 10
            while any(alive(pid) for pid in pids) and time.monotonic() < end:
                time.sleep(0.01)
            self.assertEqual([pid for pid in pids if alive(pid)], [])

    def test_a_program_that_ends_early_is_named_with_its_last_words(self):
        with self.start("import sys; sys.exit('no such upstream')") as proc:
            with self.assertRaisesRegex(settings.BenchError, "no such upstream"):
                proc.wait_port(procs.free_port())


class Texts(unittest.TestCase):
    """Configurations have no holes; tables show both ends of a spread."""

    def test_a_placeholder_without_a_value_is_an_error(self):
        with tempfile.TemporaryDirectory() as work:
            with self.assertRaisesRegex(settings.BenchError, "FIRST"):
                upstreams.fill("haproxy-tcp.cfg", pathlib.Path(work) / "out", {"PORT": 1})

    def test_spread(self):
        self.assertEqual(report.spread([{"v": 2000}, {"v": 1000}], "v", 1e-3), "1.0–2.0")
        self.assertEqual(report.spread([{"v": 1000}], "v", digits=0), "1,000")

    def test_fixtures_have_their_sizes(self):
        settings.check_fixtures()


if __name__ == "__main__":
    unittest.main()
