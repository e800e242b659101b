"""A simulator and a gateway for the programs of the pages: `chat` is a model at whichever family of targets is asked for."""

import functools
import os
import shutil
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(Path(__file__).parent), str(TESTS / "tools")]

import stack  # noqa: E402

KEY = "wh-guides-0123456789abcdef"
# Family of targets: kind, and what follows the simulator's address.
FAMILIES = {"openai": ("openai", "/v1"), "anthropic": ("anthropic", ""), "gemini": ("gemini", "")}


def key(family):
    """Each family is an app of its own, so that all pages can ask for the model `chat`."""
    return f"{KEY}-{family}"


def build(gateway_port, admin_port, sim_url, family):
    kind, base = FAMILIES[family]
    return {
        "version": 1,
        "listen": {"gateway": f"127.0.0.1:{gateway_port}", "admin": f"127.0.0.1:{admin_port}"},
        "server": {"drain_min": "0s", "drain_max": "1s"},
        "providers": {family: {"kind": kind, "base_url": sim_url + base, "keys": [f"sk-{family}"]}},
        # As the page on the Vercel AI SDK says for targets of Google.
        "models": {"chat": {"targets": [{"provider": family, "model": "practice"}],
                            "drop_unsupported": ["parallel_tool_calls"]}},
        "apps": {"guides": {"keys": [key(family)]}},
    }


@pytest.fixture(scope="session")
def gateways():
    """The address of a gateway for each family of targets, and of the simulator behind all."""
    directory = stack.WORK / f"stack-{os.getpid()}"
    with ExitStack() as running:
        directory.mkdir(parents=True, mode=0o700)
        sim = stack.start_simulator(running, directory, "sim", pace="0ms")
        found = {"sim": sim}
        for family in FAMILIES:
            own = directory / family
            own.mkdir()
            found[family], _ = stack.start_gateway(running, own, functools.partial(build, sim_url=sim, family=family))
        yield found
    shutil.rmtree(directory)
