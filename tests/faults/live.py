"""A running installation with eight endpoints at 10 s on one target, and what a fault does to their checks."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import requests

from tests.instance import Instance, wait_for
from tests.target import Target

ENDPOINTS = 8
INTERVAL_S = 10
# A check that is due or in flight at the moment of a fault is made within this time.
RECOVERY_S = 30

CREATE = """
from statusapp.clock import utcnow
from statusapp.database import write_transaction
from statusapp.extensions import db
from statusapp.models import ServiceEndpoint
from statusapp.services.endpoint_drafts import EndpointDraft
from statusapp.services.endpoints import create_endpoints
with write_transaction(db.session) as session:
    for endpoint in session.query(ServiceEndpoint):
        session.delete(endpoint)
create_endpoints([
    EndpointDraft(f"Target {{n}}", f"{address}/{{n}}", interval_s={interval}, timeout_ms=3000) for n in range({count})
], utcnow())
db.engine.dispose()
"""


class Live:
    """The installation and its target."""

    def __init__(self, **environment: str) -> None:
        self.target = Target()
        # So slow that some check is in flight at any moment.
        self.target.delay_s = 1.0
        self.instance = Instance(**environment)
        self.instance.prepare(CREATE.format(address=self.target.address, interval=INTERVAL_S, count=ENDPOINTS))
        self.instance.start()
        wait_for(lambda: self.operational() == ENDPOINTS, 40)

    def operational(self) -> int:
        """How many services the page shows as operational."""
        page = requests.get(f"{self.instance.address}/health/status-page-api/", timeout=10).json()
        return int(page["counts"]["operational"])

    def longest_wait_after(self, instant: float) -> float:
        """Wait until every endpoint has been checked after `instant`, and once more, so that checks go on.

        Returns:
            By how many seconds the longest pause between two checks of an endpoint exceeded its interval.
        """
        names = [f"/{number}" for number in range(ENDPOINTS)]

        def since(name: str) -> list[float]:
            return [arrival for arrival in self.target.arrivals[name] if arrival > instant]

        wait_for(lambda: all(len(since(name)) >= 2 for name in names), 2 * INTERVAL_S + RECOVERY_S + 10)
        longest = 0.0
        for name in names:
            before = max(arrival for arrival in self.target.arrivals[name] if arrival <= instant)
            instants = [before, *since(name)[:2]]
            longest = max(longest, *(later - earlier for earlier, later in pairwise(instants)))
        return longest - INTERVAL_S

    @contextmanager
    def page_watched(self) -> Iterator[list[str]]:
        """Ask for the page ten times a second; the list gets what went wrong."""
        problems: list[str] = []
        ended = threading.Event()

        def watch() -> None:
            while not ended.wait(0.1):
                try:
                    response = requests.get(f"{self.instance.address}/health/status-page/", timeout=10)
                    if response.status_code != 200:
                        problems.append(f"HTTP {response.status_code}")
                except requests.RequestException as error:
                    problems.append(type(error).__name__)

        thread = threading.Thread(target=watch)
        thread.start()
        try:
            yield problems
        finally:
            ended.set()
            thread.join()

    def rows(self, statement: str) -> list[tuple[object, ...]]:
        """What the installation's database says."""
        return self.instance.rows(statement)

    def end(self) -> None:
        """Stop everything."""
        try:
            self.instance.stop()
        finally:
            self.instance.remove()
            self.target.stop()
