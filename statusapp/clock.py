"""The only place that reads the wall clock for business use. Read it once per operation and pass the value on."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def utcnow() -> datetime:
    """This instant as an aware UTC datetime."""
    return datetime.now(UTC)


def now_us() -> int:
    """This instant in microseconds since the epoch."""
    return time.time_ns() // 1000
