"""The table itself: one test for each client, target and scenario.

A cell passes, or is one of the refusals that `refusals.py` lists, by the name of its parameter. Nothing else counts. What is
listed and works is a failure as well.
"""

import pytest
import refusals
import scenarios
import table
from world import Cell, Refused, Unsayable


def name(cell):
    return "-".join(cell)


def outcome(cell, run):
    """What became of a scenario, in the words of the page."""
    where = (cell.client, cell.target, cell.scenario)
    try:
        run(cell)
    except Unsayable as nothing:
        return f"not in the dialect: {nothing}"
    except Refused as refused:
        (error,) = refused.args
        allowed = refusals.of(*where)
        if allowed is None:
            raise
        assert error["status"] == 400, error
        assert error["param"] in (allowed, None) and f"`{allowed}`" in error["message"], error
        assert cell.entries() == [], "what is refused is asked of nobody"
        return f"refused: {allowed}"
    assert refusals.of(*where) is None, "it is listed as refused"
    return "pass"


@pytest.mark.parametrize("where", table.cells(), ids=name)
def test_cell(world, where):
    cell = Cell(world, *where)
    world.forget()
    world.results[name(where)] = outcome(cell, getattr(scenarios, cell.scenario))
