"""Check runs: the loop that makes checks on time, and the database thread beside it.

The loop keeps claims in a heap until their due time, starts the probes and collects their results; it never touches
the database. One thread claims and applies, once a second or as soon as 500 results wait, in one short transaction.
A database that is locked or away costs claims, never results: they wait until they can be applied.
"""

from __future__ import annotations

import heapq
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from itertools import count

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import InterfaceError, OperationalError

from statusapp.clock import now_us
from statusapp.database import write_connection
from statusapp.domain.instants import SECOND
from statusapp.domain.values import Claim, Policy, ProbeResult
from statusapp.probes.engine import Probes
from statusapp.services import check_windows
from statusapp.services.canaries import Canaries
from statusapp.services.claims import Claimed, claim_due, claim_these, give_back
from statusapp.services.probing import Probing
from statusapp.services.results import Applied, Finished, apply_results
from statusapp.services.wake_ups import WakeUps

logger = logging.getLogger(__name__)

BATCH = 500
DATABASE_PAUSE = 1.0
# A result that may confirm something is applied at once, but so long after the transaction before it at the least.
SHORTEST_PAUSE = 0.2
# From about a thousand checks a second on, which is so many claims ahead, events may wait for one another a little.
BUSY_CLAIMS = 2000
BUSY_PAUSE = 0.002
STOP_TRIES = 3

Key = tuple[Claim, Policy]


class CheckRun:
    """One job's checks, from the first claim to the last result. `stop` may be called from a signal handler."""

    def __init__(
        self, engine: Engine, window_id: int, max_concurrent: int, probing: Probing, cut_off_since: int | None = None
    ) -> None:
        self._engine = engine
        self._window_id = window_id
        self._max_concurrent = max_concurrent
        self._vault = probing.vault
        self._probes, self._canaries = _begin_probing(probing, self._finish, cut_off_since)
        self._heap: list[tuple[float, int, Claimed]] = []
        self._order = count()
        # The two hand-overs between the threads; a deque's ends are safe to use from both sides.
        self._claimed: deque[Claimed] = deque()
        self._results: deque[Finished] = deque()
        self._results_wait = threading.Event()
        self._wake_ups = WakeUps()
        self._claiming = True
        self._is_busy = False
        self._stopping = False
        self._drained = False
        self._database_error: BaseException | None = None
        self.checks = 0

    def stop(self) -> None:
        """Break off: no new claims, no new probes; what is not finished is given back."""
        self._stopping = True
        self._probes.wake()

    def run(self) -> int:
        """Make checks until a fresher job has begun and all that was claimed is done, or until `stop`.

        Returns:
            The number of checks that were made.
        """
        thread = threading.Thread(target=self._keep_database, name="check-database")
        thread.start()
        try:
            while not self._stopping and (self._claiming or self._claimed or self._heap or self._probes.in_flight):
                self._take_claims()
                self._start_due()
                self._probes.poll(self._pause())
                if self._is_busy:
                    # Wake once for several events: each wake-up costs as much as a probe.
                    time.sleep(BUSY_PAUSE)
        finally:
            self._drained = True
            self._results_wait.set()
            thread.join()
            self._probes.close()
        if self._database_error is not None:
            raise self._database_error
        return self.checks

    def _take_claims(self) -> None:
        if not self._claimed:
            return
        # The due time becomes one of the monotonic clock here, so that a jump of the wall clock moves no check.
        offset = time.monotonic() - time.time()
        while self._claimed:
            item = self._claimed.popleft()
            heapq.heappush(self._heap, (item[0].slot / SECOND + offset, next(self._order), item))

    def _start_due(self) -> None:
        while self._heap and self._heap[0][0] <= time.monotonic() + 0.0005:
            _, _, (claim, target, policy) = heapq.heappop(self._heap)
            self._probes.start((claim, policy), target, _probe_id(claim))

    def _pause(self) -> float:
        return self._heap[0][0] - time.monotonic() if self._heap else DATABASE_PAUSE

    def _finish(self, key: Key, result: ProbeResult) -> None:
        self._results.append(Finished(key[0], key[1], result))
        self.checks += 1
        matters = self._wake_ups.matters(key[0].endpoint_id, result.outcome, key[1].successes_to_confirm)
        if matters or len(self._results) >= BATCH:
            self._results_wait.set()

    def _keep_database(self) -> None:
        """The database thread: applies, claims and shows a heartbeat until the loop has drained."""
        held: dict[int, Claim] = {}
        try:
            self._step_until_drained(held)
        except BaseException as error:
            # Without this thread the loop would wait for ever: end it, and let the job fail with this error.
            self._database_error = error
            self.stop()
        self._end(held)

    def _step_until_drained(self, held: dict[int, Claim]) -> None:
        tries = 0
        while True:
            drained = self._drained
            # Before the results are taken: what comes in during the transaction sets it again and is not overlooked.
            self._results_wait.clear()
            results = [self._results.popleft() for _ in range(len(self._results))]
            try:
                self._step(results, held)
            except (OperationalError, InterfaceError) as error:
                # Locked or away: our own trouble, which must not become the target's. Keep the results and try again.
                logger.warning("the database cannot be used, %d results wait: %s", len(results), error.orig)
                self._results.extendleft(reversed(results))
                tries += drained
            if drained and (not self._results or tries >= STOP_TRIES):
                return
            if not self._drained:
                self._await_results()

    def _await_results(self) -> None:
        """Wait for a second, or until something must be applied at once; only so often, whatever fails."""
        earliest = time.monotonic() + SHORTEST_PAUSE
        if not self._results_wait.wait(DATABASE_PAUSE) or len(self._results) >= BATCH:
            return
        while not self._drained and len(self._results) < BATCH and (left := earliest - time.monotonic()) > 0:
            time.sleep(min(left, 0.02))

    def _step(self, results: list[Finished], held: dict[int, Claim]) -> None:
        """One transaction: apply what has come in, show a heartbeat, claim what falls due next."""
        now = now_us()
        with write_connection(self._engine) as connection:
            applied = apply_each(connection, results, now)
            freshest = check_windows.beat(connection, self._window_id, now, len(results), self._canaries.cut_off_since)
            room = self._max_concurrent - len(held) + len(results)
            claiming = freshest and not self._stopping and not self._drained
            claimed = (
                claim_due(connection, now, min(room, self._max_concurrent), self._vault)
                if claiming and room > 0
                else []
            )
        log_changes(applied)
        for finished in results:
            if held.get(finished.claim.endpoint_id) == finished.claim:
                del held[finished.claim.endpoint_id]
        held.update((item[0].endpoint_id, item[0]) for item in claimed)
        self._claimed.extend(claimed)
        self._claiming = claiming
        self._is_busy = len(held) > BUSY_CLAIMS
        if claimed or not claiming:
            self._probes.wake()

    def _end(self, held: dict[int, Claim]) -> None:
        now = now_us()
        try:
            with write_connection(self._engine) as connection:
                give_back(connection, held.values(), now)
                check_windows.end(connection, self._window_id, now)
        except (OperationalError, InterfaceError) as error:
            logger.warning("leases could not be given back and will run out by themselves: %s", error.orig)


