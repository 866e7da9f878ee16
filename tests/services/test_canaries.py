"""Canaries: when they fail too, it is our own network, and nobody is said to be down."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from statusapp.domain.enums import ErrorKind, Outcome
from statusapp.domain.values import ProbeResult, Target
from statusapp.probes.engine import Probes
from statusapp.services.canaries import Canaries


@pytest.fixture
def database() -> str:
    """No database is needed here."""
    return "sqlite"


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A port that accepts."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


@pytest.fixture
def closed() -> Iterator[int]:
    """A port that refuses, and that nobody else gets."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def check(canaries: tuple[str, ...], *urls: str) -> tuple[list[ProbeResult], Canaries]:
    """Probe these addresses behind canaries."""
    results: dict[int, ProbeResult] = {}
    guardians = Canaries(canaries, lambda key, result: results.update({key: result}))
    probes: Probes[int] = Probes("test", guardians.finished)
    guardians.probe_with(probes.start)
    for key, url in enumerate(urls):
        probes.start(key, Target(url, 2000))
    deadline = time.monotonic() + 10
    while probes.in_flight and time.monotonic() < deadline:
        probes.poll(0.1)
    probes.close()
    return [results[key] for key in range(len(urls))], guardians


def test_a_failure_counts_while_a_canary_is_reached(listener: socket.socket, closed: int) -> None:
    alive, dead = f"tcp://127.0.0.1:{listener.getsockname()[1]}", f"tcp://127.0.0.1:{closed}"
    results, canaries = check((dead, alive), f"http://127.0.0.1:{closed}/", f"http://127.0.0.1:{closed}/2")
    assert [result.outcome for result in results] == [Outcome.FAILED] * 2
    assert canaries.cut_off_since is None


def test_a_failure_is_ours_while_no_canary_is_reached(closed: int, caplog: pytest.LogCaptureFixture) -> None:
    dead = f"tcp://127.0.0.1:{closed}"
    results, canaries = check((dead, dead), *[f"http://127.0.0.1:{closed}/{n}" for n in range(20)])
    assert {result.outcome for result in results} == {Outcome.INTERNAL_ERROR}
    assert {result.error_kind for result in results} == {ErrorKind.INTERNAL}
    assert all("the monitor itself is cut off" in str(result.error) for result in results)
    assert canaries.cut_off_since is not None
    assert caplog.text.count("cut off") == 1


def test_without_canaries_every_failure_counts(closed: int) -> None:
    results, _ = check((), f"http://127.0.0.1:{closed}/")
    assert results[0].outcome is Outcome.FAILED


def test_an_answer_that_came_is_no_matter_of_our_network(closed: int) -> None:
    results, canaries = check((f"tcp://127.0.0.1:{closed}",), "http://169.254.169.254/")
    assert (results[0].outcome, results[0].error_kind) == (Outcome.FAILED, ErrorKind.REFUSED)
    assert canaries.cut_off_since is None


def test_a_network_that_is_back_is_seen_without_a_failure(listener: socket.socket) -> None:
    alive = f"tcp://127.0.0.1:{listener.getsockname()[1]}"
    delivered: list[ProbeResult] = []
    canaries = Canaries((alive,), lambda _key, result: delivered.append(result), cut_off_since=1)
    probes: Probes[object] = Probes("test", canaries.finished)
    canaries.probe_with(probes.start)
    canaries.finished(1, ProbeResult(1, Outcome.OK))
    while probes.in_flight:
        probes.poll(0.1)
    probes.close()
    assert [result.outcome for result in delivered] == [Outcome.OK]
    assert canaries.cut_off_since is None
