"""The system metrics as a table in a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import click

from statusapp.domain.enums import ExternalStatus
from statusapp.services.metrics import Collected

COLOURS = {ExternalStatus.OK: "green", ExternalStatus.DEGRADED: "yellow", ExternalStatus.DOWN: "red"}
# From these shares on, in percent, a figure is worth a look, or more than that.
HIGH, VERY_HIGH = 80.0, 95.0


class Line(NamedTuple):
    """What was read, the figure that says most, and the rest."""

    name: str
    value: str
    rest: str = ""
    colour: str | None = None


def print_metrics(collected: Collected) -> None:
    """Print everything that was read. There are colours on a terminal only."""
    lines = [*_host(collected), *_shared(collected), *_external(collected)]
    names = max(len(line.name) for line in lines)
    values = max(len(line.value) for line in lines)
    click.secho(f"{'System':<{names}}  {'Reading':<{values}}  Details", bold=True)
    for line in lines:
        # Padded after it is coloured, so that nothing trails where there are no details.
        value = click.style(line.value, fg=line.colour) if line.colour else line.value
        padding = " " * (values - len(line.value))
        click.echo(f"{line.name:<{names}}  {value}{padding}  {line.rest}".rstrip())


def _host(collected: Collected) -> Iterator[Line]:
    host, details = collected.host, collected.host.details
    yield Line("Host", host.host, _joined(_duration("up", details.uptime_s), _count(details.processes, "processes")))
    cores = " ".join(f"{core:.0f}" for core in details.cpu_cores_percent or ())
    yield _percent(
        "CPU",
        host.cpu_percent,
        f"of {details.cpu_allowed:g} CPUs allowed" if details.cpu_allowed is not None else "",
        f"cores {cores} %" if cores else "",
        f"load {host.load_1m:.2f} {host.load_5m:.2f} {host.load_15m:.2f}"
        if None not in (host.load_1m, host.load_5m, host.load_15m)
        else "",
        f"host {details.host_cpu_percent:.1f} %" if details.host_cpu_percent is not None else "",
    )
    yield _percent(
        "Memory",
        host.memory_percent,
        f"{host.memory_used_mb} of {host.memory_total_mb} MB used" if host.memory_used_mb is not None else "",
        _count(details.memory_available_mb, "MB available"),
        f"swap {details.swap_used_mb} of {details.swap_total_mb} MB" if details.swap_total_mb else "",
        f"host {details.host_memory_percent:.1f} %" if details.host_memory_percent is not None else "",
    )
    for disk in details.disks:
        inodes = f"inodes {disk.inodes_percent:.1f} %" if disk.inodes_percent is not None else ""
        yield _percent(f"Disk {disk.mount}", disk.percent, f"{disk.free_mb} MB free", inodes)
    yield Line(
        "Disk I/O",
        _bytes(details.disk_read_bytes, "read"),
        _joined(_bytes(details.disk_written_bytes, "written"), "since the host's start"),
    )
    yield Line(
        "Network",
        _bytes(host.network_sent_bytes, "sent"),
        _joined(
            _bytes(host.network_received_bytes, "received"),
            _count(details.network_errors, "errors"),
            _count(details.network_dropped, "dropped"),
            "since the host's start",
        ),
    )


def _shared(collected: Collected) -> Iterator[Line]:
    database, redis = collected.database, collected.redis
    yield Line(
        "Database",
        f"{_ms(database.query_us)} query",
        _joined(
            f"{_ms(database.connect_us)} connection",
            _bytes(database.size_bytes, "size") if database.size_bytes is not None else "",
            _bytes(database.wal_bytes, "log") if database.wal_bytes is not None else "",
            f"{database.connections} of {database.connections_max} connections"
            if database.connections is not None
            else "",
            _count(database.active, "active"),
            _count(database.locks_waiting, "waiting for locks"),
            f"pool {database.pool_in_use} of {database.pool_size} in use" if database.pool_size is not None else "",
        ),
    )
    if redis.error is not None:
        yield Line("Redis", "away", redis.error, "red")
        yield Line("Queues", "unknown")
        return
    limit = f"of {_bytes(redis.memory_max_bytes, 'allowed')}" if redis.memory_max_bytes else ""
    memory = _bytes(redis.memory_bytes, "used") if redis.memory_bytes is not None else ""
    yield Line("Redis", f"{_ms(redis.ping_us)} ping", _joined(memory, limit, _count(redis.clients, "clients")))
    yield Line(
        "Queues",
        f"{sum(redis.queues.values())} waiting",
        _joined(
            *(f"{name} {count}" for name, count in redis.queues.items()),
            _duration("oldest", redis.oldest_job_s),
            _count(redis.workers, "workers"),
        ),
    )


def _external(collected: Collected) -> Iterator[Line]:
    for name, result in collected.external.items():
        took = f"{result.duration_us / 1e6:.3f} s" if result.duration_us is not None else ""
        yield Line(name, result.status.word, _joined(took, result.message), COLOURS.get(result.status, "yellow"))


def _percent(name: str, value: float | None, *rest: str) -> Line:
    if value is None:
        return Line(name, "unknown", _joined(*rest))
    colour = "red" if value >= VERY_HIGH else "yellow" if value >= HIGH else None
    return Line(name, f"{value:.1f} %", _joined(*rest), colour)


def _joined(*parts: str) -> str:
    return ", ".join(part for part in parts if part)


def _count(value: int | None, words: str) -> str:
    return "" if value is None else f"{value} {words}"


def _ms(microseconds: int | None) -> str:
    return "?" if microseconds is None else f"{microseconds / 1000:.1f} ms"


def _bytes(size: int | None, word: str) -> str:
    """A size in the unit that suits it, with powers of 1000 as disks and networks are sold."""
    if size is None:
        return f"unknown {word}"
    amount, units = float(size), ["B", "kB", "MB", "GB", "TB", "PB"]
    while amount >= 1000 and len(units) > 1:
        amount, units = amount / 1000, units[1:]
    return f"{amount:.0f} B {word}" if units[0] == "B" else f"{amount:.1f} {units[0]} {word}"


def _duration(word: str, seconds: float | None) -> str:
    if seconds is None:
        return ""
    if seconds < 120:
        return f"{word} {seconds:.0f} s"
    minutes, hours = int(seconds // 60), int(seconds // 3600)
    if hours < 1:
        return f"{word} {minutes} min"
    return f"{word} {hours} h {minutes % 60} min" if hours < 48 else f"{word} {hours // 24} d {hours % 24} h"
