"""Under gunicorn, with each kind of worker and before and after the fork: every request arrives in a real Redis."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import redis
import requests

from statusapp.tracking.fields import Record
from statusapp.tracking.wire import STREAM_FIELD, STREAM_KEY, Batch, decode_batch
from tests.instance import ROOT, free_port, wait_for
from tests.redis_process import run_redis

WORKERS = 2


class Served:
    """The site under gunicorn, and what has come into its Redis."""

    def __init__(self, folder: Path, redis_url: str, *options: str) -> None:
        self.redis_url = redis_url
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.log = folder / "gunicorn.log"
        command = [
            sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{self.port}", "--workers", str(WORKERS),
            "--no-control-socket", *options, "tests.tracking.served_site:app",
        ]  # fmt: skip
        with self.log.open("wb") as log:
            environment = {**os.environ, "REDIS_URL": redis_url, "PYTHONWARNINGS": "default"}
            self._process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        wait_for(lambda: requests.get(f"{self.address}/hello/you", timeout=10).ok, 60)

    def get(self, path: str, method: str = "GET", **options: object) -> requests.Response:
        """Ask for a page on a connection of its own."""
        return requests.request(method, self.address + path, timeout=30, **options)  # type: ignore[arg-type]

    def batches(self) -> list[Batch]:
        """What has arrived."""
        with redis.Redis.from_url(self.redis_url) as client:
            return [decode_batch(fields[STREAM_FIELD.encode()]) for _, fields in client.xrange(STREAM_KEY)]

    def records(self) -> list[Record]:
        """All records that have arrived."""
        return [record for batch in self.batches() for record in batch.records]

    def arrived(self, *request_ids: str) -> list[Record]:
        """The records of these requests, once all have arrived."""

        def found() -> list[Record]:
            return [record for record in self.records() if record.request_id in request_ids]

        wait_for(lambda: {record.request_id for record in found()} >= set(request_ids), 20)
        return found()

    def stop(self) -> None:
        """Ask gunicorn to end as an operator does."""
        self._process.send_signal(signal.SIGTERM)
        assert self._process.wait(30) == 0, self.log.read_text()

    def kill(self) -> None:
        """End it whatever the test has left."""
        if self._process.poll() is None:
            self._process.terminate()
            self._process.wait(30)


Start = Callable[..., Served]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts the site with gunicorn's options; Redis's address may be given."""
    with contextlib.ExitStack() as stack:

        def begin(*options: str, redis_url: str | None = None) -> Served:
            served = Served(tmp_path, redis_url or stack.enter_context(run_redis(tmp_path)), *options)
            stack.callback(served.kill)
            return served

        yield begin


KINDS = [
    ("--worker-class", "sync"),
    ("--worker-class", "sync", "--preload"),
    ("--worker-class", "gthread", "--threads", "4"),
    ("--worker-class", "gthread", "--threads", "4", "--preload"),
]


@pytest.mark.parametrize("options", KINDS, ids=" ".join)
def test_every_request_of_every_worker_arrives_the_last_ones_too(start: Start, options: tuple[str, ...]) -> None:
    served = start(*options)
    processes: dict[str, str] = {}

    def ask(number: int) -> None:
        answer = served.get(f"/hello/{number}", headers={"X-Request-ID": f"request-{number}"})
        assert answer.headers["X-Request-ID"] == f"request-{number}"
        assert answer.headers["X-Response-Time"].endswith("s")
        processes[f"request-{number}"] = answer.headers["X-Process"]

    with ThreadPoolExecutor(8) as pool:
        numbers = iter(range(100_000))
        deadline = time.monotonic() + 30
        while len(set(processes.values())) < WORKERS and time.monotonic() < deadline:
            list(pool.map(ask, [next(numbers) for _ in range(40)]))
    assert len(set(processes.values())) == WORKERS
    # What is still in the buffers is shipped when the workers end.
    served.stop()
    records = [record for record in served.records() if record.request_id.startswith("request-")]
    assert sorted(record.request_id for record in records) == sorted(processes)
    assert {(record.route, record.status, record.method) for record in records} == {("/hello/<name>", 200, "GET")}
    assert {batch.service for batch in served.batches()} == {"served"}
    assert "statusapp" not in served.log.read_text()


@pytest.mark.parametrize("options", KINDS[1:3], ids=" ".join)
def test_all_that_a_server_does_with_an_answer(start: Start, options: tuple[str, ...]) -> None:
    served = start(*options)
    content = Path(__file__).with_name("served_site.py").read_bytes()
    ids = [f"request-{name}" for name in ("file", "head", "fail", "none", "upload", "chunked")]
    file, head, fail, none, upload, chunked = ({"headers": {"X-Request-ID": id_}} for id_ in ids)
    assert served.get("/file", **file).content == content
    assert served.get("/hello/you", "HEAD", **head).content == b""
    assert served.get("/fail", **fail).status_code == 500
    assert served.get("/nothing", **none).headers["X-Request-ID"] == "request-none"
    assert served.get("/upload", "POST", data=b"12345", **upload).text == "5"
    assert served.get("/upload", "POST", data=iter([b"123", b"4567"]), **chunked).text == "7"
    records = {record.request_id: record for record in served.arrived(*ids)}
    assert len(served.arrived(*ids)) == len(ids)
    assert [records[id_].status for id_ in ids] == [200, 200, 500, 404, 200, 200]
    assert [records[id_].request_bytes for id_ in ids] == [0, 0, 0, 0, 5, 7]
    assert [records[id_].response_bytes for id_ in ids[:2]] == [len(content), 0]
    assert records["request-fail"].error_class == "LookupError"
    assert not any(record.went_away for record in records.values())


@pytest.mark.parametrize("options", [KINDS[0], KINDS[2]], ids=" ".join)
def test_a_client_that_goes_away_is_recorded_once(start: Start, options: tuple[str, ...]) -> None:
    served = start(*options)
    with socket.create_connection(("127.0.0.1", served.port)) as connection:
        connection.sendall(b"GET /stream HTTP/1.1\r\nHost: a\r\nX-Request-ID: request-away\r\n\r\n")
        assert connection.recv(1000)
    (record,) = served.arrived("request-away")
    assert record.went_away
    assert (record.status, record.error_class) == (200, "")
    assert 0 < record.response_bytes < 10_000_000


def test_redis_away_fails_no_request_and_the_loss_is_counted(start: Start, tmp_path: Path) -> None:
    with run_redis(tmp_path) as redis_url:
        served = start("--worker-class", "gthread", "--threads", "4", redis_url=redis_url)
        before = served.get("/hello/you", headers={"X-Request-ID": "request-before"})
        assert before.ok
        served.arrived("request-before")
        wait_for(lambda: len(served.records()) == 2, 20)
    made = 900
    # More than the buffers of both workers and a batch on its way hold.
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: served.get(f"/hello/{number}"), range(made)))
    assert [answer.status_code for answer in answers] == [200] * made
    # What the application itself needed for each, which waiting for Redis would have made a second and more.
    seconds = sorted(float(answer.headers["X-Response-Time"][:-1]) for answer in answers)
    assert seconds[made // 2] < 0.5
    with run_redis(tmp_path):
        wait_for(lambda: sum(batch.dropped for batch in served.batches()) > 0, 40)
        served.stop()
        records, dropped = len(served.records()), sum(batch.dropped for batch in served.batches())
    assert dropped > 0
    assert records + dropped == made
    assert "request records cannot be shipped" in served.log.read_text()
