"""Rows on their way between PostgreSQL and a backup file. The file has the same tables at the same revision.

Values need no models: the databases themselves turn them into what the other one reads. So a database at any revision
can be backed up.
"""
# ruff: noqa: S608 - statements are put together from names of tables and columns, which the migrations have given

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, inspect
from sqlalchemy.types import JSON, Boolean, Date, DateTime

from statusapp.database import write_connection
from statusapp.extensions import db
from statusapp.services.backup_files import Progress
from statusapp.services.partitions import DAY_US, make_partitions

ROWS_AT_ONCE = 5000
# How long a restore waits for others to let go of the tables.
LOCK_TIMEOUT = "10s"
CHECKS = "health_check"

# How PostgreSQL says a value as SQLAlchemy stores it on SQLite.
_AS_ON_SQLITE: tuple[tuple[type[Any], str], ...] = (
    (DateTime, "to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"),
    (Date, "to_char({}, 'YYYY-MM-DD')"),
    (Boolean, "CAST({} AS INTEGER)"),
    (JSON, "CAST({} AS TEXT)"),
)

Reading = Callable[[], AbstractContextManager[Connection]]


@contextmanager
def one_instant(engine: Engine) -> Iterator[Reading]:
    """Transactions that all see the database as it is now, made one after the other.

    A single long one would keep its locks on the tables, and the daily change of partitions would wait for them, with
    all checks waiting behind it.
    """
    plain = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    @contextmanager
    def reading() -> Iterator[Connection]:
        with plain.connect() as connection:
            connection.exec_driver_sql(f"SET TRANSACTION SNAPSHOT '{snapshot}'")
            yield connection

    with plain.connect() as holder:
        snapshot = holder.exec_driver_sql("SELECT pg_export_snapshot()").scalar_one()
        yield reading


def fill_file(reading: Reading, file: Path, progress: Progress) -> None:
    """Copy all rows that `reading` sees into a file that has the tables and nothing in them."""
    with closing(sqlite3.connect(file, isolation_level=None)) as target:
        # Whatever becomes of an unfinished file, it is thrown away.
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "foreign_keys=OFF", "cache_size=-65536"):
            target.execute(f"PRAGMA {pragma}")
        tables = _tables_of(target)
        counts, days = _count(reading, tables)
        done = 0
        target.execute("BEGIN")
        for name, columns in tables.items():
            target.execute(f"DELETE FROM {name}")
            for part in days if name == CHECKS else [""]:
                for rows in _rows(reading, name, columns, part):
                    target.executemany(
                        f"INSERT INTO {name} ({_listed(columns)}) VALUES ({', '.join('?' * len(columns))})", rows
                    )
                    done += len(rows)
                    progress(done, counts)
        _keep_numbers_given(reading, target)
        target.execute("COMMIT")


def _listed(columns: list[str]) -> str:
    """Names of columns, which may be words that SQL has a use for."""
    return ", ".join(f'"{column}"' for column in columns)


def _tables_of(file: sqlite3.Connection) -> dict[str, list[str]]:
    """The columns of each table, but for those of SQLite and Alembic."""
    names = file.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!' "
        "AND name <> 'alembic_version' ORDER BY name"
    ).fetchall()
    return {name: [row[1] for row in file.execute(f"PRAGMA table_info({name})")] for (name,) in names}


def _count(reading: Reading, tables: dict[str, list[str]]) -> tuple[int, list[str]]:
    """How many rows there are, and the days that have checks, as conditions. A day is a partition."""
    with reading() as connection:
        days = connection.exec_driver_sql(
            f"SELECT slot / {DAY_US} AS day, COUNT(*) FROM {CHECKS} GROUP BY 1 ORDER BY 1"
        ).all()
        others = sum(
            connection.exec_driver_sql(f"SELECT COUNT(*) FROM {name}").scalar_one() for name in tables if name != CHECKS
        )
    conditions = [f"WHERE slot >= {day * DAY_US} AND slot < {(day + 1) * DAY_US}" for day, _ in days]
    return others + sum(count for _, count in days), conditions


