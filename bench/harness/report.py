"""The tables, for the terminal and for `docs/reference/benchmarks.md`: the same text in both."""

from statistics import mean

from . import bars, gateways

MIB = 1024 * 1024


def table(head, rows):
    """A Markdown table, padded so that it also reads well in a terminal."""
    cells = [list(map(str, row)) for row in [head, *rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |" for row in cells]
    lines.insert(1, "| " + " | ".join("-" * width for width in widths) + " |")
    return "\n".join(lines)


def spread(rounds, field, scale=1.0, digits=1):
    """`15.2–16.9` over the rounds, or one number when they agree."""
    values = sorted(entry[field] * scale for entry in rounds)
    low, high = f"{values[0]:,.{digits}f}", f"{values[-1]:,.{digits}f}"
    return low if low == high else f"{low}–{high}"


def against_nginx(results, part, rounds):
    """The mean CPU cost in multiples of nginx's in the same run."""
    yardstick = bars.average(results, part, "nginx", "cpu_us")
    return f"{mean(entry['cpu_us'] for entry in rounds) / yardstick:.2f}" if yardstick else "–"


def titles(results, part):
    """(title, figures) of every gateway that was measured, in the order of the rows."""
    return [(gateway.title, results[part][gateway.key]) for gateway in gateways.ALL
            if gateway.key in results.get(part, {})]


def render(results):
    """The whole page."""
    blocks = [_head(results), _json(results), _stream(results), _translated(results), _startup(results), _memory(results),
              _failover(results), _instructions(results), _bars(results), _notes(results), _commands(results)]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _head(results):
    machine, sizes = results["machine"], results["sizes"]
    versions = ", ".join(f"{name} {version}" for name, version in sorted(results["versions"].items()))
    return f"""# Benchmarks

Measured on {results['date']} on one machine: {machine['processor']}, {machine['cores']} cores, \
{machine['memory_gib']} GiB, {machine['system']}, kernel {machine['kernel']}. Versions: {versions}.

One gateway at a time, pinned to one core with one worker; load generator and upstream on another core. CPU time is \
the gateway's own, user and system, of its whole process tree, so it does not depend on who is the bottleneck. \
{sizes['rounds']} rounds, interleaved. Compare only within one run: absolute values shift between machines. Written \
by `make bench`; the raw figures are in `bench/results/latest.json`."""


def _json(results):
    rows = [(title, spread(rounds, "cpu_us"), against_nginx(results, "json", rounds),
             spread(rounds, "requests_per_second", digits=0), spread(rounds, "p50_us", 1e-3, 2),
             spread(rounds, "p99_us", 1e-3, 2), spread(rounds, "rss_bytes", 1 / MIB, 0),
             sum(entry["errors"] for entry in rounds)) for title, rounds in titles(results, "json")]
    if not rows:
        return ""
    sizes = results["sizes"]
    return f"""## Plain relay, JSON answer

A 330-byte chat request, a 900-byte completion from nginx, wrk with {sizes['connections']} connections for \
{sizes['seconds']:.0f} s.

""" + table(("Gateway", "CPU µs per request", "× nginx", "Requests/s", "p50 ms", "p99 ms", "Resident MiB", "Errors"), rows)


def _stream(results):
    rows = [(title, spread(rounds, "cpu_us"), against_nginx(results, "stream", rounds),
             spread(rounds, "chunks_per_second", digits=0), spread(rounds, "first_p50_us", 1e-3, 2),
             spread(rounds, "first_p99_us", 1e-3, 2), spread(rounds, "delay_p50_us", digits=0),
             spread(rounds, "delay_p99_us", digits=0), sum(sum(entry["errors"].values()) for entry in rounds))
            for title, rounds in titles(results, "stream")]
    if not rows:
        return ""
    sizes = results["sizes"]
    return f"""## Streaming relay

{sizes['chunks']} SSE chunks of {sizes['chunk_bytes']} bytes, one every {sizes['chunk_interval_us'] / 1000:g} ms, \
{sizes['streams']} streams at a time. Delay is from the upstream's write to the client's read.

""" + table(("Gateway", "CPU µs per chunk", "× nginx", "Chunks/s", "First token p50 ms", "p99 ms",
             "Chunk delay p50 µs", "p99 µs", "Failed streams"), rows)


def _translated(results):
    yardstick = bars.relay_of_nginx(results)
    rows = []
    for title, rounds in titles(results, "translated"):
        for name in rounds[0]["pairs"]:
            pair = [entry["pairs"][name] for entry in rounds]
            times = f"{mean(entry['cpu_us'] for entry in pair) / yardstick:.2f}" if yardstick else "–"
            rows.append((title, name, spread(pair, "cpu_us"), times, spread(pair, "first_p50_us", 1e-3, 2),
                         spread(pair, "delay_p50_us", digits=0), spread(pair, "delay_p99_us", digits=0),
                         sum(sum(entry["errors"].values()) for entry in pair)))
    if not rows:
        return ""
    return """## Translated streams

The same streams in the dialect of the target, delivered in that of the client. The others hand on chunks of the same \
size as they are.

""" + table(("Gateway", "", "CPU µs per chunk", "× nginx", "First token p50 ms", "Chunk delay p50 µs", "p99 µs",
             "Failed streams"), rows)


def _startup(results):
    rows = [(title, "–" if entry["ready_ms"] is None else entry["ready_ms"], entry["answer_ms"],
             entry["answer_ms_max"], f"{entry['idle_rss_bytes'] / MIB:.1f}")
            for title, entry in titles(results, "startup")]
    head = ("Gateway", "Ready ms", "First answer ms", "Slowest ms", "Idle, resident MiB")
    return "## Start\n\nMedian from exec, warm disk, fresh data directory.\n\n" + table(head, rows) if rows else ""


def _memory(results):
    idle, uploads, stopped = (results.get(part, {}) for part in ("idle", "uploads", "stopped"))
    rows = []
    for gateway in gateways.ALL:
        key = gateway.key
        if key in idle or key in uploads or key in stopped:
            rows.append((gateway.title, _scaled(idle.get(key), "idle_stream_bytes", 1024, 1),
                         _scaled(uploads.get(key), "upload_rss_bytes", MIB, 1),
                         _scaled(stopped.get(key), "slow_reader_bytes", 1024, 1),
                         _scaled(stopped.get(key), "slow_growth_bytes", MIB, 2),
                         _scaled(stopped.get(key), "slow_moved_bytes", MIB, 2)))
    if not rows:
        return ""
    sizes = results["sizes"]
    return f"""## Memory

{sizes['idle_streams']:,} streams that have begun and carry nothing; {sizes['uploads']} bodies of 32 MiB to a target \
that reads {sizes['upload_bytes_per_second'] / MIB:.0f} MiB/s; {sizes['slow_readers']} readers that stop reading.

""" + table(("Gateway", "Idle stream KiB", "Per upload MiB", "Per stopped reader KiB", "Growth while stopped MiB",
             "Upstream bytes moved while stopped MiB"), rows)


def _scaled(entry, field, unit, digits):
    return f"{entry[field] / unit:.{digits}f}" if entry else "–"


def _failover(results):
    rows = [(title, spread(rounds, "healthy_p99_us", 1e-3, 2), spread(rounds, "dead_p99_us", 1e-3, 2),
             spread(rounds, "p99_ratio", digits=2), sum(entry["errors_at_the_kill"] for entry in rounds),
             sum(entry["errors_afterwards"] for entry in rounds)) for title, rounds in titles(results, "failover")]
    head = ("Gateway", "p99 healthy ms", "p99 primary dead ms", "Ratio", "Errors at the kill", "Errors afterwards")
    return "## The primary dies\n\nTwo upstreams; the first is ended with SIGKILL under load.\n\n" \
        + table(head, rows) if rows else ""


def _instructions(results):
    rows = [(title, f"{entry['per_request']:,}") for title, entry in titles(results, "instructions")]
    if not rows:
        return ""
    text = "## Instructions on the direct path\n\ncallgrind, one connection; start and end left out.\n\n" \
        + table(("Gateway", "Instructions per request"), rows)
    ours = results["instructions"].get("wellhead")
    if ours and ours["functions"]:
        costs = [(f"{row['share']:.1f} %", f"`{row['function']}`") for row in ours["functions"]]
        text += "\n\nWhere Wellhead's go (own instructions, start included):\n\n" + table(("Share", "Function"), costs)
    return text


def _bars(results):
    words = {True: "met", False: "**not met**", None: "not judged"}
    rows = [(row["bar"], row["limit"], row["measured"], words[row["met"]], row["note"]) for row in results["bars"]]
    return "## Bars\n\n" + table(("Bar", "At most", "Measured", "", "Note"), rows)


def _notes(results):
    lines = [f"* {name}: {why}" for name, why in sorted(results["skipped"].items())]
    lines += [f"* json, {key}: slow enough that wrk's unfinished requests would count; measured with `load calls`, "
              "an exact number of requests" for key, rounds in results.get("json", {}).items()
              if any(entry["client"] != "wrk" for entry in rounds)]
    for part in ("json", "stream", "translated", "startup", "failover"):
        for key, found in results.get(part, {}).items():
            noise = max(entry["noise"] for entry in (found if isinstance(found, list) else [found]))
            if noise > bars.NOISE_MAX:
                lines.append(f"* {part}, {key}: other programs used {noise * 100:.0f} % of a core meanwhile")
    return "## Notes\n\n" + "\n".join(lines) if lines else ""


def _commands(results):
    lines = [f"{key}: {command}" for key, command in results["commands"].items()]
    return "## Command lines\n\n`$WORK` is a temporary directory, `$LOAD` where the load generator was built.\n\n" \
        + "```text\n" + "\n".join(lines) + "\n```"
