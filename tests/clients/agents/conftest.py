"""A gateway of each test's own, in front of scripted models."""

import json
import os
import sys
from pathlib import Path

import pytest
from scripted import Model

TESTS = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TESTS / "tools"))

import procs  # noqa: E402

PROGRAM = Path(os.environ.get("WELLHEAD_BIN") or TESTS.parent / "target" / "debug" / "wellhead")
KEY = "wh-tests-agents-0123456789abcdef"
BASES = {"anthropic": "", "openai-compatible": "/v1", "gemini": "/v1beta"}


@pytest.fixture
def models():
    """Makes scripted models; ends them with the test."""
    made = []

    def make(*arguments, **options):
        made.append(Model(*arguments, **options))
        return made[-1]

    yield make
    for model in made:
        model.close()


@pytest.fixture
def gateway(tmp_path):
    """Starts a gateway in front of models, the first of them in the first tier; gives its address."""
    started = []

    def start(*targets, settings=None):
        port, admin = procs.free_port(), procs.free_port()
        providers, tiers = {}, []
        for number, target in enumerate(targets):
            provider = {"kind": target.dialect, "base_url": target.url + BASES[target.dialect], "keys": ["sk-tests"]}
            if target.dialect == "openai-compatible":
                provider["responses"] = False
            providers[f"p{number}"] = provider
            tiers.append({"provider": f"p{number}", "model": "scripted", "tier": number})
        configuration = {
            "version": 1,
            "listen": {"gateway": f"127.0.0.1:{port}", "admin": f"127.0.0.1:{admin}"},
            "server": {"drain_min": "0s", "drain_max": "1s"},
            "providers": providers,
            "models": {"assistant": {"targets": tiers} | (settings or {})},
            "apps": {"agents": {"keys": [KEY]}},
        }
        path = tmp_path / "wellhead.yaml"
        path.write_text(json.dumps(configuration))
        command = [PROGRAM, "serve", "--config", path, "--data-dir", tmp_path / "data"]
        server = procs.Server("wellhead", command, tmp_path / "wellhead.log")
        started.append(server)
        server.wait_for_line(r"ready in \d+ ms")
        return f"http://127.0.0.1:{port}"

    yield start
    for server in started:
        server.stop()
