"""Messages and the circumstances of sending them."""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo

import pytest

from statusapp.domain.enums import Severity, Transition
from statusapp.domain.messages import Event, Message, Surroundings, compose
from statusapp.notifiers.kind import Sending
from statusapp.probes.guard import Guard
from tests.receivers import Hook, Mailbox, running_hook, running_mail_server

T0 = 1_795_514_400_000_000  # 2026-11-24 10:00:00 UTC.


@pytest.fixture
def hook() -> Iterator[Hook]:
    """An HTTP server that takes everything."""
    with running_hook() as hook:
        yield hook


@pytest.fixture
def mail() -> Iterator[tuple[Mailbox, int]]:
    """A mail server that takes everything, and its port."""
    with running_mail_server() as found:
        yield found


def message(names: tuple[str, ...] = ("User Login",), found: str = "HTTP 502", batch: str = "b" * 32) -> Message:
    """A message that tells of services that are down."""
    events = [
        Event(
            f"alert-{number}-fired-1", Transition.FIRED, Severity.CRITICAL, T0,
            {"kind": "down", "name": name, "status": "major_outage", "found": found,
             "since": T0 - 180_000_000, "at": T0, "lasted_us": 180_000_000},
        )
        for number, name in enumerate(names, 1)
    ]  # fmt: skip
    return compose(events, batch, Surroundings(ZoneInfo("UTC"), "https://status.example.org", {}))


def sending(
    *, allow_private: bool = True, smtp_url: str | None = None, deadline_s: float = 5.0, now: int = T0 // 1_000_000
) -> Sending:
    """Circumstances of one sending."""
    return Sending(Guard(allow_private), "statusapp/test", smtp_url, deadline_s, now)
