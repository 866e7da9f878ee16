"""The days of the table of checks on PostgreSQL: each is a partition, and what is too old is dropped whole."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Connection, text

from statusapp.database import write_connection
from statusapp.domain.instants import SECOND, from_us, to_us
from statusapp.extensions import db

DAYS_AHEAD = 14
PARTITION = "health_check_p%Y%m%d"
DAY_US = 86_400 * SECOND


def ensure_partitions(now: datetime) -> None:
    """On PostgreSQL, make the partitions of today and of the next two weeks. Nothing to do on SQLite."""
    first = to_us(now) // DAY_US * DAY_US
    make_partitions(first, first + DAYS_AHEAD * DAY_US)


def make_partitions(start: int, end: int) -> None:
    """On PostgreSQL, make the partitions of all days from `start` up to `end`, in microseconds."""
    if db.engine.dialect.name != "postgresql":
        return
    with write_connection(db.engine) as connection:
        for day in range(start // DAY_US * DAY_US, end, DAY_US):
            if _default_has_rows(connection, day):
                continue  # They would be in two partitions; they stay where they are until they are too old.
            name = from_us(day).strftime(PARTITION)
            connection.exec_driver_sql(
                f"CREATE TABLE IF NOT EXISTS {name} PARTITION OF health_check "
                f"FOR VALUES FROM ({day}) TO ({day + DAY_US})"
            )


def drop_partitions(before: int) -> int:
    """Drop the days that lie wholly before an instant; returns how many."""
    if db.engine.dialect.name != "postgresql":
        return 0
    dropped = 0
    with write_connection(db.engine) as connection:
        names = connection.exec_driver_sql(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'health_check'::regclass"
        ).scalars()
        for name in names.all():
            try:
                day = datetime.strptime(name, PARTITION).replace(tzinfo=UTC)
            except ValueError:
                continue  # The default partition has no day in its name.
            if to_us(day) + DAY_US <= before:
                connection.exec_driver_sql(f"DROP TABLE {name}")
                dropped += 1
    return dropped


def _default_has_rows(connection: Connection, start: int) -> bool:
    query = text("SELECT 1 FROM health_check_pdefault WHERE slot >= :start AND slot < :end LIMIT 1")
    return connection.execute(query, {"start": start, "end": start + DAY_US}).first() is not None
