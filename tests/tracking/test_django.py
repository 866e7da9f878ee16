"""Django, for real: the route that matched, the user that was evaluated, errors wherever they end."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from statusapp.tracking import RequestTracking
from statusapp.tracking.fields import UNMATCHED, Record
from tests.tracking.collecting import Answered, Collected, ask

pytest.importorskip("django")


@pytest.fixture(scope="session")
def application(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The project's application. Django has one project in a process."""
    from tests.tracking.django_site import set_up

    logging.getLogger("django.request").disabled = True
    yield set_up(tmp_path_factory.mktemp("django"))
    from django.db import connections

    connections.close_all()


class Site:
    """The project with tracking around it."""

    def __init__(self, application: Any) -> None:
        from statusapp.tracking.django_app import track

        self.collected = Collected()
        self.tracking: RequestTracking = track(application, self.collected)

    def get(self, path: str, **environ: Any) -> Answered:
        """Ask for a page."""
        return ask(self.tracking, path, **environ)

    @property
    def record(self) -> Record:
        """The record of the one request so far."""
        assert self.tracking.flush(10)
        (record,) = self.collected.records
        return record


@pytest.fixture
def site(application: Any) -> Site:
    """A site without requests so far."""
    return Site(application)


@pytest.mark.parametrize(
    ("path", "route", "status"),
    [
        ("/things/5/", "/things/<int:number>/", 200),
        ("/old/1999/", "/^old/(?P<number>[0-9]{4})/$", 200),
        ("/shop/cart/5/", "/shop/cart/<int:number>/", 200),
        ("/nothing/here/", UNMATCHED, 404),
        ("/things/5", UNMATCHED, 301),
        ("/stream/", "/stream/", 200),
        ("/fail/unhandled/", "/fail/<str:kind>/", 500),
    ],
)
def test_every_request_has_its_route(site: Site, path: str, route: str, status: int) -> None:
    answered = site.get(path)
    assert (site.record.route, site.record.status) == (route, status)
    assert {"X-Request-ID", "X-Response-Time"} <= answered.headers.keys()


@pytest.mark.parametrize(
    ("path", "status", "error"),
    [
        ("/fail/unhandled/", 500, "LookupError"),
        ("/fail/handled/", 503, "tests.tracking.django_site.Handled"),
        ("/middleware-fails/", 500, "LookupError"),
    ],
)
def test_every_error_is_recorded_once_wherever_it_becomes_an_answer(
    site: Site, path: str, status: int, error: str
) -> None:
    site.get(path)
    assert (site.record.status, site.record.error_class) == (status, error)
    assert site.record.error_message in ("nothing here", "in a ***")  # A word of the path's.
    assert site.record.fingerprint


def test_a_stream_and_a_file_are_measured(site: Site) -> None:
    from tests.tracking import django_site

    assert site.get("/stream/").body == b"onetwo"
    assert site.record.response_bytes == 6
    site.collected.documents.clear()
    content = Path(django_site.__file__).read_bytes()
    assert site.get("/file/").body == content
    assert site.record.response_bytes == len(content)


def signed_in() -> dict[str, str]:
    """The cookie of a new account's session, and the account's key."""
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.auth.models import User
    from django.contrib.sessions.backends.db import SessionStore

    user = User.objects.create(username=f"user {User.objects.count()}")
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return {"key": str(user.pk), "cookie": f"{settings.SESSION_COOKIE_NAME}={session.session_key}"}


def test_a_page_that_looks_at_the_account_has_its_key(site: Site) -> None:
    account = signed_in()
    assert site.get("/who/", HTTP_COOKIE=account["cookie"]).body == b"True"
    assert site.record.user == account["key"]


def test_for_any_other_page_nothing_is_fetched(site: Site) -> None:
    from django.db import connection

    account = signed_in()
    statements: list[str] = []

    def count(execute: Any, sql: str, *more: Any) -> Any:
        statements.append(sql)
        return execute(sql, *more)

    with connection.execute_wrapper(count):
        assert site.get("/nobody/", HTTP_COOKIE=account["cookie"]).body == b"nobody"
        assert not statements
        assert site.get("/who/", HTTP_COOKIE=account["cookie"]).body == b"True"
        assert statements
    assert site.tracking.flush(10)
    assert [record.user for record in site.collected.records] == ["", account["key"]]


def test_nobody_who_is_signed_in_is_no_user(site: Site) -> None:
    assert site.get("/who/").body == b"False"
    assert site.record.user == ""


def test_without_our_server_side_the_middleware_does_nothing(application: Any) -> None:
    assert ask(application, "/things/5/").body == b"thing 5"
