"""Readings of this host, through psutil; inside a container of what that may use, instead of the host's.

A figure that cannot be read is None. Bytes, errors and the like are counted since the start of the host, so that a rate
is what two readings differ by.
"""

from __future__ import annotations

import os
import socket
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import psutil

from statusapp.probes import containers
from statusapp.probes.disks import MEBIBYTE, Disk, mount_of, read_disks

CPU_SAMPLE_S = 0.5
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class HostDetails:
    """What is not drawn as a line. Percentages are 0 to 100, the counters run since the host's start.

    `cpu_allowed` is how many CPUs a container may keep busy; it and the figures of the host around it are None where
    nothing is limited. `swap_total_mb` is 0 on a host without swap.
    """

    cpu_cores_percent: tuple[float, ...] | None = None
    cpu_allowed: float | None = None
    host_cpu_percent: float | None = None
    host_memory_percent: float | None = None
    memory_available_mb: int | None = None
    swap_used_mb: int | None = None
    swap_total_mb: int | None = None
    disks: tuple[Disk, ...] = ()
    disk_read_bytes: int | None = None
    disk_written_bytes: int | None = None
    network_errors: int | None = None
    network_dropped: int | None = None
    processes: int | None = None
    uptime_s: int | None = None


@dataclass(frozen=True, slots=True)
class HostReading:
    """How busy a host is. Percentages are 0 to 100; the network counters run since its start.

    Of CPU and memory a percentage is of what this process may use: of the container's limit where there is one. The
    load is always the host's, for the kernel keeps no other. The disk is the one that was asked for.
    """

    host: str
    cpu_percent: float | None
    load_1m: float | None
    load_5m: float | None
    load_15m: float | None
    memory_percent: float | None
    memory_used_mb: int | None
    memory_total_mb: int | None
    disk_percent: float | None
    disk_free_mb: int | None
    network_sent_bytes: int | None
    network_received_bytes: int | None
    details: HostDetails


def host_name() -> str:
    """The name under which this host reports."""
    return socket.gethostname()


def read_host(
    disk_path: str,
    sample_s: float = CPU_SAMPLE_S,
    cgroup_root: Path = containers.CGROUP_ROOT,
    membership: Path = containers.MEMBERSHIP,
) -> HostReading:
    """Read this host now.

    Args:
        disk_path: names the file system of the headline.
        sample_s: how long the CPU is measured, in seconds; the call takes a little longer.
        cgroup_root: where the control groups are mounted.
        membership: the file that names the groups of this process.
    """
    cpu = _read_cpu(sample_s, cgroup_root, membership)
    memory = _read_memory(cgroup_root, membership)
    load = _attempt(psutil.getloadavg) or (None, None, None)
    disks = read_disks(disk_path)
    disk = next((disk for disk in disks if disk.mount == mount_of(disk_path)), None)
    network = _attempt(psutil.net_io_counters)
    return HostReading(
        host=host_name(),
        cpu_percent=cpu.percent,
        load_1m=load[0],
        load_5m=load[1],
        load_15m=load[2],
        memory_percent=memory.percent,
        memory_used_mb=memory.used_mb,
        memory_total_mb=memory.total_mb,
        disk_percent=None if disk is None else disk.percent,
        disk_free_mb=None if disk is None else disk.free_mb,
        network_sent_bytes=getattr(network, "bytes_sent", None),
        network_received_bytes=getattr(network, "bytes_recv", None),
        details=_details(cpu, memory, disks, network),
    )


@dataclass(frozen=True, slots=True)
class _Cpu:
    percent: float | None = None
    cores: tuple[float, ...] | None = None
    allowed: float | None = None
    host_percent: float | None = None


@dataclass(frozen=True, slots=True)
class _Memory:
    percent: float | None = None
    used_mb: int | None = None
    total_mb: int | None = None
    available_mb: int | None = None
    host_percent: float | None = None
    swap_used_mb: int | None = None
    swap_total_mb: int | None = None


