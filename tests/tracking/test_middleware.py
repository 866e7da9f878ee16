"""One record of each request, by the options of the host."""

from __future__ import annotations

import time
from typing import Any
from wsgiref.validate import validator

import pytest

from statusapp.tracking import RequestTracking, TrackingOptions
from statusapp.tracking.fields import UNKNOWN, UNMATCHED
from tests.tracking.collecting import Answered, Collected, Tracked, answer_with, environ_of


def test_a_request_is_recorded_with_all_that_is_known_of_it() -> None:
    tracked = Tracked(answer_with(), TrackingOptions(service="shop", host="web-1", route_of=lambda _: "/things/<id>"))
    before = time.time_ns() // 1000
    tracked.call(
        "/things/5",
        QUERY_STRING="a=b",
        HTTP_USER_AGENT="Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
        HTTP_X_REQUEST_ID="request-1234",
        body=b"12345",
    )
    record = tracked.record
    assert before <= record.started_us <= time.time_ns() // 1000
    assert 0 <= record.duration_us < 60_000_000
    assert record[1:4] == ("POST", "/things/<id>", 200)
    assert record[5:] == (5, 2, "", "203.0.113.0", "Firefox/128 Linux", "", "", "", "request-1234", 0, 1)
    (batch,) = tracked.collected.batches
    assert (batch.service, batch.host, batch.dropped) == ("shop", "web-1", 0)


def test_both_sides_keep_to_the_protocol() -> None:
    tracked = Tracked(validator(answer_with()))
    server = validator(tracked.tracking)
    answered = Answered()
    body = server(environ_of(REQUEST_METHOD="GET"), lambda s, h, e=None: answered.start_response(s, h, e))
    assert b"".join(body) == b"ok"
    body.close()
    assert tracked.record.status == 200


@pytest.mark.parametrize("read", ["read", "readline", "readlines", "iterate"])
def test_a_body_without_a_length_is_counted_as_it_is_read(read: str) -> None:
    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        stream = environ["wsgi.input"]
        if read == "iterate":
            return list(stream)
        found = getattr(stream, read)()
        return found if isinstance(found, list) else [found, stream.read(1), stream.read()]

    tracked = Tracked(app)
    answered = tracked.call(body=b"one\ntwo\n", CONTENT_LENGTH="", HTTP_TRANSFER_ENCODING="chunked")
    assert answered.body == b"one\ntwo\n"
    assert tracked.record.request_bytes == 8


def test_what_else_the_servers_stream_can_do_is_still_there() -> None:
    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [environ["wsgi.input"].getvalue()]

    assert Tracked(app).call(body=b"12").body == b"12"


@pytest.mark.parametrize("length", ["nonsense", "-5", "9" * 50, "\u0665"])
def test_a_length_that_is_none_is_zero(length: str) -> None:
    tracked = Tracked(answer_with())
    tracked.call(CONTENT_LENGTH=length)
    assert tracked.record.request_bytes == 0


@pytest.mark.parametrize(("method", "kept"), [("DELETE", "DELETE"), ("PROPFIND", "PROPFIND"), ("S3CRET", "OTHER")])
def test_only_methods_that_exist_are_told_by_name(method: str, kept: str) -> None:
    tracked = Tracked(answer_with())
    tracked.call(REQUEST_METHOD=method)
    assert tracked.record.method == kept


@pytest.mark.parametrize("status", ["", "9", "abc", "999 No", "\u0665\u0665\u0665 No"])
def test_a_status_that_is_none(status: str) -> None:
    tracked = Tracked(answer_with(status=status))
    tracked.call()
    assert tracked.record.status == 0


def test_a_probe_of_our_own_is_recognised() -> None:
    tracked = Tracked(answer_with())
    tracked.call(HTTP_X_PROBE_ID="12-5f")
    assert tracked.record.is_probe


def test_without_an_integration_no_route_is_known() -> None:
    tracked = Tracked(answer_with())
    tracked.call("/some/secret/path")
    assert tracked.record.route == UNKNOWN


