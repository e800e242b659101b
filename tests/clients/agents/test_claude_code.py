"""Claude Code itself, headless, at models that are not Anthropic's: a question, and a tool with its result."""

import functools
import json
import os
import shutil
import subprocess
import sys
import urllib.request
from contextlib import ExitStack
from pathlib import Path

import pytest

HERE = Path(__file__).parent
TESTS = HERE.parents[1]
sys.path.insert(0, str(TESTS / "tools"))

import stack  # noqa: E402

CLAUDE = HERE / "node_modules" / ".bin" / "claude"
KEY = "wh-agents-0123456789abcdef"
# Family of targets: kind, what follows the simulator's address, where requests arrive there.
FAMILIES = {
    "openai": ("openai", "/v1", "/v1/chat/completions"),
    "gemini": ("gemini", "", "/v1beta/models/practice:streamGenerateContent"),
    "anthropic": ("anthropic", "", "/v1/messages"),
}
SECONDS_MAX = 90
# Nobody listens there: whatever it wants to tell anybody else fails.
NOWHERE = "http://127.0.0.1:9"


def build(gateway_port, admin_port, sim_url):
    """One model for each family. As docs/guides/claude-code.md has it."""
    return {
        "version": 1,
        "listen": {"gateway": f"127.0.0.1:{gateway_port}", "admin": f"127.0.0.1:{admin_port}"},
        "server": {"drain_min": "0s", "drain_max": "1s"},
        "providers": {
            name: {"kind": kind, "base_url": sim_url + base, "keys": [f"sk-{name}"]}
            for name, (kind, base, _) in FAMILIES.items()
        },
        "models": {name: {"targets": [{"provider": name, "model": "practice"}]} for name in FAMILIES},
        "apps": {"agents": {"keys": [KEY]}},
    }


@pytest.fixture(scope="module")
def servers():
    """The addresses of the gateway and of the simulator behind it."""
    directory = stack.WORK / f"stack-{os.getpid()}"
    with ExitStack() as running:
        directory.mkdir(parents=True, mode=0o700)
        sim = stack.start_simulator(running, directory, "sim", pace="0ms")
        gateway, _ = stack.start_gateway(running, directory, functools.partial(build, sim_url=sim))
        yield gateway, sim
    shutil.rmtree(directory)


def environment(gateway, model, home):
    """Nothing of the person who tests, and no traffic but that to the gateway."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "ANTHROPIC_BASE_URL": gateway,
        "ANTHROPIC_AUTH_TOKEN": KEY,
        "ANTHROPIC_MODEL": model,
        "ANTHROPIC_DEFAULT_HAIKU_MODEL": model,
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "DISABLE_AUTOUPDATER": "1",
        "HTTP_PROXY": NOWHERE,
        "HTTPS_PROXY": NOWHERE,
        "NO_PROXY": "127.0.0.1",
    }


def requests(sim):
    with urllib.request.urlopen(f"{sim}/_sim/requests", timeout=10) as response:
        return json.load(response)["requests"]


def ask(servers, tmp_path, family, prompt, *options):
    """What Claude Code reports, and what the target was asked meanwhile."""
    gateway, sim = servers
    before = len(requests(sim))
    work, home = tmp_path / "work", tmp_path / "home"
    work.mkdir()
    home.mkdir()
    command = [CLAUDE, "-p", prompt, "--output-format", "json", *options]
    result = subprocess.run(
        command, cwd=work, env=environment(gateway, family, home), stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=SECONDS_MAX,
    )
    assert result.returncode == 0, result.stdout[-4000:] + result.stderr[-2000:]
    told = json.loads(result.stdout)
    assert (told["subtype"], told["is_error"]) == ("success", False), told
    seen = requests(sim)[before:]
    assert {(entry["path"], entry["status"]) for entry in seen} == {(FAMILIES[family][2], 200)}
    return told, seen


@pytest.mark.parametrize("family", FAMILIES)
def test_a_question(servers, tmp_path, family):
    """With all of its own tools declared, as it is by default."""
    told, seen = ask(servers, tmp_path, family, "What is a wellhead?")
    assert told["result"].startswith("Hello from the practice provider.")
    assert told["usage"]["input_tokens"] > 1000 and told["usage"]["output_tokens"] > 0
    assert any('"Bash"' in entry["body"] for entry in seen)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_tool_and_its_result(servers, tmp_path, family):
    config = tmp_path / "mcp.json"
    server = {"command": sys.executable, "args": [str(HERE / "weather_server.py")]}
    config.write_text(json.dumps({"mcpServers": {"weather": server}}))
    tool = "mcp__weather__get_weather"
    told, seen = ask(
        servers, tmp_path, family, f"Use {tool}: do I need an umbrella in Oslo?",
        # No tools of its own: the practice model calls whatever it finds a name of.
        "--tools", "", "--mcp-config", config, "--strict-mcp-config", "--allowedTools", tool,
    )
    assert told["num_turns"] == 2 and told["permission_denials"] == []
    assert told["result"].startswith("Hello from the practice provider.")
    assert [entry for entry in seen if "Rain in Oslo, 12 degrees." in entry["body"]] == [seen[-1]]
