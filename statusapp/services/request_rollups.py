"""Sums of requests per hour and day, from those of five minutes that are made as requests are stored; and the clients
of a day, from those of its hours."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from sqlalchemy import func, select

from statusapp.database import write_connection, write_rows, write_transaction
from statusapp.domain.blocks import DAY_S, HOUR_S, floor_to
from statusapp.domain.instants import SECOND, to_us
from statusapp.domain.request_sums import FIVE_MINUTES_S, RequestSums, added_up
from statusapp.extensions import db
from statusapp.models import RequestClient, RequestRollup, TrackedRoute
from statusapp.models.requests import EVERY_ROUTE
from statusapp.queries.request_sums import SUMS, sums_of
from statusapp.queries.watermarks import REQUESTS
from statusapp.services import watermarks
from statusapp.services.request_writing import write_sums
from statusapp.services.rollups import FINAL_US

# So many rows are written in a few milliseconds, and others may write in between.
CLIENTS_AT_ONCE = 1000
_INSERT_CLIENTS = "INSERT INTO request_client_day (day, kind, value, count, failures) VALUES"
_REPLACE_CLIENTS = "ON CONFLICT (day, kind, value) DO UPDATE SET count = excluded.count, failures = excluded.failures"


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
            if sums:
                sums[EVERY_ROUTE, start] = added_up(sums.values())
            with write_transaction(db.session) as session:
                write_sums(session.connection(), step_s, sums)
            written += len(sums)
    for start in range(floor_to(since, DAY_S), final - DAY_S * SECOND + 1, DAY_S * SECOND):
        _sum_clients(start)
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


def _sum_clients(day: int) -> None:
    """Add up the hours of each client of a day."""
    client = RequestClient
    rows = db.session.execute(
        select(client.kind, client.value, func.sum(client.count), func.sum(client.failures))
        .where(client.hour >= day, client.hour < day + DAY_S * SECOND)
        .group_by(client.kind, client.value)
    ).all()
    db.session.rollback()
    for first in range(0, len(rows), CLIENTS_AT_ONCE):
        chunk = rows[first : first + CLIENTS_AT_ONCE]
        values = [(day, int(kind), value, int(count), int(failures)) for kind, value, count, failures in chunk]
        with write_connection(db.engine) as connection:
            write_rows(connection, _INSERT_CLIENTS, values, _REPLACE_CLIENTS)
