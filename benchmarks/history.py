"""What history costs: `python -m benchmarks.history [--quick] [PART ...]`, about an hour, on SQLite and PostgreSQL.

Parts: `minute` (100 endpoints every minute, 90 days of checks against 2), `years` (1,000 endpoints, two years of sums
and ledger against 2 days), `cleanup` (a day of 1.4 million checks is deleted while 1,000 endpoints are checked; needs
nginx).

A figure called cold is of a process that has answered before, with a new connection, after the database's files were
dropped from the system's memory and PostgreSQL was started anew; *first* is the same for the first call in its process,
which also prepares all statements. Ratios are of medians of calls in the same run, in turns.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.checks import creation, judge, row
from benchmarks.rig import Nginx, Rig
from tests.instance import ROOT
from tests.postgres import Postgres, run_postgres

DAY_US = 86_400_000_000
ROUNDS = 5
# What a user waits for, by name: the page's data as JSON, the overview, each series of one service and that of all.
MEASURE = """
import json, statistics, sys, time
from sqlalchemy import event
from config import load_settings
from statusapp import create_app
from statusapp.clock import utcnow
from statusapp.extensions import db
from statusapp.queries.performance import load_performance
from statusapp.queries.series import SPANS, load_series
from statusapp.queries.status_page import load_status_page
from statusapp.queries.uptime import load_uptimes
from statusapp.web.status.presenting import overview_as_data, page_as_data
cases = {
    "page": lambda: json.dumps(page_as_data(load_status_page(utcnow(), 0.3))),
    "overview": lambda: json.dumps(overview_as_data(load_status_page(utcnow(), 0.3, with_days=False))),
    **{f"series {name}": lambda name=name: load_series(one, name, utcnow(), 0.3) for name in SPANS},
    "series of all": lambda: load_performance(utcnow()),
    "uptimes of one": lambda: load_uptimes(one, utcnow(), 0.3),
}
found, statements = {}, []
with create_app(load_settings()).app_context():
    one = int(sys.argv[1])
    event.listen(db.engine, "before_cursor_execute", lambda c, cur, statement, *_: statements.append(statement))
    for name in sys.argv[4:] or cases:
        if sys.argv[3] == "cold":
            cases[name]()
            db.session.remove()
            db.engine.dispose()
            print("ready", flush=True)
            input()
        statements.clear()
        times = []
        for _ in range(int(sys.argv[2])):
            db.session.remove()
            began = time.perf_counter()
            cases[name]()
            times.append((time.perf_counter() - began) * 1000)
        count = len(statements) // len(times)
        found[name] = {"first": times[0], "median": statistics.median(times), "statements": count}
print(json.dumps(found))
"""
Figures = dict[str, dict[str, float]]


def main() -> None:
    """Run the parts and print their tables."""
    parts = {"minute": minute, "years": years, "cleanup": cleanup}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=[*parts, []], help="all of them unless named")
    parser.add_argument("--quick", action="store_true", help="a tenth of the history, to try the benchmark itself")
    options = parser.parse_args()
    for name in options.parts or parts:
        for database in ("sqlite", "postgresql"):
            with server_for(database) as server:
                parts[name](server, 10 if options.quick else 1)


@contextmanager
def server_for(database: str) -> Iterator[Postgres | None]:
    """A PostgreSQL of the benchmark's own, or None for SQLite."""
    row("", "")
    row(f"== {database} ==", "")
    if database == "sqlite":
        yield None
    else:
        with run_postgres() as server:
            yield server


