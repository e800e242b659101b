"""The page docs/reference/soak.md: what was done, on what, and what came of it."""

import subprocess

from .settings import REPO

PAGE = REPO / "docs" / "reference" / "soak.md"


def render(settings, rows, shape, version, commit, date, whole):
    """The page as text. `whole`: every part ran at its published size."""
    verdict = "No promise was broken." if not settings.findings_count else \
        f"**{settings.findings_count} promises were broken**, see below."
    lines = [
        "# Soak", "",
        "Long runs that wear the gateway down: upstreams killed, configurations replaced, random faults, outages, long",
        "searches for bad input. `make soak` writes this page; it fails when a promise is broken.", "",
        verdict, "",
        "| | |", "| --- | --- |",
        f"| Date | {date} |", f"| Commit | {commit} |", f"| Program | {version} |",
        f"| Machine | {shape['processor']}, {shape['cores']} cores, {shape['memory_gib']} GiB, {shape['system']}, "
        f"Linux {shape['kernel']} |",
        f"| Seed | {settings.seed} |", "",
        "| Part | What | Figures | Time |", "| --- | --- | --- | --- |",
    ]
    lines += [f"| {row.part} | {row.what} | {row.figures} | {took(row.seconds)} |" for row in rows]
    if not whole:
        lines += ["", "This was a shortened run."]
    left_out = [row.part for row in rows if not row.ran]
    if left_out:
        lines += ["", f"Not run: {', '.join(left_out)}."]
    if settings.findings_count:
        lines += ["", "## Broken promises", ""]
        lines += [f"* {part}: {' '.join(text.split())}" for part, text in settings.findings]
        if settings.findings_count > len(settings.findings):
            lines += [f"* and {settings.findings_count - len(settings.findings)} more"]
    lines += ["", EXPLANATION]
    return "\n".join(lines)


EXPLANATION = """\
## What is promised and checked

| Part | Promise |
| --- | --- |
| `kills` | a request that has not received content is not lost when its upstream dies; one that has ends with an error event |
| `reloads` | a valid file takes effect whole, an invalid one changes nothing and names its line; no stream notices either |
| `faults` | every request ends before its deadline; nothing truncated looks finished; where a healthy target is in reach it answers; rung, attempts and target agree with what the upstreams saw; errors have the documented shape and tell nothing internal |
| `outages` | while one of two targets is down no request fails, the dead one is asked by probes only, and p99 stays within 1.2 times the healthy one; its traffic is back within 30 s of its return. When both are down, everybody is told so truthfully, and 15 s after their return as many calls are answered as before (95 %) |
| `memory` | one process serves all of it, does not panic, and weighs afterwards what it weighed before, within the bound |
| `survival` | every fault of the simulator on the first target with every one on the second, streamed and not, ends in the complete answer or in an honest error, as in [survival.md](survival.md) |
| `overload` | at five times the capacity, goodput stays at 90 % of it, the highest class is answered, no app is starved, memory is bounded; after an outage goodput comes back in spite of retries |
| `deferred` | whatever moment the gateway is killed at, no request that got a 202 is lost and none is done twice |
| `worlds` | the data plane on virtual time keeps every promise of [simulation.md](simulation.md) in that many worlds that no earlier run has seen |
| `seeds` | the properties of the pure crates hold for that many random cases each |
| `fuzz` | no input makes a parser panic, hang or grow |

One scenario can be run again with `make soak ARGS="--only faults --seed SEED --scenario NUMBER"`.
"""


def took(seconds):
    """`45 s`, `12 min`, `3.2 h`."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def commit():
    """The commit, and whether the tree differs from it."""
    def git(*arguments):
        try:
            done = subprocess.run(["git", *arguments], cwd=REPO, capture_output=True, text=True, check=False)
        except OSError:
            return ""
        return done.stdout.strip()

    short = git("rev-parse", "--short=12", "HEAD") or "unknown"
    return f"{short}, with changes" if git("status", "--porcelain", "--untracked-files=no") else short
