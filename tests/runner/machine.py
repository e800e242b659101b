"""What a machine must have before anything can be installed: named with the line that installs it."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass

PYTHON_MIN = (3, 11)
NODE_MIN = (20, 0)


@dataclass(frozen=True)
class Missing:
    """One thing that is not there: what it is for, and how to get it."""

    what: str
    why: str
    packages: tuple[str, ...] = ()
    line: str = ""

    def fix(self):
        return self.line or f"apt-get install -y {' '.join(self.packages)}"


def version_of(command):
    """The first two numbers that `command --version` prints, or None when it cannot be run."""
    try:
        text = subprocess.run([command, "--version"], capture_output=True, text=True, timeout=60).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r"(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else None


def missing_tools():
    """Every prerequisite that this machine lacks, all at once."""
    gaps = []
    if version_of("cargo") is None:
        line = "curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh"
        gaps.append(Missing("cargo", "builds Wellhead", line=line))
    if shutil.which("cc") is None:
        gaps.append(Missing("a C compiler (cc)", "builds SQLite and the TLS library", ("build-essential",)))
    if sys.version_info < PYTHON_MIN:
        wanted = ".".join(map(str, PYTHON_MIN))
        gaps.append(Missing(f"Python {wanted} or newer", "runs the tests", ("python3", "python3-venv")))
    elif not has_venv():
        gaps.append(Missing("Python's venv module", "keeps test packages apart", ("python3-venv",)))
    node = version_of("node")
    if node is None or node < NODE_MIN:
        why = "runs the suite of the Node SDK" + (f" (found {node[0]}.{node[1]})" if node else "")
        gaps.append(Missing(f"Node {NODE_MIN[0]} or newer", why, ("nodejs", "npm")))
    elif version_of("npm") is None:
        gaps.append(Missing("npm", "installs the Node SDK", ("npm",)))
    return gaps


def has_venv():
    """Debian splits these two modules off; without ensurepip, `python3 -m venv` fails half way."""
    probe = [sys.executable, "-c", "import ensurepip, venv"]
    return subprocess.run(probe, capture_output=True).returncode == 0


def require_tools():
    """Makes sure that every prerequisite is there: installs Debian packages when it may, else says how and exits."""
    gaps = missing_tools()
    packages = sorted({package for gap in gaps for package in gap.packages})
    if packages and os.geteuid() == 0 and shutil.which("apt-get"):
        print(f"installing Debian packages: {' '.join(packages)}", flush=True)
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        for step in (["apt-get", "update", "-q"], ["apt-get", "install", "-y", "-q", *packages]):
            subprocess.run(step, env=environment, stdin=subprocess.DEVNULL, check=False)
        gaps = missing_tools()
    if gaps:
        print("This machine lacks what the tests need:\n", file=sys.stderr)
        for gap in gaps:
            print(f"  {gap.what}: {gap.why}\n      {gap.fix()}", file=sys.stderr)
        sys.exit(2)
