"""What the benchmark of alerts stands on: a target that is switched, and an installation that tells a webhook of it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.rig import Rig
from tests.instance import free_port
from tests.receivers import Hook

CREATE = """
from statusapp.clock import utcnow
from statusapp.database import write_transaction
from statusapp.domain.enums import AlertKind
from statusapp.extensions import db
from statusapp.models import ServiceEndpoint
from statusapp.services.channels import ChannelDraft, add_channel
from statusapp.services.endpoint_drafts import EndpointDraft
from statusapp.services.endpoints import create_endpoints
from statusapp.services.rules import set_rule
with write_transaction(db.session) as session:
    for endpoint in session.query(ServiceEndpoint):
        session.delete(endpoint)
create_endpoints([
    EndpointDraft(f"Target {{n}}", f"{address}/e/{{n}}", interval_s={interval}, timeout_ms=5000, retries=0,
                  successes_to_confirm=1, tags=(f"tag{{n % {channels}}}",))
    for n in range({count})
], utcnow())
for n in range({channels}):
    destination = {{"url": f"{hook}/hook/{{n}}", "secret": "benchmark-benchmark"}}
    tags = () if {shared} else (f"tag{{n}}",)
    add_channel(ChannelDraft(f"Channel {{n}}", "webhook", destination, tags=tags), utcnow())
set_rule(AlertKind.DOWN, {{"for_s": 0, "repeat_s": 0}})
db.engine.dispose()
"""


class Switch:
    """A target that answers 200 or 500, as it is told for each number, and notes when it was asked."""

    def __init__(self) -> None:
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self._down: set[int] = set()
        self._switched: dict[int, float] = {}
        self._asked: dict[int, list[tuple[float, bool]]] = defaultdict(list)
        self._all_down = False
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Switch:
        ready = threading.Event()
        self._loop.call_soon(ready.set)
        self._thread.start()
        ready.wait(10)
        return self

    def __exit__(self, *_error: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def switch(self, number: int, *, is_down: bool) -> None:
        """Have one service fail from now on, or answer again."""
        (self._down.add if is_down else self._down.discard)(number)
        self._switched[number] = time.time()

    def switch_all(self, *, is_down: bool) -> None:
        """The same for all."""
        self._all_down = is_down

    def first_after_switch(self, number: int) -> float:
        """When a service was first asked after it had been switched: with one result, that confirms the change."""
        is_down = number in self._down
        since = self._switched[number]
        return next(at for at, failed in self._asked[number] if at >= since and failed == is_down)

    def seen_down(self) -> int:
        """How many services have been asked while they failed."""
        return sum(any(failed for _, failed in asked) for asked in list(self._asked.values()))

    def last_first_failure(self) -> float:
        """When the last of the services was asked for the first time after it had begun to fail."""
        firsts = [next((at for at, failed in asked if failed), None) for asked in list(self._asked.values())]
        return max(at for at in firsts if at is not None)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._answer, "127.0.0.1", self.port, backlog=4096))
        self._loop.run_forever()
        server.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                number = int(head.split(b" ", 2)[1].rsplit(b"/", 1)[1])
                failed = self._all_down or number in self._down
                self._asked[number].append((time.time(), failed))
                status = b"500 Internal Server Error" if failed else b"200 OK"
                writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 2\r\n\r\nok")
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # A prober that was killed has closed its connection.
        finally:
            writer.close()


@contextmanager
def installation(
    environment: dict[str, str],
    target: Switch,
    hook: Hook,
    *,
    endpoints: int,
    channels: int,
    interval_s: int,
    shared: bool = False,
) -> Iterator[Rig]:
    """A running installation, and its endpoints spread over channels by tags; with `shared` every channel is for all.

    One result is enough to change a status, and what is down is told at once.
    """
    rig = Rig(**environment)
    try:
        rig.prepare(
            CREATE.format(
                address=target.address, hook=hook.address, count=endpoints, channels=channels, interval=interval_s,
                shared=shared,
            )
        )  # fmt: skip
        rig.start()
        yield rig
    finally:
        rig.remove()
