"""What only Linux offers: a process that ends with its parent, and one that says what it is."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
PR_SET_NAME = 15


def die_with_parent(death_signal: signal.Signals, parent: int | None = None) -> None:
    """Have this process get `death_signal` when its parent ends, however that ends. Does nothing off Linux.

    Args:
        parent: the parent's process id as known before the fork; when it has ended meanwhile, this process ends here.
    """
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if parent is not None and os.getppid() != parent:
        os.kill(os.getpid(), death_signal)


def name_process(name: str) -> None:
    """Name this process as `ps` and `top` show it; 15 bytes at most. Does nothing off Linux."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_NAME, name.encode()[:15], 0, 0, 0)
