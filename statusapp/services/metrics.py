"""System metrics: one reading of this host and of the database, stored."""

from __future__ import annotations

import time
from dataclasses import asdict
from datetime import datetime

from flask import current_app

from statusapp.database import write_transaction
from statusapp.extensions import db
from statusapp.models import SystemMetric
from statusapp.probes.system import read_host


def collect_metrics(now: datetime) -> str:
    """Read and store; returns the reading as one line for people."""
    reading = read_host(str(current_app.config["SETTINGS"].instance_path))
    connect_us, query_us = _time_database()
    with write_transaction(db.session) as session:
        session.add(
            SystemMetric(taken_at=now, database_connect_us=connect_us, database_query_us=query_us, **asdict(reading))
        )
    return (
        f"CPU {reading.cpu_percent:.1f} %, memory {reading.memory_percent:.1f} % ({reading.memory_used_mb} MB), "
        f"disk {reading.disk_percent:.1f} %, load {reading.load_1m:.2f}, "
        f"database {(connect_us + query_us) / 1000:.1f} ms"
    )


def _time_database() -> tuple[int, int]:
    """Microseconds to get a connection and to answer the smallest query."""
    started = time.perf_counter_ns()
    with db.engine.connect() as connection:
        connected = time.perf_counter_ns()
        connection.exec_driver_sql("SELECT 1").scalar_one()
        answered = time.perf_counter_ns()
    return (connected - started) // 1000, (answered - connected) // 1000
