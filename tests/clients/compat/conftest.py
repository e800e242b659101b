"""One simulator, one gateway and every client for the whole table; what came out is written down at the end."""

import functools
import json
import os
import shutil
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(Path(__file__).parent), str(TESTS / "tools")]
# The judge of Bedrock's requests stands beside the suite of that dialect; what has the same name here goes before.
sys.path.append(str(TESTS / "clients" / "python"))

import config  # noqa: E402
import stack  # noqa: E402
import tee  # noqa: E402
from drivers import anthropic_messages, google_genai, node, openai_chat, openai_responses  # noqa: E402
from world import World  # noqa: E402

RESULTS = TESTS / ".work" / "compatibility.json"


def connect(running, url, directory):
    """Every client, by the name of its column."""
    key = config.app_key("suite")
    log = running.enter_context((directory / "node.log").open("w"))
    process = node.NodeProcess(url, key, log)
    running.callback(process.stop)
    others = {name: node.NodeDriver(process, name) for name in
              ("openai-node", "responses-node", "anthropic-node", "genai-node")}
    return others | {
        "openai-python": openai_chat.OpenAIChat(url, key),
        "responses-python": openai_responses.OpenAIResponses(url, key),
        "anthropic-python": anthropic_messages.AnthropicMessages(url, key),
        "genai-python": google_genai.GoogleGenAI(url, key),
    }


@pytest.fixture(scope="session")
def world():
    directory = stack.WORK / f"stack-{os.getpid()}"
    directory.mkdir(parents=True, mode=0o700)
    with ExitStack() as running:
        sim = stack.start_simulator(running, directory, "sim", pace="0ms")
        build = functools.partial(config.build, sim_url=sim)
        gateway, _ = stack.start_gateway(running, directory, build)
        relay = tee.Tee(int(gateway.rpartition(":")[2]))
        running.callback(relay.stop)
        world = World(sim, relay, connect(running, relay.url, directory))
        yield world
        RESULTS.write_text(json.dumps(world.results, indent=1))
    shutil.rmtree(directory)
