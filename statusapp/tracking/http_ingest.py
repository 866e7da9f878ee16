"""Batches over HTTP, for hosts that do not reach the server's Redis."""

from __future__ import annotations

import ssl
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPSHandler,
    OpenerDirector,
    Request,
)

from statusapp.tracking.transports import TransportError
from statusapp.tracking.wire import INGEST_PATH

TIMEOUT_S = 5.0
# Refusals that are not about the batch: it took too long, or too many came at once.
_WORTH_ANOTHER_TRY = (408, 429)


class HttpIngest:
    """Posts batches to a server's ingest endpoint with a token. Redirects and proxies of the environment are not
    followed, so the token goes to this server and nowhere else."""

    def __init__(self, url: str, token: str) -> None:
        """Opens no connection.

        Args:
            url: the server's address, such as "https://status.example.org", perhaps with the path that the product
                lies under.
            token: an ingest token of that server.

        Raises:
            ValueError: when one of them cannot be used. The message does not repeat the token.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("the server's address must begin with https:// or http:// and name a host")
        if parts.username is not None or parts.query or parts.fragment:
            raise ValueError("the server's address must have no user, query or fragment")
        if not token or not token.isascii() or not token.isprintable() or " " in token:
            raise ValueError("the token must be of printable ASCII characters without spaces")
        self._url = url.rstrip("/") + INGEST_PATH
        self._authorization = f"Bearer {token}"
        self._opener: OpenerDirector | None = None

    def send(self, document: bytes) -> None:
        """Post a document.

        Raises:
            TransportError: when the server refuses it or does not answer within 5 seconds.
        """
        headers = {"Authorization": self._authorization, "Content-Type": "application/json"}
        if document[:1] != b"{":
            headers["Content-Encoding"] = "deflate"
        request = Request(self._url, document, headers, method="POST")  # noqa: S310 - the scheme was looked at
        if self._opener is None:
            self._opener = _opener()
        try:
            with self._opener.open(request, timeout=TIMEOUT_S) as answer:
                answer.read(1024)
        except HTTPError as error:
            with error:
                permanent = error.code < 500 and error.code not in _WORTH_ANOTHER_TRY
            raise TransportError(f"the server answers {error.code}", permanent=permanent) from None
        except (OSError, HTTPException) as error:
            raise TransportError(f"the server cannot be reached: {error}") from error

    def reset(self) -> None:
        """There is no connection to forget: each batch has its own."""

    def close(self) -> None:
        """There is no connection to close."""


def _opener() -> OpenerDirector:
    """What follows no redirect and no proxy, and loads the authorities once, not at each batch."""
    opener = OpenerDirector()
    for handler in (
        HTTPHandler(),
        HTTPSHandler(context=ssl.create_default_context()),
        HTTPDefaultErrorHandler(),
        HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    return opener
