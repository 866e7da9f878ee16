"""Much work in many short transactions, so that nobody waits long for the write lock of SQLite."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Connection, CursorResult, delete, select
from sqlalchemy.orm import InstrumentedAttribute

from statusapp.database import WRITES
from statusapp.extensions import db

# How long a transaction should take. SQLite's lock is not fair: whoever waits for it looks again only every few
# milliseconds, so it is left free for as long as it was held.
TARGET_S = 0.02
LONGEST_PAUSE_S = 0.1
SMALLEST, LARGEST = 50, 5000
CHECKPOINT_EVERY = 10  # Transactions.


def next_size(size: int, took_s: float) -> int:
    """How much the next transaction should do after one that did `size` and took so many seconds.

    It changes by half at the most: one slow write to the disk says little.
    """
    factor = min(max(TARGET_S / took_s, 0.5), 1.5) if took_s > 0 else 1.5
    return round(min(max(size * factor, SMALLEST), LARGEST))


@dataclass(slots=True)
class Batches:
    """Runs work in transactions of a size that follows from how long the last ones took.

    `transactions` counts them; `longest_s` is the longest that one has held the lock.
    """

    size: int = 500
    transactions: int = 0
    longest_s: float = 0.0

    def run(self, work: Callable[[Connection, int], int]) -> int:
        """Call `work(connection, size)` until it does less than it might; returns the sum of what it did."""
        done = 0
        with db.engine.connect() as plain, _checkpoints_apart(plain) as checkpoint:
            connection = plain.execution_options(**WRITES)
            while True:
                size = self.size
                count = self._once(connection, work, size)
                done += count
                if self.transactions % CHECKPOINT_EVERY == 0:
                    checkpoint()
                if count < size:
                    return done

    def _once(self, connection: Connection, work: Callable[[Connection, int], int], size: int) -> int:
        with connection.begin():
            started = time.perf_counter()
            count = work(connection, size)
        took = time.perf_counter() - started
        self.transactions += 1
        self.longest_s = max(self.longest_s, took)
        if count >= size:
            self.size = next_size(size, took)
        time.sleep(min(took, LONGEST_PAUSE_S))
        return count


@contextmanager
def _checkpoints_apart(connection: Connection) -> Iterator[Callable[[], None]]:
    """On SQLite, keep the log from being written back as a part of commits; gives what writes it back in between.

    Writing back waits for the disk and needs no write lock, but as a part of a commit it would count as one long
    transaction, and hold up the next one of this process.
    """
    if connection.dialect.name != "sqlite":
        yield lambda: None
        return
    driver: Any = connection.connection.driver_connection
    (usual,) = driver.execute("PRAGMA wal_autocheckpoint").fetchone()
    driver.execute("PRAGMA wal_autocheckpoint=0")
    try:
        yield lambda: driver.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
    finally:
        driver.execute(f"PRAGMA wal_autocheckpoint={usual}")


def oldest_deleted(
    model: Any, column: InstrumentedAttribute[Any], chosen: list[Any]
) -> Callable[[Connection, int], int]:
    """Work that deletes the oldest rows of one endpoint."""

    def work(connection: Connection, size: int) -> int:
        newest = connection.scalars(select(column).where(*chosen).order_by(column).limit(size)).all()
        if not newest:
            return 0
        return _count(connection.execute(delete(model).where(*chosen, column <= newest[-1])))

    return work


def delete_before(batches: Batches, column: InstrumentedAttribute[Any], before: Any) -> int:
    """Delete the rows of a table with an id that are older than `before`."""
    model: Any = column.class_

    def work(connection: Connection, size: int) -> int:
        oldest = connection.scalars(select(model.id).where(column < before).order_by(column).limit(size)).all()
        return _count(connection.execute(delete(model).where(model.id.in_(oldest)))) if oldest else 0

    return batches.run(work)


def _count(result: Any) -> int:
    return cast("CursorResult[Any]", result).rowcount
