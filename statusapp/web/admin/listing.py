"""The one way lists work: columns, search, filters and sorting in the address, pages by keyset, and CSV."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from flask import request
from flask.typing import ResponseReturnValue

from statusapp.clock import utcnow
from statusapp.domain.errors import InvalidInput
from statusapp.queries.paging import Key, Order, Page, Wanted
from statusapp.services.page import page_zone
from statusapp.web.admin.cursors import read_cursor, write_cursor
from statusapp.web.admin.exports import csv_response
from statusapp.web.admin.rendering import render_admin
from statusapp.web.times import Times

Item = TypeVar("Item")

PAGE_SIZE = 50
LONGEST_VALUE = 200
# What stands in an address beside the filters.
SEARCH, SORT, AFTER, BEFORE, FORMAT = "q", "sort", "after", "before", "format"
_TIME = "%Y-%m-%dT%H:%M"


@dataclass(frozen=True, slots=True)
class Column(Generic[Item]):
    """A column. `text` is its cell for CSV; `sort` the name of the order it can be sorted by, if any.

    An extra one is left out where there is little room; one that is not shown is a part of another one's cell.
    """

    label: str
    text: Callable[[Item], Any]
    sort: str | None = None
    is_number: bool = False
    is_extra: bool = False
    is_shown: bool = True


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a filter: as it stands in the address, as people read it, as queries take it."""

    value: str
    label: str
    meaning: Any


@dataclass(frozen=True, slots=True)
class Filter:
    """What a list can be narrowed by: one of some choices, or without any a time (`is_time`) or a word.

    `parse` makes of a word what queries take, and raises ValueError with a sentence.
    """

    name: str
    label: str
    choices: Sequence[Choice] | None = None
    is_time: bool = False
    parse: Callable[[str], Any] = str


