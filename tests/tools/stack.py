"""Brings up everything that a client suite talks to, runs the suite, and takes everything down again.

    python stack.py -- COMMAND...            gateway in front of two simulators and a llama.cpp server
    python stack.py --direct -- COMMAND...   no gateway: the suite talks to the simulator itself

COMMAND finds what is running in the JSON file that the variable WELLHEAD_STACK names. The program under test is
WELLHEAD_BIN, or target/debug/wellhead.
"""

import argparse
import functools
import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import procs
import test_config

TESTS = Path(__file__).resolve().parents[1]
WORK = TESTS / ".work"
# A port is picked before it is bound; somebody else may be faster.
START_TRIES_MAX = 3
# Slow enough that a stream is a stream, fast enough that the suites are not about waiting.
TOKEN_PACE = "1ms"


def program():
    """The binary under test."""
    path = Path(os.environ.get("WELLHEAD_BIN") or TESTS.parent / "target" / "debug" / "wellhead")
    if not path.exists():
        sys.exit(f"{path} does not exist; build it with: cargo build --package wellhead")
    return path


def start_simulator(running, directory, name, pace=TOKEN_PACE):
    """A simulated provider; gives its URL without `/v1`."""
    command = [program(), "sim", "--addr", "127.0.0.1:0", "--pace", pace]
    server = procs.Server(f"simulator {name}", command, directory / f"{name}.log")
    running.callback(server.stop)
    return server.wait_for_line(r"http://127\.0\.0\.1:\d+")[0]


def start_llama(running, directory):
    """A llama.cpp server on a random model that is made now."""
    model = directory / "tiny.gguf"
    subprocess.run([sys.executable, TESTS / "tools" / "tiny_model.py", model], check=True)
    command = [sys.executable, TESTS / "tools" / "llama_server.py", model]
    server = procs.Server("llama.cpp server", command, directory / "llama.log")
    running.callback(server.stop)
    return server.wait_for_line(r"listening on (\S+)")[1].rstrip("/")


def start_gateway(running, directory, build):
    """Wellhead itself, with the configuration that `build` makes of two ports; gives the two base addresses."""
    for attempt in range(START_TRIES_MAX):
        gateway, admin = procs.free_port(), procs.free_port()
        config = directory / "wellhead.yaml"
        config.write_text(json.dumps(build(gateway, admin), indent=1))
        command = [program(), "serve", "--config", config, "--data-dir", directory / "data"]
        server = procs.Server("wellhead", command, directory / "wellhead.log")
        running.callback(server.stop)
        try:
            server.wait_for_status(f"http://127.0.0.1:{admin}/readyz")
        except procs.NotReady as problem:
            in_use = "in use" in str(problem)
            if not in_use or attempt + 1 == START_TRIES_MAX:
                raise
            continue
        return f"http://127.0.0.1:{gateway}", f"http://127.0.0.1:{admin}"
    raise AssertionError("unreachable")


def bring_up(running, directory, direct):
    """Starts all servers; gives what the suites need to know."""
    claims = directory / "claims"
    claims.mkdir()
    steady = start_simulator(running, directory, "steady")
    llama = start_llama(running, directory)
    facts = {"claims": str(claims), "spares": test_config.SPARES, "sims": {"steady": steady}, "llama_url": llama}
    facts["apps"] = {name: test_config.app_key(name) for name in test_config.APPS}
    if direct:
        return facts | {"mode": "direct", "gateway_url": steady, "admin_url": None}
    faulty = start_simulator(running, directory, "faulty")
    refusing = procs.RefusingPort()
    running.callback(refusing.close)
    upstreams = dict(steady_url=steady, faulty_url=faulty, refusing_port=refusing.port, llama_url=llama)
    build = functools.partial(test_config.build, **upstreams)
    gateway, admin = start_gateway(running, directory, build)
    facts["sims"]["faulty"] = faulty
    return facts | {"mode": "gateway", "gateway_url": gateway, "admin_url": admin}


def fresh_directory():
    """A directory of this run alone, so that two suites may run at once."""
    directory = WORK / f"stack-{os.getpid()}"
    directory.mkdir(parents=True, mode=0o700)
    return directory


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--direct", action="store_true", help="leave the gateway out")
    parser.add_argument("command", nargs="+", metavar="COMMAND")
    options = parser.parse_args()
    # A stop from outside takes the servers down too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    directory = fresh_directory()
    with ExitStack() as running:
        try:
            facts = bring_up(running, directory, options.direct)
        except procs.NotReady as problem:
            sys.exit(str(problem))
        stack = directory / "stack.json"
        stack.write_text(json.dumps(facts, indent=1))
        status = subprocess.run(options.command, env=os.environ | {"WELLHEAD_STACK": str(stack)}).returncode
    if status == 0:
        shutil.rmtree(directory)
    else:
        print(f"the logs of the servers are kept in {directory}", flush=True)
    sys.exit(status)


if __name__ == "__main__":
    main()
