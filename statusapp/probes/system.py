"""Readings of this host, through psutil."""

from __future__ import annotations

import socket
from dataclasses import dataclass

import psutil

MEBIBYTE = 1024 * 1024
CPU_SAMPLE_S = 0.5


@dataclass(frozen=True, slots=True)
class HostReading:
    """How busy a host is. Percentages are 0 to 100; the network counters run since its start."""

    host: str
    cpu_percent: float
    load_1m: float
    load_5m: float
    load_15m: float
    memory_percent: float
    memory_used_mb: int
    memory_total_mb: int
    disk_percent: float
    disk_free_mb: int
    network_sent_bytes: int
    network_received_bytes: int


def read_host(disk_path: str) -> HostReading:
    """Read this host now; takes half a second, over which the CPU is measured. `disk_path` names the file system."""
    memory = psutil.virtual_memory()
    disk = psutil.disk_usage(disk_path)
    network = psutil.net_io_counters()
    load_1m, load_5m, load_15m = psutil.getloadavg()
    return HostReading(
        host=socket.gethostname(),
        cpu_percent=psutil.cpu_percent(interval=CPU_SAMPLE_S),
        load_1m=load_1m,
        load_5m=load_5m,
        load_15m=load_15m,
        memory_percent=memory.percent,
        memory_used_mb=(memory.total - memory.available) // MEBIBYTE,
        memory_total_mb=memory.total // MEBIBYTE,
        disk_percent=disk.percent,
        disk_free_mb=disk.free // MEBIBYTE,
        # Inside some containers there is no network interface to read.
        network_sent_bytes=network.bytes_sent if network else 0,
        network_received_bytes=network.bytes_recv if network else 0,
    )
