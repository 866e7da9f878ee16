"""A world with planned work in it, for the tests of maintenance."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

from sqlalchemy import Row

from statusapp.domain.enums import Outcome, Rule, Status
from statusapp.domain.instants import from_us
from statusapp.services import maintenance_plans as plans
from statusapp.services.maintenance import keep_maintenance
from statusapp.services.maintenance_plans import MaintenanceDraft
from tests.world import MINUTE, T0, World

# On the minute: plans are.
NOON = T0 // MINUTE * MINUTE + 60 * MINUTE
HOUR = 60 * MINUTE
LEDGER = "SELECT * FROM status_change WHERE endpoint_id = :id AND NOT superseded ORDER BY started_at, id"
UP, DOWN, WORK, UNKNOWN = Status.OPERATIONAL, Status.MAJOR_OUTAGE, Status.MAINTENANCE, Status.UNKNOWN


class Plant:
    """A world with planned work in it."""

    def __init__(self, world: World) -> None:
        self.world = world

    def plan(self, at: int = NOON, minutes: int = 60, now: int = T0, **values: Any) -> int:
        """Plan work at an instant, for everything unless said otherwise."""
        if not values.keys() & {"endpoint_ids", "group_ids"}:
            values["covers_all"] = True
        draft = MaintenanceDraft("Updates", f"{from_us(at):%Y-%m-%dT%H:%M}", minutes * 60, zone="UTC")
        return plans.plan_maintenance(replace(draft, **values), from_us(now))

    def keep(self, now: int) -> str:
        """What the task does every ten seconds."""
        return keep_maintenance(from_us(now))

    def check_until(self, end: int, outcome: Outcome = Outcome.OK) -> None:
        """Make every check that falls due before `end`."""
        while (due := self.world.scalar("SELECT MIN(due_at) FROM endpoint_state")) is not None and due < end:
            for claimed in self.world.claim(due):
                self.world.apply(claimed, claimed[0].slot + 10_000, outcome)

    def ledger(self, endpoint_id: int) -> list[Row[Any]]:
        """The ledger, which has no gap and no overlap."""
        rows = self.world.rows(LEDGER, id=endpoint_id)
        for before, after in pairwise(rows):
            assert before.ended_at == after.started_at
        assert rows[-1].ended_at is None
        return rows

    def statuses(self, endpoint_id: int) -> list[tuple[Status, int]]:
        """The ledger after the service was made, in minutes since noon, rounded down."""
        return [
            (Status(row.status), (row.started_at - NOON) // MINUTE)
            for row in self.ledger(endpoint_id)
            if row.rule != Rule.CREATED
        ]

    def occurrences(self) -> list[Row[Any]]:
        """What has been noted of occurrences."""
        return self.world.rows("SELECT * FROM maintenance_occurrence ORDER BY starts_at, id")

    def said(self) -> list[str]:
        """The words on them, the oldest first."""
        return [row.body for row in self.world.rows("SELECT body FROM maintenance_update ORDER BY id")]
