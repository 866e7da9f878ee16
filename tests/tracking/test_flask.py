"""Flask: the rule that matched, the user that was loaded, errors wherever they end; and nothing is loaded for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Blueprint, Flask, Response, abort, current_app, g, redirect, request, send_file, stream_with_context
from flask_login import LoginManager, UserMixin, current_user
from werkzeug.middleware.proxy_fix import ProxyFix

from statusapp.tracking import RequestTracking, TrackingOptions
from statusapp.tracking.fields import UNMATCHED, Record
from statusapp.tracking.flask_app import track
from tests.tracking.collecting import Answered, Collected, ask


class Account(UserMixin):
    """An account whose get_id is a secret, as Flask-Login proposes for sessions that can be ended."""

    def __init__(self, id_: Any) -> None:
        self.id = id_

    def get_id(self) -> str:
        return "session-secret"


class Site:
    """A Flask application with tracking."""

    def __init__(self, options: TrackingOptions | None = None, user_of: Any = None) -> None:
        self.app = Flask("site")
        self.app.secret_key = "x"
        self.app.logger.disabled = True
        self.collected = Collected()
        self.tracking: RequestTracking = track(self.app, self.collected, options, user_of)
        add_views(self.app)

    def get(self, path: str, **environ: Any) -> Answered:
        """Ask for a page."""
        return ask(self.app.wsgi_app, path, **environ)

    @property
    def record(self) -> Record:
        """The record of the one request so far."""
        assert self.tracking.flush(10)
        (record,) = self.collected.records
        return record


def add_views(app: Flask) -> None:
    """Pages of every kind."""

    @app.get("/things/<int(max=999):number>/")
    def thing(number: int) -> str:
        return f"thing {number}"

    @app.get("/fail")
    def fail() -> str:
        raise LookupError("nothing here")

    @app.get("/stream")
    def stream() -> Response:
        def chunks() -> Iterator[str]:
            for _ in range(3):
                yield request.path

        return Response(stream_with_context(chunks()))

    @app.get("/stream-fails")
    def stream_fails() -> Response:
        def chunks() -> Iterator[str]:
            yield "some"
            raise LookupError("half way")

        return Response(stream_with_context(chunks()))

    @app.get("/file")
    def file() -> Response:
        return send_file(Path(__file__))

    @app.get("/abort/<int:code>")
    def aborts(code: int) -> str:
        abort(code)

    @app.get("/elsewhere")
    def elsewhere() -> Any:
        return redirect("/things/1/")

    blueprint = Blueprint("shop", __name__, url_prefix="/shop")

    @blueprint.route("/cart/<name>", methods=["POST", "DELETE"])
    def cart(name: str) -> str:
        return name

    app.register_blueprint(blueprint)


@pytest.mark.parametrize(
    ("path", "environ", "route", "status"),
    [
        ("/things/5/", {}, "/things/<int:number>/", 200),
        ("/shop/cart/bob", {"REQUEST_METHOD": "POST"}, "/shop/cart/<name>", 200),
        ("/things/5/", {"REQUEST_METHOD": "HEAD"}, "/things/<int:number>/", 200),
        ("/nothing/here", {}, UNMATCHED, 404),
        ("/things/five/", {}, UNMATCHED, 404),
        ("/abort/404", {}, "/abort/<int:code>", 404),
        ("/shop/cart/bob", {}, "/shop/cart/<name>", 405),
        ("/things/5/", {"REQUEST_METHOD": "DELETE"}, "/things/<int:number>/", 405),
        ("/things/5", {}, UNMATCHED, 308),
        ("/elsewhere", {}, "/elsewhere", 302),
        ("/stream", {}, "/stream", 200),
        ("/fail", {}, "/fail", 500),
        ("/static/none.css", {}, "/static/<path:filename>", 404),
    ],
)
def test_every_request_has_its_rule(path: str, environ: dict[str, Any], route: str, status: int) -> None:
    site = Site()
    answered = site.get(path, **environ)
    assert (site.record.route, site.record.status) == (route, status)
    assert answered.status.startswith(str(status))
    assert {"X-Request-ID", "X-Response-Time"} <= answered.headers.keys()


def test_a_request_for_a_host_that_is_not_trusted_is_seen_too() -> None:
    site = Site()
    site.app.config["TRUSTED_HOSTS"] = ["example.org"]
    assert site.get("/things/5/").status.startswith("400")
    assert (site.record.route, site.record.status) == (UNMATCHED, 400)


def test_an_unhandled_exception_is_recorded_once_though_flask_answers_it() -> None:
    site = Site()
    site.get("/fail")
    record = site.record
    assert (record.status, record.error_class, record.error_message) == (500, "LookupError", "nothing here")
    assert record.fingerprint


def test_an_exception_that_a_handler_turns_into_an_answer() -> None:
    site = Site()
    site.app.register_error_handler(LookupError, lambda _error: ("sorry", 503))
    assert site.get("/fail").body == b"sorry"
    assert (site.record.status, site.record.error_class) == (503, "LookupError")


def test_an_exception_that_becomes_the_clients_fault_is_none() -> None:
    site = Site()
    site.app.register_error_handler(LookupError, lambda _error: ("sorry", 404))
    site.get("/fail")
    assert (site.record.status, site.record.error_class) == (404, "")


def test_an_abort_with_500_has_a_class() -> None:
    site = Site()
    site.get("/abort/503")
    assert (site.record.status, site.record.error_class) == (503, "werkzeug.exceptions.ServiceUnavailable")


def test_an_exception_outside_of_the_view() -> None:
    site = Site()

    @site.app.after_request
    def break_it(_response: Response) -> Response:
        raise LookupError("after all")

    site.get("/things/5/")
    assert (site.record.status, site.record.error_class) == (500, "LookupError")
    assert site.record.route == "/things/<int:number>/"


def test_exceptions_that_are_propagated_are_recorded_once() -> None:
    site = Site()
    site.app.config["PROPAGATE_EXCEPTIONS"] = True
    with pytest.raises(LookupError):
        site.get("/fail")
    assert (site.record.status, site.record.error_class, site.record.route) == (500, "LookupError", "/fail")


def test_a_stream_in_the_context_of_its_request() -> None:
    site = Site()
    assert site.get("/stream").body == b"/stream" * 3
    assert site.record.response_bytes == 21
    site = Site()
    with pytest.raises(LookupError):
        site.get("/stream-fails")
    assert (site.record.error_class, site.record.route, site.record.response_bytes) == (
        "LookupError",
        "/stream-fails",
        4,
    )


def test_a_file() -> None:
    site = Site()
    assert site.get("/file").body == Path(__file__).read_bytes()
    assert site.record.response_bytes == Path(__file__).stat().st_size


def test_a_proxy_fix_around_or_inside_gives_the_clients_address() -> None:
    for is_outside in (True, False):
        app = Flask("proxied")
        collected = Collected()
        if is_outside:
            tracking = track(app, collected)
            app.wsgi_app = ProxyFix(app.wsgi_app)  # type: ignore[method-assign]
        else:
            app.wsgi_app = ProxyFix(app.wsgi_app)  # type: ignore[method-assign]
            tracking = track(app, collected)
        ask(app.wsgi_app, HTTP_X_FORWARDED_FOR="198.51.100.7")
        assert tracking.flush(10)
        assert collected.records[0].address == "198.51.100.0"


@pytest.fixture
def loads() -> list[str]:
    """The ids of the accounts that were loaded."""
    return []


def with_login(site: Site, loads: list[str], account: Any = None) -> Site:
    """Add accounts, and pages that look at them and do not."""
    manager = LoginManager(site.app)

    @manager.request_loader
    def load(_request: Any) -> Any:
        loads.append("loaded")
        return account

    @site.app.get("/public")
    def public() -> str:
        return "public"

    @site.app.get("/private")
    def private() -> str:
        return str(current_user.is_authenticated)

    return site


def test_a_page_that_looks_at_the_account_has_its_id(loads: list[str]) -> None:
    site = with_login(Site(), loads, Account(7))
    assert site.get("/private").body == b"True"
    assert (site.record.user, loads) == ("7", ["loaded"])


def test_a_public_page_loads_no_account(loads: list[str]) -> None:
    site = with_login(Site(), loads, Account(7))
    site.get("/public")
    assert (site.record.user, loads) == ("", [])


def test_nobody_who_is_signed_in_is_no_user(loads: list[str]) -> None:
    site = with_login(Site(), loads)
    assert site.get("/private").body == b"False"
    assert site.record.user == ""


def test_users_may_be_left_out(loads: list[str]) -> None:
    site = with_login(Site(TrackingOptions(keep_users=False)), loads, Account(7))
    site.get("/private")
    assert site.record.user == ""


def test_an_id_that_is_not_at_hand_is_not_fetched(loads: list[str]) -> None:
    class Stored(UserMixin):
        """As an object of SQLAlchemy that has expired: its id would come from the database."""

        @property
        def id(self) -> int:
            loads.append("from the database")
            return 7

    site = with_login(Site(), loads, Stored())
    site.get("/private")
    assert (site.record.user, loads) == ("", ["loaded"])


def test_the_host_may_say_who_the_user_is() -> None:
    site = Site(user_of=lambda: g.customer)

    @site.app.before_request
    def know() -> None:
        g.customer = f"customer of {current_app.name}"

    site.get("/things/5/")
    assert site.record.user == "customer of site"


def test_a_host_that_cannot_say_it_breaks_nothing() -> None:
    site = Site(user_of=lambda: g.customer)
    assert site.get("/things/5/").body == b"thing 5"
    assert (site.record.user, site.record.route) == ("", "/things/<int:number>/")


def test_the_test_client_works() -> None:
    site = Site()
    with site.app.test_client() as client:
        # Without this, Werkzeug closes an answer when it is thrown away.
        assert client.get("/things/5/", buffered=True).headers["X-Request-ID"]
        assert client.get("/fail", buffered=True).status_code == 500
    assert site.tracking.flush(10)
    assert [record.route for record in site.collected.records] == ["/things/<int:number>/", "/fail"]
