"""X-Request-ID: one id in the answer, the application, the record and every log line."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest

from statusapp.tracking import RequestIdFilter, current_request_id, log_request_ids
from tests.tracking.collecting import Tracked, answer_with


@pytest.fixture
def log() -> Iterator[tuple[logging.Logger, io.StringIO]]:
    """A logger whose lines carry the id, and what it writes."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    log_request_ids(handler, "%(request_id)s %(message)s")
    logger = logging.getLogger("tests.tracking.lines")
    logger.addHandler(handler)
    logger.propagate = False
    yield logger, stream
    logger.removeHandler(handler)


@pytest.mark.parametrize("given", ["abcdefgh", "A.b_c-1234", "x" * 128])
def test_a_sane_id_is_taken_over(given: str) -> None:
    tracked = Tracked(answer_with())
    assert tracked.call(HTTP_X_REQUEST_ID=given).headers["X-Request-ID"] == given
    assert tracked.record.request_id == given


@pytest.mark.parametrize(
    "given", [None, "", "short", "x" * 129, "with space", "new\r\nline:x", "caf\u00e9caf\u00e9", "abcdefgh\n"]
)
def test_any_other_is_replaced(given: str | None) -> None:
    tracked = Tracked(answer_with())
    environ = {} if given is None else {"HTTP_X_REQUEST_ID": given}
    made = tracked.call(**environ).headers["X-Request-ID"]
    assert re.fullmatch("[0-9a-f]{32}", made)
    assert tracked.record.request_id == made


def test_the_application_sees_the_id() -> None:
    seen: list[str] = []

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        seen.extend((environ["HTTP_X_REQUEST_ID"], environ["statusapp.request_id"], current_request_id()))
        start_response("200 OK", [])
        return []

    tracked = Tracked(app)
    made = tracked.call().headers["X-Request-ID"]
    assert seen == [made] * 3
    assert current_request_id() == ""


def test_every_line_of_a_request_has_its_id(log: tuple[logging.Logger, io.StringIO]) -> None:
    logger, stream = log

    class Body:
        def __iter__(self) -> Iterator[bytes]:
            logger.warning("streaming")
            yield b"x"

        def close(self) -> None:
            logger.warning("closing")

    def app(_environ: Any, start_response: Any) -> Body:
        logger.warning("answering")
        start_response("200 OK", [])
        return Body()

    tracked = Tracked(app)
    logger.warning("before")
    tracked.call(HTTP_X_REQUEST_ID="request-1")
    tracked.call(HTTP_X_REQUEST_ID="request-2")
    logger.warning("after")
    lines = [f"request-{n} {what}" for n in (1, 2) for what in ("answering", "streaming", "closing")]
    assert stream.getvalue().splitlines() == ["- before", *lines, "- after"]


def test_the_servers_line_about_an_exception_has_the_id_too(log: tuple[logging.Logger, io.StringIO]) -> None:
    logger, stream = log
    tracked = Tracked(answer_with(5))
    with pytest.raises(TypeError):
        tracked.call(HTTP_X_REQUEST_ID="request-1")
    logger.warning("it broke")
    tracked = Tracked(answer_with())
    tracked.call()
    logger.warning("after")
    assert stream.getvalue().splitlines() == ["request-1 it broke", "- after"]


def test_a_handler_keeps_its_format_unless_told_otherwise() -> None:
    handler = logging.StreamHandler(io.StringIO())
    handler.setFormatter(kept := logging.Formatter("%(message)s"))
    log_request_ids(handler)
    assert handler.formatter is kept
    assert isinstance(handler.filters[0], RequestIdFilter)
