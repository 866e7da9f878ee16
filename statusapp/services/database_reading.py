"""What the database says of itself."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, QueuePool, text
from sqlalchemy.exc import SQLAlchemyError

from statusapp.extensions import db

# None of these may hold up the readings, however large the server is.
STATEMENT_TIMEOUT_MS = 3000
_SMALLEST = "SELECT version_num FROM alembic_version"
_SIZE = "SELECT pg_database_size(current_database())"
_ACTIVITY = """
SELECT COUNT(*), COUNT(*) FILTER (WHERE state = 'active' AND pid <> pg_backend_pid()),
    current_setting('max_connections')::int
FROM pg_stat_activity WHERE datname = current_database()
"""
_LOCKS = """
SELECT COUNT(*) FROM pg_locks
WHERE NOT granted AND (database IS NULL OR database = (SELECT oid FROM pg_database WHERE datname = current_database()))
"""
_TRANSACTIONS = "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()"


@dataclass(frozen=True, slots=True)
class DatabaseReading:
    """How the database does. A figure that it does not have, or does not tell, is None.

    Attributes:
        connect_us: to open a connection and have a first answer, in microseconds.
        query_us: to answer a query for one row after that, in microseconds.
        wal_bytes: SQLite's log of what is not yet in the file.
        locks_waiting: sessions of PostgreSQL that wait for another's lock; `active` those at work, but for this one.
        transactions: ended since PostgreSQL's statistics began. SQLite counts none.
        pool_in_use: connections that this process has in use now, of `pool_size` kept at most.
    """

    connect_us: int
    query_us: int
    size_bytes: int | None = None
    wal_bytes: int | None = None
    connections: int | None = None
    connections_max: int | None = None
    active: int | None = None
    locks_waiting: int | None = None
    transactions: int | None = None
    pool_size: int | None = None
    pool_in_use: int | None = None


def time_database() -> DatabaseReading:
    """How long a new connection and a query for one row take, and nothing else."""
    dialect = db.engine.dialect
    arguments, options = dialect.create_connect_args(db.engine.url)
    # Past the pool, which has one ready that would take no time at all.
    started = time.perf_counter_ns()
    with closing(dialect.connect(*arguments, **options)) as connection, closing(connection.cursor()) as cursor:
        # SQLite opens its file and reads its tables' names only when it is first asked something.
        cursor.execute(_SMALLEST)
        cursor.fetchone()
        connected = time.perf_counter_ns()
        cursor.execute(_SMALLEST)
        cursor.fetchone()
        answered = time.perf_counter_ns()
    return DatabaseReading((connected - started) // 1000, (answered - connected) // 1000)


def read_database() -> DatabaseReading:
    """Everything that can be read now."""
    pool = db.engine.pool
    in_use, size = (pool.checkedout(), pool.size()) if isinstance(pool, QueuePool) else (None, None)
    timed = time_database()
    if db.engine.dialect.name == "sqlite":
        file_size, wal = _read_sqlite()
        return DatabaseReading(timed.connect_us, timed.query_us, file_size, wal, pool_size=size, pool_in_use=in_use)
    activity = _ask_postgres(_ACTIVITY)
    locks, transactions, size_row = _ask_postgres(_LOCKS), _ask_postgres(_TRANSACTIONS), _ask_postgres(_SIZE)
    return DatabaseReading(
        timed.connect_us,
        timed.query_us,
        size_bytes=_first(size_row),
        connections=None if activity is None else activity[0],
        active=None if activity is None else activity[1],
        connections_max=None if activity is None else activity[2],
        locks_waiting=_first(locks),
        transactions=_first(transactions),
        pool_size=size,
        pool_in_use=in_use,
    )


def _read_sqlite() -> tuple[int, int | None]:
    """Bytes of the file as the database counts them, and of its log."""
    with db.engine.connect() as connection:
        pages, page_size = (_pragma(connection, name) for name in ("page_count", "page_size"))
        path = connection.exec_driver_sql("PRAGMA database_list").one()[2]
    try:
        return pages * page_size, os.path.getsize(f"{path}-wal")
    except OSError:
        return pages * page_size, None


def _pragma(connection: Connection, name: str) -> int:
    return int(connection.exec_driver_sql(f"PRAGMA {name}").scalar_one())


def _ask_postgres(statement: str) -> Sequence[Any] | None:
    """One row, in a transaction of its own, because a statement that is refused spoils the rest of one."""
    try:
        with db.engine.connect() as connection:
            connection.execute(text(f"SET LOCAL statement_timeout = {STATEMENT_TIMEOUT_MS}"))
            return connection.execute(text(statement)).first()
    except SQLAlchemyError:
        return None


def _first(row: Sequence[Any] | None) -> int | None:
    return None if row is None or row[0] is None else int(row[0])
