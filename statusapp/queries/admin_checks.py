"""Single checks, the newest first, of one service or of all.

Checks lie in the order of services and, within each, of time. Of one service a page is read along that key. Of all of
them the newest are looked for in a few minutes, and in ever longer spans while those have too few: each look costs a
step into every service's checks, and never reads much more than a page. Bad checks are found by their details, which
only they have, and those that were made by hand.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from typing import Any

from sqlalchemy import and_, select, tuple_

from statusapp.domain.enums import CheckKind, ErrorKind, Outcome
from statusapp.domain.errors import NotFound
from statusapp.domain.instants import SECOND, from_us, to_us
from statusapp.extensions import db
from statusapp.models import CheckDetail, HealthCheck, ServiceEndpoint
from statusapp.models.check import HERE
from statusapp.queries.paging import Key, Order, Page, Wanted, cut_page

ORDERS = {"time": Order((HealthCheck.slot, HealthCheck.endpoint_id), (int, int), is_fixed=True)}
BAD = (Outcome.FAILED, Outcome.SLOW, Outcome.INTERNAL_ERROR, Outcome.WAITING)

_FIRST_LOOK = 300 * SECOND
_GROWTH = 8
_LOOKS = 6
_DAY = 86_400 * SECOND


@dataclass(frozen=True, slots=True)
class CheckItem:
    """A check in a list. Durations are microseconds; `slot` is when it was due, in microseconds as well."""

    endpoint_id: int
    name: str
    slot: int
    kind: CheckKind
    outcome: Outcome
    error_kind: ErrorKind
    status_code: int | None
    late_us: int
    total_us: int
    error: str | None

    @property
    def due_at(self) -> datetime:
        """When it was due."""
        return from_us(self.slot)


@dataclass(frozen=True, slots=True)
class CheckFile:
    """All of one check. Phases that it did not reach are None; `detail` is as the probe left it."""

    item: CheckItem
    dns_us: int | None
    connect_us: int | None
    tls_us: int | None
    wait_us: int | None
    transfer_us: int | None
    total_us: int
    status_code: int | None
    size: int | None
    peer: str | None
    detail: dict[str, Any]


def page_of_checks(wanted: Wanted, now: datetime) -> Page[CheckItem]:
    """Checks, the newest first. Filters: service (an id), outcome, and the times since and until."""
    given = wanted.filters
    since = to_us(given["since"]) if "since" in given else 0
    until = to_us(given["until"]) if "until" in given else to_us(now) + _DAY
    if wanted.key is not None:
        slot: int = wanted.key[0]  # type: ignore[assignment]
        since, until = (max(since, slot), until) if wanted.backward else (since, min(until, slot + 1))
    if "service" in given:
        ids, spans = [given["service"]], iter([(since, until)])
    else:
        ids = list(db.session.scalars(select(ServiceEndpoint.id)))
        spans = _spans(since, until, upward=wanted.backward)
    found: list[tuple[CheckItem, Key]] = []
    for start, end in spans:
        found = _load(wanted, ids, start, end)
        if len(found) > wanted.limit:
            break
    return cut_page(found, wanted)


def get_check(endpoint_id: int, slot: int) -> CheckFile:
    """One check.

    Raises:
        NotFound: when it is not there, or not any more.
    """
    here = (HealthCheck.endpoint_id == endpoint_id, HealthCheck.location == HERE, HealthCheck.slot == slot)
    row = db.session.execute(_statement(CheckDetail.data).where(*here)).first()
    if row is None:
        raise NotFound("There is no such check, or not any more: single checks are kept for some weeks.")
    check = row.HealthCheck
    return CheckFile(
        item=_item(row),
        dns_us=check.dns_us,
        connect_us=check.connect_us,
        tls_us=check.tls_us,
        wait_us=check.wait_us,
        transfer_us=check.transfer_us,
        total_us=check.total_us,
        status_code=check.status_code,
        size=check.size,
        peer=None if check.peer is None else str(ip_address(bytes(check.peer))),
        detail=row.data or {},
    )


def _spans(since: int, until: int, *, upward: bool) -> Iterator[tuple[int, int]]:
    """Ever longer spans from one end of [since, until) on, the last of them all of it."""
    length = _FIRST_LOOK
    for _ in range(_LOOKS):
        if length >= until - since:
            break
        yield (since, since + length) if upward else (until - length, until)
        length *= _GROWTH
    yield since, until


def _load(wanted: Wanted, ids: Sequence[int], start: int, end: int) -> list[tuple[CheckItem, Key]]:
    """A page and one more of the checks within [start, end), from the end that is wanted."""
    keys = _keys(wanted, ids, start, end).subquery()
    check = HealthCheck
    is_chosen = and_(check.endpoint_id == keys.c.endpoint_id, check.location == HERE, check.slot == keys.c.slot)
    columns = (keys.c.slot, keys.c.endpoint_id)
    sorted_by = [column.asc() if wanted.backward else column.desc() for column in columns]
    rows = db.session.execute(_statement().join(keys, is_chosen).order_by(*sorted_by))
    return [(item, (item.slot, item.endpoint_id)) for item in map(_item, rows)]


def _keys(wanted: Wanted, ids: Sequence[int], start: int, end: int) -> Any:
    """The keys of those checks."""
    outcome, check = wanted.filters.get("outcome"), HealthCheck
    table: Any = CheckDetail if outcome in BAD else HealthCheck
    # With the ids themselves both databases step into the checks of each service along the key; from a join, and on
    # PostgreSQL from a subquery as well, they may conclude to read everything.
    is_of_these = table.endpoint_id.in_(ids) if len(ids) != 1 else table.endpoint_id == ids[0]
    chosen = select(table.endpoint_id, table.slot).where(
        is_of_these, table.location == HERE, table.slot >= start, table.slot < end
    )
    if outcome in BAD:
        same = (check.endpoint_id == table.endpoint_id, check.location == table.location, check.slot == table.slot)
        chosen = chosen.where(select(check.slot).where(*same, check.outcome == outcome).exists())
    elif outcome is not None:
        chosen = chosen.where(check.outcome == outcome)
    place = tuple_(table.slot, table.endpoint_id)
    if wanted.key is not None:
        chosen = chosen.where(place > wanted.key if wanted.backward else place < wanted.key)
    sorted_by = [column.asc() if wanted.backward else column.desc() for column in (table.slot, table.endpoint_id)]
    return chosen.order_by(*sorted_by).limit(wanted.limit + 1)


def _statement(*more: Any) -> Any:
    check, detail, endpoint = HealthCheck, CheckDetail, ServiceEndpoint
    same = and_(detail.endpoint_id == check.endpoint_id, detail.location == check.location, detail.slot == check.slot)
    return (
        select(endpoint.name, check, detail.error, *more)
        .select_from(check)
        .join(endpoint, endpoint.id == check.endpoint_id)
        .outerjoin(detail, same)
    )


def _item(row: Any) -> CheckItem:
    check = row.HealthCheck
    return CheckItem(
        endpoint_id=check.endpoint_id,
        name=row.name,
        slot=check.slot,
        kind=check.kind,
        outcome=check.outcome,
        error_kind=check.error_kind,
        status_code=check.status_code,
        late_us=check.late_us,
        total_us=check.total_us,
        error=row.error,
    )
