"""Where Redis is: what REDIS_URL says, or the private one's socket."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from config import Settings

# The address of a unix socket holds 108 bytes on Linux and 104 elsewhere; Redis adds nothing to it.
LONGEST_SOCKET_PATH = 100


def redis_url(settings: Settings) -> str:
    """The address of this installation's Redis, as redis-py takes it."""
    return settings.redis_url or f"unix://{socket_path(settings.instance_path)}"


def socket_path(instance_path: Path) -> Path:
    """The socket of the private Redis: in the instance, or, where that path is too long, in a folder under the system's
    temporary one whose name is made of the instance's."""
    path = instance_path / "redis.sock"
    if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH:
        return path
    digest = hashlib.sha256(os.fsencode(instance_path)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"statusapp-{os.getuid()}-{digest}" / "redis.sock"
