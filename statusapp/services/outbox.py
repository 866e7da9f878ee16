"""The outbox: what has to be told, written in the transaction that made it true and sent after it.

Every message is a row per channel. `channel_state.due_at` says when a channel's next message may go out, so that
"who has something to send?" is one look at an index.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from sqlalchemy import JSON, Connection, Row, bindparam, text

from statusapp.database import execute_plain
from statusapp.domain.enums import DeliveryState, Severity, Transition
from statusapp.domain.instants import SECOND

GATHER_US = 1 * SECOND
PAUSE_US = 30 * SECOND
ROWS_AT_ONCE = 1000

_CHANNELS = text("""
SELECT id, severities, groups, tags, sends_alerts, sends_reports FROM notification_channel WHERE is_enabled ORDER BY id
""").columns(groups=JSON, tags=JSON)
# Whoever writes into the outbox holds these rows first, all in one order: so messages become visible in the order of
# their ids, two batches never wait for each other, and no sender overlooks what is just being written.
_STATES = {
    "sqlite": text("SELECT channel_id, last_sent_at FROM channel_state ORDER BY channel_id"),
    "postgresql": text("SELECT channel_id, last_sent_at FROM channel_state ORDER BY channel_id FOR UPDATE"),
}
_GROUPS = text("SELECT id, group_id FROM service_endpoint WHERE id IN :ids").bindparams(
    bindparam("ids", expanding=True)
)
_TAGS = text("SELECT endpoint_id, tag FROM endpoint_tag WHERE endpoint_id IN :ids").bindparams(
    bindparam("ids", expanding=True)
)
_TOLD = text("SELECT DISTINCT alert_id, channel_id FROM alert_delivery WHERE alert_id IN :ids").bindparams(
    bindparam("ids", expanding=True)
)
_COLUMNS = "channel_id, alert_id, transition, severity, key, created_at, state, attempts, data"
_INSERT = f"INSERT INTO alert_delivery ({_COLUMNS}) VALUES "  # noqa: S608
_DUE = text("""
INSERT INTO channel_state (channel_id, due_at, fence, failures) VALUES (:channel_id, :due_at, 0, 0)
ON CONFLICT (channel_id) DO UPDATE SET due_at = CASE
    WHEN channel_state.due_at IS NULL THEN excluded.due_at
    WHEN channel_state.failures > 0 OR channel_state.due_at < excluded.due_at THEN channel_state.due_at
    ELSE excluded.due_at END
""")


@dataclass(frozen=True, slots=True)
class Told:
    """Something that people have to be told, and which services it is about.

    `data` is what the text is made of; `key` names the transition.
    """

    alert_id: int | None
    endpoint_ids: tuple[int, ...]
    transition: Transition
    severity: Severity
    key: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Services:
    """What channels choose by: the group and the tags of each service concerned."""

    groups: dict[int, int | None] = field(default_factory=dict)
    tags: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))


def queue(connection: Connection, told: Sequence[Told], now: int) -> int:
    """Write a message for each channel that wants it, in the connection's transaction, and say how many were new.

    What fires goes to the channels whose severities, groups and tags it matches. What follows goes to those that
    were told before of the same alert; a reminder and the word that something flaps also to those that it matches
    now, because it may have become more severe. Maintenance is told to the channels that it matches now, a report to
    the channels for reports.
    """
    if not told:
        return 0
    states = {row.channel_id: row for row in connection.execute(_STATES[connection.dialect.name])}
    channels = connection.execute(_CHANNELS).all()
    if not channels:
        return 0
    services = _services(connection, channels, told)
    before = _told_before(connection, told)
    enabled = {channel.id for channel in channels}
    rows: list[tuple[Any, ...]] = []
    for one in told:
        wanted = _recipients(one, channels, services, before) & enabled
        if one.alert_id is not None:
            before[one.alert_id] |= wanted
        data = json.dumps(one.data)
        rows += [_row(one, channel_id, data, now) for channel_id in sorted(wanted)]
    if not rows:
        return 0
    written = _insert(connection, rows)
    if written:
        due = [
            {"channel_id": channel_id, "due_at": first_due(_last_sent(states.get(channel_id)), now)}
            for channel_id in sorted({row[0] for row in rows})
        ]
        connection.execute(_DUE, due)
    return written


def first_due(last_sent_at: int | None, created_at: int) -> int:
    """When a message goes out that nothing waits before: soon after a silence, else after a pause in which more is
    gathered."""
    if last_sent_at is None or created_at - last_sent_at >= PAUSE_US:
        return created_at + GATHER_US
    return last_sent_at + PAUSE_US


def _last_sent(state: Row[Any] | None) -> int | None:
    return None if state is None else state.last_sent_at


def _services(connection: Connection, channels: Sequence[Row[Any]], told: Sequence[Told]) -> _Services:
    services = _Services()
    ids = sorted({key for one in told for key in one.endpoint_ids})
    if ids and any(channel.groups for channel in channels):
        services.groups.update((row.id, row.group_id) for row in connection.execute(_GROUPS, {"ids": ids}))
    if ids and any(channel.tags for channel in channels):
        for row in connection.execute(_TAGS, {"ids": ids}):
            services.tags[row.endpoint_id].add(row.tag)
    return services


def _told_before(connection: Connection, told: Iterable[Told]) -> dict[int, set[int]]:
    """Per alert that is not new, the channels that were told of it."""
    before: dict[int, set[int]] = defaultdict(set)
    ids = {one.alert_id for one in told if one.alert_id is not None and one.transition is not Transition.FIRED}
    if ids:
        for row in connection.execute(_TOLD, {"ids": sorted(ids)}):
            before[row.alert_id].add(row.channel_id)
    return before


def _recipients(one: Told, channels: Sequence[Row[Any]], services: _Services, before: dict[int, set[int]]) -> set[int]:
    if one.transition is Transition.REPORT:
        return {channel.id for channel in channels if channel.sends_reports}
    follows = set(before[one.alert_id]) if one.alert_id is not None else set()
    if one.transition is Transition.RESOLVED:
        return follows
    matching = {channel.id for channel in channels if channel.sends_alerts and _matches(channel, one, services)}
    return matching if one.transition is Transition.FIRED else follows | matching


def _matches(channel: Row[Any], one: Told, services: _Services) -> bool:
    if not channel.severities >> one.severity & 1:
        return False
    if not channel.groups and not channel.tags:
        return True
    return any(
        (bool(channel.groups) and services.groups.get(key) in channel.groups)
        or not services.tags[key].isdisjoint(channel.tags)
        for key in one.endpoint_ids
    )


def _row(one: Told, channel_id: int, data: str, now: int) -> tuple[Any, ...]:
    return (
        channel_id,
        one.alert_id,
        int(one.transition),
        int(one.severity),
        f"{one.key}-{channel_id}",
        now,
        int(DeliveryState.QUEUED),
        0,
        data,
    )


def _insert(connection: Connection, rows: list[tuple[Any, ...]]) -> int:
    """Write the rows that are not there yet; how many that were."""
    written = 0
    places = f"({', '.join('?' * len(rows[0]))})"
    for start in range(0, len(rows), ROWS_AT_ONCE):
        chunk = rows[start : start + ROWS_AT_ONCE]
        statement = f"{_INSERT}{', '.join([places] * len(chunk))} ON CONFLICT (key) DO NOTHING"
        written += execute_plain(connection, statement, tuple(chain.from_iterable(chunk))).rowcount
    return written
