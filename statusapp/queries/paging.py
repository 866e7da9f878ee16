"""Pages of long lists by keyset: a page begins after the key of the last row before it.

So the thousandth page costs what the first does, and nothing is shown twice when rows come in meanwhile. There is no
count of all rows: it would read them all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import Select, tuple_

from statusapp.extensions import db

Item = TypeVar("Item")
Key = tuple[int | str | float | datetime, ...]


@dataclass(frozen=True, slots=True)
class Order:
    """What a list is sorted by: expressions that are never NULL, the last of them different in every row.

    `types` are the Python types of their values, for keys that come from an address. `is_fixed` is of a list that can
    be read quickly in one direction only.
    """

    columns: tuple[Any, ...]
    types: tuple[type, ...]
    is_fixed: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of a list. `filters` holds what each filter that is set was set to, by its name.

    With a `key` the page begins behind it, or `backward` ends before it.
    """

    sort: str
    descending: bool = False
    search: str = ""
    filters: Mapping[str, Any] = field(default_factory=dict)
    key: Key | None = None
    backward: bool = False
    limit: int = 50


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """The rows of a page in the order of the list; a key is None where there is nothing beyond."""

    rows: list[Item]
    before: Key | None = None
    after: Key | None = None


def load_page(
    statement: Select[Any], orders: Mapping[str, Order], wanted: Wanted, make: Callable[[Any], Item]
) -> Page[Item]:
    """The page of `statement` that is wanted: one statement. `make` makes an item of a row."""
    order = orders[wanted.sort]
    forward = wanted.descending == wanted.backward
    if wanted.key is not None:
        place, key = tuple_(*order.columns), tuple_(*wanted.key)
        statement = statement.where(place > key if forward else place < key)
    keyed = statement.add_columns(*(column.label(f"key_{number}") for number, column in enumerate(order.columns)))
    sorted_by = [column.asc() if forward else column.desc() for column in order.columns]
    rows = list(db.session.execute(keyed.order_by(*sorted_by).limit(wanted.limit + 1)))
    width = len(order.columns)
    found = [(make(row), tuple(row[-width:])) for row in rows]
    return cut_page(found, wanted)


def cut_page(found: list[tuple[Item, Key]], wanted: Wanted) -> Page[Item]:
    """The page of rows with their keys, read from where it is wanted and one more than it holds."""
    more = len(found) > wanted.limit
    found = found[: wanted.limit]
    if wanted.backward:
        found.reverse()
    if not found:
        return Page([])
    first, last = found[0][1], found[-1][1]
    # Whoever comes from a page on one side knows that there is something there.
    before = first if (more if wanted.backward else wanted.key is not None) else None
    after = last if (wanted.backward or more) else None
    return Page([item for item, _ in found], before, after)


def page_of(items: Iterable[Item], key: Callable[[Item], Key], wanted: Wanted) -> Page[Item]:
    """The page that is wanted of a list that is short by nature and has been read as a whole."""
    forward = wanted.descending == wanted.backward
    keyed: list[tuple[Item, Any]] = sorted(
        ((item, key(item)) for item in items), key=lambda pair: pair[1], reverse=not forward
    )
    if wanted.key is not None:
        keyed = [pair for pair in keyed if (pair[1] > wanted.key if forward else pair[1] < wanted.key)]
    return cut_page(keyed[: wanted.limit + 1], wanted)


def containing(text: str) -> str:
    """The pattern for LIKE with ESCAPE '\\\\' of what contains a text."""
    for character in "\\%_":
        text = text.replace(character, "\\" + character)
    return f"%{text}%"
