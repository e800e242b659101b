"""The table at the end of a run, and the last line that scripts read."""

from dataclasses import dataclass


@dataclass
class Row:
    """One suite in the table."""

    suite: str
    state: str  # ok | FAILED | TOO SLOW | skipped
    seconds: float
    share_s: int
    passed: int
    failed: int
    note: str = ""


def judge(suite, outcome):
    """What a suite's outcome means. A suite without tests of its own counts as one test."""
    passed, failed = outcome.passed, outcome.failed
    if outcome.timed_out:
        note = "stopped: its share of the time was used up"
        return Row(suite.name, "TOO SLOW", outcome.seconds, suite.share_s, passed, failed + 1, note)
    if outcome.status == 0 and failed == 0:
        return Row(suite.name, "ok", outcome.seconds, suite.share_s, passed or 1, 0)
    note = f"exit status {outcome.status}"
    return Row(suite.name, "FAILED", outcome.seconds, suite.share_s, passed, max(failed, 1), note)


def clock(seconds):
    """`1:05` for 65 seconds."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02}"


def table(rows):
    """All rows as text, with a total."""
    head = f"{'suite':<14} {'state':<9} {'time':>6} {'share':>6} {'passed':>7} {'failed':>7}"
    lines = [head, "-" * len(head)]
    for row in rows:
        times = f"{clock(row.seconds):>6} {clock(row.share_s):>6}"
        line = f"{row.suite:<14} {row.state:<9} {times} {row.passed:>7} {row.failed:>7}"
        lines.append(f"{line}  {row.note}".rstrip())
    lines.append("-" * len(head))
    lines.append(f"{'all':<14} {'':<9} {clock(sum(row.seconds for row in rows)):>6}")
    return "\n".join(lines)


def last_line(rows):
    """`N passed, N failed`."""
    return f"{sum(row.passed for row in rows)} passed, {sum(row.failed for row in rows)} failed"
