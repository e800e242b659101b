"""The bars: what the design promises about speed and memory, and whether this run met it.

A bar that cannot be judged yet is listed as such with the reason; a lost one stays in the table.
"""

from statistics import mean

KIB = 1024
MIB = 1024 * 1024
# A stranger's share of one core from which on times are not judged: they would be the stranger's verdict.
NOISE_MAX = 0.05


def average(results, part, key, field):
    """The mean over rounds, or None when that row was not measured."""
    rounds = [entry for entry in results.get(part, {}).get(key, []) if field in entry]
    return mean(entry[field] for entry in rounds) if rounds else None


def ratio(results, part, field):
    """Wellhead against nginx, in the same run."""
    ours, theirs = average(results, part, "wellhead", field), average(results, part, "nginx", field)
    return ours / theirs if ours is not None and theirs else None


def relay_of_nginx(results):
    """What nginx takes to hand on a chunk, where translated streams were measured."""
    rounds = results.get("translated", {}).get("nginx", [])
    return mean(entry["pairs"]["relay"]["cpu_us"] for entry in rounds) if rounds else None


def translated(results):
    """The dearest pair of dialects against nginx's relay."""
    ours, theirs = results.get("translated", {}).get("wellhead", []), relay_of_nginx(results)
    if not ours or not theirs:
        return None
    return max(mean(entry["pairs"][name]["cpu_us"] for entry in ours) for name in ours[0]["pairs"]) / theirs


def single(results, part, field):
    """A figure that is measured once per run."""
    entry = results.get(part, {}).get("wellhead")
    return entry.get(field) if isinstance(entry, dict) else None


def noise(results, part):
    """The most that other programs used during what is compared, as a share of one core."""
    measured = results.get(part, {})
    entries = [measured[key] for key in ("wellhead", "nginx") if key in measured]
    rounds = [entry for found in entries for entry in (found if isinstance(found, list) else [found])]
    return max((entry.get("noise", 0.0) for entry in rounds), default=0.0)


def judge(results):
    """One object per bar; `met` is None where the run does not allow a verdict."""
    disturbed = {part: noise(results, part) for part in ("json", "stream", "translated", "startup", "failover")}
    rows = [
        bar("AI chat relay, CPU per request against nginx", 1.30, ratio(results, "json", "cpu_us"), "×",
            disturbed["json"]),
        bar("Streaming relay, CPU per chunk against nginx", 1.10, ratio(results, "stream", "cpu_us"), "×",
            disturbed["stream"]),
        bar("Translated streams, CPU per chunk against nginx", 1.80, translated(results), "×",
            disturbed["translated"]),
        bar("p99 of the chat relay against nginx", 1.00, ratio(results, "json", "p99_us"), "×", disturbed["json"]),
        bar("Idle process, resident", 40 * MIB, single(results, "startup", "idle_rss_bytes"), "MiB"),
        bar("One idle HTTP/1.1 stream", 24 * KIB, single(results, "idle", "idle_stream_bytes"), "KiB"),
        bar("Start to first answer, warm disk", 100, single(results, "startup", "answer_ms"), "ms",
            disturbed["startup"]),
        bar("p99 with the primary dead against healthy", 1.20, average(results, "failover", "wellhead", "p99_ratio"),
            "×", disturbed["failover"]),
        # One copy of the body and what reading it takes; a second copy would not fit.
        bar("Memory per 32 MiB body to a slow target", 48 * MIB, single(results, "uploads", "upload_rss_bytes"), "MiB"),
        bar("Growth while readers stand still", 1 * MIB, single(results, "stopped", "slow_growth_bytes"), "MiB"),
    ]
    for name, limit, why in (
        ("HTTP API relay, CPU per request against nginx", "1.15 ×", "this version has no HTTP API routes"),
        ("10,000 routes and 100,000 keys against ten", "1.10 ×", "not part of this benchmark yet"),
    ):
        rows.append({"bar": name, "limit": limit, "measured": "–", "met": None, "note": why})
    return rows


def bar(name, limit, value, unit, strangers=0.0):
    """One row; a value exactly at the limit meets it, and a time from a disturbed run is shown but not judged."""
    show = {"×": lambda v: f"{v:.2f} ×", "MiB": lambda v: f"{v / MIB:.1f} MiB", "KiB": lambda v: f"{v / KIB:.1f} KiB",
            "ms": lambda v: f"{v:.0f} ms"}[unit]
    if value is None:
        return {"bar": name, "limit": show(limit), "measured": "–", "met": None, "note": "not measured in this run"}
    if strangers > NOISE_MAX:
        why = f"the machine was not quiet: other programs used {strangers * 100:.0f} % of a core"
        return {"bar": name, "limit": show(limit), "measured": show(value), "met": None, "note": why}
    met = value <= limit
    over = "" if met or not limit else f"{(value / limit - 1) * 100:.0f} % above"
    return {"bar": name, "limit": show(limit), "measured": show(value), "met": met, "note": over}
