"""The code on the pages of docs/guides, as programs: all blocks of one language on a page are one program."""

import re
from pathlib import Path

GUIDES = Path(__file__).resolve().parents[3] / "docs" / "guides"
# What a block's fence says, and the program that runs it.
LANGUAGES = {"python": "py", "js": "mjs"}


def program(page, language):
    """The blocks of `language` on a page, in their order."""
    text = (GUIDES / f"{page}.md").read_text()
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert blocks, f"{page} has no {language}"
    return "\n\n".join(blocks)
