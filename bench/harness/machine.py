"""The machine and its programs: what must be there, what is there, in which version."""

import datetime
import hashlib
import json
import os
import pathlib
import platform
import re
import resource
import shutil
import subprocess
import sys
import venv

from .settings import BENCH, REPO, BenchError

# program → Debian package
PROGRAMS = {"nginx": "nginx", "haproxy": "haproxy", "wrk": "wrk", "taskset": "util-linux", "valgrind": "valgrind"}


def say(text):
    """One line of progress for the person who waits."""
    print(text, file=sys.stderr, flush=True)


def install_missing():
    """Installs what is missing where that is possible; otherwise names the line that does."""
    # Debian keeps servers in sbin, which is not in everybody's path.
    os.environ["PATH"] += os.pathsep + os.pathsep.join(("/usr/local/sbin", "/usr/sbin", "/sbin"))
    packages = sorted({package for program, package in PROGRAMS.items() if not shutil.which(program)})
    if not packages:
        return
    line = "apt-get install -y --no-install-recommends " + " ".join(packages)
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise BenchError(f"missing: {', '.join(packages)}. On Debian or Ubuntu, as root:\n  {line}")
    say(f"installing {', '.join(packages)}")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "update"], line.split()):
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BenchError(f"{line}\nfailed:\n{done.stderr.strip()[-800:]}")


def build_load():
    """Builds the load generator; returns its path."""
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR") or REPO / "target" / "bench-load")
    manifest = BENCH / "load" / "Cargo.toml"
    return _build(["--locked", "--manifest-path", manifest], target, "load")


def build_wellhead():
    """Builds Wellhead as it is shipped; returns its path."""
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR") or REPO / "target")
    return _build(["--manifest-path", REPO / "Cargo.toml", "--package", "wellhead"], target, "wellhead")


def _build(options, target, program):
    command = ["cargo", "build", "--release", *map(str, options)]
    try:
        done = subprocess.run(command, env={**os.environ, "CARGO_TARGET_DIR": str(target)}, check=False)
    except FileNotFoundError:
        raise BenchError("cargo is missing: https://rustup.rs installs it") from None
    if done.returncode != 0:
        raise BenchError(f"{program} did not build; see cargo's message above")
    return (target / "release" / program).resolve()


def install_litellm():
    """LiteLLM in its own environment. (path, None), or (None, why it cannot be had)."""
    place = BENCH / ".venv"
    program = place / "bin" / "litellm"
    if not program.exists():
        say("installing LiteLLM into bench/.venv (some minutes)")
        venv.create(place, with_pip=True, clear=True)
        command = [place / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", "litellm[proxy]"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            last = (done.stderr.strip() or "no message").splitlines()[-1]
            return None, f"could not be installed: {last[:200]}"
    return program, None


def cores(gateway_core, load_core):
    """Two different cores that this process may use."""
    usable = sorted(os.sched_getaffinity(0))
    if len(usable) < 2:
        raise BenchError("two cores are needed: one for the gateway, one for the load and the upstream")
    gateway = usable[-1] if gateway_core is None else gateway_core
    load = usable[0] if load_core is None else load_core
    if gateway == load or not {gateway, load} <= set(usable):
        raise BenchError(f"--gateway-core {gateway} --load-core {load}: expected two different ones of {usable}")
    return gateway, load


def descriptor_limit(idle_streams):
    """The limit for all programs; two descriptors per stream in the gateway, and some."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = max(20_000, idle_streams * 3)
    limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if limit < idle_streams * 2 + 500:
        raise BenchError(f"at most {hard} open files are allowed; {idle_streams * 2 + 500} are needed (ulimit -Hn)")
    return limit


def shape():
    """The machine in a few words, without its name."""
    info = pathlib.Path("/proc/cpuinfo").read_text()
    model = re.search(r"^model name\s*:\s*(.*)$", info, re.M)
    memory = re.search(r"^MemTotal:\s*(\d+)", pathlib.Path("/proc/meminfo").read_text(), re.M)
    release = pathlib.Path("/etc/os-release")
    system = re.search(r'^PRETTY_NAME="?([^"\n]*)', release.read_text(), re.M) if release.exists() else None
    return {
        "processor": model.group(1) if model else platform.machine(), "cores": os.cpu_count(),
        "memory_gib": round(int(memory.group(1)) / 1024 / 1024, 1) if memory else None,
        "system": system.group(1) if system else platform.system(), "kernel": platform.release().split("-")[0],
    }


def versions(settings):
    """What was measured with what."""
    found = {
        "nginx": _first(["nginx", "-v"], r"nginx/(\S+)"),
        "haproxy": _first(["haproxy", "-v"], r"version (\S+)"),
        "wrk": _first(["wrk", "-v"], r"wrk (\S+)"),
        "valgrind": _first(["valgrind", "--version"], r"valgrind-(\S+)"),
        "rustc": _first(["rustc", "--version"], r"rustc (\S+)"),
    }
    if settings.wellhead:
        found["wellhead"] = _wellhead(settings.wellhead)
    if settings.litellm:
        pip = settings.litellm.parent / "pip"
        found["litellm"] = _first([pip, "show", "litellm"], r"Version: (\S+)")
    return {name: version for name, version in found.items() if version}


def _wellhead(program):
    done = subprocess.run([program, "version", "--json"], capture_output=True, text=True, check=False)
    try:
        version = json.loads(done.stdout).get("version", "unknown")
    except ValueError:
        version = "unknown"
    # The program says which version it is; the digest says which program it was, wherever it was built.
    digest = hashlib.sha256(pathlib.Path(program).read_bytes()).hexdigest()[:12]
    return f"{version} (sha256 {digest}…)"


def _first(command, pattern):
    try:
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(pattern, done.stdout + done.stderr)
    return match.group(1) if match else None


def today():
    """The date of the record, in UTC."""
    return datetime.datetime.now(datetime.timezone.utc).date().isoformat()
