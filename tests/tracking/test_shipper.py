"""Records between the request and the server: batches, pauses, losses that are counted, forks, the end."""

from __future__ import annotations

import gc
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from statusapp.tracking import RequestTracking, TrackingOptions, TransportError
from statusapp.tracking.wire import MAX_RECORDS, decode_batch
from tests.instance import ROOT, wait_for
from tests.tracking.collecting import Collected, answer_with, ask

SOON = TrackingOptions(flush_s=0.05)
# So that nothing is shipped before the test says so.
LATE = TrackingOptions(flush_s=60, buffer_size=100)


class Gate(Collected):
    """A transport that takes nothing as long as it has an error."""

    def __init__(self, error: Exception | None = None) -> None:
        super().__init__()
        self.error = error
        self.tries = 0

    def send(self, document: bytes) -> None:
        """Keep it, or fail."""
        self.tries += 1
        if self.error is not None:
            raise self.error
        super().send(document)


class Slow(Collected):
    """A transport that is stuck until `go` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.stuck = threading.Event()
        self.go = threading.Event()

    def send(self, document: bytes) -> None:
        """Wait."""
        self.stuck.set()
        assert self.go.wait(30)
        super().send(document)


class Rude:
    """A user's id that cannot be had; so its record is lost."""

    def __str__(self) -> str:
        raise RuntimeError("no")


def test_no_thread_is_started_before_the_first_record() -> None:
    before = set(threading.enumerate())
    tracking = RequestTracking(answer_with(), Collected())
    assert set(threading.enumerate()) <= before
    ask(tracking)
    assert len(set(threading.enumerate()) - before) == 1


def test_records_are_shipped_by_themselves() -> None:
    collected = Collected()
    tracking = RequestTracking(answer_with(), collected, SOON)
    ask(tracking)
    wait_for(lambda: collected.records, 10)


def test_a_full_batch_does_not_wait() -> None:
    collected = Collected()
    tracking = RequestTracking(answer_with(), collected, TrackingOptions(flush_s=60))
    for _ in range(MAX_RECORDS + 1):
        ask(tracking)
    wait_for(lambda: collected.records, 10)


def test_batches_have_a_size_and_an_id_each() -> None:
    collected = Collected()
    tracking = RequestTracking(answer_with(), collected, TrackingOptions(flush_s=60))
    for _ in range(1234):
        ask(tracking)
    assert tracking.flush(10)
    assert sum(len(batch.records) for batch in collected.batches) == 1234
    assert max(len(batch.records) for batch in collected.batches) <= MAX_RECORDS
    assert len({batch.id for batch in collected.batches}) == len(collected.batches)


def test_a_batch_of_long_texts_stays_within_its_bytes() -> None:
    collected = Collected()
    long = "\U0001d4b3" * 300
    options = TrackingOptions(flush_s=60, route_of=lambda _environ: "/<" + long, user_of=lambda _environ: long)
    tracking = RequestTracking(answer_with(), collected, options)
    for _ in range(1500):
        ask(tracking)
    assert tracking.flush(20)
    assert len(collected.records) == 1500


def test_a_full_buffer_drops_and_counts_and_tells_later() -> None:
    slow = Slow()
    tracking = RequestTracking(answer_with(), slow, TrackingOptions(flush_s=0.05, buffer_size=100))
    ask(tracking)
    assert slow.stuck.wait(10)
    for _ in range(250):
        assert ask(tracking).body == b"ok"
    assert (tracking.waiting, tracking.dropped) == (101, 150)
    slow.go.set()
    assert tracking.flush(10)
    assert (len(slow.records), sum(batch.dropped for batch in slow.batches)) == (101, 150)
    assert tracking.dropped == 0


def test_every_record_is_shipped_or_counted_when_many_threads_make_them() -> None:
    collected = Collected()
    tracking = RequestTracking(answer_with(), collected, TrackingOptions(flush_s=0.05, buffer_size=100))

    def make() -> None:
        for _ in range(1000):
            ask(tracking)

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert tracking.flush(10)
    assert len(collected.records) + sum(batch.dropped for batch in collected.batches) == 4000


