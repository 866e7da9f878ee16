"""Sums of requests per hour and day, from those of five minutes that are made as requests are stored."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from sqlalchemy import func, select

from statusapp.database import write_transaction
from statusapp.domain.blocks import DAY_S, HOUR_S, floor_to
from statusapp.domain.instants import SECOND, to_us
from statusapp.domain.request_sums import FIVE_MINUTES_S, RequestSums
from statusapp.extensions import db
from statusapp.models import RequestRollup, TrackedRoute
from statusapp.queries.request_sums import SUMS, sums_of
from statusapp.queries.watermarks import REQUESTS
from statusapp.services import watermarks
from statusapp.services.request_writing import write_sums
from statusapp.services.rollups import FINAL_US


def roll_up_requests(now: datetime) -> str:
    """Sum up the hours and days that are over and not summed yet; says how many sums were written."""
    here = to_us(now)
    with write_transaction(db.session) as session:
        since = watermarks.begin(session, REQUESTS, 0)
    if since == 0:
        oldest = db.session.scalar(select(func.min(RequestRollup.start)))
        since = here if oldest is None else oldest
    since = floor_to(since, HOUR_S)
    final = floor_to(here - FINAL_US, HOUR_S)
    written = 0
    for finer_s, step_s in ((FIVE_MINUTES_S, HOUR_S), (HOUR_S, DAY_S)):
        step = step_s * SECOND
        for start in range(floor_to(since, step_s), final - step + 1, step):
            sums = _sum(finer_s, start, start + step)
            with write_transaction(db.session) as session:
                write_sums(session.connection(), step_s, sums)
            written += len(sums)
    with write_transaction(db.session) as session:
        watermarks.finish(session, REQUESTS, max(final, since))
    return f"{written} sums of routes"


def _sum(finer_s: int, start: int, end: int) -> dict[tuple[int, int], RequestSums]:
    """The sums of shorter blocks added up, by route and `start`."""
    rollup = RequestRollup
    rows = db.session.execute(
        select(rollup.route_id, *SUMS).where(
            # Not a join: through the list each route's blocks are found by their key.
            rollup.route_id.in_(select(TrackedRoute.id)),
            rollup.step_s == finer_s,
            rollup.start >= start,
            rollup.start < end,
        )
    )
    found: dict[tuple[int, int], RequestSums] = defaultdict(RequestSums)
    for route_id, *values in rows:
        found[route_id, start].add_requests(sums_of(values))
    db.session.rollback()
    return found
