"""Delivery: what waits in the outbox goes out, after the transaction that made it true, until the receiver says yes.

Taking, sending and marking are apart, and nothing is marked before the receiver's yes. Whoever is killed in between
leaves a lease behind that ends; then the same batch goes out again under the same number.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from flask import current_app
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError

from config import Settings
from statusapp.clock import now_us
from statusapp.database import write_connection
from statusapp.domain import report_texts
from statusapp.domain.enums import Transition
from statusapp.domain.instants import SECOND, to_us
from statusapp.domain.messages import Event, Message, Surroundings, compose
from statusapp.extensions import db
from statusapp.notifiers import sending
from statusapp.notifiers.kind import DeliveryError, Destination, Kind, Sending
from statusapp.notifiers.registry import REGISTRY
from statusapp.probes.guard import Guard
from statusapp.services.parcels import Parcel, due_channels, mark_failed, mark_sent, remember_forgotten, take
from statusapp.services.probing import current_probing
from statusapp.services.vault import Vault, WrongKey

logger = logging.getLogger(__name__)

DEADLINE_S = 20.0
# The sweep leaves alone what the messenger process is about to take.
SWEEP_AFTER_US = 10 * SECOND
SWEEP_S = 45.0
# With the deadline of a message shorter than the lease.
INSIST_S = 30.0
INSIST_PAUSE_S = 0.5

Send = Callable[[Kind, Destination, Message, Sending], str]


@dataclass(frozen=True, slots=True)
class Outfit:
    """What a sender needs; it can be used in any thread. `clock` is in microseconds."""

    engine: Engine
    vault: Vault
    guard: Guard
    user_agent: str
    public_url: str
    smtp_url: str | None
    deadline_s: float = DEADLINE_S
    clock: Callable[[], int] = now_us
    send: Send = sending.send

    def sending(self, now: int) -> Sending:
        """The circumstances of one sending."""
        return Sending(self.guard, self.user_agent, self.smtp_url, self.deadline_s, now // SECOND)


def current_outfit() -> Outfit:
    """That of this installation; needs an application context."""
    settings: Settings = current_app.config["SETTINGS"]
    probing = current_probing()
    return Outfit(db.engine, probing.vault, probing.guard, probing.user_agent, settings.public_url, settings.smtp_url)


def find_due(outfit: Outfit) -> list[int]:
    """The channels that have something to send now."""
    with outfit.engine.connect() as connection:
        return due_channels(connection, outfit.clock())


def deliver(outfit: Outfit, channel_id: int) -> bool:
    """Send the next message of a channel, if it is due and nobody else is at it; whether anything was tried."""
    with write_connection(outfit.engine) as connection:
        parcel = take(connection, channel_id, outfit.public_url, outfit.clock())
    if parcel is None:
        return False
    try:
        answer = _send(outfit, parcel)
    except DeliveryError as error:
        logger.warning(
            "message not taken: channel=%d events=%d permanent=%s: %s",
            channel_id, len(parcel.events), error.permanent, error.message,
        )  # fmt: skip
        luck, permanent, wanted = random.random(), error.permanent, error.retry_after  # noqa: S311 - no secret
        words = error.message
        _insist(
            outfit,
            lambda connection, now: mark_failed(
                connection, parcel, words, now, luck=luck, permanent=permanent, retry_after=wanted
            ),
        )
        return True
    _insist(outfit, lambda connection, now: mark_sent(connection, parcel, answer, now))
    return True


def _insist(outfit: Outfit, mark: Callable[[Connection, int], None]) -> None:
    """Write down how it went, even when the database is away for a while: what is not marked is sent again."""
    end = time.monotonic() + INSIST_S
    while True:
        try:
            with write_connection(outfit.engine) as connection:
                mark(connection, outfit.clock())
            return
        except (OperationalError, InterfaceError):
            if time.monotonic() >= end:
                raise
        time.sleep(INSIST_PAUSE_S)


def sweep(now: datetime) -> str:
    """Send what is overdue because no messenger took it, and make due what was forgotten."""
    outfit = current_outfit()
    with write_connection(outfit.engine) as connection:
        forgotten = remember_forgotten(connection, to_us(now))
    with outfit.engine.connect() as connection:
        overdue = due_channels(connection, to_us(now) - SWEEP_AFTER_US)
    threads = [
        threading.Thread(target=deliver_quietly, args=(outfit, channel_id), name=f"channel {channel_id}", daemon=True)
        for channel_id in overdue
    ]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + SWEEP_S
    for thread in threads:
        thread.join(max(deadline - time.monotonic(), 0))
    return f"{len(overdue)} channels were overdue, {forgotten} forgotten"


def deliver_quietly(outfit: Outfit, channel_id: int) -> None:
    """`deliver` for a thread of its own: what goes wrong is logged, and tried again when the lease has ended."""
    try:
        deliver(outfit, channel_id)
    except SQLAlchemyError as error:
        logger.warning("the database cannot be used, channel %d waits: %s", channel_id, type(error).__name__)
    except Exception:
        logger.exception("channel %d could not be served", channel_id)


def _send(outfit: Outfit, parcel: Parcel) -> str:
    kind = REGISTRY.get(parcel.kind)
    if kind is None:
        raise DeliveryError(f"there is no kind of channel {parcel.kind!r} any more", permanent=True)
    try:
        destination = outfit.vault.open(parcel.sealed) if parcel.sealed else {}
    except WrongKey as error:
        raise DeliveryError(str(error), permanent=True) from error
    message = _composed(parcel.events, parcel.batch, parcel.around)
    return outfit.send(kind, destination, message, outfit.sending(outfit.clock()))


def _composed(events: tuple[Event, ...], batch: str, around: Surroundings) -> Message:
    """The message. A row that somebody has spoilt is told by its key, and holds up no other."""
    try:
        return compose([_written_out(event) for event in events], batch, around)
    except Exception:
        logger.exception("a message could not be written as it should be")
        plain = tuple(
            Event(event.key, event.transition, event.severity, event.created_at, {"name": event.key})
            for event in events
        )
        return compose(plain, batch, Surroundings(around.zone, around.public_url, {}))


def _written_out(event: Event) -> Event:
    """An event with the texts of the report that it tells of, if it does."""
    report = event.data.get("report")
    if event.transition is not Transition.REPORT or not isinstance(report, dict):
        return event
    texts = {name: getattr(report_texts, name)(report) for name in ("title", "text", "html", "brief")}
    return replace(event, data={**event.data, **texts})
