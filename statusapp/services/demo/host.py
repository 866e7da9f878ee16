"""Readings of an invented host."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from typing import Any

from statusapp.domain.instants import from_us
from statusapp.services.demo.plans import DAY, HOUR, MINUTE

HOST = "demo"
STEP = 10 * MINUTE
CORES = 4
MEMORY_MB = 15_900
DISK_MB = 240_000
RESTART_BYTES = 3_000_000_000


def readings(start: int, end: int, chance: random.Random) -> Iterator[dict[str, Any]]:
    """A reading every ten minutes from `start` up to `end`, as the columns of its row."""
    sent, received = RESTART_BYTES, 4 * RESTART_BYTES
    load_5m = load_15m = 0.8
    for taken_at in range(start, end, STEP):
        busy = 0.5 + 0.5 * math.cos((taken_at % DAY / HOUR - 15) / 24 * math.tau)
        cpu = min(max(8 + 34 * busy + chance.gauss(0, 4) + 45 * (chance.random() < 0.01), 1), 100)
        memory = 52 + 9 * busy + chance.gauss(0, 0.8)
        disk = 38 + 9 * (taken_at - start) / (30 * DAY) + chance.uniform(0, 0.1)
        load_1m = cpu / 100 * CORES * chance.uniform(0.85, 1.3)
        load_5m += (load_1m - load_5m) * 0.8
        load_15m += (load_1m - load_15m) * 0.5
        sent += round(cpu * chance.uniform(1.5e6, 2.5e6))
        received += round(cpu * chance.uniform(3e6, 6e6))
        yield {
            "taken_at": from_us(taken_at),
            "host": HOST,
            "cpu_percent": round(cpu, 1),
            "load_1m": round(load_1m, 2),
            "load_5m": round(load_5m, 2),
            "load_15m": round(load_15m, 2),
            "memory_percent": round(memory, 1),
            "memory_used_mb": round(MEMORY_MB * memory / 100),
            "memory_total_mb": MEMORY_MB,
            "disk_percent": round(disk, 1),
            "disk_free_mb": round(DISK_MB * (1 - disk / 100)),
            "network_sent_bytes": sent,
            "network_received_bytes": received,
            "database_connect_us": round(chance.lognormvariate(5.0, 0.4)),
            "database_query_us": round(chance.lognormvariate(4.6, 0.4)),
        }
