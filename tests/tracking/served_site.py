"""A Flask application for a real server: `gunicorn tests.tracking.served_site:app`, its Redis in REDIS_URL."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

from flask import Flask, Response, request, send_file

from statusapp.tracking import RedisStream, TrackingOptions
from statusapp.tracking.flask_app import track

app = Flask(__name__)
tracking = track(app, RedisStream(os.environ["REDIS_URL"]), TrackingOptions("served", flush_s=0.1, buffer_size=200))


@app.get("/hello/<name>")
def hello(name: str) -> str:
    """A page; who answers it is a header."""
    return f"hello {name}"


@app.after_request
def say_who(response: Response) -> Response:
    """Name the process that answers."""
    response.headers["X-Process"] = str(os.getpid())
    return response


@app.post("/upload")
def upload() -> str:
    """Reads a body."""
    return str(len(request.get_data()))


@app.get("/fail")
def fail() -> str:
    """Fails."""
    raise LookupError("nothing here")


@app.get("/file")
def file() -> Response:
    """A file, sent by the server's own means."""
    return send_file(Path(__file__))


@app.get("/stream")
def stream() -> Response:
    """Goes on until the client has gone away; ten seconds at most."""

    def chunks() -> Iterator[bytes]:
        for _ in range(1000):
            yield b"x" * 10_000
            time.sleep(0.01)

    return Response(chunks())
