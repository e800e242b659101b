"""What a target was asked, read from the recorded request by the rules of its own dialect.

A reader gives a dictionary: `stream`, `system`, `turns` as (role, parts), `tools`, `choice`, `parallel`, `schema`, `thinks`,
and the numbers under the names of a driver's question. Parts are ("text", TEXT), ("image", TYPE, DATA), ("document", TYPE,
DATA), ("call", NAME, ARGUMENTS, ID), ("result", ID or NAME, TEXT) and ("thought", TEXT). What was not sent is not there.
"""

import importlib
import json


def read(names, entry):
    """What the request in the simulator's log asks for, by the one of the named readers that knows its path."""
    for module in (importlib.import_module(f"readers.{name}") for name in names):
        if module.PATH.search(entry["path"]):
            return module.read(entry, json.loads(entry["body"]))
    raise AssertionError(f"asked at {entry['path']}")


def renamed(body, names):
    """The members of `body` that are in `names`, under the names there."""
    return {ours: body[theirs] for theirs, ours in names.items() if body.get(theirs) is not None}
