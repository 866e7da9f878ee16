"""The time per status that the database adds up is that of the ledger's intervals."""

from __future__ import annotations

import random

from statusapp.domain.enums import Status
from statusapp.domain.instants import from_us
from statusapp.domain.uptime import time_per_status
from statusapp.queries.ledger import load_ledger
from statusapp.queries.uptime import load_rolling
from tests.world import MINUTE, T0, World

DAY = 24 * 60 * MINUTE


def test_the_last_day_is_that_of_the_ledger(world: World) -> None:
    chance = random.Random(2)
    statuses = (Status.OPERATIONAL, Status.MAJOR_OUTAGE, Status.PARTIAL_OUTAGE, Status.DEGRADED)
    for number in range(6):
        endpoint_id = world.add(f"Service {number}", at=T0 - 3 * DAY)
        at = T0 - 3 * DAY
        while at < T0 and number:
            at += chance.randrange(MINUTE, 2 * DAY // number)
            # What was found out later had begun before, and takes the place of what was thought then.
            world.change(endpoint_id, chance.choice(statuses), at, at + chance.choice((0, 5 * MINUTE)))
    start = T0 - DAY
    expected = {key: time_per_status(found, start, T0) for key, found in load_ledger(start, T0).items()}
    assert load_rolling(from_us(T0)) == {key: spent for key, spent in expected.items() if spent}
    assert len(expected) > 3
