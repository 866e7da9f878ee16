"""Parcels: what one sender takes from the outbox for one channel, and what becomes of it.

A channel's lease lets one sender at a time work for it, so that messages keep their order. What a sender took and did
not account for is taken again, in the same batch, when its lease has ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from sqlalchemy import JSON, Connection, Date, Row, bindparam, text

from statusapp.domain.deliveries import GIVE_UP_US, Waiting, backoff_us, next_parcel, no_longer_news
from statusapp.domain.enums import DeliveryState, Severity, Transition
from statusapp.domain.instants import SECOND
from statusapp.domain.messages import Event, Surroundings, Texts
from statusapp.domain.quiet_hours import quiet_until
from statusapp.services.outbox import PAUSE_US

LEASE_US = 60 * SECOND
LOOKED_AT = 5000

_DUE = text("""
SELECT s.channel_id FROM channel_state AS s JOIN notification_channel AS c ON c.id = s.channel_id
WHERE s.due_at <= :now AND (s.leased_until IS NULL OR s.leased_until <= :now) AND c.is_enabled ORDER BY s.due_at
""")
_LEASE = text("""
UPDATE channel_state SET leased_until = :until, fence = fence + 1
WHERE channel_id = :channel_id AND due_at <= :now AND (leased_until IS NULL OR leased_until <= :now)
RETURNING fence
""")
_CHANNEL = text("""
SELECT kind, secrets, quiet_from, quiet_to, (SELECT time_zone FROM status_page_settings) AS zone
FROM notification_channel WHERE id = :channel_id
""")
_WAITING = text("""
SELECT id, alert_id, transition, severity, created_at, batch FROM alert_delivery
WHERE channel_id = :channel_id AND state IN (0, 2) ORDER BY id LIMIT :limit
""")
_DATA = (
    text("SELECT id, key, transition, severity, created_at, data FROM alert_delivery WHERE id IN :ids ORDER BY id")
    .bindparams(bindparam("ids", expanding=True))
    .columns(data=JSON)
)
_REPORT = (
    text("SELECT data FROM daily_report WHERE day = :day").bindparams(bindparam("day", type_=Date)).columns(data=JSON)
)
_TEXTS = text("SELECT transition, title, body FROM message_text")
_BATCH = text("UPDATE alert_delivery SET batch = :batch WHERE id IN :ids").bindparams(bindparam("ids", expanding=True))
_SKIP = text("UPDATE alert_delivery SET state = :state WHERE id IN :ids").bindparams(bindparam("ids", expanding=True))
# Only the holder of the newest lease may say where a channel stands.
_HOLDS = {
    "sqlite": text("SELECT fence, failures FROM channel_state WHERE channel_id = :channel_id"),
    "postgresql": text("SELECT fence, failures FROM channel_state WHERE channel_id = :channel_id FOR UPDATE"),
}
_OF_BATCH = "WHERE channel_id = :channel_id AND batch = :batch AND state IN (0, 2)"
_SENT = text(f"""
UPDATE alert_delivery SET state = :state, attempts = attempts + 1, attempted_at = :now, sent_at = :now, answer = :answer
{_OF_BATCH}
""")  # noqa: S608
_TRIED = text(f"""
UPDATE alert_delivery SET attempts = attempts + 1, attempted_at = :now, answer = :answer,
    state = CASE WHEN created_at <= :too_old THEN :gave_up ELSE :failed END
{_OF_BATCH}
""")  # noqa: S608
# What is left of a batch of which some was given up is not the same message any more.
_PARTED = text(f"UPDATE alert_delivery SET batch = NULL {_OF_BATCH}")  # noqa: S608
_IS_WAITING = text("SELECT 1 FROM alert_delivery WHERE channel_id = :channel_id AND state IN (0, 2) LIMIT 1")
_SETTLE = text("""
UPDATE channel_state SET leased_until = NULL, due_at = :due_at, last_answer = :answer, failures = :failures,
    last_sent_at = CASE WHEN :sent = 1 THEN :now ELSE last_sent_at END,
    failing_since = CASE WHEN :sent = 1 THEN NULL ELSE COALESCE(failing_since, :now) END,
    broken_since = CASE WHEN :sent = 1 THEN NULL WHEN :broken = 1 THEN COALESCE(broken_since, :now)
        ELSE broken_since END
WHERE channel_id = :channel_id
""")
# A pause after failures is over by then; while it is on, what comes meanwhile, be it critical, waits for it.
_WAIT = text(
    "UPDATE channel_state SET leased_until = NULL, due_at = :due_at, failures = 0 WHERE channel_id = :channel_id"
)
_MISSING = text("""
INSERT INTO channel_state (channel_id, due_at, fence, failures)
SELECT DISTINCT channel_id, CAST(:now AS BIGINT), 0, 0 FROM alert_delivery WHERE state IN (0, 2)
    AND channel_id NOT IN (SELECT channel_id FROM channel_state)
ON CONFLICT (channel_id) DO NOTHING
""")
_FORGOTTEN = text("""
UPDATE channel_state SET due_at = :now WHERE due_at IS NULL AND EXISTS (
    SELECT 1 FROM alert_delivery AS d WHERE d.channel_id = channel_state.channel_id AND d.state IN (0, 2))
""")


@dataclass(frozen=True, slots=True)
class Parcel:
    """What one sender has taken for a channel. `sealed` are the channel's secrets as they are kept."""

    channel_id: int
    kind: str
    sealed: str | None
    fence: int
    batch: str
    events: tuple[Event, ...]
    around: Surroundings


def due_channels(connection: Connection, now: int) -> list[int]:
    """The channels that have something to send which nobody is sending, the longest due first."""
    return [row.channel_id for row in connection.execute(_DUE, {"now": now})]


