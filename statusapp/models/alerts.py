"""Alerts: the rules, what has fired, the channels, and the outbox of messages. Instants are microseconds.

What operators write (rules, channels, texts) and what workers write (alerts, deliveries, the state of channels) are
different tables, so that a form never overwrites what a worker has just found.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, Float, ForeignKey, Index, Integer, SmallInteger, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from statusapp.domain.enums import AlertKind, DeliveryState, Severity, Transition
from statusapp.extensions import Base
from statusapp.models.types import EnumCode, RowId, UtcDateTime


class AlertRule(Base):
    """When to raise an alert: for everything, for the services of a group, or for one service.

    The narrowest rule of a kind counts. `threshold` is in the unit of its kind; None is the kind's own default (for a
    slow service its own threshold). `for_s` is how long it must have been wrong, `window_s` and `least` are the span
    and the number of results that are judged. `repeat_s` is the pause between reminders, 0 for none. While it is muted
    (for good, or until `muted_until`) it raises nothing.
    """

    __tablename__ = "alert_rule"
    __table_args__ = (
        Index("ix_alert_rule_endpoint_id", "endpoint_id"),
        Index("ix_alert_rule_group_id", "group_id"),
        Index(
            "uq_alert_rule_global",
            "kind",
            unique=True,
            sqlite_where=text("endpoint_id IS NULL AND group_id IS NULL"),
            postgresql_where=text("endpoint_id IS NULL AND group_id IS NULL"),
        ),
        Index(
            "uq_alert_rule_group",
            "kind",
            "group_id",
            unique=True,
            sqlite_where=text("group_id IS NOT NULL"),
            postgresql_where=text("group_id IS NOT NULL"),
        ),
        Index(
            "uq_alert_rule_endpoint",
            "kind",
            "endpoint_id",
            unique=True,
            sqlite_where=text("endpoint_id IS NOT NULL"),
            postgresql_where=text("endpoint_id IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    kind: Mapped[AlertKind] = mapped_column(EnumCode(AlertKind))
    group_id: Mapped[int | None] = mapped_column(ForeignKey("service_group.id", ondelete="CASCADE"))
    endpoint_id: Mapped[int | None] = mapped_column(ForeignKey("service_endpoint.id", ondelete="CASCADE"))
    severity: Mapped[Severity] = mapped_column(EnumCode(Severity))
    threshold: Mapped[float | None] = mapped_column(Float)
    for_s: Mapped[int] = mapped_column(Integer, default=0)
    window_s: Mapped[int] = mapped_column(Integer, default=0)
    least: Mapped[int] = mapped_column(Integer, default=0)
    repeat_s: Mapped[int] = mapped_column(Integer, default=0)
    is_enabled: Mapped[bool] = mapped_column(Boolean, default=True)
    is_muted: Mapped[bool] = mapped_column(Boolean, default=False)
    muted_until: Mapped[int | None] = mapped_column(BigInteger)


class Alert(Base):
    """Something that is or was wrong, by one rule and with one subject.

    `subject` is its key ("endpoint:12", "host:web-1", "route:3", "monitor:workers"), `name` what people call it. At
    most one alert of a kind and subject is open. `since` is when it began to be wrong and `fired_at` when it was told;
    `found` is the newest finding in words. `incident_id` is the incident that it opened or joined.
    """

    __tablename__ = "alert"
    __table_args__ = (
        Index(
            "uq_alert_open",
            "kind",
            "subject",
            unique=True,
            sqlite_where=text("resolved_at IS NULL"),
            postgresql_where=text("resolved_at IS NULL"),
        ),
        Index("ix_alert_kind_subject", "kind", "subject", "id"),
        Index("ix_alert_endpoint_id_fired_at", "endpoint_id", "fired_at"),
        Index("ix_alert_fired_at", "fired_at"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    kind: Mapped[AlertKind] = mapped_column(EnumCode(AlertKind))
    subject: Mapped[str] = mapped_column(String(300))
    name: Mapped[str] = mapped_column(String(300))
    endpoint_id: Mapped[int | None] = mapped_column(ForeignKey("service_endpoint.id", ondelete="CASCADE"))
    severity: Mapped[Severity] = mapped_column(EnumCode(Severity))
    since: Mapped[int] = mapped_column(BigInteger)
    fired_at: Mapped[int] = mapped_column(BigInteger)
    found: Mapped[str] = mapped_column(Text)
    resolved_at: Mapped[int | None] = mapped_column(BigInteger)
    acknowledged_at: Mapped[int | None] = mapped_column(BigInteger)
    acknowledged_by: Mapped[str | None] = mapped_column(String(254))
    note: Mapped[str | None] = mapped_column(Text)
    # When something was last put into the outbox for it, how many reminders there were, when the next one is due.
    told_at: Mapped[int | None] = mapped_column(BigInteger)
    reminders: Mapped[int] = mapped_column(Integer, default=0)
    remind_at: Mapped[int | None] = mapped_column(BigInteger)
    is_flapping: Mapped[bool] = mapped_column(Boolean, default=False)
    incident_id: Mapped[int | None] = mapped_column(ForeignKey("incident.id", ondelete="SET NULL"))


class NotificationChannel(Base):
    """A way to reach people. Operator columns only.

    `target` is what may be shown of where it leads; the whole is in `secrets`, encrypted. `severities` is a bit per
    `Severity`; with `groups` or `tags` (JSON lists of ids and of words) only what concerns services of one of them is
    sent. `quiet_from` and `quiet_to` are minutes of the day in the page's zone, between which only what is critical is
    sent at once.
    """

    __tablename__ = "notification_channel"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    kind: Mapped[str] = mapped_column(String(30))
    target: Mapped[str] = mapped_column(Text)
    secrets: Mapped[str | None] = mapped_column(Text)
    severities: Mapped[int] = mapped_column(SmallInteger, default=7)
    groups: Mapped[list[int]] = mapped_column(JSON, default=list)
    tags: Mapped[list[str]] = mapped_column(JSON, default=list)
    quiet_from: Mapped[int | None] = mapped_column(SmallInteger)
    quiet_to: Mapped[int | None] = mapped_column(SmallInteger)
    sends_alerts: Mapped[bool] = mapped_column(Boolean, default=True)
    sends_reports: Mapped[bool] = mapped_column(Boolean, default=False)
    is_enabled: Mapped[bool] = mapped_column(Boolean, default=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ChannelState(Base):
    """Where a channel stands. Worker columns only.

    Whoever sends for a channel holds its lease, so that its messages keep their order. `due_at` is when its next
    message may go out; None while none waits. `broken_since` is set by an error that trying again does not mend.
    """

    __tablename__ = "channel_state"
    __table_args__ = (Index("ix_channel_state_due_at", "due_at"),)

    channel_id: Mapped[int] = mapped_column(
        ForeignKey("notification_channel.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    due_at: Mapped[int | None] = mapped_column(BigInteger)
    leased_until: Mapped[int | None] = mapped_column(BigInteger)
    fence: Mapped[int] = mapped_column(BigInteger, default=0)
    last_sent_at: Mapped[int | None] = mapped_column(BigInteger)
    failures: Mapped[int] = mapped_column(Integer, default=0)
    failing_since: Mapped[int | None] = mapped_column(BigInteger)
    broken_since: Mapped[int | None] = mapped_column(BigInteger)
    last_answer: Mapped[str | None] = mapped_column(Text)


class AlertDelivery(Base):
    """The outbox: one message to one channel, written in the transaction that made it true, sent after it.

    `data` is what the text is made of, frozen when it was written. `key` names the transition and the channel: a
    message that is sent twice carries the same one. `batch` is shared by those that went out as one message.
    """

    __tablename__ = "alert_delivery"
    __table_args__ = (
        Index(
            "ix_alert_delivery_waiting",
            "channel_id",
            "id",
            sqlite_where=text("state IN (0, 2)"),
            postgresql_where=text("state IN (0, 2)"),
        ),
        Index("ix_alert_delivery_alert_id", "alert_id"),
        Index("ix_alert_delivery_created_at", "created_at"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    channel_id: Mapped[int] = mapped_column(ForeignKey("notification_channel.id", ondelete="CASCADE"))
    alert_id: Mapped[int | None] = mapped_column(ForeignKey("alert.id", ondelete="CASCADE"))
    transition: Mapped[Transition] = mapped_column(EnumCode(Transition))
    severity: Mapped[Severity] = mapped_column(EnumCode(Severity))
    key: Mapped[str] = mapped_column(String(100), unique=True)
    created_at: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[DeliveryState] = mapped_column(EnumCode(DeliveryState), default=DeliveryState.QUEUED)
    attempts: Mapped[int] = mapped_column(SmallInteger, default=0)
    attempted_at: Mapped[int | None] = mapped_column(BigInteger)
    sent_at: Mapped[int | None] = mapped_column(BigInteger)
    answer: Mapped[str | None] = mapped_column(Text)
    batch: Mapped[str | None] = mapped_column(String(40))
    data: Mapped[dict[str, Any]] = mapped_column(JSON)


class MessageText(Base):
    """The operator's own words for one kind of message, with placeholders; without a row the defaults are used."""

    __tablename__ = "message_text"

    transition: Mapped[Transition] = mapped_column(EnumCode(Transition), primary_key=True, autoincrement=False)
    title: Mapped[str] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text)
