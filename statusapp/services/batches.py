"""Much work in many short transactions, so that nobody waits long for the write lock of SQLite."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection

from statusapp.database import write_connection
from statusapp.extensions import db

# How long a transaction should take. SQLite's lock is not fair: whoever waits for it looks again only every few
# milliseconds, so it is left free for as long as it was held.
TARGET_S = 0.02
LONGEST_PAUSE_S = 0.1
SMALLEST, LARGEST = 50, 5000


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
        while True:
            size = self.size
            count = self._once(work, size)
            done += count
            if count < size:
                return done

    def _once(self, work: Callable[[Connection, int], int], size: int) -> int:
        with write_connection(db.engine) as connection:
            started = time.perf_counter()
            count = work(connection, size)
        took = time.perf_counter() - started
        self.transactions += 1
        self.longest_s = max(self.longest_s, took)
        if count >= size:
            self.size = next_size(size, took)
        time.sleep(min(took, LONGEST_PAUSE_S))
        return count
