"""Asking a service over HTTP: one answer, within a deadline and a size, from the host that was asked and no other."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
import urllib3

from statusapp.domain.enums import ExternalStatus
from statusapp.probes.external.service import DEADLINE_S, NO_TLS, ExternalResult, Meanings, explained

LARGEST_BODY = 64 * 1024
MOST_REDIRECTS = 3
PIECE = 4096
USER_AGENT = "Statusapp"
# The library has no deadline for the whole. These parts of it make the usual ways of hanging end before it does.
CONNECT_SHARE, ANSWER_SHARE = 0.3, 0.9
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
# A network that is cut on our side looks like a name that is not found, no route or a connection that does not come
# about: nothing is known of the service then.
_MEANINGS: Meanings = (
    (requests.ConnectTimeout, ExternalStatus.UNKNOWN, "no connection in time"),
    (requests.exceptions.SSLError, ExternalStatus.DOWN, NO_TLS),
    (requests.Timeout, ExternalStatus.DOWN, "it takes connections and does not answer"),
    (socket.gaierror, ExternalStatus.UNKNOWN, "its name is not found"),
    (ConnectionRefusedError, ExternalStatus.DOWN, "it refuses connections"),
    (TimeoutError, ExternalStatus.DOWN, "it begins to answer and stops"),
    ((ConnectionError, http.client.IncompleteRead), ExternalStatus.DOWN, "it breaks the connection off"),
    (http.client.HTTPException, ExternalStatus.DOWN, "its answer is no HTTP"),
    (requests.ConnectionError, ExternalStatus.UNKNOWN, "it cannot be reached from here"),
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service said. `body` has the first 64 KiB; the duration is up to their end, redirects included."""

    status_code: int
    body: bytes
    duration_us: int

    def json(self) -> Any:
        """The body as JSON; None when it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


def ask(
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    auth: tuple[str, str] | None = None,
    deadline_s: float = DEADLINE_S,
) -> Answer | ExternalResult:
    """GET an address; the result instead of an answer where there is none.

    Neither proxies nor `.netrc` of the environment are used: what is asked, and with which credentials, is in the
    arguments alone.
    """
    started = time.monotonic()
    with requests.Session() as session:
        session.trust_env = False
        try:
            for _ in range(MOST_REDIRECTS + 1):
                found = _get(session, url, headers, auth, started, deadline_s)
                if not isinstance(found, str):
                    return found
                following = urljoin(url, found)
                if _origin(following) != _origin(url):
                    # Credentials are for the one who was asked.
                    return ExternalResult(ExternalStatus.UNKNOWN, "it redirects to another address")
                url = following
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            return explained(error, _MEANINGS)
    return ExternalResult(ExternalStatus.UNKNOWN, "it redirects in a circle")


def refused(answer: Answer) -> ExternalResult:
    """What an answer amounts to that is not a good one."""
    code, took = answer.status_code, answer.duration_us
    if code in (401, 403):
        return ExternalResult(ExternalStatus.UNKNOWN, f"the credentials are refused ({code})", took)
    if code == 429:
        return ExternalResult(ExternalStatus.UNKNOWN, "it is asked too often (429)", took)
    if code >= 500:
        return ExternalResult(ExternalStatus.DOWN, f"it answers {code}", took)
    return ExternalResult(ExternalStatus.UNKNOWN, f"it answers {code}, which is not expected", took)


def _get(
    session: requests.Session,
    url: str,
    headers: Mapping[str, str] | None,
    auth: tuple[str, str] | None,
    started: float,
    deadline_s: float,
) -> Answer | ExternalResult | str:
    """One answer, or the address that it redirects to."""
    timeouts = (CONNECT_SHARE * deadline_s, ANSWER_SHARE * deadline_s)
    # Nothing compressed, which may be any size when unpacked.
    plain = {"User-Agent": USER_AGENT, **(headers or {}), "Accept-Encoding": "identity"}
    with session.get(url, headers=plain, auth=auth, timeout=timeouts, allow_redirects=False, stream=True) as response:
        location = response.headers.get("Location")
        if response.status_code in _REDIRECTS and location:
            return location
        body = b""
        # What is there, piece by piece: to wait for a whole block would be to wait for a server that drips.
        while len(body) < LARGEST_BODY and (piece := response.raw.read1(PIECE, decode_content=False)):
            body += piece
            if time.monotonic() - started > deadline_s * ANSWER_SHARE:
                return ExternalResult(ExternalStatus.DOWN, f"its answer has no end within {deadline_s:g} s")
        return Answer(response.status_code, body[:LARGEST_BODY], round((time.monotonic() - started) * 1e6))


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port
