"""Channels: what operators do with them. Where a channel leads is sealed; what may be shown of it is kept beside."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from statusapp.clock import utcnow
from statusapp.database import write_connection, write_transaction
from statusapp.domain.actors import SYSTEM, Actor
from statusapp.domain.enums import AuditAction, AuditKind, DeliveryState, Severity, Transition
from statusapp.domain.errors import DomainError, InvalidInput
from statusapp.domain.instants import to_us
from statusapp.domain.messages import Event, Surroundings, compose
from statusapp.domain.quiet_hours import parse_minute
from statusapp.extensions import db
from statusapp.models import ChannelState, NotificationChannel, ServiceGroup
from statusapp.notifiers.kind import DeliveryError, InvalidDestination, Kind
from statusapp.notifiers.registry import REGISTRY
from statusapp.services import audit
from statusapp.services.delivery import Outfit, current_outfit
from statusapp.services.message_texts import own_texts
from statusapp.services.page import page_zone
from statusapp.services.vault import WrongKey, current_vault

logger = logging.getLogger(__name__)

ALL_SEVERITIES = tuple(Severity)
MOST_TAG_LENGTH = 50
_SKIP_WAITING = text("UPDATE alert_delivery SET state = :state WHERE channel_id = :channel_id AND state IN (0, 2)")
_NOTHING_DUE = text("UPDATE channel_state SET due_at = NULL WHERE channel_id = :channel_id")
# After a change or a success: what waits for its next attempt is tried at once.
_ANEW = text("""
UPDATE channel_state SET failures = 0, failing_since = NULL, broken_since = NULL,
    due_at = CASE WHEN due_at IS NOT NULL AND failures > 0 THEN :now ELSE due_at END
WHERE channel_id = :channel_id
""")
_ANSWERED = text("UPDATE channel_state SET last_answer = :answer WHERE channel_id = :channel_id")


class UnknownChannel(DomainError):
    """There is no such channel."""


@dataclass(frozen=True, slots=True)
class ChannelDraft:
    """What an operator says about a channel.

    `destination` is what its kind asks for; what is left out stays as it is, None leaves all of it. `groups` are names
    of groups on the page; with groups or tags only what concerns services of one of them is sent. `quiet` is
    "HH:MM-HH:MM" in the page's zone.
    """

    name: str
    kind: str
    destination: Mapping[str, Any] | None
    severities: tuple[Severity, ...] = ALL_SEVERITIES
    groups: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    quiet: str | None = None
    sends_alerts: bool = True
    sends_reports: bool = False
    is_enabled: bool = True


@dataclass(frozen=True, slots=True)
class Tested:
    """How a test went: whether the receiver took the message, and what it said."""

    taken: bool
    answer: str


def add_channel(draft: ChannelDraft, now: datetime, *, actor: Actor = SYSTEM) -> int:
    """Make a channel and return its id.

    Raises:
        InvalidInput: when it cannot be saved as it is.
    """
    if draft.destination is None:
        raise InvalidInput("destination", "Say where the channel leads.")
    with write_transaction(db.session) as session:
        values = _columns(session, draft, None)
        channel = NotificationChannel(**values, created_at=now, updated_at=now)
        session.add(channel)
        session.flush()
        session.add(ChannelState(channel_id=channel.id, fence=0, failures=0))
        _record(session, actor, AuditAction.ADDED, channel, now, None, audit.fields_of(channel))
        return channel.id


def change_channel(channel_id: int, draft: ChannelDraft, now: datetime, *, actor: Actor = SYSTEM) -> None:
    """Give a channel other values; what failed before is tried again at once.

    Raises:
        UnknownChannel: when it is not there.
        InvalidInput: when it cannot be saved so.
    """
    with write_transaction(db.session) as session:
        channel = _get(session, channel_id)
        before = audit.fields_of(channel)
        for name, value in _columns(session, draft, channel).items():
            setattr(channel, name, value)
        channel.updated_at = now
        _record(session, actor, AuditAction.CHANGED, channel, now, before, audit.fields_of(channel))
        session.flush()
        session.execute(_ANEW, {"channel_id": channel_id, "now": to_us(now)})
        if not draft.is_enabled:
            _drop_waiting(session, channel_id)


def set_enabled(channel_id: int, is_enabled: bool, now: datetime, *, actor: Actor = SYSTEM) -> None:
    """Switch a channel on or off. What waited when it went off is not sent later.

    Raises:
        UnknownChannel: when it is not there.
    """
    with write_transaction(db.session) as session:
        channel = _get(session, channel_id)
        before = audit.fields_of(channel)
        channel.is_enabled, channel.updated_at = is_enabled, now
        _record(session, actor, AuditAction.CHANGED, channel, now, before, audit.fields_of(channel))
        if not is_enabled:
            _drop_waiting(session, channel_id)


def delete_channel(channel_id: int, *, actor: Actor = SYSTEM) -> None:
    """Delete a channel with all that was or would have been sent to it.

    Raises:
        UnknownChannel: when it is not there.
    """
    with write_transaction(db.session) as session:
        channel = _get(session, channel_id)
        _record(session, actor, AuditAction.DELETED, channel, utcnow(), audit.fields_of(channel), None)
        session.delete(channel)


def find_channel(name: str) -> int:
    """The id of the channel of this name.

    Raises:
        UnknownChannel: when there is none.
    """
    found = db.session.scalar(select(NotificationChannel.id).where(NotificationChannel.name == name))
    if found is None:
        raise UnknownChannel(f"There is no channel {name!r}.")
    return found


def try_channel(channel_id: int, now: datetime, outfit: Outfit | None = None, *, actor: Actor = SYSTEM) -> Tested:
    """Send a message of trial now, in this process, past the outbox; says what the receiver really said.

    Raises:
        UnknownChannel: when it is not there.
    """
    outfit = outfit or current_outfit()
    channel = _get(db.session(), channel_id)
    around = Surroundings(page_zone(), outfit.public_url, own_texts())
    kind, name, sealed = channel.kind, channel.name, channel.secrets
    with write_transaction(db.session) as session:
        audit.record(session, actor, AuditAction.TRIED, AuditKind.CHANNEL, channel_id, name, now)
    # No transaction while waiting for the network.
    db.session.rollback()
    batch, here = uuid4().hex, to_us(now)
    event = Event(f"test-{batch}", Transition.TEST, Severity.INFO, here, {"name": name, "at": here})
    try:
        destination = outfit.vault.open(sealed) if sealed else {}
        answer = outfit.send(_kind(kind), destination, compose([event], batch, around), outfit.sending(here))
    except (DeliveryError, WrongKey) as error:
        _record_answer(outfit, channel_id, str(error), here, taken=False)
        return Tested(False, str(error))
    _record_answer(outfit, channel_id, answer, here, taken=True)
    return Tested(True, answer)


def _record(
    session: Session,
    actor: Actor,
    action: AuditAction,
    channel: NotificationChannel,
    now: datetime,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
) -> None:
    audit.record(session, actor, action, AuditKind.CHANNEL, channel.id, channel.name, now, before, after)


def _record_answer(outfit: Outfit, channel_id: int, answer: str, now: int, *, taken: bool) -> None:
    with write_connection(outfit.engine) as connection:
        if taken:
            connection.execute(_ANEW, {"channel_id": channel_id, "now": now})
        connection.execute(_ANSWERED, {"channel_id": channel_id, "answer": answer})


def _columns(session: Session, draft: ChannelDraft, channel: NotificationChannel | None) -> dict[str, Any]:
    """The draft's values as columns, checked."""
    name = draft.name.strip()
    if not 1 <= len(name) <= 200:
        raise InvalidInput("name", "The name must have 1 to 200 characters.")
    taken = session.scalar(select(NotificationChannel.id).where(NotificationChannel.name == name))
    if taken is not None and (channel is None or taken != channel.id):
        raise InvalidInput("name", f"There is a channel {name!r} already.")
    if not draft.severities:
        raise InvalidInput("severities", "Choose at least one of info, warning and critical.")
    if any(not 1 <= len(tag) <= MOST_TAG_LENGTH for tag in draft.tags):
        raise InvalidInput("tags", f"A tag must have 1 to {MOST_TAG_LENGTH} characters.")
    quiet_from, quiet_to = _quiet(draft.quiet)
    return {
        "name": name,
        "severities": sum(1 << severity for severity in set(draft.severities)),
        "groups": _group_ids(session, draft.groups),
        "tags": list(dict.fromkeys(draft.tags)),
        "quiet_from": quiet_from,
        "quiet_to": quiet_to,
        "sends_alerts": draft.sends_alerts,
        "sends_reports": draft.sends_reports,
        "is_enabled": draft.is_enabled,
        **_destination(draft, channel),
    }


