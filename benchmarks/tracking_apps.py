"""The trivial Flask application of `benchmarks.tracking`, bare and watched, each request timed from outside.

For gunicorn: `benchmarks.tracking_apps:bare`, `:tracked` (its Redis in REDIS_URL), `:dashboard` (in an environment
of its own, with flask-monitoringdashboard). GET /-/times gives the times since the last asking, in nanoseconds.
"""

from __future__ import annotations

import json
import os
import time
from array import array
from collections.abc import Iterable, Iterator
from typing import Any

from flask import Flask

_clock = time.perf_counter_ns


class Timed:
    """Any WSGI application; every request is timed until its answer is closed."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.times = array("Q")

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer a request."""
        if environ["PATH_INFO"] == "/-/times":
            times, self.times = self.times, array("Q")
            start_response("200 OK", [("Content-Type", "application/json")])
            return [json.dumps(times.tolist()).encode()]
        begun = _clock()
        return TimedBody(self, self._app(environ, start_response), begun)


class TimedBody:
    """An answer that is timed."""

    __slots__ = ("_begun", "_body", "_timed")

    def __init__(self, timed: Timed, body: Iterable[bytes], begun: int) -> None:
        self._timed, self._body, self._begun = timed, body, begun

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._body)

    def close(self) -> None:
        """The end of it."""
        close = getattr(self._body, "close", None)
        if close is not None:
            close()
        self._timed.times.append(_clock() - self._begun)


def site() -> Flask:
    """One page, as small as it gets."""
    app = Flask("site")

    @app.get("/hello/<name>")
    def hello(name: str) -> str:
        return f"hello {name}"

    return app


def __getattr__(name: str) -> Timed:
    """The applications, each made when it is asked for."""
    app = site()
    if name == "tracked":
        from statusapp.tracking import RedisStream, TrackingOptions
        from statusapp.tracking.flask_app import track

        track(app, RedisStream(os.environ["REDIS_URL"]), TrackingOptions("benchmark"))
    elif name == "dashboard":
        import flask_monitoringdashboard

        flask_monitoringdashboard.bind(app)
    elif name != "bare":
        raise AttributeError(name)
    return Timed(app)
