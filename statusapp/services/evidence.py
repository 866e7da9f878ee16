"""What was known when an incident opened, frozen with it: for operators, who ask days later.

The failed checks with their phases, what the hosts were doing, and how many requests failed in the ten minutes before.
It names addresses and errors, so the public never sees it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, and_, func, select

from statusapp.domain.blocks import floor_to
from statusapp.domain.enums import Outcome
from statusapp.domain.instants import SECOND, from_us, to_us
from statusapp.domain.request_sums import FIVE_MINUTES_S
from statusapp.models import CheckDetail, HealthCheck, RequestRollup, SystemMetric, TrackedRoute
from statusapp.models.check import HERE

SPAN_US = 600 * SECOND
# With many services at once, the first ones tell the story; the rest can be looked up for thirty days.
MOST_SERVICES = 20
MOST_CHECKS = 200
MOST_READINGS = 100

_PHASES = ("late_us", "dns_us", "connect_us", "tls_us", "wait_us", "transfer_us", "total_us", "status_code")
_READING = (
    "cpu_percent", "load_1m", "load_5m", "load_15m", "memory_percent", "memory_used_mb", "memory_total_mb",
    "disk_percent", "disk_free_mb", "database_connect_us", "database_query_us",
)  # fmt: skip


def gather_evidence(
    connection: Connection, services: Sequence[tuple[int, str, str]], since: int, now: int
) -> dict[str, Any]:
    """The evidence as JSON; instants and durations are microseconds.

    Args:
        services: each with its id, its name and what was found.
        since: when it began to be wrong; what is looked at begins ten minutes before.
    """
    start, chosen = since - SPAN_US, services[:MOST_SERVICES]
    checks = _failed_checks(connection, [key for key, _, _ in chosen], start, now)
    return {
        "since": since,
        "at": now,
        "services": [
            {"endpoint_id": key, "name": name, "found": found, "checks": checks.get(key, [])}
            for key, name, found in chosen
        ],
        "more_services": len(services) - len(chosen),
        "hosts": _readings(connection, start, now),
        "requests": _requests(connection, start, now),
    }


def _failed_checks(connection: Connection, ids: list[int], start: int, end: int) -> dict[int, list[dict[str, Any]]]:
    """The bad checks of each service within [start, end], the newest first."""
    check, detail = HealthCheck, CheckDetail
    rows = connection.execute(
        select(*check.__table__.c, detail.error, detail.data)
        .outerjoin(
            detail,
            and_(detail.endpoint_id == check.endpoint_id, detail.location == check.location, detail.slot == check.slot),
        )
        .where(
            check.endpoint_id.in_(ids),
            check.location == HERE,
            check.slot.between(start, end),
            check.outcome.in_([Outcome.FAILED, Outcome.SLOW]),
        )
        .order_by(check.slot.desc())
        .limit(MOST_CHECKS)
    )
    found: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row.endpoint_id, []).append(_check(row))
    return found


def _check(row: Any) -> dict[str, Any]:
    return {
        "slot": row.slot,
        "kind": row.kind.word,
        "outcome": row.outcome.word,
        "error_kind": row.error_kind.word,
        "error": row.error,
        "detail": row.data,
        "peer": None if row.peer is None else str(ipaddress.ip_address(bytes(row.peer))),
        **{name: getattr(row, name) for name in _PHASES},
    }


def _readings(connection: Connection, start: int, end: int) -> list[dict[str, Any]]:
    """What each host was doing within [start, end], the newest first."""
    metric = SystemMetric
    rows = connection.execute(
        select(metric.host, metric.taken_at, *(getattr(metric, name) for name in _READING))
        .where(metric.taken_at >= from_us(start), metric.taken_at <= from_us(end))
        .order_by(metric.taken_at.desc())
        .limit(MOST_READINGS)
    )
    hosts: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        reading = {"taken_at": to_us(row.taken_at), **{name: getattr(row, name) for name in _READING}}
        hosts.setdefault(row.host, []).append(reading)
    return [{"host": host, "readings": readings} for host, readings in sorted(hosts.items())]


def _requests(connection: Connection, start: int, end: int) -> dict[str, Any]:
    """How many requests there were and how many failed, in the whole blocks of five minutes that cover [start, end]."""
    rollup, first = RequestRollup, floor_to(start, FIVE_MINUTES_S)
    row = connection.execute(
        select(func.sum(rollup.count), func.sum(rollup.failures), func.sum(rollup.client_errors)).where(
            # Not a join: through the list each route's blocks are found by their key.
            rollup.route_id.in_(select(TrackedRoute.id)),
            rollup.step_s == FIVE_MINUTES_S,
            rollup.start >= first,
            rollup.start <= end,
        )
    ).one()
    # PostgreSQL sums whole numbers as decimals.
    count, failures, client_errors = (int(value or 0) for value in row)
    return {
        "from": first,
        "until": end,
        "count": count,
        "failures": failures,
        "client_errors": client_errors,
        "error_percent": round(100 * failures / count, 3) if count else None,
    }
