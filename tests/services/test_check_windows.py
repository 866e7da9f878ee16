"""Check windows: one job claims, the freshest; ticks that pile up end by themselves."""

from __future__ import annotations

from statusapp.database import write_connection
from statusapp.domain.instants import SECOND
from statusapp.extensions import db
from statusapp.services import check_windows
from tests.world import T0, World

WINDOW = 15 * SECOND


def begin(now: int) -> int | None:
    with write_connection(db.engine) as connection:
        return check_windows.begin(connection, now, WINDOW)


def beat(window: int, now: int) -> bool:
    with write_connection(db.engine) as connection:
        return check_windows.beat(connection, window, now, 3)


def test_a_fresher_job_ends_the_older_one(world: World) -> None:
    first = begin(T0)
    assert first is not None
    for second in range(1, 15):
        assert beat(first, T0 + second * SECOND)
    second_window = begin(T0 + WINDOW)
    assert second_window is not None
    assert not beat(first, T0 + WINDOW + 1)
    assert beat(second_window, T0 + WINDOW + 2)
    assert world.scalar("SELECT checks FROM check_window WHERE id = :id", id=first) == 45


def test_ticks_that_piled_up_do_nothing(world: World) -> None:
    first = begin(T0)
    assert begin(T0 + 1) is None
    assert begin(T0 + 2) is None
    assert first is not None
    assert beat(first, T0 + 3)


def test_a_claimer_that_died_is_replaced_at_once(world: World) -> None:
    begin(T0)
    assert begin(T0 + check_windows.ALIVE_US - 1) is None
    assert begin(T0 + check_windows.ALIVE_US) is not None


def test_a_claimer_that_ended_is_replaced_at_once(world: World) -> None:
    first = begin(T0)
    assert first is not None
    with write_connection(db.engine) as connection:
        check_windows.end(connection, first, T0 + 1)
        assert not check_windows.has_live_claimer(connection, T0 + 2)
    assert begin(T0 + 2) is not None


def test_a_claimer_that_falls_behind_is_replaced(world: World) -> None:
    begin(T0)
    world.add(at=T0 - 10 * SECOND)
    assert begin(T0 + SECOND) is not None


def test_who_is_alive_is_seen(world: World) -> None:
    with db.engine.connect() as connection:
        assert not check_windows.has_live_claimer(connection, T0)
    begin(T0)
    with db.engine.connect() as connection:
        assert check_windows.has_live_claimer(connection, T0 + SECOND)
        assert not check_windows.has_live_claimer(connection, T0 + check_windows.ALIVE_US)


def test_a_cut_network_is_known_to_the_next_job(world: World) -> None:
    first = begin(T0)
    assert first is not None
    with write_connection(db.engine) as connection:
        check_windows.beat(connection, first, T0 + SECOND, 0, T0)
    assert begin(T0 + WINDOW) is not None
    with write_connection(db.engine) as connection:
        assert check_windows.cut_off_since(connection) == T0
