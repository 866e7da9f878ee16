"""Answers of every form reach the server as they were, and are measured to their last byte."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from typing import Any
from wsgiref.util import FileWrapper

import pytest

from tests.tracking.collecting import Answered, Streamed, Tracked, answer_with, environ_of


def test_every_answer_has_its_id_and_its_time() -> None:
    tracked = Tracked(answer_with(headers=[("X-Response-Time", "mine"), ("x-request-id", "mine"), ("A", "b")]))
    answered = tracked.call()
    assert [name for name, _ in answered.header_list] == ["A", "X-Request-ID", "X-Response-Time"]
    assert answered.headers["X-Request-ID"] == tracked.record.request_id
    seconds = answered.headers["X-Response-Time"]
    assert seconds.endswith("s")
    assert len(seconds.partition(".")[2]) == 7
    assert 0 <= float(seconds[:-1]) < 60


def test_a_streamed_answer_is_measured_to_its_last_byte() -> None:
    body = Streamed(time.sleep(0.03) or b"x" * 10 for _ in range(3))
    tracked = Tracked(answer_with(body))
    answered = tracked.call()
    assert answered.body == b"x" * 30
    assert body.closed == 1
    assert (tracked.record.response_bytes, tracked.record.went_away) == (30, False)
    assert tracked.record.duration_us >= 90_000


def test_the_length_of_a_list_can_still_be_seen() -> None:
    tracked = Tracked(answer_with([b"ok"]))
    body: Any = tracked.tracking(environ_of(), Answered().start_response)
    assert len(body) == 1
    streamed: Any = Tracked(answer_with(iter([b"ok"]))).tracking(environ_of(), Answered().start_response)
    with pytest.raises(TypeError):
        len(streamed)


def test_a_generator_that_starts_its_answer_late() -> None:
    def app(_environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("202 Accepted", [])
        yield b"late"

    tracked = Tracked(app)
    assert tracked.call().status == "202 Accepted"
    assert (tracked.record.status, tracked.record.response_bytes) == (202, 4)


def test_the_old_write_function_works_and_counts() -> None:
    def app(_environ: Any, start_response: Any) -> list[bytes]:
        write = start_response("200 OK", [])
        write(b"one")
        write(b"four")
        return [b"!"]

    tracked = Tracked(app)
    assert tracked.call().body == b"onefour!"
    assert tracked.record.response_bytes == 8


def test_a_client_that_goes_away_is_recorded_once_as_such() -> None:
    body = Streamed(b"x" for _ in range(100))
    tracked = Tracked(answer_with(body))
    answer: Any = tracked.tracking(environ_of(), Answered().start_response)
    next(iter(answer))
    answer.close()
    answer.close()
    assert body.closed == 1
    assert (tracked.record.went_away, tracked.record.response_bytes, tracked.record.error_class) == (True, 1, "")


@pytest.mark.parametrize(("method", "status"), [("HEAD", "200 OK"), ("GET", "204 No Content"), ("GET", "304 Same")])
def test_a_body_that_is_not_asked_for_is_no_client_that_goes_away(method: str, status: str) -> None:
    tracked = Tracked(answer_with(iter([b"never sent"]), status))
    answer: Any = tracked.tracking(environ_of(REQUEST_METHOD=method), Answered().start_response)
    answer.close()
    assert (tracked.record.went_away, tracked.record.response_bytes) == (False, 0)


def serve_file(environ: dict[str, Any], start_response: Any) -> Any:
    """An application that answers with a file, by the server's own means."""
    start_response("200 OK", [("Content-Length", "6")])
    return environ["wsgi.file_wrapper"](environ["test.file"])


def test_a_file_reaches_the_server_as_the_servers_own_object() -> None:
    tracked, file = Tracked(serve_file), io.BytesIO(b"abcdef")
    answer: Any = tracked.tracking(
        environ_of(**{"wsgi.file_wrapper": FileWrapper, "test.file": file}), Answered().start_response
    )
    assert type(answer) is FileWrapper
    assert not tracked.records
    answer.close()
    answer.close()
    assert file.closed
    assert (tracked.record.response_bytes, tracked.record.went_away) == (6, False)


def test_a_client_that_goes_away_while_a_file_is_sent() -> None:
    tracked, file = Tracked(serve_file), io.BytesIO(b"abcdef")
    answer: Any = tracked.tracking(
        environ_of(**{"wsgi.file_wrapper": FileWrapper, "test.file": file}), Answered().start_response
    )

    def send() -> None:
        """As a server does when the connection breaks."""
        try:
            raise BrokenPipeError
        finally:
            answer.close()

    with pytest.raises(BrokenPipeError):
        send()
    assert tracked.record.went_away


def test_a_file_of_unknown_size_or_in_an_object_of_c_is_counted_instead() -> None:
    class Closed:
        """As a server's own in C: its attributes cannot be set."""

        __slots__ = ("file",)

        def __init__(self, file: Any) -> None:
            self.file = file

        def __iter__(self) -> Iterator[bytes]:
            return iter([self.file.read()])

    tracked = Tracked(serve_file)
    answered = tracked.call(**{"wsgi.file_wrapper": Closed, "test.file": io.BytesIO(b"abcdef")})
    assert (answered.body, tracked.record.response_bytes) == (b"abcdef", 6)

    def without_length(environ: dict[str, Any], start_response: Any) -> Any:
        start_response("200 OK", [])
        return environ["wsgi.file_wrapper"](environ["test.file"])

    tracked = Tracked(without_length)
    answered = tracked.call(**{"wsgi.file_wrapper": FileWrapper, "test.file": io.BytesIO(b"abcdef")})
    assert (answered.body, tracked.record.response_bytes) == (b"abcdef", 6)
