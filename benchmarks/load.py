"""What the engine carries: `python -m benchmarks.load [PART ...]`, about ten minutes. Needs nginx; `names` needs root.

Parts: `rate` (as many checks as two cores make), `many` (10,000 endpoints), `tls` (the same over HTTPS, against its own
floor), `names` (500 endpoints whose names are never resolved, beside 500 healthy ones).
"""

from __future__ import annotations

import argparse
import os
import socket
import sys
import tempfile
from pathlib import Path

from benchmarks.checks import Figures, creation, floor, measure, report, row
from benchmarks.rig import Nginx, Rig

# An answer is held against a condition, as in use.
CONDITION = {"conditions": (("[STATUS] == any(200, 204)", False),)}


def main() -> None:
    """Run the parts and print their tables."""
    parts = {"rate": rate, "many": many, "tls": tls, "names": names}
    for name in sys.argv[1:] or parts:
        parts[name]()


def rate() -> None:
    """15,000 endpoints at 5 s: 3,000 checks a second."""
    nginx = Nginx()
    try:
        figures = _run(nginx, 15_000, 5, seconds=60, **CONDITION)
        report("15,000 endpoints at 5 s, one condition each", figures)
        _compare(figures, floor(nginx.address.format(n=0), 0, 40_000))
    finally:
        nginx.stop()


def many() -> None:
    """10,000 endpoints at 30 s."""
    nginx = Nginx()
    try:
        report("10,000 endpoints at 30 s", _run(nginx, 10_000, 30, seconds=120, **CONDITION))
    finally:
        nginx.stop()


def tls() -> None:
    """2,000 endpoints at 5 s over HTTPS: 400 checks a second."""
    nginx = Nginx(tls=True)
    try:
        options = {"ca_certificate": nginx.authority.read_text()}
        figures = _run(nginx, 2000, 5, seconds=60, options=options, **CONDITION)
        report("2,000 endpoints at 5 s over HTTPS", figures)
        _compare(figures, floor(nginx.address.format(n=0), 0, 5000, str(nginx.authority)))
    finally:
        nginx.stop()


def names() -> None:
    """Half of 1,000 endpoints have names, and the resolver is silent."""
    if os.getuid() != 0:
        row("500 endpoints whose names never resolve", "left out: a resolver of our own needs root")
        return
    nginx = Nginx()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as resolver, tempfile.TemporaryDirectory() as folder:
        resolver.bind(("127.0.0.53", 53))
        configuration = Path(folder) / "resolv.conf"
        configuration.write_text("nameserver 127.0.0.53\n")
        # In a mount name space of its own, so that nobody else asks that resolver.
        script = f'mount --bind {configuration} /etc/resolv.conf && exec "$0" -m statusapp'
        command = ("unshare", "--mount", "sh", "-c", script, sys.executable)
        try:
            more = {"bad": "http://host-{n}.example.com/", "hanging": 500}
            report(
                "500 of 1,000 have names that never resolve: the others",
                _run(nginx, 1000, 20, seconds=120, command=command, **more),
            )
        finally:
            nginx.stop()


def _run(
    nginx: Nginx, endpoints: int, interval: int, *, seconds: int, command: tuple[str, ...] = (), **more: object
) -> Figures:
    options = argparse.Namespace(endpoints=endpoints, interval=interval, seconds=seconds, warm_up=40)
    instance = Rig()
    try:
        instance.prepare(creation(nginx.address, options, **more))
        instance.start(*command)
        figures = measure(nginx, instance, options, first=int(str(more.get("hanging", 0))))
        instance.stop()
        return figures
    finally:
        instance.remove()


def _compare(figures: Figures, floor_us: float) -> None:
    row("  Bare libcurl, 50 at a time, same options", f"{floor_us:.0f} µs CPU per probe")
    row("  CPU against that floor", f"{figures.cpu_us / floor_us:.1f} times")


if __name__ == "__main__":
    main()