def test_a_transport_that_is_away_is_tried_again_with_the_same_batch(caplog: pytest.LogCaptureFixture) -> None:
    gate = Gate(ConnectionError("nobody there"))
    tracking = RequestTracking(answer_with(), gate, SOON)
    ask(tracking)
    wait_for(lambda: gate.tries >= 2, 20)
    ask(tracking)
    gate.error = None
    wait_for(lambda: len(gate.records) == 2, 20)
    lines = [record.message for record in caplog.records if record.name == "statusapp.tracking"]
    assert lines == [
        "request records cannot be shipped: nobody there",
        "request records are shipped again; 0 were lost",
    ]


def test_pauses_grow() -> None:
    gate = Gate(ConnectionError("nobody there"))
    tracking = RequestTracking(answer_with(), gate, SOON)
    ask(tracking)
    wait_for(lambda: gate.tries >= 1, 10)
    tries = gate.tries
    time.sleep(0.4)
    assert gate.tries <= tries + 1


def test_a_batch_that_is_refused_is_dropped_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    gate = Gate(TransportError("the server answers 401", permanent=True))
    tracking = RequestTracking(answer_with(), gate, SOON)
    ask(tracking)
    wait_for(lambda: tracking.dropped == 1, 10)
    gate.error = None
    ask(tracking)
    assert tracking.flush(10)
    assert (len(gate.records), sum(batch.dropped for batch in gate.batches)) == (1, 1)
    assert "request records are refused: the server answers 401" in caplog.text


def test_losses_are_told_even_if_no_request_comes_any_more() -> None:
    gate = Gate(TransportError("no", permanent=True))
    tracking = RequestTracking(answer_with(), gate, SOON)
    ask(tracking)
    wait_for(lambda: tracking.dropped == 1, 10)
    gate.error = None
    wait_for(lambda: gate.batches, 20)
    assert (gate.batches[0].dropped, gate.records) == (1, [])


def test_a_flush_that_cannot_be_says_so_and_does_not_hammer() -> None:
    gate = Gate(ConnectionError("nobody there"))
    tracking = RequestTracking(answer_with(), gate, LATE)
    ask(tracking)
    assert not tracking.flush(5)
    assert gate.tries == 1
    slow = Slow()
    tracking = RequestTracking(answer_with(), slow, LATE)
    ask(tracking)
    assert not tracking.flush(0.05)
    slow.go.set()


def test_closing_ships_and_ends_the_thread_and_the_next_record_begins_anew() -> None:
    before = set(threading.enumerate())
    collected = Collected()
    tracking = RequestTracking(answer_with(), collected, LATE)
    for count in (1, 2):
        ask(tracking)
        (thread,) = set(threading.enumerate()) - before
        assert tracking.close(10)
        assert not thread.is_alive()
        assert len(collected.records) == count


def test_the_thread_of_an_application_that_is_thrown_away_ends() -> None:
    tracking = RequestTracking(answer_with(), Collected(), SOON)
    before = set(threading.enumerate())
    ask(tracking)
    (thread,) = set(threading.enumerate()) - before
    del tracking
    gc.collect()
    thread.join(10)
    assert not thread.is_alive()


def test_a_flush_with_nothing_to_do_is_done() -> None:
    assert RequestTracking(answer_with(), Collected()).flush(0)


def test_a_thread_that_cannot_be_started_is_no_trouble_of_the_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    collected = Collected()
    tracking = RequestTracking(answer_with(), collected, SOON)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        for _ in range(3):
            assert ask(tracking).body == b"ok"
    assert tracking.waiting == 3

    def asked_again() -> bool:
        ask(tracking)
        return len(collected.records) > 3

    wait_for(asked_again, 10)


