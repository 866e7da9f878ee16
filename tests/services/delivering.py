"""What the tests of delivery share: channels to real receivers, messages in the outbox, a clock that stands still."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from statusapp.database import write_connection
from statusapp.domain.enums import DeliveryState, Severity, Transition
from statusapp.domain.instants import SECOND, from_us
from statusapp.extensions import db
from statusapp.services.channels import ChannelDraft, add_channel
from statusapp.services.delivery import Outfit, current_outfit, deliver, find_due
from statusapp.services.outbox import Told, queue
from tests.world import T0, World

SECRET = "a secret of the webhook's"


class Post:
    """Verbs on the outbox. `now` is in microseconds and moves only by hand."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.now = T0
        self.outfit: Outfit = replace(current_outfit(), clock=lambda: self.now, deadline_s=5.0)
        self._alerts = 0

    def channel(self, url: str, name: str = "Hook", **values: Any) -> int:
        """A webhook."""
        draft = ChannelDraft(name, "webhook", {"url": url, "secret": SECRET}, **values)
        return add_channel(draft, from_us(T0))

    def fire(self, *names: str, severity: Severity = Severity.CRITICAL) -> list[int]:
        """New alerts, all told in one transaction; their ids."""
        given = []
        for name in names:
            self._alerts += 1
            self.world.execute(
                "INSERT INTO alert (id, kind, subject, name, severity, since, fired_at, found, reminders, is_flapping) "
                "VALUES (:id, 0, :subject, :name, 2, 0, 0, '', 0, false)",
                id=self._alerts, subject=f"endpoint:{self._alerts}", name=name,
            )  # fmt: skip
            given.append((self._alerts, name))
        self._put([self._told(number, name, Transition.FIRED, severity) for number, name in given])
        return [number for number, _ in given]

    def resolve(self, *alerts: int, severity: Severity = Severity.CRITICAL) -> None:
        """The end of alerts."""
        self._put([self._told(number, f"Service {number}", Transition.RESOLVED, severity) for number in alerts])

    def after(self, seconds: float) -> list[int]:
        """Move the clock and let every channel that is due send its next message; which those were."""
        self.now += round(seconds * SECOND)
        due = find_due(self.outfit)
        for channel_id in due:
            deliver(self.outfit, channel_id)
        return due

    def states(self) -> list[DeliveryState]:
        """What became of the messages, in order."""
        return [DeliveryState(row.state) for row in self.world.rows("SELECT state FROM alert_delivery ORDER BY id")]

    def state(self, channel_id: int | None = None) -> Any:
        """The row of `channel_state`."""
        rows = self.world.rows("SELECT * FROM channel_state ORDER BY channel_id")
        return next(row for row in rows if channel_id in (None, row.channel_id))

    def _told(self, number: int, name: str, transition: Transition, severity: Severity) -> Told:
        data = {"kind": "down", "name": name, "status": "major_outage", "found": "HTTP 502", "since": self.now}
        return Told(number, (), transition, severity, f"alert-{number}-{transition.word}", data | {"at": self.now})

    def _put(self, told: list[Told]) -> None:
        with write_connection(db.engine) as connection:
            queue(connection, told, self.now)
