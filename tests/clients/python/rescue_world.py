"""Two llama.cpp servers with the same random weights, and gateways whose targets are doors in front of them."""

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cutter import Cutter, Door
from stack import eventually
from streams import ask

TESTS = Path(__file__).resolve().parents[2]
# Behind this directory, whose own `stack` is another module.
sys.path.append(str(TESTS / "tools"))

import procs  # noqa: E402
import tiny_model  # noqa: E402

# Requests at a time; each server works on one, since what runs beside it in a batch changes the order of the sums.
AT_ONCE = 4
ONE_AT_A_TIME = "import sys; sys.path.append(sys.argv.pop(1)); import llama_server as s; s.SLOTS = 1; s.main()"
# Longer than a busy machine pauses a stream by itself, short enough to wait for it.
IDLE_SECONDS = 2
KEY = "wh-tests-rescue-0123456789abcdef"
# A port is picked before it is bound; somebody else may be faster.
START_TRIES_MAX = 3

# Tools are announced, and a call is an object between two marks of one character: a random model can hit upon one.
TEMPLATE = (
    "{%- if tools %}{{- '<|turn>system\\nTools:' }}"
    "{%- for tool in tools %}{{- '\\n' }}{{- tool | tojson }}{%- endfor %}"
    "{{- '<turn|>\\n' }}{%- endif %}"
    "{%- for message in messages %}{{- '<|turn>' + message.role + '\\n' }}"
    "{%- if message.content %}{{- message.content }}{%- endif %}"
    "{%- for call in message.tool_calls or [] %}"
    "{{- '#{\"name\": \"' }}{{- call.function.name }}"
    "{{- '\", \"arguments\": ' }}{{- call.function.arguments | tojson }}{{- '}#' }}{%- endfor %}"
    "{{- '<turn|>\\n' }}{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|turn>assistant\\n' }}{%- endif %}"
)


@dataclass
class Case:
    """One model of the gateway: a target behind each door, tried in this order."""

    name: str
    doors: list
    # How each provider takes the beginning of an answer; None: as its kind has it.
    prefill: tuple = (None, None)
    settings: dict = field(default_factory=dict)
    # What is known of the case by whoever checks it.
    cut: int = 0

    @property
    def asked_of_second(self):
        return self.doors[1].requests

    def providers(self):
        for number, door in enumerate(self.doors):
            provider = {"kind": "llama-cpp", "base_url": f"{door.url}/v1"}
            if self.prefill[number]:
                provider["prefill"] = self.prefill[number]
            yield f"{self.name}-{number}", provider

    def model(self):
        targets = [
            {"provider": f"{self.name}-{number}", "model": "tiny", "tier": number} for number in range(len(self.doors))
        ]
        return {"targets": targets, "timeouts": {"stream_idle": f"{IDLE_SECONDS}s"}} | self.settings


class World:
    """The servers; `first` and `second` are their addresses."""

    def __init__(self, running, directory):
        self.directory = directory
        self.gateways = 0
        model = directory / "tiny.gguf"
        tiny_model.CHAT_TEMPLATE = TEMPLATE
        tiny_model.make(model)
        servers = [self.start_llama(running, model, name) for name in ("first", "second")]
        self.first, self.second = (server.wait_for_line(r"(?m)^listening on (\S+)")[1] for server in servers)
        self.cutter = running.enter_context(Cutter())

    def start_llama(self, running, model, name):
        command = [sys.executable, "-c", ONE_AT_A_TIME, TESTS / "tools", model]
        server = procs.Server(f"llama.cpp server {name}", command, self.directory / f"{name}.log")
        running.callback(server.stop)
        return server

    def first_door(self, **behaviour):
        return self.cutter.open(Door(self.first, **behaviour))

    def second_door(self, **behaviour):
        return self.cutter.open(Door(self.second, **behaviour))

    @contextmanager
    def gateway(self, cases):
        self.gateways += 1
        with ExitStack() as running:
            yield Gateway(running, self.directory / f"gateway-{self.gateways}", cases)


class Gateway:
    """Wellhead with the models of some cases."""

    def __init__(self, running, directory, cases):
        self.cases = cases
        directory.mkdir()
        self.url, self.server = self.start(running, directory)

    def start(self, running, directory):
        for _ in range(START_TRIES_MAX):
            port, admin = procs.free_port(), procs.free_port()
            config = directory / "wellhead.yaml"
            config.write_text(json.dumps(self.config(port, admin), indent=1))
            command = [program(), "serve", "--config", config, "--data-dir", directory / "data"]
            server = procs.Server("wellhead", command, directory / "wellhead.log")
            running.callback(server.stop)
            try:
                server.wait_for_status(f"http://127.0.0.1:{admin}/readyz")
            except procs.NotReady as problem:
                if "in use" in str(problem):
                    continue
                raise
            return f"http://127.0.0.1:{port}", server
        raise AssertionError("no free port was found")

    def config(self, port, admin):
        return {
            "version": 1,
            "listen": {"gateway": f"127.0.0.1:{port}", "admin": f"127.0.0.1:{admin}"},
            "server": {"drain_min": "0s", "drain_max": "1s"},
            "providers": {name: provider for case in self.cases for name, provider in case.providers()},
            "models": {case.name: case.model() for case in self.cases},
            "apps": {"rescue": {"keys": [KEY]}},
        }

    def ask(self, case, path, request):
        return ask(self.url, path, request | {"model": case.name}, KEY)

    def record(self, answer):
        """The access record of an answer."""
        name = answer.headers["x-request-id"]

        def find():
            lines = [line for line in self.server.output().splitlines() if name in line and line.startswith("{")]
            return [record for record in map(json.loads, lines) if record.get("request_id") == name]

        return eventually(find, f"an access record of {name}")[0]

    def check_all(self, path, request, check):
        """Asks every case, a few at a time, and tells of all that are not as they should be."""
        failed = []
        with ThreadPoolExecutor(AT_ONCE) as pool:
            answers = list(pool.map(lambda case: self.ask(case, path, request), self.cases))
        for case, answer in zip(self.cases, answers, strict=True):
            try:
                check(case, answer, self.record(answer))
            except AssertionError as problem:
                asked = json.dumps([door.requests for door in case.doors[1:]])
                failed.append(f"{case.name}: {problem}\nasked of the others: {asked}\n{answer}")
        names = [text.split(":")[0] for text in failed]
        assert not failed, f"{len(failed)} of {len(self.cases)}: {names}\n\n" + "\n\n".join(failed[:2])
        return answers


def program():
    return os.environ.get("WELLHEAD_BIN") or TESTS.parent / "target" / "debug" / "wellhead"


@contextmanager
def start_world():
    """In the directory of the run, whose logs are kept if a test fails."""
    directory = Path(os.environ["WELLHEAD_STACK"]).parent / "rescue"
    directory.mkdir()
    with ExitStack() as running:
        yield World(running, directory)
