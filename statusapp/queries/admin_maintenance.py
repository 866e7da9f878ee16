"""Planned maintenance in a list, and all of one window for a form."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select

from statusapp.domain.errors import NotFound
from statusapp.domain.instants import to_us
from statusapp.domain.recurrence import Occurrence, Plan, next_occurrence
from statusapp.extensions import db
from statusapp.models import MaintenanceOccurrence, MaintenanceTarget, MaintenanceWindow
from statusapp.queries.maintenance import WindowView, view_windows
from statusapp.queries.paging import Order, Page, Wanted, containing, load_page

ORDERS = {"made": Order((MaintenanceWindow.id,), (int,))}
PREVIEWED = 5


@dataclass(frozen=True, slots=True)
class WindowItem:
    """A window in a list; `running_until` is when it is planned to end while it goes on."""

    window: WindowView
    running_until: int | None


@dataclass(frozen=True, slots=True)
class WindowFile:
    """All of a window. Targets are ids; a window that was called off has no more occurrences."""

    id: int
    title: str
    body: str
    plan: Plan
    announce_s: int
    covers_all: bool
    is_public: bool
    is_cancelled: bool
    endpoint_ids: tuple[int, ...]
    group_ids: tuple[int, ...]
    cancelled_starts: frozenset[int]


def page_of_windows(wanted: Wanted, now: datetime) -> Page[WindowItem]:
    """Windows: three statements. Filters: cancelled, recurs, public."""
    given, window = wanted.filters, MaintenanceWindow
    statement: Any = select(window)
    if wanted.search:
        pattern = containing(wanted.search.lower())
        statement = statement.where(
            or_(*(func.lower(text).like(pattern, escape="\\") for text in (window.title, window.body)))
        )
    if "cancelled" in given:
        is_cancelled = window.cancelled_at.is_not(None) if given["cancelled"] else window.cancelled_at.is_(None)
        statement = statement.where(is_cancelled)
    if "recurs" in given:
        statement = statement.where(window.rrule.is_not(None) if given["recurs"] else window.rrule.is_(None))
    if "public" in given:
        statement = statement.where(window.is_public.is_(given["public"]))
    page = load_page(statement, ORDERS, wanted, lambda row: row.MaintenanceWindow)
    occurrence = MaintenanceOccurrence
    running = db.session.execute(
        select(occurrence.window_id, occurrence.ends_at).where(
            occurrence.window_id.in_([row.id for row in page.rows]),
            occurrence.started_at.is_not(None),
            occurrence.ended_at.is_(None),
            occurrence.cancelled_at.is_(None),
        )
    )
    until = {row.window_id: row.ends_at for row in running}
    items = [WindowItem(view, until.get(view.id)) for view in view_windows(page.rows, now)]
    return Page(items, page.before, page.after)


def get_window(window_id: int) -> WindowFile:
    """One window.

    Raises:
        NotFound: when it is not there.
    """
    row = db.session.get(MaintenanceWindow, window_id)
    if row is None:
        raise NotFound("There is no such maintenance.")
    targets = db.session.scalars(select(MaintenanceTarget).where(MaintenanceTarget.window_id == window_id)).all()
    occurrence = MaintenanceOccurrence
    called_off = select(occurrence.starts_at).where(
        occurrence.window_id == window_id, occurrence.cancelled_at.is_not(None)
    )
    return WindowFile(
        id=row.id,
        title=row.title,
        body=row.body,
        plan=Plan(row.starts, row.zone, row.duration_s, row.rrule),
        announce_s=row.announce_s,
        covers_all=row.covers_all,
        is_public=row.is_public,
        is_cancelled=row.cancelled_at is not None,
        endpoint_ids=tuple(target.endpoint_id for target in targets if target.endpoint_id is not None),
        group_ids=tuple(target.group_id for target in targets if target.group_id is not None),
        cancelled_starts=frozenset(db.session.scalars(called_off)),
    )


def preview(plan: Plan, now: datetime) -> list[Occurrence]:
    """What goes on and the next occurrences of a plan; reads nothing.

    Raises:
        InvalidInput: when the plan cannot be read.
    """
    found: list[Occurrence] = []
    after = to_us(now) - plan.duration_s * 1_000_000
    while len(found) < PREVIEWED:
        following = next_occurrence(plan, after)
        if following is None:
            break
        if following.ends_at > to_us(now):
            found.append(following)
        after = following.starts_at + 1
    return found