def _details(cpu: _Cpu, memory: _Memory, disks: tuple[Disk, ...], network: Any) -> HostDetails:
    io = _attempt(psutil.disk_io_counters)
    return HostDetails(
        cpu_cores_percent=cpu.cores,
        cpu_allowed=cpu.allowed,
        host_cpu_percent=cpu.host_percent,
        host_memory_percent=memory.host_percent,
        memory_available_mb=memory.available_mb,
        swap_used_mb=memory.swap_used_mb,
        swap_total_mb=memory.swap_total_mb,
        disks=disks,
        disk_read_bytes=getattr(io, "read_bytes", None),
        disk_written_bytes=getattr(io, "write_bytes", None),
        network_errors=None if network is None else network.errin + network.errout,
        network_dropped=None if network is None else network.dropin + network.dropout,
        processes=_attempt(lambda: len(psutil.pids())),
        uptime_s=_attempt(_uptime_s),
    )


def _read_cpu(sample_s: float, root: Path, membership: Path) -> _Cpu:
    """How busy the CPUs are over a sample; in a container, of those that it may use."""
    count = os.cpu_count() or 1
    before, started = containers.read_cpu(count, root, membership), time.perf_counter()
    cores = _attempt(lambda: tuple(psutil.cpu_percent(interval=sample_s, percpu=True)))
    took_us = (time.perf_counter() - started) * 1e6
    after = containers.read_cpu(count, root, membership)
    percent = round(sum(cores) / len(cores), 1) if cores else None
    if before is None or after is None or after.used_us < before.used_us or took_us < sample_s * 1e6 / 2:
        return _Cpu(percent, cores)
    # A group may go over its share for a moment, on what it saved up.
    own = min(100.0 * (after.used_us - before.used_us) / (took_us * after.cpus), 100.0)
    return _Cpu(round(own, 1), cores, round(after.cpus, 2), percent)


def _read_memory(root: Path, membership: Path) -> _Memory:
    host = _attempt(psutil.virtual_memory)
    limited = containers.read_memory(root, membership)
    if limited is not None and (host is None or limited.limit_bytes < host.total):
        return _Memory(
            percent=round(min(100.0 * limited.used_bytes / max(limited.limit_bytes, 1), 100.0), 1),
            used_mb=limited.used_bytes // MEBIBYTE,
            total_mb=limited.limit_bytes // MEBIBYTE,
            available_mb=max(limited.limit_bytes - limited.used_bytes, 0) // MEBIBYTE,
            host_percent=getattr(host, "percent", None),
            swap_used_mb=_mebibytes(limited.swap_used_bytes),
            swap_total_mb=_mebibytes(limited.swap_limit_bytes),
        )
    if host is None:
        return _Memory()
    swap = _attempt(_swap)
    return _Memory(
        percent=host.percent,
        used_mb=(host.total - host.available) // MEBIBYTE,
        total_mb=host.total // MEBIBYTE,
        available_mb=host.available // MEBIBYTE,
        swap_used_mb=_mebibytes(getattr(swap, "used", None)),
        swap_total_mb=_mebibytes(getattr(swap, "total", None)),
    )


def _swap() -> Any:
    with warnings.catch_warnings():
        # Where the kernel does not say how much is swapped in and out, psutil warns and gives the rest.
        warnings.simplefilter("ignore", RuntimeWarning)
        return psutil.swap_memory()


def _uptime_s() -> int:
    return max(round(time.time() - float(psutil.boot_time())), 0)


def _mebibytes(size: int | None) -> int | None:
    return None if size is None else size // MEBIBYTE


def _attempt(read: Callable[[], Found]) -> Found | None:
    """What `read` gives, or None where the system does not say: some containers hide one thing or another."""
    try:
        return read()
    except (OSError, psutil.Error, NotImplementedError, RuntimeError, ValueError):
        return None