def _destination(draft: ChannelDraft, channel: NotificationChannel | None) -> dict[str, Any]:
    kind = _kind(draft.kind)
    if draft.destination is None:
        if channel is None or channel.kind != draft.kind:
            raise InvalidInput("destination", "Say where the channel leads.")
        return {}
    given = {name: value for name, value in draft.destination.items() if value is not None}
    try:
        checked = kind.check(_kept(draft, channel) | given)
    except InvalidDestination as error:
        raise InvalidInput("destination", f"{error}.") from error
    return {"kind": draft.kind, "target": kind.show(checked), "secrets": current_vault().seal(checked)}


def _kept(draft: ChannelDraft, channel: NotificationChannel | None) -> dict[str, Any]:
    """Where the channel has led until now, as far as a form leaves it out because it may not show it."""
    if channel is None or channel.kind != draft.kind or not channel.secrets:
        return {}
    try:
        return current_vault().open(channel.secrets)
    except WrongKey:
        return {}


def _kind(name: str) -> Kind:
    kind = REGISTRY.get(name)
    if kind is None:
        raise InvalidInput("kind", f"{name!r} is no kind of channel; there are {', '.join(REGISTRY)}.")
    return kind


def _quiet(quiet: str | None) -> tuple[int | None, int | None]:
    if not quiet:
        return None, None
    first, dash, last = quiet.partition("-")
    try:
        if not dash:
            raise ValueError(f"{quiet!r} is no span of the day; write for example 22:00-07:00")
        start, end = parse_minute(first), parse_minute(last)
    except ValueError as error:
        raise InvalidInput("quiet", f"{error}.") from error
    if start == end:
        raise InvalidInput("quiet", "Quiet hours must have an end that is not their beginning.")
    return start, end


def _group_ids(session: Session, names: tuple[str, ...]) -> list[int]:
    known = {row.name: row.id for row in session.execute(select(ServiceGroup.id, ServiceGroup.name))}
    for name in names:
        if name not in known:
            raise InvalidInput("groups", f"There is no group {name!r}.")
    return [known[name] for name in dict.fromkeys(names)]


def _drop_waiting(session: Session, channel_id: int) -> None:
    session.execute(_SKIP_WAITING, {"channel_id": channel_id, "state": int(DeliveryState.SKIPPED)})
    session.execute(_NOTHING_DUE, {"channel_id": channel_id})


def _get(session: Session, channel_id: int) -> NotificationChannel:
    channel = session.get(NotificationChannel, channel_id)
    if channel is None:
        raise UnknownChannel("There is no such channel.")
    return channel