def test_a_route_may_be_given_and_may_fail() -> None:
    def route_of(environ: dict[str, Any]) -> str | None:
        return {"/a": "/a", "/b": None}[environ["PATH_INFO"]]

    tracked = Tracked(answer_with(), TrackingOptions(route_of=route_of))
    for path in ("/a", "/b", "/c"):
        tracked.call(path)
    assert [record.route for record in tracked.records] == ["/a", UNMATCHED, UNKNOWN]


def test_a_user_may_be_given_may_fail_and_may_be_left_out() -> None:
    def user_of(environ: dict[str, Any]) -> int:
        return {"/a": 7}[environ["PATH_INFO"]]

    tracked = Tracked(answer_with(), TrackingOptions(user_of=user_of))
    tracked.call("/a")
    tracked.call("/b")
    assert [record.user for record in tracked.records] == ["7", ""]
    tracked = Tracked(answer_with(), TrackingOptions(user_of=user_of, keep_users=False))
    tracked.call("/a")
    assert tracked.record.user == ""


@pytest.mark.parametrize(
    ("policy", "kept"),
    [("cut", "203.0.113.0"), ("full", "203.0.113.77"), ("off", "")],
    ids=lambda value: value or "none",
)
def test_addresses_are_kept_as_set(policy: str, kept: str) -> None:
    tracked = Tracked(answer_with(), TrackingOptions(addresses=policy))
    tracked.call()
    assert tracked.record.address == kept


def test_the_address_is_the_one_that_a_middleware_inside_has_found_behind_a_proxy() -> None:
    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        environ["REMOTE_ADDR"] = "198.51.100.9"
        start_response("200 OK", [])
        return []

    tracked = Tracked(app)
    tracked.call()
    assert tracked.record.address == "198.51.100.0"


def test_ignored_paths_are_answered_and_not_recorded() -> None:
    tracked = Tracked(answer_with(), TrackingOptions(ignored_paths=("/static/", "/health/live")))
    answered = tracked.call("/static/site.css")
    assert "X-Request-ID" in answered.headers
    assert "X-Response-Time" in answered.headers
    tracked.call("/health/live")
    tracked.call("/statics")
    assert len(tracked.records) == 1


def test_an_application_that_is_tracked_twice_is_recorded_once() -> None:
    inner = Collected()
    tracked = Tracked(RequestTracking(answer_with(), inner))
    answered = tracked.call()
    assert [name for name, _ in answered.header_list].count("X-Request-ID") == 1
    assert tracked.record.status == 200
    assert not inner.documents


def test_sampling_keeps_errors_and_slow_ones_and_says_how_many_the_others_stand_for() -> None:
    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        if environ["PATH_INFO"] == "/slow":
            time.sleep(0.06)
        start_response("500 No" if environ["PATH_INFO"] == "/bad" else "200 OK", [])
        return []

    tracked = Tracked(app, TrackingOptions(sample_rate=0.25, slow_s=0.05, route_of=lambda e: e["PATH_INFO"]))
    for _ in range(2000):
        tracked.call("/good")
    for _ in range(20):
        tracked.call("/bad")
    tracked.call("/slow")
    sums: dict[str, float] = {}
    for record in tracked.records:
        sums[record.route] = sums.get(record.route, 0) + record.weight
        # A request may be held up by the machine, and then is a slow one.
        assert record.weight == 4 or record.route != "/good" or record.duration_us >= 50_000
    assert (sums["/bad"], sums["/slow"]) == (20, 1)
    assert 1600 < sums["/good"] < 2400


def test_a_fault_of_ours_is_counted_and_is_no_trouble_of_the_requests() -> None:
    class Rude:
        def __str__(self) -> str:
            raise RuntimeError("no")

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        environ["statusapp.user"] = Rude()
        start_response("200 OK", [])
        return [b"ok"]

    tracked = Tracked(app)
    assert tracked.call().body == b"ok"
    assert tracked.tracking.dropped == 1


def test_each_request_has_an_id_of_its_own() -> None:
    tracked = Tracked(answer_with())
    ids = {tracked.call().headers["X-Request-ID"] for _ in range(50)}
    assert len(ids) == 50
    assert {record.request_id for record in tracked.records} == ids
