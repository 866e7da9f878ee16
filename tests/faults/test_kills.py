"""Processes are killed, Redis is cut off, the database is held: checks go on and nobody is told a lie."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from collections.abc import Iterator

import psutil
import psycopg
import pytest
import redis

from statusapp.jobs.schedule import TASK_NAMES
from statusapp.redis_address import socket_path
from tests.faults.live import ENDPOINTS, RECOVERY_S, Live
from tests.instance import wait_for
from tests.postgres import Postgres

DATABASES = [
    pytest.param("sqlite", marks=pytest.mark.faults),
    pytest.param("postgresql", marks=pytest.mark.postgres_faults),
]


@pytest.fixture(scope="module", params=DATABASES)
def live(request: pytest.FixtureRequest) -> Iterator[Live]:
    """One installation for all faults of this file: each must leave it well."""
    if request.param == "postgresql":
        server: Postgres = request.getfixturevalue("postgres")
        live = Live(DATABASE_URL=server.create("live"))
    else:
        live = Live()
    try:
        yield live
    finally:
        live.end()


@pytest.fixture(autouse=True)
def nobody_is_told_a_lie(live: Live) -> Iterator[None]:
    """After each fault: no slot has two rows, no service was said to be down, all are operational."""
    yield
    wait_for(lambda: live.operational() == ENDPOINTS, 30)
    doubles = "SELECT endpoint_id, slot FROM health_check GROUP BY endpoint_id, slot HAVING COUNT(*) > 1"
    assert live.rows(doubles) == []
    assert live.rows("SELECT * FROM status_change WHERE status IN (2, 3, 4)") == []
    assert live.rows("SELECT error FROM check_detail WHERE error IS NOT NULL") == []
    log = live.instance.log
    assert "Traceback" not in log, log[log.index("Traceback") - 500 :][:6000]


def claimer(live: Live) -> list[psutil.Process]:
    """The work-horse that makes the checks now."""
    ((process_id,),) = live.rows("SELECT process_id FROM check_window ORDER BY id DESC LIMIT 1")
    return [psutil.Process(int(str(process_id)))]


def worker_of_claimer(live: Live) -> list[psutil.Process]:
    """The worker that has forked it."""
    return [parent for parent in [claimer(live)[0].parent()] if parent is not None]


VICTIMS = {
    "the process that checks": claimer,
    "the worker above it": worker_of_claimer,
    "all workers": lambda live: live.instance.named("worker 1")[:1] + live.instance.named("worker 2")[:1],
    "the scheduler": lambda live: live.instance.named("scheduler"),
    "Redis": lambda live: live.instance.named("redis-server"),
}


@pytest.mark.parametrize("victim", VICTIMS)
def test_a_killed_process_costs_no_check(live: Live, victim: str, record_property: pytest.RecordProperty) -> None:
    with live.page_watched() as problems:
        victims = VICTIMS[victim](live)
        assert victims
        instant = time.time()
        for process in victims:
            process.kill()
        waited = live.longest_wait_after(instant)
    print(f"\n{victim}: checks waited {waited:.1f} s longer than their interval")
    record_property("waited_s", round(waited, 1))
    assert waited <= RECOVERY_S
    assert problems == []


@pytest.mark.parametrize("which", [0, 1], ids=["the server", "its worker"])
def test_the_web_comes_back_and_the_checks_do_not_notice(live: Live, which: int) -> None:
    instant = time.time()
    live.instance.named("web")[which].kill()
    wait_for(lambda: live.operational() == ENDPOINTS, 15)
    assert live.longest_wait_after(instant) < 10


def test_redis_that_hangs_costs_no_check(live: Live) -> None:
    (server,) = live.instance.named("redis-server")
    instant = time.time()
    with live.page_watched() as problems:
        server.suspend()
        try:
            waited = live.longest_wait_after(instant)
        finally:
            server.resume()
    assert waited <= RECOVERY_S
    assert problems == []


def test_a_redis_that_forgets_everything_costs_no_check(live: Live) -> None:
    client = redis.Redis(unix_socket_path=str(socket_path(live.instance.folder)))
    instant = time.time()
    client.flushall()
    client.set("rq:job:run_health_checks_task", "rubbish")
    client.zadd("rq:scheduler:scheduled_jobs", {"rubbish": instant})
    assert live.longest_wait_after(instant) <= RECOVERY_S
    wait_for(lambda: {name.decode() for name in client.zrange("rq:scheduler:scheduled_jobs", 0, -1)} == TASK_NAMES, 70)
    client.close()


def test_a_database_that_is_held_costs_no_result_and_no_page(live: Live) -> None:
    url = live.instance.environment.get("DATABASE_URL")
    instant = time.time()
    with live.page_watched() as problems:
        if url is None:
            holder = sqlite3.connect(live.instance.database, isolation_level=None)
            holder.execute("BEGIN IMMEDIATE")
            time.sleep(8)
            holder.execute("ROLLBACK")
            holder.close()
        else:
            with psycopg.connect(url) as server:
                server.execute("LOCK TABLE endpoint_state, health_check, periodic_task IN EXCLUSIVE MODE")
                time.sleep(8)
        waited = live.longest_wait_after(instant)
    assert waited <= RECOVERY_S
    assert problems == []


def test_the_supervisor_killed_leaves_nothing_and_the_next_start_is_clean(live: Live) -> None:
    assert live.instance.process is not None
    instant = time.time()
    os.kill(live.instance.process.pid, signal.SIGKILL)
    live.instance.process.wait(5)
    wait_for(lambda: not live.instance.leftovers(), 15)
    live.instance.start()
    assert live.longest_wait_after(instant) <= RECOVERY_S
