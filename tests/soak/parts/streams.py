"""Load of many streams at once, through the benchmarks' `load sse-client`, and the fate of each."""

import json
import subprocess

from harness.procs import Proc

from .settings import APP_KEY, MODEL, SoakError

# Beyond the planned time: for streams under way and for connecting.
GRACE_SECONDS = 60
REQUEST = {
    "model": MODEL, "stream": True,
    "messages": [{"role": "user", "content": "Tell me about rivers that change their course."}],
}


class Streams:
    """A run of `load` under way."""

    def __init__(self, settings, url, seconds, chunks=None, streams=None):
        body = settings.work / "stream-request.json"
        body.write_text(json.dumps(REQUEST))
        options = ["--url", url, "--key", APP_KEY, "--body", body, "--streams",
                   streams or settings.sizes.streams, "--per-stream"]
        options += ["--for-ms", round(seconds * 1000)] if seconds else ["--repeat", 1]
        options += ["--expect-chunks", chunks] if chunks else []
        self.seconds = seconds or 0
        argv = [settings.load, "sse-client", *options]
        self.proc = Proc(settings, "load", argv, settings.load_core, stdout=subprocess.PIPE)

    def running(self):
        return self.proc.child.poll() is None

    def fates(self):
        """Waits for the end; one dictionary per stream."""
        try:
            out, _ = self.proc.child.communicate(timeout=self.seconds + GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self.proc.stop()
            raise SoakError(f"streams did not end {GRACE_SECONDS} s after their time") from None
        if self.proc.child.returncode != 0:
            raise self.proc.complain(f"ended with status {self.proc.child.returncode}")
        lines = [json.loads(line) for line in out.decode().splitlines()]
        if not lines or len(lines) != lines[-1]["streams"] + 1:
            raise SoakError("the report of the load generator is incomplete")
        return lines[:-1]
