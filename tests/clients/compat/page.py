"""docs/reference/compatibility.md, from what the cells came to."""

import table

HEAD = """\
# Compatibility

What the vendors' own SDKs can do at the targets of every family, as the suite `compatibility` found it. Each cell is a test
that looks at both ends: at what the target was asked in its own dialect, and at what the SDK made of the answer.

| Cell | Meaning |
| --- | --- |
| ✓ | it works |
| `parameter` | refused with 400, and with this name in the message, because the target has no form for it; the model's `drop_unsupported` leaves it out instead |
| — | the client's dialect has no parameter for it |

The columns are {columns}.

This page is written by the tests: `WELLHEAD_BLESS=1 tests/run.py --only compatibility`.
"""

# Short enough for nine columns.
SHORT = {
    "openai-python": "OpenAI Py",
    "openai-node": "OpenAI JS",
    "responses-python": "Responses Py",
    "responses-node": "Responses JS",
    "anthropic-python": "Anthropic Py",
    "anthropic-node": "Anthropic JS",
    "genai-python": "genai Py",
    "genai-node": "genai JS",
}


def cell(result):
    """A result as the page shows it."""
    if result.startswith("refused: "):
        return f"`{result.removeprefix('refused: ')}`"
    if result.startswith("not in the dialect"):
        return "—"
    return {"pass": "✓"}[result]


def section(target, results):
    """The table of one family of targets."""
    yield f"\n## {table.TARGETS[target].title} targets\n"
    yield "| Scenario | " + " | ".join(SHORT[client] for client in table.CLIENTS) + " |"
    yield "| --- |" + " --- |" * len(table.CLIENTS)
    for scenario, title in table.SCENARIOS.items():
        row = [cell(results[f"{client}-{target}-{scenario}"]) for client in table.CLIENTS]
        yield f"| {title} | " + " | ".join(row) + " |"


def write(results):
    """The whole page."""
    columns = "; ".join(f"{SHORT[client]}: {title}" for client, title in table.CLIENTS.items())
    lines = [line for target in table.TARGETS for line in section(target, results)]
    return HEAD.format(columns=columns) + "\n".join(lines) + "\n"
