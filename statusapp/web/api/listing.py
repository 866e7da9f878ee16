"""Lists: which sorts and filters each knows, pages by the key of their last row, and links to the pages around."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import Response, request
from marshmallow import Schema, fields

from statusapp.domain.errors import InvalidInput
from statusapp.queries.paging import Key, Order, Page, Wanted
from statusapp.web.admin.cursors import read_cursor, write_cursor
from statusapp.web.api.answers import answer
from statusapp.web.api.dumping import dump_rows
from statusapp.web.api.problems import invalid
from statusapp.web.api.schemas_fields import Known, Text, Whole, one_of

USUAL_LIMIT, MOST = 100, 1000
_OWN = ("limit", "sort", "after", "before", "search")


@dataclass(frozen=True, slots=True)
class Listing:
    """A list of one kind of thing: its orders, the one that it has by itself, and the schema of one item."""

    name: str
    orders: Mapping[str, Order]
    usual_sort: str
    item: type[Schema]
    query: type[Schema]
    answer: type[Schema]


def listing(
    name: str,
    orders: Mapping[str, Order],
    usual_sort: str,
    item: type[Schema],
    filters: Mapping[str, fields.Field[Any]] | None = None,
    *,
    is_searched: bool = False,
) -> Listing:
    """A list. A sort begins with "-" for the descending one; `filters` are the fields of the address beside it."""
    sorts = [sign + sort for sort, order in orders.items() for sign in (("-",) if order.is_fixed else ("", "-"))]
    known: dict[str, Any] = {
        "limit": Whole(1, MOST, load_default=USUAL_LIMIT, metadata={"description": "How many items a page has."}),
        "sort": fields.String(
            validate=one_of(sorts), load_default=usual_sort, metadata={"description": "What the list is sorted by."}
        ),
        "after": fields.String(metadata={"description": "The mark of the page, from the link to it."}),
        "before": fields.String(metadata={"description": "The same for the page that ends there."}),
        **(filters or {}),
    }
    if is_searched:
        known["search"] = Text(200, metadata={"description": "A part of the name or of what is said about it."})
    query = type(f"{name}Query", (Known,), known)
    items = {
        "items": fields.List(fields.Nested(item), required=True),
        "next": fields.String(
            required=True, allow_none=True, metadata={"description": "Where the next page is; null on the last one."}
        ),
    }
    return Listing(name, orders, usual_sort, item, query, type(f"{name}List", (Schema,), items))


def wanted_of(listing: Listing, given: Mapping[str, Any]) -> Wanted:
    """What is asked of a list.

    Raises:
        Problem: when a mark is none of this list.
    """
    sort: str = given["sort"]
    name = sort.removeprefix("-")
    key, backward = _place(listing.orders[name], given)
    return Wanted(
        sort=name,
        descending=sort.startswith("-"),
        search=given.get("search", ""),
        filters={name: value for name, value in given.items() if name not in _OWN},
        key=key,
        backward=backward,
        limit=given["limit"],
    )


def answer_page(listing: Listing, page: Page[Any], *, for_everybody: bool = False) -> Response:
    """A page, with links to the ones around it in the body and in the header Link (RFC 8288).

    Args:
        for_everybody: whether it is what a stranger sees, so that it may be kept for others.
    """
    after, before = (None if key is None else write_cursor(key) for key in (page.after, page.before))
    following = None if after is None else _address(after=after)
    data = {"items": dump_rows(listing.item, page.rows), "next": following}
    response = answer(data, is_written=False, for_everybody=for_everybody)
    links = [("next", following), ("prev", None if before is None else _address(before=before))]
    if text := ", ".join(f'<{address}>; rel="{name}"' for name, address in links if address):
        response.headers["Link"] = text
    return response


def _place(order: Order, given: Mapping[str, Any]) -> tuple[Key | None, bool]:
    if "after" in given and "before" in given:
        raise invalid("before", "Choose a page by after or by before, not by both.")
    name = "before" if "before" in given else "after"
    if name not in given:
        return None, False
    if name == "before" and order.is_fixed:
        raise invalid(name, "This list is read in one direction only; use after.")
    try:
        key = read_cursor(given[name], order.types)
        for value in key:
            str(value).encode()  # Half of a surrogate pair is no row's name.
        return key, name == "before"
    except (InvalidInput, UnicodeError):
        raise invalid(name, "This is not a mark of this list as it is sorted now; begin with the first page.") from None


def _address(**changes: str) -> str:
    """The address of this list with another mark."""
    kept = [(name, value) for name, value in request.args.items(multi=True) if name not in ("after", "before")]
    return f"{request.base_url}?{urlencode([*kept, *changes.items()])}"
