"""The Node SDKs: one process that is asked in lines of JSON."""

import json
import subprocess
from pathlib import Path

MAIN = Path(__file__).resolve().parents[2] / "node" / "compat" / "main.mjs"


class NodeProcess:
    """Started once; ends when its input does."""

    def __init__(self, url, key, log):
        self.process = subprocess.Popen(
            ["node", MAIN, url, key], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
        )

    def ask(self, question):
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, "the Node process ended"
        answer = json.loads(line)
        assert "broken" not in answer, answer["broken"]
        return answer

    def stop(self):
        self.process.stdin.close()
        self.process.wait(10)


class NodeDriver:
    """One of its clients."""

    def __init__(self, process, client):
        self.process, self.client = process, client

    def ask(self, question):
        return self.process.ask(question | {"client": self.client})
