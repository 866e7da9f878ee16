"""An exception is recorded once and goes on, wherever the application raises it."""

from __future__ import annotations

from typing import Any

import pytest

from statusapp.tracking import TrackingOptions
from tests.tracking.collecting import Streamed, Tracked, answer_with, failing_after


def test_an_exception_is_recorded_once_and_goes_on() -> None:
    def app(_environ: Any, _start: Any) -> list[bytes]:
        raise LookupError("no such thing")

    tracked = Tracked(app)
    with pytest.raises(LookupError, match="no such thing"):
        tracked.call()
    record = tracked.record
    assert (record.status, record.error_class, record.error_message) == (500, "LookupError", "no such thing")
    assert len(record.fingerprint) == 16
    assert not record.went_away


def test_an_exception_while_streaming_is_recorded_once_and_goes_on() -> None:
    body = Streamed(failing_after([b"part"], RuntimeError("it broke")))
    tracked = Tracked(answer_with(body))
    with pytest.raises(RuntimeError, match="it broke"):
        tracked.call()
    assert body.closed == 1
    # The client has seen the beginning of a good answer.
    assert (tracked.record.status, tracked.record.error_class) == (200, "RuntimeError")
    assert tracked.record.response_bytes == 4


def test_an_exception_before_the_first_byte_is_a_500() -> None:
    tracked = Tracked(answer_with(failing_after([], RuntimeError("it broke"))))
    with pytest.raises(RuntimeError):
        tracked.call()
    assert tracked.record.status == 500


def test_an_exception_on_closing_is_recorded_once_and_goes_on() -> None:
    class Body(Streamed):
        def close(self) -> None:
            raise OSError("the disk is full")

    tracked = Tracked(answer_with(Body([b"ok"])))
    with pytest.raises(OSError, match="the disk is full"):
        tracked.call()
    assert tracked.record.error_class == "OSError"


@pytest.mark.parametrize("error", [SystemExit(1), KeyboardInterrupt()])
def test_a_process_that_is_stopped_in_a_request(error: BaseException) -> None:
    tracked = Tracked(answer_with(failing_after([], error)))
    with pytest.raises(type(error)):
        tracked.call()
    assert tracked.record.error_class == type(error).__name__


def test_an_application_that_gives_its_error_to_start_response() -> None:
    def app(_environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        try:
            raise ValueError("changed its mind")
        except ValueError as error:
            start_response("503 Busy", [], (type(error), error, error.__traceback__))
        return [b"sorry"]

    tracked = Tracked(app)
    assert tracked.call().status == "503 Busy"
    assert (tracked.record.status, tracked.record.error_class) == (503, "ValueError")


def test_an_error_after_the_headers_are_out_is_the_servers_to_raise() -> None:
    def app(_environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])(b"out")
        try:
            raise ValueError("too late")
        except ValueError as error:
            start_response("500 Oops", [], (type(error), error, error.__traceback__))
        return []

    tracked = Tracked(app)
    with pytest.raises(ValueError, match="too late"):
        tracked.call()
    assert (tracked.record.status, tracked.record.error_class) == (200, "ValueError")


def test_an_error_that_became_an_answer_for_the_client_is_none() -> None:
    def app(_environ: Any, start_response: Any) -> list[bytes]:
        try:
            raise ValueError("not a number")
        except ValueError as error:
            start_response("400 Bad", [], (type(error), error, error.__traceback__))
        return []

    tracked = Tracked(app)
    tracked.call()
    assert (tracked.record.status, tracked.record.error_class, tracked.record.error_message) == (400, "", "")


def test_errors_may_be_kept_without_their_messages() -> None:
    def app(_environ: Any, _start: Any) -> list[bytes]:
        raise ValueError("some words")

    tracked = Tracked(app, TrackingOptions(keep_messages=False, keep_agents=False))
    with pytest.raises(ValueError, match="some words"):
        tracked.call(HTTP_USER_AGENT="curl/8.1")
    assert (tracked.record.error_class, tracked.record.error_message, tracked.record.agent) == ("ValueError", "", "")


def test_errors_from_one_place_have_one_fingerprint() -> None:
    def app(environ: dict[str, Any], _start: Any) -> list[bytes]:
        if environ["PATH_INFO"] == "/other":
            fail_elsewhere()
        raise ValueError(environ["PATH_INFO"])

    def fail_elsewhere() -> None:
        raise ValueError("/a")

    tracked = Tracked(app)
    for path in ("/a", "/b", "/other"):
        with pytest.raises(ValueError, match="/"):
            tracked.call(path)
    one, two, other = (record.fingerprint for record in tracked.records)
    assert one == two != other


def test_an_error_that_cannot_even_say_what_it_is() -> None:
    class Broken(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no")

    def app(_environ: Any, _start: Any) -> list[bytes]:
        raise Broken

    tracked = Tracked(app)
    with pytest.raises(Broken):
        tracked.call()
    assert tracked.record.error_class.endswith("Broken")
    assert tracked.record.error_message == ""


def test_what_is_not_iterable_is_an_error_of_the_applications() -> None:
    tracked = Tracked(answer_with(5))
    with pytest.raises(TypeError):
        tracked.call()
    assert tracked.record.error_class == "TypeError"


def test_headers_that_are_none_reach_the_server_which_says_so() -> None:
    tracked = Tracked(answer_with(headers=[None]))  # type: ignore[list-item]
    with pytest.raises(TypeError):
        tracked.call()
    assert tracked.record.status == 500
