"""Codex, OpenAI's coding agent, with models of other vendors behind the gateway: it speaks the Responses API alone, and none
of these targets has that. The model asks for a command, Codex runs it, and the model hears what came of it."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import KEY

HERE = Path(__file__).resolve().parent
CODEX = HERE / "node_modules" / ".bin" / "codex"
# Nothing that it does here takes longer, on a machine that does other things besides.
SECONDS_MAX = 120
SAID = "The file says: made by a tool."

# As in docs/guides/codex.md, but for the address.
CONFIGURATION = """
model = "assistant"
model_provider = "wellhead"
{more}

[model_providers.wellhead]
name = "Wellhead"
base_url = "{url}/v1"
env_key = "WELLHEAD_API_KEY"
wire_api = "responses"
"""

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")


def script(results):
    """Asks for one command, then repeats what it printed."""
    if not results:
        return "exec_command", {"cmd": "printf 'made by a tool' > made.txt && cat made.txt"}
    return "The file says: made by a tool." if "made by a tool" in results[-1] else f"No: {results[-1]}"


@pytest.fixture
def codex(tmp_path):
    """Runs Codex with a home of its own; gives its events."""

    def run(url, prompt, more='web_search = "disabled"'):
        home, work = tmp_path / "home", tmp_path / "work"
        (home / ".codex").mkdir(parents=True)
        work.mkdir()
        (home / ".codex" / "config.toml").write_text(CONFIGURATION.format(url=url, more=more))
        # Whatever else it would like to talk to is not there: a proxy that nobody listens at.
        nobody = {name: "http://127.0.0.1:9" for name in ("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy")}
        env = nobody | {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
            "WELLHEAD_API_KEY": KEY,
        }
        command = [CODEX, "exec", "--json", "--skip-git-repo-check", "--sandbox", "danger-full-access"]
        command += ["--cd", work, prompt]
        done = subprocess.run(
            list(map(str, command)), env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS_MAX
        )
        events = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
        return Run(events, work)

    return run


class Run:
    """What Codex did."""

    def __init__(self, events, work):
        self.events, self.work = events, work

    def items(self, kind):
        done = [event["item"] for event in self.events if event["type"] == "item.completed"]
        return [item for item in done if item["type"] == kind]

    def said(self):
        return "".join(item["text"] for item in self.items("agent_message"))


def check(run, *models):
    assert run.said() == SAID, run.events
    assert (run.work / "made.txt").read_text() == "made by a tool"
    (command,) = run.items("command_execution")
    assert command["exit_code"] == 0 and "made by a tool" in command["aggregated_output"]
    used = [event["usage"] for event in run.events if event["type"] == "turn.completed"]
    assert used and used[-1]["input_tokens"] > 0 and used[-1]["output_tokens"] > 0
    assert all(model.requests for model in models)


@pytest.mark.parametrize("dialect", ["anthropic", "gemini", "openai-compatible"])
def test_a_command_is_run_and_its_result_read(codex, gateway, models, dialect):
    model = models(dialect, script)
    check(codex(gateway(model), "Make the file."), model)
    assert len(model.requests) == 2
    assert not any(path.endswith("/responses") for path, _ in model.requests)


def test_as_it_comes_it_offers_a_search_that_only_openai_has(codex, gateway, models):
    model = models("anthropic", script)
    check(codex(gateway(model, settings={"drop_unsupported": ["web_search"]}), "Make the file.", more=""), model)


def test_another_vendor_takes_over(codex, gateway, models):
    overloaded, works = models("anthropic", script, status=529), models("openai-compatible", script)
    check(codex(gateway(overloaded, works), "Make the file."), overloaded, works)


def test_a_broken_stream_is_gone_on_with(codex, gateway, models):
    """The answer breaks off within its last text. Codex sees one answer."""

    def cuts(results):
        if results:
            breaks.cuts = 1
        return script(results)

    breaks, works = models("anthropic", cuts), models("openai-compatible", script)
    run = codex(gateway(breaks, works), "Make the file.")
    check(run, breaks, works)
    assert len(works.requests) == 1
