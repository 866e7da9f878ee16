"""Requests offered to the middleware around a null application, at a steady rate and in one process:
`python -m benchmarks.tracking_offer RATE SECONDS REDIS_URL`; prints figures as JSON.

Every tenth request goes to the null application alone, so that what the middleware adds is seen in the same run.
"""

from __future__ import annotations

import json
import sys
import time
from array import array
from typing import Any

import psutil

from statusapp.tracking import RedisStream, RequestTracking, TrackingOptions

TICK_S = 0.001
WARM_UP_S = 5
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


def null(_environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """An application that does nothing."""
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
    return [b"ok"]


def start_response(_status: str, _headers: list[tuple[str, str]], _exc_info: Any = None) -> Any:
    """A server that does nothing."""
    return None


def call(app: Any, number: int) -> int:
    """One request; the nanoseconds it took."""
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": f"/things/{number}",
        "QUERY_STRING": "a=b",
        "REMOTE_ADDR": f"203.0.{number % 200}.{number % 250}",
        "HTTP_USER_AGENT": AGENT,
        "statusapp.route": "/things/<int:number>",
    }
    begun = time.perf_counter_ns()
    body = app(environ, start_response)
    for _ in body:
        pass
    if hasattr(body, "close"):
        body.close()
    return time.perf_counter_ns() - begun


def main(rate: int, seconds: float, redis_url: str) -> None:
    """Offer, and print the figures."""
    tracked = RequestTracking(null, RedisStream(redis_url), TrackingOptions("benchmark"))
    process = psutil.Process()
    times, bare = array("Q"), array("Q")
    begun = time.monotonic()
    offered, rss_begin = 0, 0
    while (now := time.monotonic() - begun) < seconds:
        while offered < now * rate:
            offered += 1
            times.append(call(tracked, offered))
            if offered % 10 == 0:
                bare.append(call(null, offered))
        if not rss_begin and now > min(WARM_UP_S, seconds / 2):
            # From here on the lists of times grow no more than they are already.
            rss_begin, times, bare = process.memory_info().rss, array("Q"), array("Q")
        time.sleep(TICK_S)
    times_bytes = (len(times) + len(bare)) * 8
    figures = {
        "offered": offered,
        "seconds": time.monotonic() - begun,
        "dropped": tracked.dropped,
        "rss_begin": rss_begin,
        "rss_end": process.memory_info().rss - times_bytes,
        "times": percentiles(times),
        "bare": percentiles(bare),
    }
    tracked.close(10)
    print(json.dumps(figures))


def percentiles(times: array[int]) -> tuple[int, int]:
    """Median and 99th percentile."""
    found = sorted(times)
    return found[len(found) // 2], found[int(len(found) * 0.99)]


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3])
