"""How connections behave: SQLite's pragmas, who takes the write lock, and transactions that write.

SQLite lets one process write at a time. A transaction that begins by reading and then writes fails with "database is
locked" as soon as another one wrote in between, so every transaction that will write says so at its beginning (BEGIN
IMMEDIATE) and waits its turn there; all others are plain reads that never wait for a writer (WAL).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import chain
from typing import Any

from sqlalchemy import Connection, CursorResult, Engine, event
from sqlalchemy.orm import Session, scoped_session

logger = logging.getLogger(__name__)

WRITES = {"statusapp_writes": True}
BUSY_TIMEOUT_MS = 5000
ROWS_AT_ONCE = 250
INCREMENTAL = 2  # What SQLite calls this kind of auto_vacuum.
Check = Callable[[Session], None]
_first_check: ContextVar[Check | None] = ContextVar("first_check", default=None)


def configure_engine(engine: Engine) -> None:
    """Give an engine the settings that every connection of this product needs. Does nothing for PostgreSQL."""
    if engine.dialect.name != "sqlite":
        return
    event.listen(engine, "connect", _prepare_sqlite_connection)
    event.listen(engine, "begin", _begin_sqlite_transaction)


def _prepare_sqlite_connection(connection: Any, _record: Any) -> None:
    # The driver must not open transactions by itself: it would do so too late and always deferred.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    # Of no effect on a file that has tables; `enable_vacuum` is for those.
    cursor.execute("PRAGMA auto_vacuum=INCREMENTAL")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    # Some builds write zeros over all that is deleted, which doubles the work of the daily clean-up.
    cursor.execute("PRAGMA secure_delete=FAST")
    cursor.close()


def _begin_sqlite_transaction(connection: Connection) -> None:
    writes = connection.get_execution_options().get("statusapp_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def enable_vacuum(engine: Engine) -> None:
    """Make a SQLite file able to shrink that was made before all files were.

    The file is copied for it, once; nobody else may use it meanwhile.
    """
    if engine.dialect.name != "sqlite":
        return
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        if driver.execute("PRAGMA auto_vacuum").fetchone()[0] != INCREMENTAL:
            logger.info("the database is made able to shrink, which takes a while")
            driver.execute("PRAGMA auto_vacuum=INCREMENTAL")
            driver.execute("VACUUM")


@contextmanager
def write_transaction(session: scoped_session[Any]) -> Iterator[Session]:
    """One transaction that writes: committed at the end of the block, rolled back when it raises.

    What the session has only read before is let go first, because a read cannot become a write.
    """
    if session.new or session.dirty or session.deleted:
        raise RuntimeError("there are changes outside the write transaction; make them inside the block")
    session.commit()
    session.connection(execution_options=WRITES)
    check = _first_check.get()
    try:
        if check is not None:
            _first_check.set(None)
            check(session())
        yield session()
        session.commit()
    except BaseException:
        session.rollback()
        raise


@contextmanager
def checked_first(check: Check) -> Iterator[None]:
    """Have the next write transaction in here begin with a check, which refuses it by raising.

    So what is written can depend on what was read before, without every use case knowing of it.
    """
    before = _first_check.set(check)
    try:
        yield
    finally:
        _first_check.reset(before)


@contextmanager
def write_connection(engine: Engine) -> Iterator[Connection]:
    """A connection in a transaction that writes, for Core statements on the path of the checks."""
    with engine.connect() as plain:
        connection = plain.execution_options(**WRITES)
        with connection.begin():
            yield connection


def execute_plain(connection: Connection, statement: str, values: tuple[Any, ...]) -> CursorResult[Any]:
    """Run a statement in the driver's own form, with ? for each value on either database."""
    return connection.exec_driver_sql(_in_dialect(connection, statement), values)


def write_rows(connection: Connection, before: str, rows: list[tuple[Any, ...]], after: str) -> None:
    """Run a statement around a list of VALUES, for many rows at once.

    One statement for many rows, because SQLite's driver lets go of the interpreter at each, and takes it back slowly
    while another thread is busy: that is what would make the checks late.
    """
    for start in range(0, len(rows), ROWS_AT_ONCE):
        chunk = rows[start : start + ROWS_AT_ONCE]
        places = ", ".join([f"({', '.join('?' * len(chunk[0]))})"] * len(chunk))
        execute_plain(connection, f"{before} {places} {after}", tuple(chain.from_iterable(chunk)))


def _in_dialect(connection: Connection, statement: str) -> str:
    return statement.replace("?", "%s") if connection.dialect.name == "postgresql" else statement