def take(connection: Connection, channel_id: int, public_url: str, now: int) -> Parcel | None:
    """Lease a channel and take what is to go out; None when it is not due, leased, or has nothing to send now."""
    values = {"channel_id": channel_id, "now": now, "until": now + LEASE_US}
    leased = connection.execute(_LEASE, values).first()
    channel = connection.execute(_CHANNEL, values).first()
    if leased is None or channel is None:
        return None
    zone = ZoneInfo(channel.zone or "UTC")
    waiting = _waiting(connection, channel_id)
    over_at = quiet_until(now, channel.quiet_from, channel.quiet_to, zone)
    if over_at is None:
        waiting = _without_old_news(connection, waiting, channel, zone)
    chosen = next_parcel(waiting, over_at is not None)
    if not chosen:
        connection.execute(_WAIT, {"channel_id": channel_id, "due_at": over_at if waiting else None})
        return None
    batch, ids = chosen[0].batch, [one.id for one in chosen]
    if batch is None:
        batch = uuid4().hex
        connection.execute(_BATCH, {"batch": batch, "ids": ids})
    around = Surroundings(zone, public_url, _texts(connection))
    return Parcel(
        channel_id, channel.kind, channel.secrets, leased.fence, batch, tuple(_events(connection, ids)), around
    )


def mark_sent(connection: Connection, parcel: Parcel, answer: str, now: int) -> None:
    """Record the receiver's yes. Whoever holds the channel by now, the messages have arrived."""
    held = _held(connection, parcel)
    values = {"channel_id": parcel.channel_id, "batch": parcel.batch, "now": now, "answer": answer}
    connection.execute(_SENT, values | {"state": int(DeliveryState.SENT)})
    if held is not None:
        due_at = now + PAUSE_US if _is_waiting(connection, parcel) else None
        connection.execute(_SETTLE, values | {"due_at": due_at, "failures": 0, "sent": 1, "broken": 0})


def mark_failed(
    connection: Connection,
    parcel: Parcel,
    answer: str,
    now: int,
    *,
    luck: float,
    permanent: bool = False,
    retry_after: float | None = None,
) -> None:
    """Record a no. For now only: tried again later, given up after a day. For good: given up, the channel is broken."""
    held = _held(connection, parcel)
    if held is None:
        return  # Somebody else has taken it over, and knows better.
    values = {"channel_id": parcel.channel_id, "batch": parcel.batch, "now": now, "answer": answer}
    too_old = now if permanent else now - GIVE_UP_US
    states = {"gave_up": int(DeliveryState.GAVE_UP), "failed": int(DeliveryState.FAILED)}
    connection.execute(_TRIED, values | states | {"too_old": too_old})
    if any(event.created_at <= too_old for event in parcel.events):
        connection.execute(_PARTED, values)
    failures = 0 if permanent else held.failures + 1
    pause = PAUSE_US if permanent else backoff_us(failures, luck, retry_after)
    due_at = now + pause if _is_waiting(connection, parcel) else None
    connection.execute(
        _SETTLE, values | {"due_at": due_at, "failures": failures, "sent": 0, "broken": 1 if permanent else 0}
    )


def remember_forgotten(connection: Connection, now: int) -> int:
    """Make channels due that have messages and no time to send them, which should never be; how many they were."""
    values = {"now": now}
    return connection.execute(_MISSING, values).rowcount + connection.execute(_FORGOTTEN, values).rowcount


def _waiting(connection: Connection, channel_id: int) -> list[Waiting]:
    rows = connection.execute(_WAITING, {"channel_id": channel_id, "limit": LOOKED_AT})
    return [
        Waiting(row.id, row.alert_id, Transition(row.transition), Severity(row.severity), row.created_at, row.batch)
        for row in rows
    ]


def _without_old_news(
    connection: Connection, waiting: list[Waiting], channel: Row[Any], zone: ZoneInfo
) -> list[Waiting]:
    if channel.quiet_from is None:
        return waiting
    skipped = no_longer_news(
        waiting, lambda instant: quiet_until(instant, channel.quiet_from, channel.quiet_to, zone) is not None
    )
    if skipped:
        connection.execute(_SKIP, {"state": int(DeliveryState.SKIPPED), "ids": sorted(skipped)})
    return [one for one in waiting if one.id not in skipped]


def _texts(connection: Connection) -> dict[Transition, Texts]:
    return {Transition(row.transition): Texts(row.title, row.body) for row in connection.execute(_TEXTS)}


def _events(connection: Connection, ids: Sequence[int]) -> list[Event]:
    rows = connection.execute(_DATA, {"ids": list(ids)}).all()
    return [
        Event(row.key, Transition(row.transition), Severity(row.severity), row.created_at, _data(connection, row))
        for row in rows
    ]


def _data(connection: Connection, row: Row[Any]) -> dict[str, Any]:
    """What a message is made of. One about a report names its day; the report is kept once, and never changes."""
    data: dict[str, Any] = row.data
    if row.transition != Transition.REPORT or not data.get("day"):
        return data
    report = connection.execute(_REPORT, {"day": date.fromisoformat(data["day"])}).scalar_one_or_none()
    return data if report is None else data | {"report": report}


def _held(connection: Connection, parcel: Parcel) -> Row[Any] | None:
    """The channel's state, locked, as long as the lease is the parcel's."""
    row = connection.execute(_HOLDS[connection.dialect.name], {"channel_id": parcel.channel_id}).first()
    return row if row is not None and row.fence == parcel.fence else None


def _is_waiting(connection: Connection, parcel: Parcel) -> bool:
    return connection.execute(_IS_WAITING, {"channel_id": parcel.channel_id}).first() is not None
