"""Rollups: the checks of each hour, three hours and day summed up, so that no page ever reads raw checks."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import select, text

from statusapp.database import write_rows, write_transaction
from statusapp.domain.blocks import DAY_S, HOUR_S, THREE_HOURS_S, floor_to
from statusapp.domain.enums import Outcome
from statusapp.domain.histogram import bucket_sql, decode, encode
from statusapp.domain.instants import SECOND, to_us
from statusapp.domain.latency import LatencySums
from statusapp.extensions import db
from statusapp.models import LatencyRollup, ServiceEndpoint
from statusapp.queries.latency import SUMS
from statusapp.queries.watermarks import LATENCY
from statusapp.services import watermarks

HOUR = HOUR_S * SECOND
# A result that comes so long after its slot pulls the watermark back; an hour that is over for longer is final.
LATE_US = 5 * 60 * SECOND
FINAL_US = 3 * LATE_US
ROWS_PER_TRANSACTION = 1000
# LatencySums of a long history, after an upgrade for instance, are made in several runs.
LONGEST_RUN_S = 240.0
FAILED = -1  # In place of a bucket.

# Through the endpoints, so that each one's span is found by the key of the checks: that is the order in which SQLite
# takes a cross join.
_HOUR = text(f"""
SELECT h.endpoint_id, CASE WHEN h.outcome = :failed THEN {FAILED} ELSE {bucket_sql("h.total_us")} END AS bucket,
    COUNT(*) AS checks, SUM(h.total_us) AS sum_us, MIN(h.total_us) AS min_us, MAX(h.total_us) AS max_us
FROM service_endpoint AS e CROSS JOIN health_check AS h
WHERE h.endpoint_id = e.id AND h.location = 0 AND h.slot >= :start AND h.slot < :end
    AND h.outcome IN (:ok, :slow, :failed)
GROUP BY 1, 2
""")  # noqa: S608
_OLDEST = text("""
SELECT MIN((SELECT MIN(h.slot) FROM health_check AS h WHERE h.endpoint_id = e.id AND h.location = 0))
FROM service_endpoint AS e
""")
_COLUMNS = (
    "endpoint_id", "step_s", "start", "count", "failures", "sum_us", "min_us", "max_us", "p50_us", "p95_us", "p99_us",
    "histogram",
)  # fmt: skip
_INSERT = f"INSERT INTO latency_rollup ({', '.join(_COLUMNS)}) VALUES"
_REPLACE = "ON CONFLICT (endpoint_id, step_s, start) DO UPDATE SET " + ", ".join(
    f"{name} = excluded.{name}" for name in _COLUMNS[3:]
)


def roll_up_checks(now: datetime) -> str:
    """Sum up everything from the watermark on: hours that are not final again, then the longer blocks that are."""
    here, deadline = to_us(now), time.monotonic() + LONGEST_RUN_S
    oldest = db.session.execute(_OLDEST).scalar()
    with write_transaction(db.session) as session:
        since = floor_to(watermarks.begin(session, LATENCY, here if oldest is None else oldest), HOUR_S)
    written, final = 0, floor_to(here - FINAL_US, HOUR_S)
    for start in range(since, here + 1, HOUR):
        if time.monotonic() > deadline:
            final = min(final, start)
            break
        written += _write(_sum_hour(start), HOUR_S, start)
    for step_s in (THREE_HOURS_S, DAY_S):
        step = step_s * SECOND
        for start in range(floor_to(since, step_s), final - step + 1, step):
            written += _write(_sum_hours_of(start, start + step), step_s, start)
    with write_transaction(db.session) as session:
        watermarks.finish(session, LATENCY, max(final, since))
    return f"{written} sums of services and hours"


def _sum_hour(start: int) -> dict[int, LatencySums]:
    """The checks of one hour by endpoint."""
    outcomes = {"ok": int(Outcome.OK), "slow": int(Outcome.SLOW), "failed": int(Outcome.FAILED)}
    found: dict[int, LatencySums] = defaultdict(LatencySums)
    for row in db.session.execute(_HOUR, {"start": start, "end": start + HOUR, **outcomes}):
        sums = found[row.endpoint_id]
        if row.bucket == FAILED:
            sums.add(row.checks, row.checks, 0, None, None, {})
        else:
            sums.add(row.checks, 0, int(row.sum_us), row.min_us, row.max_us, {row.bucket: row.checks})
    db.session.rollback()
    return found


def _sum_hours_of(start: int, end: int) -> dict[int, LatencySums]:
    """The sums of some hours added up by endpoint."""
    rollup = LatencyRollup
    rows = db.session.execute(
        select(rollup.endpoint_id, *SUMS).where(
            rollup.endpoint_id.in_(select(ServiceEndpoint.id)),
            rollup.step_s == HOUR_S,
            rollup.start >= start,
            rollup.start < end,
        )
    )
    found: dict[int, LatencySums] = defaultdict(LatencySums)
    for endpoint_id, count, failures, sum_us, min_us, max_us, packed in rows:
        found[endpoint_id].add(count, failures, sum_us, min_us, max_us, decode(packed))
    db.session.rollback()
    return found


def _write(found: dict[int, LatencySums], step_s: int, start: int) -> int:
    """Write the sums of a block in short transactions; how many they were."""
    rows = [(endpoint_id, step_s, start, *_values(sums)) for endpoint_id, sums in found.items()]
    for chunk in _chunks(rows):
        with write_transaction(db.session) as session:
            write_rows(session.connection(), _INSERT, chunk, _REPLACE)
    return len(rows)


def _values(sums: LatencySums) -> tuple[Any, ...]:
    """What a row says of its block, in the order of its columns."""
    percentiles = (sums.percentile(share) for share in (0.5, 0.95, 0.99))
    packed = encode(sums.histogram)
    return (sums.count, sums.failures, sums.sum_us, sums.min_us, sums.max_us, *percentiles, packed)


def _chunks(rows: list[tuple[Any, ...]]) -> Iterable[list[tuple[Any, ...]]]:
    return (rows[first : first + ROWS_PER_TRANSACTION] for first in range(0, len(rows), ROWS_PER_TRANSACTION))
