"""A list as CSV: written page by page, so that a long one neither fills the memory nor holds the database."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from flask import Response, stream_with_context

from statusapp.extensions import db
from statusapp.queries.paging import Page, Wanted
from statusapp.web.wording import iso

ROWS_AT_ONCE = 1000
# A spreadsheet takes what begins with one of these for a formula.
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")


def csv_response(
    name: str,
    headings: Sequence[str],
    cells: Callable[[Any], Sequence[Any]],
    load: Callable[[Wanted], Page[Any]],
    wanted: Wanted,
) -> Response:
    """All rows from the beginning of the page that is wanted to the end of the list."""

    def lines() -> Iterator[str]:
        yield _line(headings)
        part = replace(wanted, limit=ROWS_AT_ONCE, backward=False)
        while True:
            page = load(part)
            # Between two pages no transaction stays open, however slowly somebody reads.
            db.session.rollback()
            yield "".join(_line(cells(row)) for row in page.rows)
            if page.after is None:
                return
            part = replace(part, key=page.after)

    response = Response(stream_with_context(lines()), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def safe_cell(value: Any) -> str:
    """A value as the text of a cell that no spreadsheet takes for a formula."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return iso(value) or ""
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULAS) else text


def _line(cells: Sequence[Any]) -> str:
    written = io.StringIO()
    csv.writer(written).writerow([safe_cell(cell) for cell in cells])
    return written.getvalue()
