"""Channels and what was sent to them, for operators."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, literal_column, select

from statusapp.domain.enums import DeliveryState, Severity, Transition
from statusapp.extensions import db
from statusapp.models import AlertDelivery, ChannelState, NotificationChannel, ServiceGroup

FAILED = (DeliveryState.FAILED, DeliveryState.GAVE_UP)


@dataclass(frozen=True, slots=True)
class ChannelRow:
    """A channel and where it stands. Instants are microseconds, quiet hours minutes of the day in the page's zone."""

    id: int
    name: str
    kind: str
    target: str
    severities: tuple[Severity, ...]
    groups: tuple[str, ...]
    tags: tuple[str, ...]
    quiet_from: int | None
    quiet_to: int | None
    sends_alerts: bool
    sends_reports: bool
    is_enabled: bool
    waiting: int
    last_sent_at: int | None
    failing_since: int | None
    broken_since: int | None
    last_answer: str | None

    @property
    def quiet(self) -> str | None:
        """The quiet hours as they are written."""
        if self.quiet_from is None or self.quiet_to is None:
            return None
        return "-".join(f"{minute // 60:02}:{minute % 60:02}" for minute in (self.quiet_from, self.quiet_to))


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """One message to one channel. Instants are microseconds."""

    id: int
    channel: str
    alert_id: int | None
    transition: Transition
    severity: Severity
    name: str
    key: str
    state: DeliveryState
    attempts: int
    created_at: int
    attempted_at: int | None
    sent_at: int | None
    answer: str | None
    batch: str | None


@dataclass(frozen=True, slots=True)
class DeliveryHealth:
    """How delivery does as a whole: the oldest message that could not be delivered, since when the longest due channel
    should have sent something, and how many channels are broken. Instants are microseconds."""

    oldest_failing_at: int | None = None
    oldest_due_at: int | None = None
    broken: int = 0


def list_channels() -> list[ChannelRow]:
    """All channels by name."""
    waiting = (
        select(AlertDelivery.channel_id, func.count().label("count"))
        .where(_is_waiting())
        .group_by(AlertDelivery.channel_id)
        .subquery()
    )
    groups = {row.id: row.name for row in db.session.execute(select(ServiceGroup.id, ServiceGroup.name))}
    rows = db.session.execute(
        select(NotificationChannel, ChannelState, waiting.c.count)
        .outerjoin(ChannelState, ChannelState.channel_id == NotificationChannel.id)
        .outerjoin(waiting, waiting.c.channel_id == NotificationChannel.id)
        .order_by(NotificationChannel.name)
    )
    return [_channel(channel, state, count or 0, groups) for channel, state, count in rows]


def list_deliveries(
    *, failed: bool = False, channel_id: int | None = None, alert_id: int | None = None, limit: int = 100
) -> list[DeliveryRow]:
    """The newest messages, or those of one channel or alert, or those that were not delivered."""
    chosen = select(AlertDelivery, NotificationChannel.name).join(
        NotificationChannel, NotificationChannel.id == AlertDelivery.channel_id
    )
    if failed:
        chosen = chosen.where(AlertDelivery.state.in_(FAILED))
    if channel_id is not None:
        chosen = chosen.where(AlertDelivery.channel_id == channel_id)
    if alert_id is not None:
        chosen = chosen.where(AlertDelivery.alert_id == alert_id)
    rows = db.session.execute(chosen.order_by(AlertDelivery.created_at.desc(), AlertDelivery.id.desc()).limit(limit))
    return [_delivery(row, name) for row, name in rows]


def load_delivery_health() -> DeliveryHealth:
    """How delivery does. What waits for the end of quiet hours or of a pause is not late."""
    # The partial index of what waits answers this, however much was sent before.
    oldest = db.session.scalar(
        select(func.min(AlertDelivery.created_at))
        .join(ChannelState, ChannelState.channel_id == AlertDelivery.channel_id)
        .where(_is_waiting(), ChannelState.failures > 0)
    )
    due = db.session.scalar(select(func.min(ChannelState.due_at)).where(ChannelState.failures == 0))
    broken = db.session.scalar(
        select(func.count())
        .select_from(ChannelState)
        .join(NotificationChannel, NotificationChannel.id == ChannelState.channel_id)
        .where(ChannelState.broken_since.is_not(None), NotificationChannel.is_enabled)
    )
    return DeliveryHealth(oldest, due, broken or 0)


def _is_waiting() -> ColumnElement[bool]:
    # Written as the index is: with parameters the database would not see that it may use it.
    return literal_column("alert_delivery.state").in_([literal_column("0"), literal_column("2")])


def _channel(
    channel: NotificationChannel, state: ChannelState | None, waiting: int, groups: dict[int, str]
) -> ChannelRow:
    return ChannelRow(
        id=channel.id,
        name=channel.name,
        kind=channel.kind,
        target=channel.target,
        severities=tuple(severity for severity in Severity if channel.severities >> severity & 1),
        groups=tuple(groups.get(number, f"(deleted group {number})") for number in channel.groups),
        tags=tuple(channel.tags),
        quiet_from=channel.quiet_from,
        quiet_to=channel.quiet_to,
        sends_alerts=channel.sends_alerts,
        sends_reports=channel.sends_reports,
        is_enabled=channel.is_enabled,
        waiting=waiting,
        last_sent_at=state.last_sent_at if state else None,
        failing_since=state.failing_since if state else None,
        broken_since=state.broken_since if state else None,
        last_answer=state.last_answer if state else None,
    )


def _delivery(row: AlertDelivery, channel: str) -> DeliveryRow:
    return DeliveryRow(
        id=row.id,
        channel=channel,
        alert_id=row.alert_id,
        transition=row.transition,
        severity=row.severity,
        name=str(row.data.get("name") or row.key),
        key=row.key,
        state=row.state,
        attempts=row.attempts,
        created_at=row.created_at,
        attempted_at=row.attempted_at,
        sent_at=row.sent_at,
        answer=row.answer,
        batch=row.batch,
    )
