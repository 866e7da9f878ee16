"""The supervisor: starts everything in order, restarts what dies, stops everything in order."""

from __future__ import annotations

import fcntl
import gc
import importlib
import json
import logging
import os
import select
import signal
import socket
import sys
import time
from types import FrameType
from typing import IO

from config import Settings, SettingsError, load_settings
from statusapp.redis_address import socket_path
from statusapp.supervisor import redis_server
from statusapp.supervisor.children import Child, fork, stop

logger = logging.getLogger(__name__)

# Imported once, before the forks, so that all processes share their memory. None of them opens a connection, starts a
# thread or reads the clock for good at import.
WARM = (
    "alembic.command",
    "flask_login",
    "flask_migrate",
    "gunicorn.app.base",
    "gunicorn.workers.gthread",
    "psutil",
    "pycurl",
    "redis",
    "requests",
    "rq",
    "rq_scheduler",
    "sqlalchemy.dialects.sqlite",
    "statusapp.application",
    "statusapp.jobs.messenger",
    "statusapp.jobs.scheduler",
    "statusapp.jobs.worker",
    "statusapp.services.installation",
    "statusapp.web_process",
)
READY_S = 60.0


class StartError(RuntimeError):
    """The installation cannot start; the message is one line for the operator."""


class Supervisor:
    """All processes of one installation."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock: IO[str] | None = None
        self._listener: socket.socket | None = None
        self._stop_requested = False
        self._wake_reader, self._wake_writer = socket.socketpair()
        self._redis: list[Child] = []
        self._workers: list[Child] = []
        self._scheduler: list[Child] = []
        self._messenger: list[Child] = []
        self._web: list[Child] = []

    def run(self) -> None:
        """Start everything and keep it running until SIGTERM, SIGINT or SIGHUP.

        Raises:
            StartError: when something needed for the start is missing; nothing runs then.
        """
        self._lock = _lock_instance(self._settings)
        self._listener = listener = _listen(self._settings)
        self._catch_signals()
        for name in WARM:
            importlib.import_module(name)
        if self._settings.database_url.startswith("postgresql"):
            importlib.import_module("psycopg")
        gc.collect()
        gc.freeze()
        try:
            self._start(listener)
            self._watch()
        finally:
            self._stop()

    def _start(self, listener: socket.socket) -> None:
        settings = self._settings
        if settings.uses_embedded_redis:
            self._start_redis()
        link = self._prepare()
        self._scheduler = [Child("scheduler", self._run_scheduler, 2)]
        self._workers = [
            Child(f"worker {number}", lambda number=number: self._run_worker(number), 6)  # type: ignore[misc]
            for number in range(1, settings.workers + 1)
        ]
        self._messenger = [Child("messenger", self._run_messenger, 5)]
        self._web = [Child("web", lambda: self._run_web(listener), 4)]
        for child in (*self._web, *self._scheduler, *self._workers, *self._messenger):
            child.start()
        fork(lambda: self._in_child(lambda: announce(settings, link)), "announce")

    def _start_redis(self) -> None:
        try:
            program = redis_server.find_server()
            path = socket_path(self._settings.instance_path)
            redis_server.prepare_socket(path)

            def run() -> None:
                path.unlink(missing_ok=True)
                redis_server.run_server(program, path, self._settings.instance_path)

            self._redis = [Child("redis", lambda: self._in_child(run), 2)]
            self._redis[0].start()
            redis_server.wait_until_ready(path)
        except redis_server.RedisUnavailable as error:
            raise StartError(str(error)) from error

    def _prepare(self) -> str | None:
        """Migrations and set-up, in a process of their own, so that this one stays without connections."""
        reader, writer = os.pipe()

        def run() -> None:
            from statusapp.services.installation import prepare

            try:
                answer = {"link": prepare(self._settings)}
            except SettingsError as error:
                answer = {"error": str(error)}
            except Exception as error:
                logger.debug("the installation cannot be prepared", exc_info=True)
                reason = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
                answer = {"error": f"The database cannot be prepared: {reason}. Is DATABASE_URL right?"}
            os.write(writer, json.dumps(answer).encode())

        process_id = fork(lambda: self._in_child(run), "prepare")
        os.close(writer)
        with os.fdopen(reader, "rb") as pipe:
            text = pipe.read()
        os.waitpid(process_id, 0)
        answer: dict[str, str | None] = json.loads(text) if text else {"error": "The preparation ended without a word."}
        if "error" in answer:
            raise StartError(str(answer["error"]))
        return answer["link"]

    def _watch(self) -> None:
        """Wait for signals and for the time to start a child again; nothing is polled."""
        while not self._stop_requested:
            children = (*self._redis, *self._scheduler, *self._workers, *self._messenger, *self._web)
            pauses = [child.restart_at - time.monotonic() for child in children if child.restart_at is not None]
            ready, _, _ = select.select([self._wake_reader], [], [], max(min(pauses), 0) if pauses else None)
            if ready:
                self._wake_reader.recv(4096)
            self._reap(children)
            for child in children:
                if child.restart_at is not None and time.monotonic() >= child.restart_at and not self._stop_requested:
                    child.start()

    def _reap(self, children: tuple[Child, ...]) -> None:
        while True:
            try:
                process_id, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if process_id == 0:
                return
            for child in children:
                if child.process_id == process_id:
                    child.ended(status)

    def _stop(self) -> None:
        logger.info("stopping")
        # What the last checks have found is still told, so the messenger goes together with whoever made them.
        for group in (self._scheduler, [*self._workers, *self._messenger], self._web, self._redis):
            stop(group)
        if self._settings.uses_embedded_redis:
            socket_path(self._settings.instance_path).unlink(missing_ok=True)

    def _catch_signals(self) -> None:
        self._wake_writer.setblocking(False)
        signal.set_wakeup_fd(self._wake_writer.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._request_stop)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)

    def _request_stop(self, number: int, _frame: FrameType | None) -> None:
        if self._stop_requested and number == signal.SIGINT:
            # A second Ctrl-C: the children go with this process.
            os._exit(130)
        self._stop_requested = True

    def _in_child(self, work, *, listens: bool = False) -> None:  # type: ignore[no-untyped-def]
        """Let go of what only this process may hold, and work."""
        if self._lock is not None:
            self._lock.close()
        if self._listener is not None and not listens:
            self._listener.close()
        self._wake_reader.close()
        self._wake_writer.close()
        work()

    def _run_scheduler(self) -> None:
        from statusapp.jobs.scheduler import run_scheduler

        self._in_child(lambda: run_scheduler(self._settings))

    def _run_worker(self, number: int) -> None:
        from statusapp.jobs.worker import run_worker

        self._in_child(lambda: run_worker(self._settings, number))

    def _run_messenger(self) -> None:
        from statusapp.jobs.messenger import run_messenger

        self._in_child(lambda: run_messenger(self._settings))

    def _run_web(self, listener: socket.socket) -> None:
        from statusapp.web_process import serve

        self._in_child(lambda: serve(self._settings, listener), listens=True)


def announce(settings: Settings, link: str | None) -> None:
    """Say where the page is, as soon as it is there."""
    import requests

    with requests.Session() as session:
        session.trust_env = False
        deadline = time.monotonic() + READY_S
        while time.monotonic() < deadline:
            try:
                if session.get(f"{settings.address}/health/live", timeout=2).ok:
                    break
            except requests.RequestException:
                time.sleep(0.1)
        else:
            print(f"The web process does not answer at {settings.address}; see the messages above.", file=sys.stderr)
            return
    lines = ["", f"  Status page:    {settings.address}/health/status-page/"]
    if link is not None:
        lines += [
            f"  First account:  {settings.address}{link}",
            "                  (works once; or on the command line: flask create_admin)",
        ]
    print("\n".join([*lines, "  Ctrl-C stops everything.", ""]), flush=True)


def _lock_instance(settings: Settings) -> IO[str]:
    """Take the instance for this process; the lock goes with it, however it ends."""
    path = settings.instance_path / "supervisor.lock"
    file = path.open("a+", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        raise StartError(
            f"{settings.instance_path} is in use by {file.read().strip() or 'another process'}; "
            "set INSTANCE_PATH (and PORT) to run a second installation."
        ) from None
    file.truncate(0)
    file.write(f"process {os.getpid()} on port {settings.port}")
    file.flush()
    return file


def _listen(settings: Settings) -> socket.socket:
    """The web server's socket. It is held here, so that requests wait, and are not refused, while the web restarts."""
    try:
        family, _, _, _, address = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(512)
    except OSError as error:
        raise StartError(
            f"PORT={settings.port} cannot be used on {settings.host}: {error.strerror}. Set PORT to a free one."
        ) from error
    return listener


def main() -> int:
    """`python -m statusapp`: 0 after an ordered stop, 1 when the start failed, 2 for a wrong setting."""
    try:
        settings = load_settings()
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(process)d %(name)s %(levelname)s %(message)s")
    # Alembic's and RQ's own chatter is not the product's.
    for name in ("alembic", "rq", "rq_scheduler", "rq.worker"):
        logging.getLogger(name).setLevel(logging.WARNING)
    try:
        Supervisor(settings).run()
    except StartError as error:
        print(error, file=sys.stderr)
        return 1
    return 0
