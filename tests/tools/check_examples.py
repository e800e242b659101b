"""Every example is accepted by `wellhead check` without a single message; so are the shared configurations.

The variables that an example names get values; files that it names are made in a place of our own.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(os.environ.get("WELLHEAD_BIN") or ROOT / "target" / "debug" / "wellhead")
# Accepted as written, with warnings where a feature is still to come. Beside the project where it is developed.
SHARED = ROOT.parent / "shared" / "contract"


def environment(text):
    """A value for each variable, none like another: two apps may not share a key."""
    names = set(re.findall(r"\$\{([A-Z_]+)\}", text))
    return os.environ | {name: f"value-of-{name}-0123456789" for name in names}


def copy(path, directory):
    """The file in a directory of its own, beside the files that it reads: their paths start from its place."""
    text = path.read_text()
    for name in re.findall(r"\$\{file:([^/}][^}]*)\}", text):
        secret = directory / name
        secret.parent.mkdir(parents=True, exist_ok=True)
        secret.write_text(f"content-of-{secret.name}-0123456789\n")
    (directory / path.name).write_text(text)
    return directory / path.name, environment(text)


def check(path, warnings_allowed):
    """Whether the file passes; prints why not."""
    with tempfile.TemporaryDirectory() as directory:
        place, env = copy(path, Path(directory))
        command = [PROGRAM, "check", "--format", "json", place]
        result = subprocess.run(command, env=env, capture_output=True, text=True, timeout=30)
    said = result.stdout + result.stderr
    good = result.returncode == 0 and (warnings_allowed or json.loads(result.stdout)["diagnostics"] == [])
    print(f"{'ok  ' if good else 'FAIL'} {path.name}")
    if not good:
        print(said)
    return good


def main():
    examples = sorted((ROOT / "examples").glob("*.yaml"))
    shared = sorted(SHARED.glob("*.yaml"))
    if not shared:
        print(f"note: {SHARED} is not here, so its files are not checked")
    results = [check(path, warnings_allowed=False) for path in examples]
    results += [check(path, warnings_allowed=True) for path in shared]
    passed = sum(results)
    print(f"checks: {passed} passed, {len(results) - passed} failed")
    sys.exit(0 if results and all(results) else 1)


if __name__ == "__main__":
    main()
