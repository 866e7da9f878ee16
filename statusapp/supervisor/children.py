"""Child processes: forked from one warmed parent, each in a session of its own, ended with the parent."""

from __future__ import annotations

import contextlib
import logging
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import psutil

from statusapp.supervisor.linux import die_with_parent, name_process

logger = logging.getLogger(__name__)

FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 10.0
SETTLED_AFTER_S = 10.0
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)


def fork(target: Callable[[], None], name: str) -> int:
    """Run `target` in a new process of this name and return its id. The process ends at once when this one does."""
    parent = os.getpid()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        os.setsid()
        name_process(name)
        signal.set_wakeup_fd(-1)
        for number in SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        # Not SIGTERM: whatever hangs in a child, nothing may outlive the supervisor. Leases bring the checks back.
        die_with_parent(signal.SIGKILL, parent)
        random.seed()
        target()
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:
        logger.exception("the process failed")
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


@dataclass
class Child:
    """A process that is kept alive. Durations are seconds, instants those of the monotonic clock."""

    name: str
    target: Callable[[], None]
    grace: float
    process_id: int | None = None
    restart_at: float | None = None
    _started: float = 0.0
    _pause: float = field(default=FIRST_PAUSE_S)

    def start(self) -> None:
        """Start the process."""
        self._started = time.monotonic()
        self.restart_at = None
        self.process_id = fork(self.target, self.name)

    def ended(self, status: int) -> None:
        """Note that the process has ended, and when it is to be started again: at once first, then ever later."""
        lived = time.monotonic() - self._started
        if lived >= SETTLED_AFTER_S:
            self._pause = FIRST_PAUSE_S
        self.process_id = None
        self.restart_at = time.monotonic() + self._pause
        logger.warning("%s ended (%s) and is started again in %.1f s", self.name, _how(status), self._pause)
        self._pause = min(self._pause * 2, LONGEST_PAUSE_S)


def stop(children: list[Child]) -> None:
    """End some children in order: ask, wait for the longest grace of theirs, then kill them with all they started."""
    trees = {child.name: _descendants(child.process_id) for child in children if child.process_id}
    for child in children:
        if child.process_id:
            _signal(child.process_id, signal.SIGTERM)
    deadline = time.monotonic() + max((child.grace for child in children), default=0)
    while time.monotonic() < deadline and any(child.process_id for child in children):
        for child in children:
            _reap(child)
        time.sleep(0.02)
    for child in children:
        if child.process_id:
            logger.warning("%s did not end within %g s and is killed", child.name, child.grace)
            trees[child.name] += _descendants(child.process_id)
            _signal(child.process_id, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(child.process_id, 0)
            child.process_id = None
    for process in (process for tree in trees.values() for process in tree):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def _reap(child: Child) -> None:
    if child.process_id is None:
        return
    with contextlib.suppress(ChildProcessError):
        process_id, _ = os.waitpid(child.process_id, os.WNOHANG)
        if process_id == 0:
            return
    child.process_id = None


def _descendants(process_id: int) -> list[psutil.Process]:
    try:
        return list(psutil.Process(process_id).children(recursive=True))
    except psutil.NoSuchProcess:
        return []


def _signal(process_id: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(process_id, number)


def _how(status: int) -> str:
    if os.WIFSIGNALED(status):
        return signal.Signals(os.WTERMSIG(status)).name
    return f"exit code {os.waitstatus_to_exitcode(status)}"
