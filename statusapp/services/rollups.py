"""Rollups: the checks of each hour summed up, so that no page ever reads raw checks."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select, text

from statusapp.database import write_transaction
from statusapp.domain.enums import Outcome
from statusapp.domain.instants import SECOND, to_us
from statusapp.extensions import db
from statusapp.models import LatencyHour

HOUR = 3600 * SECOND
FIRST_LOOK_BACK = 25 * HOUR

# Through the endpoints, so that each one's span is found by the key of the checks.
_SUMS = text("""
SELECT h.endpoint_id, h.slot / :hour AS hour_number, COUNT(*) AS checks,
    SUM(CASE WHEN h.outcome = :failed THEN 1 ELSE 0 END) AS failures,
    SUM(CASE WHEN h.outcome = :failed THEN 0 ELSE h.total_us END) AS sum_us,
    MIN(h.total_us) AS min_us, MAX(h.total_us) AS max_us
FROM service_endpoint AS e JOIN health_check AS h ON h.endpoint_id = e.id AND h.location = 0 AND h.slot >= :since
WHERE h.outcome <> :internal
GROUP BY h.endpoint_id, h.slot / :hour
""")
_UPSERT = text("""
INSERT INTO latency_hour (endpoint_id, hour, count, failures, sum_us, min_us, max_us)
VALUES (:endpoint_id, :hour, :count, :failures, :sum_us, :min_us, :max_us)
ON CONFLICT (endpoint_id, hour) DO UPDATE SET count = excluded.count, failures = excluded.failures,
    sum_us = excluded.sum_us, min_us = excluded.min_us, max_us = excluded.max_us
""")


def roll_up_checks(now: datetime) -> str:
    """Sum up anew the newest hour that has sums, the one before it, for results that came late, and all since."""
    newest = db.session.scalar(select(func.max(LatencyHour.hour)))
    since = newest - HOUR if newest is not None else (to_us(now) - FIRST_LOOK_BACK) // HOUR * HOUR
    parameters = {
        "hour": HOUR,
        "since": since,
        "failed": int(Outcome.FAILED),
        "internal": int(Outcome.INTERNAL_ERROR),
    }
    rows = [
        {
            "endpoint_id": row.endpoint_id,
            "hour": row.hour_number * HOUR,
            "count": row.checks,
            "failures": row.failures,
            "sum_us": int(row.sum_us),
            "min_us": row.min_us,
            "max_us": row.max_us,
        }
        for row in db.session.execute(_SUMS, parameters)
    ]
    with write_transaction(db.session) as session:
        if rows:
            session.execute(_UPSERT, rows)
    return f"{len(rows)} hours of services summed up"
