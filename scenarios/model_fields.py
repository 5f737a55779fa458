"""Which fields a part of a drill may have, found by the path that leads to it."""

import types
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from scenarios.model import Drill


def fields_at(path: Sequence[str | int]) -> dict[str, FieldInfo]:
    """Return the fields, by their names in the file, of the part at a path; empty where no part can stand.

    A path may hold the tags of unions that pydantic puts into the locations of its errors.
    """
    here: list[Any] = [Drill]
    for part in path:
        below = [inner for kind in here for inner in _below(kind, part)]
        here = below or [kind for kind in here if _tagged(kind, part)]
    return {name: info for kind in here if _is_part(kind) for name, info in named_fields(kind).items()}


def named_fields(part: type[BaseModel]) -> dict[str, FieldInfo]:
    """Return the fields of a part by their names in the file."""
    return {info.alias or name: info for name, info in part.model_fields.items()}


def _below(kind: Any, part: str | int) -> Iterator[Any]:
    """Iterate over what may stand under a key or index of ``kind``."""
    if _is_part(kind):
        info = named_fields(kind).get(str(part))
        inner = [info.annotation] if info else []
    elif get_origin(kind) is dict:
        inner = [get_args(kind)[1]]
    elif get_origin(kind) is list and isinstance(part, int):
        inner = [get_args(kind)[0]]
    else:
        inner = []
    for each in inner:
        yield from _alternatives(each)


def _alternatives(kind: Any) -> Iterator[Any]:
    if get_origin(kind) is Annotated:
        yield from _alternatives(get_args(kind)[0])
    elif get_origin(kind) in (Union, types.UnionType):
        for each in get_args(kind):
            yield from _alternatives(each)
    else:
        yield kind


def _tagged(kind: Any, tag: str | int) -> bool:
    """Tell whether a union's tag means this part: the value of a literal, `<field>` for a field it has, or its name."""
    if not _is_part(kind):
        return False
    fields = named_fields(kind)
    literals = (info.annotation for info in fields.values() if get_origin(info.annotation) is Literal)
    return tag == kind.__name__ or str(tag)[1:-1] in fields or any(tag in get_args(literal) for literal in literals)


def _is_part(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)
