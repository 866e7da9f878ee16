"""Writes batches of requests: the rows, the sums of their five minutes, their clients and their errors."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from typing import Any

from sqlalchemy import Connection, select, text

from statusapp.database import write_rows
from statusapp.domain.blocks import HOUR_S, floor_to
from statusapp.domain.enums import ClientKind
from statusapp.domain.histogram import encode
from statusapp.domain.request_sums import FIVE_MINUTES_S, RequestSums, is_failure
from statusapp.models import RequestRollup
from statusapp.queries.request_sums import SUMS, sums_of
from statusapp.queries.watermarks import REQUESTS
from statusapp.services.request_names import Names, Route
from statusapp.services.rollups import LATE_US
from statusapp.services.watermarks import pull_back
from statusapp.tracking.fields import Record
from statusapp.tracking.wire import Batch

MOST_CLIENTS_PER_ERROR = 10_000

_LOG_COLUMNS = (
    "at", "route_id", "host_id", "status", "duration_us", "request_size", "response_size", "user_id", "address",
    "user_agent", "request_id", "error_id", "error_message", "is_slow", "is_probe", "went_away", "weight",
)  # fmt: skip
_INSERT_LOG = f"INSERT INTO api_request_log ({', '.join(_LOG_COLUMNS)}) VALUES"
SUM_COLUMNS = ("route_id", "step_s", "start", *(column.key for column in SUMS))
INSERT_SUMS = f"INSERT INTO request_rollup ({', '.join(SUM_COLUMNS)}) VALUES"
REPLACE_SUMS = "ON CONFLICT (route_id, step_s, start) DO UPDATE SET " + ", ".join(
    f"{name} = excluded.{name}" for name in SUM_COLUMNS[3:]
)
_INSERT_CLIENTS = "INSERT INTO request_client (hour, kind, value, count, failures) VALUES"
_ADD_CLIENTS = (
    "ON CONFLICT (hour, kind, value) DO UPDATE SET count = request_client.count + excluded.count, "
    "failures = request_client.failures + excluded.failures"
)
_WRITE_ERROR = text("""
INSERT INTO request_error (service, fingerprint, error_class, message, route_id, first_at, last_at, count, clients)
VALUES (:service, :fingerprint, :error_class, :message, :route_id, :first_at, :last_at, :count, 0)
ON CONFLICT (service, fingerprint) DO UPDATE SET
    count = request_error.count + excluded.count,
    message = CASE WHEN excluded.message <> '' THEN excluded.message ELSE request_error.message END,
    route_id = excluded.route_id,
    first_at = CASE WHEN excluded.first_at < request_error.first_at THEN excluded.first_at
                    ELSE request_error.first_at END,
    last_at = CASE WHEN excluded.last_at > request_error.last_at THEN excluded.last_at ELSE request_error.last_at END
