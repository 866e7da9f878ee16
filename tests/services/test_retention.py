"""Retention: what is too old goes in short transactions, and the file gets smaller."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import Connection, create_engine, event

from config import Settings
from statusapp.database import configure_engine, enable_vacuum
from statusapp.domain.blocks import DAY_S, HOUR_S, THREE_HOURS_S
from statusapp.domain.enums import Outcome
from statusapp.domain.instants import from_us
from statusapp.extensions import db
from statusapp.services import retention
from statusapp.services.batches import LARGEST, SMALLEST, Batches, next_size
from tests.conftest import settings_for
from tests.world import MINUTE, T0, World

DAY = 24 * 60 * MINUTE


def test_sums_of_hours_go_before_those_of_days(world: World) -> None:
    endpoint_id = world.add(at=T0)
    for step_s in (HOUR_S, THREE_HOURS_S, DAY_S):
        for age in (731, 400, 91, 89):
            world.execute(
                "INSERT INTO latency_rollup (endpoint_id, step_s, start, count, failures, sum_us, histogram) "
                "VALUES (:id, :step, :start, 1, 0, 1, :histogram)",
                id=endpoint_id, step=step_s, start=T0 - age * DAY, histogram=b"",
            )  # fmt: skip
    assert retention.clean_up(from_us(T0)).startswith("removed 7 sums (")
    rows = world.rows("SELECT step_s, start FROM latency_rollup ORDER BY step_s, start")
    ages = [(row.step_s, (T0 - row.start) // DAY) for row in rows]
    assert ages == [(HOUR_S, 89), (THREE_HOURS_S, 89), (DAY_S, 400), (DAY_S, 91), (DAY_S, 89)]


def test_the_ledger_and_the_days_of_uptime_are_kept_for_ever(world: World) -> None:
    endpoint_id = world.add(at=T0 - 3000 * DAY)
    world.execute(
        "INSERT INTO uptime_day (endpoint_id, day, operational_s, degraded_s, partial_outage_s, major_outage_s, "
        "maintenance_s, unknown_s, computed_at) VALUES (:id, '2018-01-01', 1, 0, 0, 0, 0, 0, '2018-01-02 00:00:00')",
        id=endpoint_id,
    )
    retention.clean_up(from_us(T0))
    assert world.scalar("SELECT COUNT(*) FROM uptime_day") == 1
    assert world.scalar("SELECT COUNT(*) FROM status_change") == 1


def test_many_rows_go_in_many_transactions(world: World) -> None:
    first, second = world.add("One", at=T0), world.add("Two", at=T0)
    for endpoint_id in (first, second):
        old = [(T0 - 40 * DAY + number, Outcome.OK, 1) for number in range(1700)]
        world.store_checks(endpoint_id, [*old, (T0, Outcome.OK, 1)])
    sizes: list[int] = []

    @event.listens_for(db.engine, "after_cursor_execute")
    def note(_connection: Connection, cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith("DELETE FROM health_check"):
            sizes.append(cursor.rowcount)  # type: ignore[attr-defined]

    try:
        report = retention.clean_up(from_us(T0))
    finally:
        event.remove(db.engine, "after_cursor_execute", note)
    assert report.startswith("removed 3400 checks")
    assert sum(sizes) == 3400
    assert len(sizes) >= 4
    assert world.scalar("SELECT COUNT(*) FROM health_check") == 2


@pytest.mark.parametrize(
    ("size", "took_s", "following"),
    [
        (500, 0.02, 500),
        (500, 0.025, 400),
        (500, 0.5, 250),
        (500, 0.0, 750),
        (60, 9.0, SMALLEST),
        (4900, 0.001, LARGEST),
    ],
)
def test_the_size_of_a_batch_follows_from_how_long_it_took(size: int, took_s: float, following: int) -> None:
    assert next_size(size, took_s) == following


def test_a_run_goes_on_until_less_is_done_than_might_be(world: World) -> None:
    left = [1300]
    batches = Batches()

    def work(_connection: Connection, size: int) -> int:
        done = min(size, left[0])
        left[0] -= done
        return done

    assert batches.run(work) == 1300
    assert (left, batches.transactions >= 2) == ([0], True)


def test_the_settings_say_how_long(tmp_path: Path) -> None:
    names = ("CHECK", "HOUR", "DAY", "PING", "METRIC")
    settings = settings_for(tmp_path, **{f"{name}_RETENTION_DAYS": "45" for name in names})
    assert [getattr(settings, f"{name.lower()}_retention_days") for name in names] == [45] * 5
    defaults = settings_for(tmp_path)
    assert [getattr(defaults, f"{name.lower()}_retention_days") for name in names] == [30, 90, 730, 30, 30]


@pytest.mark.parametrize("database", ["sqlite"])
def test_the_file_gets_smaller(world: World, settings: Settings, app: Flask) -> None:
    endpoint_id = world.add(at=T0)
    world.store_checks(endpoint_id, [(T0 - 40 * DAY + number, Outcome.OK, 1) for number in range(40_000)])
    database = settings.instance_path / "statusapp.sqlite3"

    def size() -> int:
        with db.engine.connect() as connection:
            connection.connection.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()  # type: ignore[union-attr]
        return database.stat().st_size

    before = size()
    report = retention.clean_up(from_us(T0))
    assert ", gave back " in report
    assert size() < before / 2
    # Room for what comes next is left alone.
    assert "gave back" not in retention.clean_up(from_us(T0) + timedelta(minutes=1))


@pytest.mark.parametrize("database", ["sqlite"])
def test_a_file_from_before_can_get_smaller_too(tmp_path: Path, app: Flask) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'old.sqlite3'}")
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")
        connection.exec_driver_sql("CREATE TABLE things (id INTEGER PRIMARY KEY)")
        connection.exec_driver_sql("INSERT INTO things VALUES (7)")
        connection.commit()
    engine.dispose()
    configure_engine(engine)
    for _ in range(2):
        enable_vacuum(engine)
        with engine.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA auto_vacuum").scalar() == 2
            assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
            assert connection.exec_driver_sql("SELECT id FROM things").scalar() == 7
    engine.dispose()
    with db.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA auto_vacuum").scalar() == 2
