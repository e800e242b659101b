"""The SDKs' own types as judges that forgive nothing: unknown members, members that are missing, and other types are errors."""

import collections.abc
import os
import typing
from functools import cache

import pydantic
import typing_extensions

FORBID = pydantic.ConfigDict(extra="forbid")


def strict_dict(kind):
    """A copy of a TypedDict that knows no further members, all the way down."""
    members = {}
    for name, hint in typing_extensions.get_type_hints(kind, include_extras=True).items():
        hint = typing.get_args(hint)[0] if typing.get_origin(hint) in QUALIFIERS else hint
        qualifier = typing_extensions.Required if name in kind.__required_keys__ else typing_extensions.NotRequired
        members[name] = qualifier[strict(hint)]
    made = typing_extensions.TypedDict(kind.__name__, members)
    made.__pydantic_config__ = FORBID
    return made


QUALIFIERS = (typing_extensions.Required, typing_extensions.NotRequired, typing.Required, typing.NotRequired)
# The few types that contain themselves (filters of file searches) stay as they are below their own first level.
UNDER_WAY = set()


def strict(hint):
    """The same type, without the liberties that the SDKs take with what people pass in."""
    if typing_extensions.is_typeddict(hint):
        return strict_dict_once(hint)
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if typing.IO in (hint, origin) or hint is os.PathLike or origin is os.PathLike:
        # Files are what people pass in; none goes over the wire as one.
        return typing.Literal["a file"]
    if origin is None or origin is typing.Literal:
        return hint
    if origin is typing.Annotated:
        return strict(inner[0])
    inner = tuple(strict(each) for each in inner)
    # An Iterable would be looked at only when somebody iterates.
    if origin is collections.abc.Iterable or getattr(origin, "__name__", "") == "SequenceNotStr":
        return list[inner]
    if origin in (typing.Union, getattr(typing, "UnionType", None)) or str(origin) == "<class 'types.UnionType'>":
        return typing.Union[inner]
    return origin[inner]


def strict_dict_once(kind):
    if kind in UNDER_WAY:
        return kind
    UNDER_WAY.add(kind)
    try:
        return strict_dict_cached(kind)
    finally:
        UNDER_WAY.discard(kind)


strict_dict_cached = cache(strict_dict)


@cache
def adapter(kind):
    return pydantic.TypeAdapter(kind)


@cache
def request_adapter(kind):
    return pydantic.TypeAdapter(strict(kind))


def unknown(value, path=""):
    """Members that a model of an SDK kept without knowing them."""
    if isinstance(value, list):
        return [found for at, each in enumerate(value) for found in unknown(each, f"{path}[{at}]")]
    if not isinstance(value, pydantic.BaseModel):
        return []
    found = [f"{path}.{name}" for name in value.model_extra or {}]
    for name in type(value).model_fields:
        found += unknown(getattr(value, name), f"{path}.{name}")
    return found


def check_answer(kind, text, allowed=()):
    """Validates an answer; `allowed` are the ends of the paths that are more than the type knows."""
    value = adapter(kind).validate_json(text, strict=True)
    found = [path for path in unknown(value) if not path.endswith(tuple(allowed))]
    assert not found, f"{kind}: members that the type does not know: {found}"
    return value


def check_request(kind, text):
    """Validates a request."""
    request_adapter(kind).validate_json(text, strict=True)