def minute(server: Postgres | None, part: int) -> None:
    """100 endpoints at a minute: 90 days of single checks against 2."""
    with ExitStack() as stack:
        long = _demo(stack, server, "long", 100, 90 // part, 90 // part)
        short = _demo(stack, server, "short", 100, 2, 2)
        checks = long.rows("SELECT COUNT(*) FROM health_check")[0][0]
        row(f"100 endpoints at 1 minute, {90 // part} days: checks", f"{checks:,}")
        if server is None:
            size = long.rows("SELECT SUM(pgsize) FROM dbstat WHERE name = 'health_check'")[0][0]
            row("  bytes per check, its index included", f"{size / checks:.0f}")
        _compare(long, short, server)


def years(server: Postgres | None, part: int) -> None:
    """1,000 endpoints: two years of sums and ledger against 2 days."""
    with ExitStack() as stack:
        long = _demo(stack, server, "long", 1000 // part, 730, 1)
        short = _demo(stack, server, "short", 1000 // part, 2, 1)
        sums = long.rows("SELECT COUNT(*) FROM latency_rollup")[0][0]
        row(f"{1000 // part} endpoints, two years: sums", f"{sums:,}")
        row("  changes of status", f"{long.rows('SELECT COUNT(*) FROM status_change')[0][0]:,}")
        _compare(long, short, server)


def cleanup(server: Postgres | None, part: int) -> None:
    """A day of checks goes while others are made."""
    nginx = Nginx()
    rig = Rig(**_environment(server, "cleanup"))
    endpoints = 1000 // part
    try:
        rig.prepare(creation(nginx.address, argparse.Namespace(endpoints=endpoints, interval=20)))
        rig.prepare(OLD_DAY.format(endpoints=endpoints))
        rig.start()
        time.sleep(45)
        begin = time.time()
        rig.prepare(DUE)
        result = "SELECT last_result FROM periodic_task WHERE name = 'cleanup_old_health_data_task' AND run_count > 0"
        old = f"SELECT COUNT(*) FROM health_check WHERE slot < {int(begin * 1e6) - 31 * DAY_US}"
        while rig.rows(old)[0][0] or not (rig.rows(result) and rig.rows(result)[0][0]):
            time.sleep(2)
        # The shortest part that says something about p99.
        end = max(time.time(), begin + 60)
        time.sleep(end - time.time() + 22)
        lateness, missed = judge(nginx, rig, 20, begin, end, 0)
        lateness.sort()
        row(f"{1440 * endpoints:,} checks deleted beside {endpoints} endpoints at 20 s", f"{end - begin:.0f} s")
        row("  lateness p50 / p99 / worst", " / ".join(f"{at * 1000:.1f}" for at in _quantiles(lateness)) + " ms")
        row("  slots missed", f"{missed} of {len(lateness)}")
        row("  what the task says", str(rig.rows(result)[0][0]))
        rig.stop()
    finally:
        nginx.stop()
        rig.remove()


OLD_DAY = """
from statusapp.clock import now_us
from statusapp.database import write_connection, write_rows
from statusapp.extensions import db
from statusapp.models import ServiceEndpoint
from statusapp.services.partitions import make_partitions
day, minute = 86_400_000_000, 60_000_000
start = now_us() // day * day - 35 * day
make_partitions(start, start + day)
columns = ("endpoint_id, location, slot, kind, outcome, error_kind, status_code, late_us, dns_us, connect_us, wait_us, "
           "transfer_us, total_us, size, peer")
ids = [key for (key,) in db.session.query(ServiceEndpoint.id).order_by(ServiceEndpoint.id)]
db.session.rollback()
for key in ids:
    with write_connection(db.engine) as connection:
        write_rows(connection, f"INSERT INTO health_check ({{columns}}) VALUES", [
            (key, 0, start + n * minute, 0, 0, 0, 200, 900, 150, 300, 20000, 90, 20540, 512, b"\\x7f\\0\\0\\1")
            for n in range(1440)
        ], "")
db.engine.dispose()
"""
DUE = """
from datetime import timedelta
from statusapp.clock import utcnow
from statusapp.database import write_transaction
from statusapp.extensions import db
from statusapp.models import PeriodicTask
with write_transaction(db.session) as session:
    session.get(PeriodicTask, "cleanup_old_health_data_task").next_run_at = utcnow() - timedelta(minutes=1)
db.engine.dispose()
"""


def _environment(server: Postgres | None, name: str) -> dict[str, str]:
    return {} if server is None else {"DATABASE_URL": server.create(name)}


def _demo(stack: ExitStack, server: Postgres | None, name: str, endpoints: int, days: int, raw_days: int) -> Rig:
    """An installation with made-up history, made by the product's own command."""
    rig = Rig(**_environment(server, name), CHECK_RETENTION_DAYS="90", HOUR_RETENTION_DAYS="90")
    stack.callback(rig.remove)
    began = time.monotonic()
    options = ["--endpoints", str(endpoints), "--days", str(days), "--raw-days", str(raw_days)]
    command = [str(Path(sys.executable).with_name("flask")), "demo-data", *options]
    subprocess.run(command, cwd=ROOT, env=rig.environment, check=True, stdout=subprocess.DEVNULL)
    row(f"  demo data of {endpoints} endpoints and {days} days, made in", f"{time.monotonic() - began:.0f} s")
    return rig


def _compare(long: Rig, short: Rig, server: Postgres | None) -> None:
    """Print what each answer costs with the long history, and against the short one."""
    cold = {name: _cold(long, server, name) for name in ("page", "overview")}
    rounds: list[tuple[Figures, Figures]] = [(_measure(long, 15), _measure(short, 15)) for _ in range(ROUNDS)]
    for name in rounds[0][0]:
        with_long = statistics.median(figures[name]["median"] for figures, _ in rounds)
        with_short = statistics.median(figures[name]["median"] for _, figures in rounds)
        text = f"{with_long:6.1f} ms, {with_long / with_short:.2f} times"
        if name in cold:
            text += "; cold {:.0f} ms, first {:.0f} ms".format(*cold[name])
        row(f"  {name}, {rounds[0][0][name]['statements']:.0f} statements", text)


def _measure(rig: Rig, repeats: int, *names: str) -> Figures:
    (one,) = rig.rows("SELECT MIN(endpoint_id) FROM endpoint_state WHERE last_checked_at IS NOT NULL")[0]
    command = [sys.executable, "-c", MEASURE, str(one), str(repeats), "warm", *names]
    answer = subprocess.run(command, cwd=ROOT, env=rig.environment, check=True, stdout=subprocess.PIPE, text=True)
    figures: Figures = json.loads(answer.stdout)
    return figures


def _cold(rig: Rig, server: Postgres | None, name: str) -> tuple[float, float]:
    """The medians of three cold calls and of three first ones, in milliseconds."""

    def forget() -> None:
        if server is not None:
            server.restart()
        _drop_from_memory(server.folder if server else rig.folder)

    cold, first = [], []
    for _ in range(3):
        forget()
        first.append(_measure(rig, 1, name)[name]["first"])
        command = [sys.executable, "-c", MEASURE, "0", "1", "cold", name]
        with subprocess.Popen(
            command, cwd=ROOT, env=rig.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            forget()
            answer, _ = process.communicate("\n")
            cold.append(json.loads(answer)[name]["first"])
    return statistics.median(cold), statistics.median(first)


def _drop_from_memory(folder: Path) -> None:
    """Have the system forget what it has read of the files in a folder."""
    os.sync()
    for path in folder.rglob("*"):
        if path.is_file():
            descriptor = os.open(path, os.O_RDONLY)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)


def _quantiles(values: list[float]) -> tuple[float, float, float]:
    return values[len(values) // 2], values[int(len(values) * 0.99)], values[-1]


if __name__ == "__main__":
    main()
