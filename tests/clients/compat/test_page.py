"""The page says what the cells came to. Runs after them, by its name."""

import difflib
import os

import page
import pytest
import table
from conftest import TESTS

PAGE = TESTS.parent / "docs" / "reference" / "compatibility.md"


def test_the_page_is_what_was_found(world):
    if not world.results:
        pytest.skip("no cell was run")
    expected = {"-".join(cell) for cell in table.cells()}
    missing = expected - world.results.keys()
    assert not missing, f"{len(missing)} cells have no result, such as {sorted(missing)[0]}"
    text = page.write(world.results)
    if os.environ.get("WELLHEAD_BLESS"):
        PAGE.write_text(text)
    old = PAGE.read_text() if PAGE.exists() else ""
    changes = "\n".join(difflib.unified_diff(old.splitlines(), text.splitlines(), "the page", "found", lineterm=""))
    assert not changes, f"{changes}\n\nto accept: WELLHEAD_BLESS=1 tests/run.py --only compatibility"
