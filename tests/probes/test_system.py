"""Readings of the host are within their ranges."""

from __future__ import annotations

from pathlib import Path

from statusapp.probes.system import read_host


def test_a_reading(tmp_path: Path) -> None:
    reading = read_host(str(tmp_path))
    assert reading.host
    for percent in (reading.cpu_percent, reading.memory_percent, reading.disk_percent):
        assert 0 <= percent <= 100
    assert 0 < reading.memory_used_mb < reading.memory_total_mb
    assert reading.disk_free_mb > 0
    assert min(reading.load_1m, reading.load_5m, reading.load_15m) >= 0
    assert min(reading.network_sent_bytes, reading.network_received_bytes) >= 0
