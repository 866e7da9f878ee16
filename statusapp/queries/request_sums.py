"""Requests by route and over time, from their sums. Instants are microseconds; no query reads single requests."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, func, select, union_all
from sqlalchemy.orm import InstrumentedAttribute

from statusapp.domain.blocks import DAY_S, HOUR_S, Tile, ceil_to, cover, floor_to
from statusapp.domain.enums import ClientKind
from statusapp.domain.histogram import decode, merged_packed
from statusapp.domain.instants import SECOND, from_us, to_us
from statusapp.domain.request_sums import FIVE_MINUTES_S, RequestSums, added_up
from statusapp.extensions import db
from statusapp.models import RequestClient, RequestClientDay, RequestRollup, TrackedRoute
from statusapp.models.requests import EVERY_ROUTE
from statusapp.queries.watermarks import REQUESTS, complete_until

SUMS: tuple[InstrumentedAttribute[Any], ...] = (
    RequestRollup.count,
    RequestRollup.failures,
    RequestRollup.sum_us,
    RequestRollup.min_us,
    RequestRollup.max_us,
    RequestRollup.histogram,
    RequestRollup.client_errors,
    RequestRollup.slow,
    RequestRollup.went_away,
)
# How charts of spans up to so long are cut, so that none has more than 300 points.
STEPS = ((timedelta(hours=25), FIVE_MINUTES_S), (timedelta(days=12), HOUR_S), (timedelta(days=299), DAY_S))


@dataclass(frozen=True, slots=True)
class RouteFilter:
    """Which routes are looked at; None is all of them."""

    service: str | None = None
    method: str | None = None
    route: str | None = None

    def conditions(self) -> list[Any]:
        """As conditions on `tracked_route`."""
        wanted = {"service": self.service, "method": self.method, "route": self.route}
        return [getattr(TrackedRoute, name) == value for name, value in wanted.items() if value is not None]


ALL_ROUTES = RouteFilter()


@dataclass(frozen=True, slots=True)
class RouteTraffic:
    """The requests of one route. `slow_us` is its own threshold, when it has one."""

    route_id: int
    service: str
    method: str
    route: str
    slow_us: int | None
    sums: RequestSums


@dataclass(frozen=True, slots=True)
class Traffic:
    """Requests over a span, which is widened to whole blocks of five minutes; the busiest route first."""

    start: datetime
    end: datetime
    routes: tuple[RouteTraffic, ...]
    overall: RequestSums

    @property
    def per_minute(self) -> float:
        """How many requests came a minute."""
        return self.overall.count / max((self.end - self.start) / timedelta(minutes=1), 1.0)


@dataclass(frozen=True, slots=True)
class TrafficPoint:
    """The requests of one block of a chart; None where there were none."""

    start: datetime
    count: int
    error_percent: float | None
    p50_us: int | None
    p95_us: int | None


@dataclass(frozen=True, slots=True)
class ClientTraffic:
    """How many requests one user or address made."""

    value: str
    count: int
    failures: int


def load_traffic(start: datetime, end: datetime, wanted: RouteFilter = ALL_ROUTES) -> Traffic:
    """The requests from `start` to `end` by route and together."""
    tiles = _tiles(to_us(start), to_us(end))
    blocks: dict[int, list[Sequence[Any]]] = defaultdict(list)
    routes = {row.id: row for row in db.session.scalars(select(TrackedRoute).where(*wanted.conditions()))}
    for route_id, _, *values in _read(tiles, wanted):
        blocks[route_id].append(values)
    found = {route_id: _together(several) for route_id, several in blocks.items()}
    overall = added_up(found.values())
    traffic = [
        RouteTraffic(key, row.service, row.method, row.route, _us(row.slow_ms), found[key])
        for key, row in routes.items()
        if key in found
    ]
    traffic.sort(key=lambda route: (-route.sums.count, route.route))
    return Traffic(from_us(tiles[0].start), min(from_us(tiles[-1].end), end), tuple(traffic), overall)


def slowest_first(traffic: Traffic, least: int = 1) -> list[RouteTraffic]:
    """The routes with at least so many requests, that with the highest p95 first."""
    routes = [route for route in traffic.routes if route.sums.count >= least]
    return sorted(routes, key=lambda route: -(route.sums.percentile(0.95) or 0))


def load_traffic_series(start: datetime, end: datetime, wanted: RouteFilter = ALL_ROUTES) -> list[TrafficPoint]:
    """The requests from `start` to `end` as at most 300 points."""
    step_s = next(step_s for longest, step_s in STEPS if end - start <= longest or step_s == DAY_S)
    first, last = floor_to(to_us(start), step_s), ceil_to(to_us(end), step_s)
    points = load_points(first, last, step_s, wanted)
    return [_point(block, points.get(block, RequestSums())) for block in range(first, last, step_s * SECOND)]


def load_points(
    first: int, last: int, step_s: int, wanted: RouteFilter = ALL_ROUTES, total: int | None = None
) -> dict[int, RequestSums]:
    """The requests of each block of `step_s` seconds between two edges of such blocks; microseconds.

    Args:
        total: how many requests there are in all, when that is known; else they are counted.
    """
    tiles = _tiles(first, last, step_s)
    if wanted == ALL_ROUTES:
        points = _points(_read_together(tiles), step_s)
        if sum(sums.count for sums in points.values()) == (_count(tiles) if total is None else total):
            return points
        # Some were summed up when all routes together were not.
    return _points((row[1:] for row in _read(tiles, wanted)), step_s)


def list_clients(kind: ClientKind, start: datetime, end: datetime, limit: int = 20) -> list[ClientTraffic]:
    """Who made the most requests, by whole hours."""
    until, _ = complete_until(REQUESTS)
    tiles = cover(floor_to(to_us(start), HOUR_S), ceil_to(to_us(end), HOUR_S), until, (DAY_S,))
    parts = [_clients(kind, tile) for tile in tiles]
    if not parts:
        return []
    found = union_all(*parts).subquery()
    rows = db.session.execute(
        select(found.c.value, func.sum(found.c.count), func.sum(found.c.failures))
        .group_by(found.c.value)
        .order_by(func.sum(found.c.count).desc(), found.c.value)
        .limit(limit)
    )
    return [ClientTraffic(value, int(count), int(failures)) for value, count, failures in rows]


def _clients(kind: ClientKind, tile: Tile) -> Select[str, int, int]:
    """The clients of a tile: of its days, or of its hours."""
    model: type[RequestClient | RequestClientDay] = RequestClientDay
    start = RequestClientDay.day
    if tile.step_s is None:
        model, start = RequestClient, RequestClient.hour
    columns = (model.value, func.sum(model.count).label("count"), func.sum(model.failures).label("failures"))
    return select(*columns).where(start >= tile.start, start < tile.end, model.kind == kind).group_by(model.value)


def _tiles(start: int, end: int, longest_s: int = DAY_S) -> list[Tile]:
    """Blocks of five minutes, hours and days that cover a span; those of five minutes are complete at once.

    Args:
        longest_s: no block is longer, so that each lies in one point of a series.
    """
    until, _ = complete_until(REQUESTS)
    first, last = floor_to(start, FIVE_MINUTES_S), max(ceil_to(end, FIVE_MINUTES_S), start + 1)
    found = cover(first, last, until, [step_s for step_s in (DAY_S, HOUR_S) if step_s <= longest_s])
    return [Tile(tile.step_s or FIVE_MINUTES_S, tile.start, tile.end) for tile in found]


def _read(tiles: Iterable[Tile], wanted: RouteFilter) -> Iterator[Sequence[Any]]:
    """Route, beginning and the values of `SUMS` of each block."""
    rollup = RequestRollup
    chosen = select(TrackedRoute.id).where(*wanted.conditions())
    for tile in tiles:
        # By the connection: of rows by the thousand the session would take a copy first.
        yield from db.session.connection().execute(
            select(rollup.route_id, rollup.start, *SUMS).where(
                rollup.route_id.in_(chosen),
                rollup.step_s == tile.step_s,
                rollup.start >= tile.start,
                rollup.start < tile.end,
            )
        )


def _read_together(tiles: Iterable[Tile]) -> Iterator[Sequence[Any]]:
    """Beginning and the values of `SUMS` of each block, of all routes together where that is kept."""
    rollup = RequestRollup
    for tile in tiles:
        if tile.step_s == FIVE_MINUTES_S:
            yield from (row[1:] for row in _read([tile], ALL_ROUTES))
            continue
        of_all = (rollup.route_id == EVERY_ROUTE, rollup.step_s == tile.step_s)
        yield from db.session.execute(
            select(rollup.start, *SUMS).where(*of_all, rollup.start >= tile.start, rollup.start < tile.end)
        )


def _count(tiles: Iterable[Tile]) -> int:
    """How many requests the sums of single routes count."""
    rollup, total = RequestRollup, 0
    for tile in tiles:
        total += int(
            db.session.scalar(
                select(func.sum(rollup.count)).where(
                    rollup.route_id.in_(select(TrackedRoute.id)),
                    rollup.step_s == tile.step_s,
                    rollup.start >= tile.start,
                    rollup.start < tile.end,
                )
            )
            or 0
        )
    return total


def _points(blocks: Iterable[Sequence[Any]], step_s: int) -> dict[int, RequestSums]:
    points: dict[int, list[Sequence[Any]]] = defaultdict(list)
    for block, *values in blocks:
        points[floor_to(block, step_s)].append(values)
    return {point: _together(several) for point, several in points.items()}


def _together(several: Sequence[Sequence[Any]]) -> RequestSums:
    """The sums of some blocks added up, from the values of `SUMS` of each, of which there is one at least."""
    count, failures, sum_us, min_us, max_us, packed, *more = zip(*several, strict=True)
    return RequestSums(
        sum(count), sum(failures), sum(sum_us), min(min_us), max(max_us), merged_packed(packed), *map(sum, more)
    )


def sums_of(values: Sequence[Any]) -> RequestSums:
    """Sums from the values of `SUMS`."""
    count, failures, sum_us, min_us, max_us, packed, *more = values
    return RequestSums(count, failures, sum_us, min_us, max_us, decode(packed), *more)


def _point(block: int, sums: RequestSums) -> TrafficPoint:
    p50, p95 = sums.percentile(0.5), sums.percentile(0.95)
    return TrafficPoint(from_us(block), sums.count, sums.error_percent, p50, p95)


def _us(milliseconds: int | None) -> int | None:
    return None if milliseconds is None else milliseconds * 1000
