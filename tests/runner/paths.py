"""Where things are. Everything that the runner makes is in a git-ignored place."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests"
NODE_SUITE = TESTS / "clients" / "node"
AGENTS_SUITE = TESTS / "clients" / "agents"
PYTHON_SUITE = TESTS / "clients" / "python"
TOOLS = TESTS / "tools"

# Logs, generated configurations and the generated model of the newest run.
WORK = TESTS / ".work"
LOGS = WORK / "logs"

VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"

# What the programs of docs/guides need, apart from what the other suites need.
GUIDES = TESTS / "clients" / "guides"
GUIDES_VENV = WORK / "guides-venv"

TARGET = Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target").absolute()
# Cargo subcommands that the machine lacked; not in the person's own ~/.cargo.
CARGO_TOOLS = TARGET / "tools"
# One binary for all suites, built once with the dev profile (its dependencies are optimised).
WELLHEAD = TARGET / "debug" / "wellhead"