def apply_each(connection: Connection, results: list[Finished], now: int) -> list[Applied]:
    """Apply a batch; when one result in it cannot be stored, apply the others one by one and say which it was."""
    if not results:
        return []
    try:
        with connection.begin_nested():
            return apply_results(connection, results, now)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        if len(results) == 1:
            logger.exception("the result of endpoint %d cannot be stored", results[0].claim.endpoint_id)
            return []
    return [applied for finished in results for applied in apply_each(connection, [finished], now)]


def log_changes(changes: list[Applied]) -> None:
    """Say each change of status in the log."""
    for applied in changes:
        change = applied.change
        logger.info(
            "status changed: endpoint=%d %s -> %s rule=%s%s",
            applied.endpoint_id,
            change.previous.word,
            change.status.word,
            change.rule.word,
            f" error={applied.reason!r}" if applied.reason else "",
        )


def _begin_probing(
    probing: Probing, deliver: Callable[[Key, ProbeResult], None], cut_off_since: int | None = None
) -> tuple[Probes[Key], Canaries]:
    """Probes whose failures the canaries have been asked about before they are delivered."""
    canaries = Canaries(probing.canaries, deliver, cut_off_since)
    probes: Probes[Key] = Probes(probing.user_agent, canaries.finished, probing.guard, probing.body_limit)
    canaries.probe_with(probes.start)
    return probes, canaries


def _probe_id(claim: Claim) -> str:
    """What a target's operator can name a check by: endpoint and slot."""
    return f"{claim.endpoint_id}-{claim.slot:x}"


def check_now(
    engine: Engine,
    probing: Probing,
    endpoint_ids: list[int],
    patience_s: float,
    made: Callable[[int, ProbeResult], None],
) -> list[int]:
    """Check these endpoints at once, in this process, by the same path as scheduled checks.

    Args:
        patience_s: how long to wait for endpoints that a worker is checking at this moment.
        made: told each endpoint's id and result.

    Returns:
        The ids of the endpoints that stayed in other hands all the while.
    """
    waiting = list(endpoint_ids)
    finished: list[Finished] = []
    probes, _ = _begin_probing(probing, lambda key, result: finished.append(Finished(*key, result)))
    deadline = time.monotonic() + patience_s
    try:
        while waiting:
            with write_connection(engine) as connection:
                claimed = claim_these(connection, waiting[:BATCH], now_us(), probing.vault)
            for claim, target, policy in claimed:
                waiting.remove(claim.endpoint_id)
                probes.start((claim, policy), target, _probe_id(claim))
            while probes.in_flight:
                probes.poll(DATABASE_PAUSE)
            with write_connection(engine) as connection:
                log_changes(apply_each(connection, finished, now_us()))
            for item in finished:
                made(item.claim.endpoint_id, item.result)
            finished.clear()
            if not claimed and waiting:
                if time.monotonic() > deadline:
                    break
                time.sleep(0.2)
    finally:
        probes.close()
    return waiting
