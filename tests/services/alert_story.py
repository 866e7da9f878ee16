"""What the tests of alerts share: a page with a channel, checks made as they fall due, and who was told of what."""

from __future__ import annotations

import json
from typing import Any

from statusapp.clock import utcnow
from statusapp.database import write_transaction
from statusapp.domain.enums import AlertKind, Outcome, Transition
from statusapp.extensions import db
from statusapp.models import NotificationChannel, StatusPageSettings
from statusapp.services import rules
from tests.world import MINUTE, World

HOUR = 60 * MINUTE


def make_page() -> None:
    """A page with one channel, which wants everything, and the usual rules but the one about the monitor."""
    with write_transaction(db.session) as session:
        if session.get(StatusPageSettings, 1) is None:
            session.add(StatusPageSettings(id=1))
        session.add(
            NotificationChannel(
                name="Ops",
                kind="webhook",
                target="http://***",
                created_at=utcnow(),
                updated_at=utcnow(),
                groups=[],
                tags=[],
            )
        )
    rules.ensure_defaults()
    # In these stories nobody makes the checks that fall due, and nobody sends; that is not what most of them are about.
    rules.mute_rule(AlertKind.MONITOR, muted=True)


def fail_until(world: World, until: int, outcome: Outcome = Outcome.FAILED) -> int:
    """Make every check that falls due, of all services, up to an instant; the instant of the last."""
    last = 0
    while True:
        due = world.scalar("SELECT MIN(due_at) FROM endpoint_state")
        if due is None or due > until:
            return last
        for claimed in world.claim(due):
            last = max(due, claimed[0].slot) + 10_000
            world.apply(claimed, last, outcome)


def told(world: World) -> list[tuple[Transition, str]]:
    """What is in the outbox, in its order."""
    rows = world.rows("SELECT transition, data FROM alert_delivery ORDER BY id")
    return [(Transition(row.transition), data_of(row)["name"]) for row in rows]


def data_of(row: Any) -> dict[str, Any]:
    """The frozen data of a message."""
    found: dict[str, Any] = row.data if isinstance(row.data, dict) else json.loads(row.data)
    return found


def depend(world: World, child: int, parent: int) -> None:
    """Let one service need another."""
    world.execute("INSERT INTO endpoint_dependency VALUES (:child, :parent)", child=child, parent=parent)
