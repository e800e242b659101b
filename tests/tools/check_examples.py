"""Every example, in files and on pages, is accepted by `wellhead check` without a single message.

The variables that an example names get values; files that it names are made in a place of our own.
"""

import base64
import hashlib
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


def pages():
    """Whole configurations in the documentation: (where, text)."""
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        for block in re.finditer(r"^```yaml\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL):
            if re.search(r"^version:", block[1], re.MULTILINE):
                line = page.read_text()[: block.start()].count("\n") + 1
                yield f"{page.relative_to(ROOT)}:{line}", block[1]


def environment(text):
    """A value for each variable, none like another: two apps may not share a key."""
    names = set(re.findall(r"\$\{([A-Z_]+)\}", text))
    values = {name: f"value-of-{name}-0123456789" for name in names}
    # Secrets of webhooks have a form of their own.
    for name in (name for name in names if "WEBHOOK" in name):
        values[name] = "whsec_" + base64.b64encode(hashlib.sha256(name.encode()).digest()).decode()
    return os.environ | values


def write(text, directory):
    """The file in a directory of its own, beside the files that it reads: their paths start from its place."""
    for name in re.findall(r"\$\{file:([^/}][^}]*)\}", text):
        secret = directory / name
        secret.parent.mkdir(parents=True, exist_ok=True)
        secret.write_text(f"content-of-{secret.name}-0123456789\n")
    path = directory / "wellhead.yaml"
    path.write_text(text)
    return path


def check(name, text, warnings_allowed=False):
    """Whether the text passes; prints why not."""
    with tempfile.TemporaryDirectory() as directory:
        command = [PROGRAM, "check", "--format", "json", write(text, Path(directory))]
        result = subprocess.run(command, env=environment(text), capture_output=True, text=True, timeout=30)
    said = result.stdout + result.stderr
    good = result.returncode == 0 and (warnings_allowed or json.loads(result.stdout)["diagnostics"] == [])
    print(f"{'ok  ' if good else 'FAIL'} {name}")
    if not good:
        print(said)
    return good


def main():
    examples = sorted((ROOT / "examples").glob("*.yaml"))
    shared = sorted(SHARED.glob("*.yaml"))
    if not shared:
        print(f"note: {SHARED} is not here, so its files are not checked")
    results = [check(f"examples/{path.name}", path.read_text()) for path in examples]
    results += [check(name, text) for name, text in pages()]
    results += [check(f"shared: {path.name}", path.read_text(), warnings_allowed=True) for path in shared]
    passed = sum(results)
    print(f"checks: {passed} passed, {len(results) - passed} failed")
    sys.exit(0 if results and all(results) else 1)


if __name__ == "__main__":
    main()