RETURNING id, clients
""")
_ADD_CLIENT = text("""
INSERT INTO request_error_client (error_id, client) VALUES (:error_id, :client) ON CONFLICT DO NOTHING
""")
_COUNT_CLIENTS = text("UPDATE request_error SET clients = clients + :more WHERE id = :id")


@dataclass(slots=True)
class _Errors:
    """The errors of one fingerprint in a batch of requests."""

    service: str
    newest: Record
    route_id: int
    first_at: int
    count: int
    clients: set[bytes]


class RequestWriter:
    """Writes requests for one run of the task. `slow_us` is the threshold of routes that have none of their own."""

    def __init__(self, slow_us: int, secret: str, now: int) -> None:
        self._slow_us = slow_us
        self._key = hashlib.blake2b(secret.encode(), digest_size=32).digest()
        self._now = now
        self._names = Names()

    def write(self, connection: Connection, batches: list[Batch]) -> None:
        """Write all requests of some batches in the connection's transaction."""
        served = [(batch, record) for batch in batches for record in batch.records]
        if not served:
            return
        routes = [self._names.route(connection, batch.service, record.method, record.route) for batch, record in served]
        errors = self._write_errors(connection, served, routes)
        rows = [
            self._row(connection, batch, record, route, errors)
            for (batch, record), route in zip(served, routes, strict=True)
        ]
        write_rows(connection, _INSERT_LOG, rows, "")
        real = [(record, route) for (_, record), route in zip(served, routes, strict=True) if not record.is_probe]
        self._add_sums(connection, real)
        self._add_clients(connection, [record for record, _ in real])
        # After all else, as whoever sums waits for this row.
        oldest = min(record.started_us for _, record in served)
        if oldest < self._now - LATE_US:
            pull_back(connection, REQUESTS, oldest)

    def _row(
        self, connection: Connection, batch: Batch, record: Record, route: Route, errors: dict[tuple[str, str], int]
    ) -> tuple[Any, ...]:
        return (
            record.started_us,
            route.id,
            self._names.host(connection, batch.host),
            record.status,
            record.duration_us,
            record.request_bytes,
            record.response_bytes,
            record.user or None,
            record.address or None,
            record.agent or None,
            record.request_id or None,
            errors.get((batch.service, record.fingerprint)),
            record.error_message or None,
            self._is_slow(record, route),
            record.is_probe,
            record.went_away,
            float(record.weight),
        )

    def _is_slow(self, record: Record, route: Route) -> bool:
        return record.duration_us >= (self._slow_us if route.slow_us is None else route.slow_us)

    def _add_sums(self, connection: Connection, requests: list[tuple[Record, Route]]) -> None:
        """Add requests to the sums of their routes and five minutes."""
        blocks: dict[tuple[int, int], RequestSums] = defaultdict(RequestSums)
        for record, route in requests:
            sums = blocks[route.id, floor_to(record.started_us, FIVE_MINUTES_S)]
            is_slow = self._is_slow(record, route)
            sums.add_request(
                record.status, record.duration_us, record.weight, is_slow=is_slow, went_away=record.went_away
            )
        for start in {start for _, start in blocks}:
            ids = [route_id for route_id, block in blocks if block == start]
            known = connection.execute(
                select(RequestRollup.route_id, *SUMS).where(
                    RequestRollup.route_id.in_(ids),
                    RequestRollup.step_s == FIVE_MINUTES_S,
                    RequestRollup.start == start,
                )
            )
            for route_id, *values in known:
                blocks[route_id, start].add_requests(sums_of(values))
        write_sums(connection, FIVE_MINUTES_S, blocks)

    def _add_clients(self, connection: Connection, records: Iterable[Record]) -> None:
        clients: dict[tuple[int, int, str], list[int]] = defaultdict(lambda: [0, 0])
        for record in records:
            hour = floor_to(record.started_us, HOUR_S)
            count = max(round(record.weight), 1)
            for kind, value in ((ClientKind.USER, record.user), (ClientKind.ADDRESS, record.address)):
                if value:
                    found = clients[hour, int(kind), value]
                    found[0] += count
                    found[1] += count * is_failure(record.status)
        rows: list[tuple[Any, ...]] = [(*key, *counts) for key, counts in sorted(clients.items())]
        if rows:
            write_rows(connection, _INSERT_CLIENTS, rows, _ADD_CLIENTS)

    def _write_errors(
        self, connection: Connection, served: list[tuple[Batch, Record]], routes: list[Route]
    ) -> dict[tuple[str, str], int]:
        """Write the groups of errors; the id of each by service and fingerprint."""
        groups: dict[tuple[str, str], _Errors] = {}
        for (batch, record), route in zip(served, routes, strict=True):
            if not record.fingerprint:
                continue
            key = (batch.service, record.fingerprint)
            group = groups.get(key)
            if group is None:
                group = groups[key] = _Errors(batch.service, record, route.id, record.started_us, 0, set())
            group.count += 1
            group.first_at = min(group.first_at, record.started_us)
            if record.started_us >= group.newest.started_us:
                group.newest, group.route_id = record, route.id
            client = record.user or record.address
            if client:
                group.clients.add(hashlib.blake2b(client.encode(), digest_size=8, key=self._key).digest())
        return {key: self._write_error(connection, group) for key, group in sorted(groups.items())}

    def _write_error(self, connection: Connection, group: _Errors) -> int:
        newest = group.newest
        row = connection.execute(
            _WRITE_ERROR,
            {
                "service": group.service,
                "fingerprint": newest.fingerprint,
                "error_class": newest.error_class,
                "message": newest.error_message,
                "route_id": group.route_id,
                "first_at": group.first_at,
                "last_at": newest.started_us,
                "count": group.count,
            },
        ).one()
        if row.clients < MOST_CLIENTS_PER_ERROR:
            more = sum(
                connection.execute(_ADD_CLIENT, {"error_id": row.id, "client": client}).rowcount
                for client in sorted(group.clients)
            )
            if more:
                connection.execute(_COUNT_CLIENTS, {"id": row.id, "more": more})
        error_id: int = row.id
        return error_id


def write_sums(connection: Connection, step_s: int, blocks: dict[tuple[int, int], RequestSums]) -> None:
    """Write the sums of some blocks, by route and beginning, over what stands there."""
    rows: list[tuple[Any, ...]] = [
        (*(route_id, step_s, start), *_values(sums)) for (route_id, start), sums in sorted(blocks.items())
    ]
    if rows:
        write_rows(connection, INSERT_SUMS, rows, REPLACE_SUMS)


def _values(sums: RequestSums) -> Iterable[Any]:
    """In the order of `SUMS`."""
    numbers = (sums.count, sums.failures, sums.sum_us, sums.min_us, sums.max_us, encode(sums.histogram))
    return chain(numbers, (sums.client_errors, sums.slow, sums.went_away))
