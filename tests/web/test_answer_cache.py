"""Public answers are made once for all who ask within a moment: compressed, with an ETag, and never anybody's own."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Iterable
from typing import Any

import pytest
from werkzeug.test import Client

from statusapp.web.answer_cache import AnswerCache

PAGE = "/health/status-page/"


class Maker:
    """A WSGI application that counts how often it was asked, and for what."""

    def __init__(self, *headers: tuple[str, str], status: str = "200 OK", body: bytes = b"x" * 1000) -> None:
        self.headers = [("Content-Type", "text/html"), *(headers or [("Cache-Control", "no-cache")])]
        self.status, self.body = status, body
        self.asked: list[str] = []
        self.going_on = threading.Event()
        self.may_end = threading.Event()
        self.may_end.set()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self.asked.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}?{environ['QUERY_STRING']}")
        environ["a.route"] = "/the-rule"
        self.going_on.set()
        assert self.may_end.wait(10)
        start_response(self.status, list(self.headers))
        return [self.body]


def cached(maker: Maker, fresh_s: float = 60.0) -> Client:
    return Client(AnswerCache(maker, fresh_s, "a.route"), use_cookies=False)


def test_an_answer_is_made_once_and_given_to_all() -> None:
    maker = Maker()
    client = cached(maker)
    first = client.get(PAGE)
    again = client.get(PAGE, headers={"Accept-Encoding": "gzip, br"})
    known = client.get(PAGE, headers={"If-None-Match": f'W/"other", {first.headers["ETag"]}'})
    head = client.head(PAGE)
    assert len(maker.asked) == 1
    assert (first.status_code, first.data) == (200, maker.body)
    assert (again.headers["Content-Encoding"], gzip.decompress(again.data)) == ("gzip", maker.body)
    assert again.headers["Vary"] == first.headers["Vary"] == "Accept-Encoding"
    assert (known.status_code, known.data) == (304, b"")
    assert (head.status_code, head.data, head.headers["Content-Length"]) == (200, b"", str(len(maker.body)))


def test_the_route_goes_with_the_answer() -> None:
    cache = AnswerCache(Maker(), 60.0, "a.route")
    for _ in range(2):
        environ = {"REQUEST_METHOD": "GET", "PATH_INFO": PAGE, "wsgi.url_scheme": "http", "QUERY_STRING": ""}
        cache(environ, lambda *_: None)  # type: ignore[arg-type]
        assert environ["a.route"] == "/the-rule"


@pytest.mark.parametrize(
    "maker",
    [
        Maker(("Cache-Control", "no-store")),
        Maker(("X-Nothing", "said")),
        Maker(("Cache-Control", "private")),
        Maker(("Cache-Control", "no-cache"), ("Set-Cookie", "a=b")),
        Maker(status="404 Not Found"),
        Maker(status="302 Found"),
    ],
)
def test_what_is_for_one_alone_is_not_kept(maker: Maker) -> None:
    client = cached(maker)
    answers = [client.get(PAGE, follow_redirects=False) for _ in range(2)]
    assert len(maker.asked) == 2
    assert [answer.data for answer in answers] == [maker.body] * 2
    assert client.head(PAGE).data == b""


def test_only_public_paths_are_kept_and_the_api_only_for_nobody() -> None:
    maker = Maker()
    client = cached(maker)
    for path in ("/admin/", "/health/", "/auth/login", "/ping/secret/"):
        client.get(path)
        client.get(path)
    assert len(maker.asked) == 8
    for headers in ({}, {"Cookie": "statusapp_session=x"}, {"Authorization": "Bearer x"}):
        client.get("/health/api/overview/", headers=headers)
        client.get("/health/api/overview/", headers=headers)
    assert len(maker.asked) == 8 + 1 + 2 + 2


def test_an_address_is_what_matters_of_it() -> None:
    maker = Maker()
    client = cached(maker)
    for query in ("", "?utm=1", "?utm=2&span=7d", "?span=7d&x=y", "?span=30d"):
        client.get(PAGE + query)
    assert maker.asked == [f"GET {PAGE}?", f"GET {PAGE}?span=7d", f"GET {PAGE}?span=30d"]
    # Feeds have links in them that begin with the host that was asked.
    client.get(PAGE, headers={"Host": "other.example"})
    assert len(maker.asked) == 4


def test_of_a_list_every_argument_matters() -> None:
    maker = Maker(("Cache-Control", "no-cache"), ("RateLimit-Remaining", "7"))
    client = cached(maker)
    for query in ("?limit=2&sort=name", "?limit=2&sort=name", "?sort=name&limit=2", "?limit=2&unknown=1", "?limit=2"):
        answer = client.get(f"/health/api/endpoints/{query}")
    assert len(maker.asked) == 4
    assert answer.headers["Vary"] == "Accept-Encoding, Authorization, Cookie"
    assert "RateLimit-Remaining" not in answer.headers
    for _ in range(2):
        client.get("/health/api/endpoints/?after=" + "x" * 600)
    assert len(maker.asked) == 6


def test_lists_drive_no_page_out() -> None:
    maker = Maker()
    client = cached(maker)
    client.get(PAGE)
    for number in range(600):
        client.get(f"/health/api/endpoints/?limit={number}")
    client.get(PAGE)
    client.get("/health/api/endpoints/?limit=599")
    assert len(maker.asked) == 601
    client.get("/health/api/endpoints/?limit=0")
    assert len(maker.asked) == 602


def test_a_conditional_request_is_answered_from_a_whole_answer() -> None:
    maker = Maker()
    answer = cached(maker).get(PAGE, headers={"If-None-Match": '"nothing"', "If-Modified-Since": "x"})
    assert (answer.status_code, answer.data) == (200, maker.body)


def test_what_an_operator_changes_is_seen_at_once() -> None:
    maker = Maker()
    client = cached(maker)
    client.get(PAGE)
    client.post("/ping/secret/")
    client.get(PAGE)
    assert len(maker.asked) == 2
    client.post("/admin/health/statuspagesettings/")
    client.get(PAGE)
    assert len(maker.asked) == 4


def test_one_makes_it_while_the_others_get_the_last_one() -> None:
    maker = Maker()
    cache = AnswerCache(maker, 0.001, "a.route")
    first = Client(cache).get(PAGE)
    time.sleep(0.05)
    maker.may_end.clear()
    maker.going_on.clear()
    maker.body = b"y" * 1000
    slow = threading.Thread(target=Client(cache).get, args=(PAGE,))
    slow.start()
    assert maker.going_on.wait(10)
    try:
        assert Client(cache).get(PAGE).data == first.data
        assert len(maker.asked) == 2
    finally:
        maker.may_end.set()
        slow.join()


def test_a_crowd_that_comes_first_waits_for_one_answer() -> None:
    maker = Maker()
    maker.may_end.clear()
    cache = AnswerCache(maker, 60.0, "a.route")
    answers: list[bytes] = []
    crowd = [threading.Thread(target=lambda: answers.append(Client(cache).get(PAGE).data)) for _ in range(8)]
    for member in crowd:
        member.start()
    assert maker.going_on.wait(10)
    maker.may_end.set()
    for member in crowd:
        member.join()
    assert (answers, len(maker.asked)) == ([maker.body] * 8, 1)


def test_an_error_leaves_no_lock_behind() -> None:
    maker = Maker()

    def broken(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if len(maker.asked) == 0:
            maker.asked.append("broken")
            raise RuntimeError("broken")
        return maker(environ, start_response)

    client = Client(AnswerCache(broken, 60.0, "a.route"))
    with pytest.raises(RuntimeError):
        client.get(PAGE)
    assert client.get(PAGE).status_code == 200


def test_the_number_of_answers_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("statusapp.web.answer_cache.MOST_ENTRIES", 3)
    maker = Maker()
    cache = AnswerCache(maker, 60.0, "a.route")
    client = Client(cache)
    for number in range(10):
        client.get(f"{PAGE}?span={number}")
    client.get(f"{PAGE}?span=9")
    client.get(f"{PAGE}?span=0")
    assert len(maker.asked) == 11


def test_without_keeping_every_answer_is_new() -> None:
    maker = Maker()
    client = cached(maker, fresh_s=0)
    client.get(PAGE)
    client.get(PAGE)
    assert len(maker.asked) == 2