def _rows(reading: Reading, table: str, columns: list[str], condition: str) -> Iterator[list[tuple[Any, ...]]]:
    """The rows of a table as SQLite stores them, some thousand at a time."""
    with reading() as connection:
        types = {column["name"]: column["type"] for column in inspect(connection).get_columns(table)}
        values = ", ".join(_as_on_sqlite(types[column]).format(_listed([column])) for column in columns)
        driver: Any = connection.connection.driver_connection
        with driver.cursor(name="backup") as cursor:
            cursor.execute(f"SELECT {values} FROM {table} {condition}")
            while rows := cursor.fetchmany(ROWS_AT_ONCE):
                yield rows


def _as_on_sqlite(kind: object) -> str:
    return next((form for known, form in _AS_ON_SQLITE if isinstance(kind, known)), "{}")


def _keep_numbers_given(reading: Reading, file: sqlite3.Connection) -> None:
    """Go on with the ids where PostgreSQL stands, in the tables that never give one twice."""
    names = file.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE '%AUTOINCREMENT%'"
    ).fetchall()
    with reading() as connection:
        for (name,) in names:
            sequence = connection.exec_driver_sql(f"SELECT pg_get_serial_sequence('{name}', 'id')").scalar_one()
            last = connection.exec_driver_sql(f"SELECT last_value FROM {sequence} WHERE is_called").scalar()
            file.execute("DELETE FROM sqlite_sequence WHERE name = ?", (name,))
            file.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (name, last or 0))


def fill_postgresql(file: Path, progress: Progress) -> None:
    """Put the rows of a file, which is at the newest revision, in the place of all that is there; all or none."""
    with closing(sqlite3.connect(file)) as source:
        # What PostgreSQL does not take as text, and SQLite does.
        source.text_factory = lambda raw: raw.decode("utf-8", "replace").replace("\0", "")
        for (day,) in source.execute(f"SELECT DISTINCT slot / {DAY_US} FROM {CHECKS}").fetchall():
            make_partitions(day * DAY_US, (day + 1) * DAY_US)
        tables = db.metadata.sorted_tables
        total = sum(source.execute(f"SELECT COUNT(*) FROM {table.name}").fetchone()[0] for table in tables)
        with write_connection(db.engine) as connection:
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
            connection.exec_driver_sql("SET LOCAL TIME ZONE 'UTC'")
            connection.exec_driver_sql(f"TRUNCATE {', '.join(table.name for table in tables)}")
            done = 0
            for table in tables:
                done = _copy_in(connection, source, table, done, lambda done: progress(done, total))
                _go_on_counting(connection, source, table)
            # Until PostgreSQL does this by itself, it would think that the tables are still empty.
            connection.exec_driver_sql(f"ANALYZE {', '.join(table.name for table in tables)}")


def _copy_in(
    connection: Connection, source: sqlite3.Connection, table: Table, done: int, progress: Callable[[int], None]
) -> int:
    """Copy the rows of one table; how many are done with them."""
    columns = _listed([column.name for column in table.columns])
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f"COPY {table.name} ({columns}) FROM STDIN") as copy:
        rows = source.execute(f"SELECT {columns} FROM {table.name}")
        while chunk := rows.fetchmany(ROWS_AT_ONCE):
            for row in chunk:
                copy.write_row(row)
            done += len(chunk)
            progress(done)
    return done


def _go_on_counting(connection: Connection, source: sqlite3.Connection, table: Table) -> None:
    """Have the next id of a table be one that was never given."""
    column = table.autoincrement_column
    if column is None:
        return
    highest = source.execute(f"SELECT MAX({column.name}) FROM {table.name}").fetchone()[0] or 0
    if table.dialect_options["sqlite"]["autoincrement"]:
        given = source.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (table.name,)).fetchone()
        highest = max(highest, given[0] if given else 0)
    connection.exec_driver_sql(
        f"SELECT setval(pg_get_serial_sequence('{table.name}', '{column.name}'), {max(highest, 1)}, {highest > 0})"
    )