@dataclass(frozen=True, slots=True)
class Action:
    """What can be done with the rows that are ticked."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Empty:
    """What an empty list says, and the one thing to do about it."""

    sentence: str
    button: str | None = None
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Listing(Generic[Item]):
    """A list.

    Attributes:
        name: what its file is called.
        sort: the order that it has by itself; with a minus before it the other way round.
        search: what can be searched for, in words; None where nothing can.
        bulk: what can be done with the rows that are ticked, which are sent to `bulk_address`, or to `delete_address`.
    """

    title: str
    name: str
    template: str
    columns: tuple[Column[Item], ...]
    orders: Mapping[str, Order]
    load: Callable[[Wanted, datetime], Page[Item]]
    sort: str
    empty: Empty
    filters: tuple[Filter, ...] = ()
    search: str | None = None
    bulk: tuple[Action, ...] = ()
    bulk_address: str | None = None
    delete_address: str | None = None
    add: tuple[str, str] | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


def show_list(listing: Listing[Any]) -> ResponseReturnValue:
    """The page of a list that the request's address asks for, or all of it as CSV.

    Raises:
        InvalidInput: when the address asks for what the list does not have.
    """
    now, times = utcnow(), Times(page_zone())
    wanted = read_wanted(listing, times)
    if request.args.get(FORMAT) == "csv":
        return csv_response(
            listing.name,
            [column.label for column in listing.columns],
            lambda row: [column.text(row) for column in listing.columns],
            lambda part: listing.load(part, now),
            wanted,
        )
    page = listing.load(wanted, now)
    return render_admin(
        listing.template,
        now=now,
        times=times,
        listing=listing,
        wanted=wanted,
        page=page,
        chips=_chips(listing, wanted, times),
        address=_address,
        everything=f"{request.script_root}{request.path}",
        before=None if page.before is None else _address(**{BEFORE: write_cursor(page.before)}),
        after=None if page.after is None else _address(**{AFTER: write_cursor(page.after)}),
        given=request.args,
        sort_of=lambda column: _sort_of(column, wanted),
        **listing.extra,
    )


def read_wanted(listing: Listing[Any], times: Times) -> Wanted:
    """What the request's address asks of a list.

    Raises:
        InvalidInput: when it asks for what there is not.
    """
    names = {SORT, AFTER, BEFORE, FORMAT, *(one.name for one in listing.filters)}
    if listing.search is not None:
        names.add(SEARCH)
    for name, value in request.args.items():
        if name not in names:
            raise InvalidInput(name, f"This list has no {name[:40]!r}; it knows {', '.join(sorted(names))}.")
        if "\0" in value or len(value) > LONGEST_VALUE:
            raise InvalidInput(name, f"The value of {name} is too long, or holds a character that nothing can hold.")
    if request.args.get(FORMAT) not in (None, "", "csv"):
        raise InvalidInput(FORMAT, "The format of a list is csv, or nothing for the page.")
    sort, descending = _read_sort(listing)
    key, backward = _read_place(listing.orders[sort])
    return Wanted(
        sort,
        descending,
        request.args.get(SEARCH, "").strip(),
        {one.name: _read_filter(one, value, times) for one, value in _given(listing)},
        key,
        backward,
        PAGE_SIZE,
    )


def enum_choices(values: Any, labels: Mapping[Any, str] | None = None) -> tuple[Choice, ...]:
    """The members of an enum as choices."""
    return tuple(
        Choice(value.word, labels[value] if labels else value.word.replace("_", " ").capitalize(), value)
        for value in values
    )


def word_choices(*words: str) -> tuple[Choice, ...]:
    """Words that stand for themselves as choices."""
    return tuple(Choice(word, word.capitalize(), word) for word in words)


def flag_choices(yes: str, no: str) -> tuple[Choice, ...]:
    """Yes and no as choices."""
    return Choice("yes", yes, True), Choice("no", no, False)


def _given(listing: Listing[Any]) -> list[tuple[Filter, str]]:
    """The filters that are set. An empty field of the form is none."""
    found = ((one, request.args.get(one.name, "").strip()) for one in listing.filters)
    return [(one, value) for one, value in found if value]


def _read_filter(one: Filter, value: str, times: Times) -> Any:
    if one.is_time:
        try:
            return datetime.strptime(value[:16], _TIME).replace(tzinfo=times.zone)
        except ValueError:
            raise InvalidInput(one.name, f"{one.label} must be a time such as 2026-11-30T02:00.") from None
    if one.choices is None:
        try:
            return one.parse(value)
        except ValueError as error:
            raise InvalidInput(one.name, str(error)) from None
    for choice in one.choices:
        if choice.value == value:
            return choice.meaning
    known = ", ".join(choice.value for choice in one.choices[:30]) or "none yet"
    raise InvalidInput(one.name, f"{one.label} cannot be {value[:60]!r}; it can be: {known}.")


def _read_sort(listing: Listing[Any]) -> tuple[str, bool]:
    asked = request.args.get(SORT) or listing.sort
    sort = asked.removeprefix("-")
    known = [name if not order.is_fixed else listing.sort for name, order in listing.orders.items()]
    if sort not in listing.orders or (listing.orders[sort].is_fixed and asked != listing.sort):
        raise InvalidInput(SORT, f"This list cannot be sorted by {asked[:40]!r}; it can be by: {', '.join(known)}.")
    return sort, asked.startswith("-")


def _read_place(order: Order) -> tuple[Key | None, bool]:
    for name in (AFTER, BEFORE):
        value = request.args.get(name)
        if value:
            return read_cursor(value, order.types), name == BEFORE
    return None, False


def _address(**changes: str | None) -> str:
    """The address of this list with other values; a change of anything begins with the first page."""
    values = {name: value for name, value in request.args.items() if value and name not in (AFTER, BEFORE, FORMAT)}
    values |= changes  # type: ignore[arg-type]
    query = urlencode({name: value for name, value in values.items() if value})
    return f"{request.script_root}{request.path}?{query}" if query else f"{request.script_root}{request.path}"


def _sort_of(column: Column[Any], wanted: Wanted) -> tuple[str, str]:
    """Where a click on a column's heading leads, and how the list is sorted by it now."""
    if column.sort != wanted.sort:
        return _address(**{SORT: column.sort}), "none"
    other = column.sort if wanted.descending else f"-{column.sort}"
    return _address(**{SORT: other}), "descending" if wanted.descending else "ascending"


def _chips(listing: Listing[Any], wanted: Wanted, times: Times) -> list[tuple[str, str]]:
    """What the list is narrowed by, in words, and its address without it."""
    chips = [(f"“{wanted.search}”", _address(**{SEARCH: None}))] if wanted.search else []
    for one, value in _given(listing):
        shown = value
        if one.is_time:
            shown = times.to_minute(wanted.filters[one.name])
        elif one.choices is not None:
            shown = next(choice.label for choice in one.choices if choice.value == value)
        chips.append((f"{one.label}: {shown}", _address(**{one.name: None})))
    return chips
