"""Many rows into the database, quickly: by the means of each driver, below SQLAlchemy.

The rows of one call share what they begin with; each has an instant after that, and a rest that was put into the
driver's form before, because the same rest is written thousands of times.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Protocol

from sqlalchemy import Connection

# One statement for so many rows: three times as fast as a statement each.
ROWS_PER_STATEMENT = 60


@dataclass(frozen=True, slots=True)
class Table:
    """A table with its columns in the order of the values."""

    name: str
    columns: tuple[str, ...]


CHECKS = Table(
    "health_check",
    (
        "endpoint_id", "location", "slot", "kind", "outcome", "error_kind", "status_code", "late_us", "dns_us",
        "connect_us", "tls_us", "wait_us", "transfer_us", "total_us", "size", "peer",
    ),
)  # fmt: skip
DETAILS = Table("check_detail", ("endpoint_id", "location", "slot", "error"))
SUMS = Table(
    "latency_rollup",
    (
        "endpoint_id", "step_s", "start", "count", "failures", "sum_us", "min_us", "max_us", "p50_us", "p95_us",
        "p99_us", "histogram",
    ),
)  # fmt: skip
LEDGER = Table(
    "status_change",
    ("endpoint_id", "started_at", "previous", "status", "recorded_at", "ended_at", "rule", "superseded", "reason"),
)


class Bulk(Protocol):
    """Writes rows within the transaction of a connection."""

    def render(self, values: tuple[Any, ...]) -> Any:
        """The rest of a row in the form that `write` takes it in."""

    def write(self, table: Table, first: tuple[Any, ...], chunks: Iterable[Sequence[tuple[int, Any]]]) -> None:
        """Write rows: each is `first`, an instant and a rendered rest. A chunk is held in memory as a whole."""


def bulk_into(connection: Connection) -> Bulk:
    """The quickest way into the database of a connection that is in a transaction."""
    driver: Any = connection.connection.driver_connection
    return _Copies(driver) if connection.dialect.name == "postgresql" else _Inserts(driver)


class _Inserts:
    """SQLite: statements of many rows. The rest of a row is a tuple of values."""

    def __init__(self, driver: Any) -> None:
        self._driver = driver

    def render(self, values: tuple[Any, ...]) -> Any:
        """The values themselves."""
        return values

    def write(self, table: Table, first: tuple[Any, ...], chunks: Iterable[Sequence[tuple[int, Any]]]) -> None:
        """Write many rows with each statement."""
        insert = f"INSERT INTO {table.name} ({', '.join(table.columns)}) VALUES "  # noqa: S608 - names of ours
        row = f"({', '.join('?' * len(table.columns))})"
        many = insert + ", ".join([row] * ROWS_PER_STATEMENT)
        for chunk in chunks:
            whole = len(chunk) - len(chunk) % ROWS_PER_STATEMENT
            values = list(chain.from_iterable([(*first, instant, *rest) for instant, rest in chunk[:whole]]))
            step = ROWS_PER_STATEMENT * len(table.columns)
            for start in range(0, len(values), step):
                self._driver.execute(many, values[start : start + step])
            self._driver.executemany(insert + row, [(*first, instant, *rest) for instant, rest in chunk[whole:]])


class _Copies:
    """PostgreSQL: COPY. The rest of a row is a text, with the tab before it and the end of the line."""

    def __init__(self, driver: Any) -> None:
        self._driver = driver

    def render(self, values: tuple[Any, ...]) -> Any:
        """The rest of a line of COPY's text form."""
        return "\t" + "\t".join(map(_copied, values)) + "\n"

    def write(self, table: Table, first: tuple[Any, ...], chunks: Iterable[Sequence[tuple[int, Any]]]) -> None:
        """Write all rows with one COPY."""
        begin = "".join(f"{_copied(value)}\t" for value in first)
        statement = f"COPY {table.name} ({', '.join(table.columns)}) FROM STDIN"
        with self._driver.cursor() as cursor, cursor.copy(statement) as copy:
            for chunk in chunks:
                copy.write("".join([f"{begin}{instant}{rest}" for instant, rest in chunk]))


def _copied(value: Any) -> str:
    """A value as COPY reads it. https://www.postgresql.org/docs/current/sql-copy.html#SQL-COPY-FILE-FORMATS"""
    if value is None:
        return r"\N"
    if isinstance(value, bytes):
        return rf"\\x{value.hex()}"
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, str):
        return value.replace("\\", r"\\").replace("\t", r"\t").replace("\n", r"\n").replace("\r", r"\r")
    return str(value)
