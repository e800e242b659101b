"""Installs what the suites need, into git-ignored places, and only when it is not there yet."""

import hashlib
import os
import shutil
import subprocess
import sys

from . import paths

REQUIREMENTS = paths.TESTS / "clients" / "requirements.txt"


class InstallError(Exception):
    """Something could not be installed; the text says what and how it was tried."""


def run(command, **options):
    """Runs an installer; its output is the person's to see."""
    print("+", " ".join(map(str, command)), flush=True)
    result = subprocess.run(command, stdin=subprocess.DEVNULL, **options)
    if result.returncode != 0:
        raise InstallError(f"exit status {result.returncode}: {' '.join(map(str, command))}")


def fingerprint(*parts):
    """Changes when one of the parts (paths or texts) changes."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.read_bytes() if hasattr(part, "read_bytes") else str(part).encode())
        digest.update(b"\0")
    return digest.hexdigest()


def once(stamp, mark, install):
    """Runs `install` unless `stamp` says that it succeeded with this same mark before."""
    if stamp.exists() and stamp.read_text() == mark:
        return
    install()
    stamp.write_text(mark)


def environment(place, requirements):
    """A virtual environment with what `requirements` lists."""

    def install():
        run([sys.executable, "-m", "venv", "--clear", place])
        pip = [place / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--quiet"]
        run([*pip, "--requirement", requirements])

    once(place / ".installed", fingerprint(requirements, sys.version), install)


def python_packages():
    """The virtual environment with the Python SDKs, pytest and the llama.cpp server."""
    environment(paths.VENV, REQUIREMENTS)


def guides_packages():
    """What the Python programs of the guides need."""
    environment(paths.GUIDES_VENV, paths.GUIDES / "requirements.txt")


def node_modules(place):
    """Packages for Node, exactly as the lock file in `place` says."""

    def install():
        run(["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=place)

    once(place / "node_modules" / ".installed", fingerprint(place / "package-lock.json"), install)


def node_packages():
    """The Node SDKs and the coding agents."""
    node_modules(paths.NODE_SUITE)
    node_modules(paths.AGENTS_SUITE)


def tool_environment(base=None):
    """The environment in which cargo finds the subcommands that were installed here."""
    environment = dict(os.environ if base is None else base)
    environment["PATH"] = f"{paths.CARGO_TOOLS / 'bin'}{os.pathsep}{environment.get('PATH', '')}"
    return environment


def cargo_tool(name, seconds_max):
    """Whether `cargo NAME` can be used; builds it from source when it is missing, within the given time."""
    environment = tool_environment()
    if shutil.which(f"cargo-{name}", path=environment["PATH"]):
        return True
    command = ["cargo", "install", f"cargo-{name}", "--locked", "--quiet", "--root", paths.CARGO_TOOLS]
    # Its own target directory is kept, so that an interrupted installation goes on where it was.
    environment["CARGO_TARGET_DIR"] = str(paths.CARGO_TOOLS / "build")
    try:
        run(command, env=environment, timeout=seconds_max)
    except (InstallError, subprocess.TimeoutExpired) as problem:
        print(f"cargo-{name} could not be installed: {problem}", flush=True)
        return False
    return True
