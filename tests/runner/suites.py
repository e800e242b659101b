"""The suites in the order in which they run: cheap ones that fail often come first."""

import os
from dataclasses import dataclass, field

from . import install, paths

# All of `make test`, cold, on two cores.
ALL_SECONDS_MAX = 60 * 60
# Time to build a cargo subcommand that the machine lacks.
TOOL_SECONDS_MAX = 12 * 60
# Each fuzz target gets this long; `make soak` gives it an hour.
FUZZ_SECONDS = 15


class Skip(Exception):
    """The suite cannot run on this machine; the text says why."""


@dataclass(frozen=True)
class Suite:
    """One row of the table. `prepare` may raise Skip; `command` is run in the root of the project."""

    name: str
    share_s: int
    command: object  # list, or a function that gives one
    in_check: bool = False
    prepare: object = None
    env: dict = field(default_factory=dict)

    def argv(self):
        return self.command() if callable(self.command) else self.command


def nextest_or_test(*selection):
    """`cargo nextest` where it can be had (it is faster and kills a test that hangs), else `cargo test`."""

    def command():
        if install.cargo_tool("nextest", TOOL_SECONDS_MAX):
            return ["cargo", "nextest", "run", "--no-fail-fast", "--no-tests=pass", *selection]
        return ["cargo", "test", "--no-fail-fast", "--lib", "--bins", "--tests", *selection]

    return command


def needs_cargo_deny():
    if not install.cargo_tool("deny", TOOL_SECONDS_MAX):
        raise Skip("cargo-deny could not be installed")


def needs_cargo_fuzz():
    if not (paths.ROOT / "fuzz" / "Cargo.toml").exists():
        raise Skip("there is no fuzz directory")
    if not install.cargo_tool("fuzz", TOOL_SECONDS_MAX):
        raise Skip("cargo-fuzz could not be installed")


def on_stack(*command):
    """Runs `command` beside a fresh gateway, simulators and a llama.cpp server."""
    return [paths.PYTHON, paths.TOOLS / "stack.py", "--", *command]


def pytest(*selection):
    return [paths.PYTHON, "-m", "pytest", "-p", "no:cacheprovider", *selection]


def node_tests():
    files = sorted(str(path) for path in paths.NODE_SUITE.glob("*.test.mjs"))
    options = ["--test", "--test-reporter=spec", "--test-concurrency=1"]
    return on_stack("node", *options, *files)


SUITES = [
    Suite("fmt", 60, ["cargo", "fmt", "--all", "--check"], in_check=True),
    Suite("clippy", 900, ["cargo", "clippy", "--workspace", "--all-targets", "--", "-D", "warnings"], in_check=True),
    Suite("tidy", 180, ["cargo", "xtask", "tidy"], in_check=True),
    Suite("build", 900, ["cargo", "build", "--package", "wellhead"]),
    Suite("schema", 180, ["cargo", "xtask", "schema", "--check"]),
    Suite("unit", 1200, nextest_or_test("--workspace", "--exclude", "wellhead-it"), in_check=True),
    Suite("world", 300, ["cargo", "run", "--quiet", "--package", "wellhead-world", "--", "--seeds", "0..256",
                         "--planted"]),
    Suite("doc", 400, ["cargo", "test", "--workspace", "--doc"]),
    Suite("it", 900, nextest_or_test("--package", "wellhead-it")),
    Suite("runner", 60, pytest(paths.TESTS / "runner")),
    Suite("soak-checker", 60, [paths.PYTHON, paths.TESTS / "soak" / "test_soak.py"]),
    Suite("bench-harness", 60, [paths.PYTHON, paths.ROOT / "bench" / "test_harness.py"]),
    Suite("money", 60, pytest(paths.TESTS / "money")),
    Suite("examples", 60, [paths.PYTHON, paths.TOOLS / "check_examples.py"]),
    Suite("first-run", 120, pytest(paths.TESTS / "clients" / "first_run")),
    Suite("sdk-python", 420, on_stack(*pytest("--ignore-glob=*test_llama*", paths.PYTHON_SUITE))),
    Suite("sdk-node", 300, node_tests),
    Suite("agents", 240, pytest(paths.AGENTS_SUITE)),
    Suite("compatibility", 240, pytest(paths.TESTS / "clients" / "compat")),
    Suite("guides", 240, pytest(paths.GUIDES), prepare=install.guides_packages),
    Suite("llama", 180, on_stack(*pytest(*sorted(paths.PYTHON_SUITE.glob("test_llama*.py"))))),
    Suite("deny", 300, ["cargo", "deny", "check", "bans", "licenses", "sources"], prepare=needs_cargo_deny),
    Suite("fuzz-smoke", 900, ["bash", paths.TOOLS / "fuzz_smoke.sh"], prepare=needs_cargo_fuzz,
          env={"FUZZ_SECONDS": str(FUZZ_SECONDS)}),
]


def environment(suite):
    """What a suite's command sees."""
    environment = install.tool_environment(os.environ)
    environment |= {"WELLHEAD_BIN": str(paths.WELLHEAD), "PYTHONDONTWRITEBYTECODE": "1"}
    return environment | suite.env
