"""A secret that is planted in every place of a request is in no record, whatever the application does with it."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask, request

from statusapp.tracking import TrackingOptions
from statusapp.tracking.flask_app import track
from tests.tracking.collecting import Collected, Tracked, ask

BOUNDARY = "----b0undary"
PLAIN_WORD = "winterbourne"
CANARIES = [
    "CANARY-7f3a9c21",
    PLAIN_WORD,
    "Geheim Nis",
    "s3cr3t",
    "4929 1234 5678 9012",
    "quoted' \"one",
    "J\u00e4ger\u00e9",
]


def multipart(name: str, filename: str | None, content: str) -> dict[str, Any]:
    """A form with one field or file."""
    file = f'; filename="{filename}"' if filename is not None else ""
    text = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n{content}\r\n--{BOUNDARY}--\r\n'
    return {"body": text.encode(), "CONTENT_TYPE": f"multipart/form-data; boundary={BOUNDARY}"}


def as_header(text: str) -> str:
    """As a WSGI server gives the bytes of a header or path."""
    return text.encode().decode("latin-1")


# The twelve places, and some more: how a secret gets into a request.
PLACES: dict[str, Callable[[str], dict[str, Any]]] = {
    "query": lambda secret: {"QUERY_STRING": f"q={quote(secret)}&page=2"},
    "header": lambda secret: {"HTTP_X_API_KEY": as_header(secret)},
    "cookie": lambda secret: {"HTTP_COOKIE": f"sessionid={as_header(secret)}; theme=dark"},
    "body": lambda secret: {"body": secret.encode(), "CONTENT_TYPE": "text/plain"},
    "user-info": lambda secret: {
        "HTTP_AUTHORIZATION": "Basic " + base64.b64encode(f"bob:{secret}".encode()).decode(),
        "HTTP_X_ORIGINAL_URL": f"https://bob:{as_header(secret)}@example.com/",
    },
    "form": lambda secret: {
        "body": f"name={quote(secret)}".encode(),
        "CONTENT_TYPE": "application/x-www-form-urlencoded",
    },
    "multipart form": lambda secret: multipart("name", None, secret),
    "json": lambda secret: {"body": json.dumps({"a": [{"b": secret}]}).encode(), "CONTENT_TYPE": "application/json"},
    "error text": lambda secret: {"body": json.dumps({"note": secret}).encode(), "CONTENT_TYPE": "application/json"},
    "referrer": lambda secret: {"HTTP_REFERER": f"https://example.com/find?q={quote(secret)}"},
    "user agent": lambda secret: {"HTTP_USER_AGENT": f"{as_header(secret)}/1.0 (X11; {as_header(secret)}) Firefox/1"},
    "path": lambda secret: {"PATH_INFO": f"/things/{as_header(secret)}"},
    "path that matches nothing": lambda secret: {"PATH_INFO": f"/nothing/{as_header(secret)}"},
    "file name": lambda secret: multipart("file", f"{secret}.txt", "content"),
    "bearer token": lambda secret: {"HTTP_AUTHORIZATION": f"Bearer {as_header(secret)}"},
    "method": lambda secret: {"REQUEST_METHOD": as_header(secret)},
    "request id": lambda secret: {"HTTP_X_REQUEST_ID": f"{as_header(secret)} {as_header(secret)}"},
    "forwarded for": lambda secret: {"HTTP_X_FORWARDED_FOR": as_header(secret), "REMOTE_ADDR": as_header(secret)},
}

# What an application does with it.
ERRORS: dict[str, Callable[[str], BaseException]] = {
    "sentence": lambda secret: ValueError(f"bad {secret}"),
    "key": KeyError,
    "arguments": lambda secret: RuntimeError(secret, {"a": secret}),
    "url": lambda secret: OSError(f"cannot open https://example.com/{secret}?q={secret}"),
    "pair": lambda secret: ValueError(f"token={secret} rejected"),
    "colon": lambda secret: ValueError(f"no such user: {secret}"),
    "embedded": lambda secret: ValueError(f"user_{secret}_missing and pre{secret}post"),
    "shouted": lambda secret: ValueError(f"NO {secret.upper()} HERE"),
    "file": lambda secret: FileNotFoundError(2, "No such file or directory", f"/srv/{secret}.txt"),
    "lines": lambda secret: ValueError(f"first line\nsecond {secret}\n{secret}"),
}


def pieces(secret: str) -> list[str]:
    """What must be nowhere: the secret, in any case and encoding, and each of its words."""
    words = [secret, *(word for word in secret.replace("'", " ").replace('"', " ").replace("-", " ").split())]
    return [text.lower() for word in words if len(word) > 3 for text in (word, quote(word), as_header(word))]


def assert_clean(collected: Collected, secret: str) -> None:
    """No record holds it, in whatever form."""
    assert collected.records
    for record in collected.records:
        # Not the numbers: a time may well have the digits of a card in it.
        texts = [value for value in record if isinstance(value, str) and value != record.request_id]
        told = json.dumps(texts, ensure_ascii=False).lower()
        for piece in pieces(secret):
            assert piece not in told
        assert secret not in record.request_id


@pytest.mark.parametrize("secret", CANARIES)
@pytest.mark.parametrize("place", PLACES)
def test_no_record_holds_the_secret(place: str, secret: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="statusapp.tracking")

    def app(environ: dict[str, Any], _start_response: Any) -> list[bytes]:
        environ["wsgi.input"].read()
        raise ERRORS[environ["test.error"]](secret)

    tracked = Tracked(app, TrackingOptions(route_of=lambda _environ: "/things/<name>"))
    for kind in ERRORS:
        with pytest.raises(Exception):  # noqa: B017, PT011 - each is of another class
            tracked.call(**{"test.error": kind, **PLACES[place](secret)})
    assert tracked.tracking.flush(10)
    assert len(tracked.collected.records) == len(ERRORS)
    assert_clean(tracked.collected, secret)
    assert not [piece for piece in pieces(secret) if piece in caplog.text.lower()]


@pytest.mark.parametrize("secret", CANARIES)
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.filterwarnings("ignore")
def test_no_record_of_a_flask_application_holds_it(place: str, secret: str) -> None:
    app = Flask("canary")
    app.logger.disabled = True
    collected = Collected()
    tracking = track(app, collected)

    @app.route("/things/<name>", methods=["GET", "POST"])
    @app.route("/", methods=["GET", "POST"], defaults={"name": ""})
    def fail(name: str) -> str:
        """Reads all that Flask reads, and fails."""
        assert request.args is not None
        assert request.form is not None
        assert request.files is not None
        assert request.get_data() is not None
        raise ValueError(f"bad {secret} {name}")

    ask(app.wsgi_app, **PLACES[place](secret))
    assert tracking.flush(10)
    assert_clean(collected, secret)


def test_what_is_kept_of_such_a_request_is_still_of_use() -> None:
    def app(environ: dict[str, Any], _start_response: Any) -> list[bytes]:
        environ["wsgi.input"].read()
        raise ValueError(f"cannot parse {PLAIN_WORD} in field")

    tracked = Tracked(app)
    with pytest.raises(ValueError, match="cannot parse"):
        tracked.call(**PLACES["form"](PLAIN_WORD))
    assert tracked.record.error_message == "cannot parse *** in field"