def in_child(work: Callable[[], object]) -> str:
    """What `work` gives in a process that is forked from this one."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writer, str(work()).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as answer:
        text = answer.read()
    assert os.waitpid(child, 0)[1] == 0
    return text


def test_a_forked_process_ships_its_own_records_and_not_its_parents() -> None:
    collected = Collected()
    tracking = RequestTracking(answer_with(), collected, LATE)
    ask(tracking, HTTP_X_REQUEST_ID="of-the-parent")
    ask(tracking, **{"statusapp.user": Rude()})
    assert (tracking.waiting, tracking.dropped) == (1, 1)

    def work() -> tuple[int, int, list[str], int]:
        waiting, dropped = tracking.waiting, tracking.dropped
        ask(tracking, HTTP_X_REQUEST_ID="of-the-child")
        tracking.flush(10)
        return waiting, dropped, [record.request_id for record in collected.records], collected.batches[0].dropped

    assert in_child(work) == "(0, 0, ['of-the-child'], 0)"
    assert (tracking.waiting, tracking.dropped) == (1, 1)
    assert tracking.flush(10)
    assert [record.request_id for record in collected.records] == ["of-the-parent"]


def test_a_fork_while_a_batch_is_on_its_way() -> None:
    slow = Slow()
    tracking = RequestTracking(answer_with(), slow, SOON)
    ask(tracking)
    assert slow.stuck.wait(10)

    def work() -> bool:
        slow.go.set()
        ask(tracking)
        return tracking.flush(10)

    assert in_child(work) == "True"
    slow.go.set()
    assert tracking.flush(10)
    assert len(slow.records) == 1


def run_script(body: str) -> subprocess.CompletedProcess[str]:
    """Run code in a process of its own, with a transport that prints."""
    script = (
        "import time\n"
        "from statusapp.tracking import RequestTracking, TrackingOptions\n"
        "from statusapp.tracking.wire import decode_batch\n"
        "from tests.tracking.collecting import answer_with, ask\n"
        "class Printing:\n"
        "    pause = 0\n"
        "    def send(self, document):\n"
        "        time.sleep(self.pause)\n"
        "        print(len(decode_batch(document).records), flush=True)\n"
        "    def reset(self): pass\n"
        "    def close(self): pass\n" + body
    )
    return subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )


def test_what_waits_at_the_end_of_a_process_is_shipped() -> None:
    done = run_script(
        "tracking = RequestTracking(answer_with(), Printing(), TrackingOptions(flush_s=60))\n"
        "for _ in range(700): ask(tracking)\n"
    )
    assert sum(int(line) for line in done.stdout.split()) == 700
    assert (done.returncode, done.stderr) == (0, "")


def test_the_end_of_a_process_is_not_held_up_for_long() -> None:
    done = run_script(
        "import atexit\n"
        "Printing.pause = 30\n"
        "tracking = RequestTracking(answer_with(), Printing(), TrackingOptions(flush_s=60))\n"
        "ask(tracking)\n"
        "ended = time.monotonic()\n"
        # What is registered after the flush runs before it; this one is registered before.
        "atexit.unregister(__import__('statusapp.tracking.shipper', fromlist=['x'])._flush_all)\n"
        "atexit.register(lambda: print('took', time.monotonic() - ended < 10))\n"
        "atexit.register(__import__('statusapp.tracking.shipper', fromlist=['x'])._flush_all)\n"
    )
    assert done.stdout == "took True\n"
    assert (done.returncode, done.stderr) == (0, "")


def test_a_record_that_cannot_be_made_is_counted_and_the_others_are_not_lost(caplog: pytest.LogCaptureFixture) -> None:
    collected = Collected()
    tracking = RequestTracking(answer_with(), collected, LATE)
    ask(tracking)
    ask(tracking, REMOTE_ADDR=5)
    ask(tracking)
    assert tracking.flush(10)
    assert (len(collected.records), sum(batch.dropped for batch in collected.batches)) == (2, 1)
    assert "a request record was lost" in caplog.text


def test_only_so_many_messages_of_one_batch_are_scrubbed() -> None:
    def app(_environ: Any, start_response: Any) -> list[bytes]:
        try:
            raise ValueError("it broke")
        except ValueError as error:
            start_response("500 No", [], (type(error), error, error.__traceback__))
        return []

    collected = Collected()
    tracking = RequestTracking(app, collected, TrackingOptions(flush_s=60))
    for _ in range(300):
        ask(tracking)
    assert tracking.flush(10)
    (batch,) = map(decode_batch, collected.documents)
    assert sum(record.error_message == "it broke" for record in batch.records) == 100
    assert {record.fingerprint for record in batch.records} == {batch.records[0].fingerprint}
