"""Long lists of rows as data: what marshmallow would make of them, without its asking around for each value."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from operator import attrgetter
from typing import Any

from marshmallow import Schema, fields

from statusapp.web.api.schemas_fields import Text, Whole

# The fields that leave a value of their own type as it is.
_PLAIN: dict[type[fields.Field[Any]], type] = {
    fields.String: str,
    Text: str,
    fields.Integer: int,
    Whole: int,
    fields.Boolean: bool,
}
Column = tuple[str, type | None, Callable[..., Any]]


def dump_rows(item: type[Schema], rows: Iterable[Any]) -> list[dict[str, Any]]:
    """Rows of dataclasses as the schema of one item says. Rows that are dictionaries are left to marshmallow."""
    found = list(rows)
    if not found or isinstance(found[0], dict):
        dumped: list[dict[str, Any]] = _dumper(item).dump(found, many=True)
        return dumped
    take, columns = _plan(item)
    return [
        {
            name: value if type(value) is plain or value is None else serialize(value, name, row)
            for (name, plain, serialize), value in zip(columns, take(row), strict=True)
        }
        for row in found
    ]


@lru_cache(maxsize=64)
def _dumper(item: type[Schema]) -> Schema:
    return item()


@lru_cache(maxsize=64)
def _plan(item: type[Schema]) -> tuple[Callable[[Any], tuple[Any, ...]], tuple[Column, ...]]:
    """How the values of a row are taken, all at once, and what becomes of each."""
    told = _dumper(item).dump_fields
    sources = [field.attribute or name for name, field in told.items()]
    columns: tuple[Column, ...] = tuple(
        (field.data_key or name, _PLAIN.get(type(field)), field._serialize) for name, field in told.items()
    )
    if len(sources) > 1:
        return attrgetter(*sources), columns
    return (lambda row: (getattr(row, sources[0]),)), columns
