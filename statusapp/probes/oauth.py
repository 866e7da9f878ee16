"""OAuth 2 client credentials (RFC 6749, 4.4): the token a probe fetches before its request, and keeps."""

from __future__ import annotations

import json
import time
from urllib.parse import quote, urlencode

import pycurl

from statusapp.probes.http_options import HttpOptions
from statusapp.probes.http_transfer import Transfer

# A token is renewed this long before its end, so that none expires on its way.
MARGIN_S = 30.0
DEFAULT_LIFE_S = 300.0

Account = tuple[str, str, str, str]


class NoToken(Exception):
    """The token server has answered, but not with a token."""


class Tokens:
    """The tokens of this process."""

    def __init__(self) -> None:
        self._tokens: dict[Account, tuple[str, float]] = {}

    def get(self, options: HttpOptions) -> str | None:
        """The token that is still good, if there is one."""
        token, expires = self._tokens.get(_account(options), ("", 0.0))
        return token if expires > time.monotonic() else None

    def forget(self, options: HttpOptions) -> None:
        """Fetch a new one next time: the server did not take this one."""
        self._tokens.pop(_account(options), None)

    def keep(self, options: HttpOptions, transfer: Transfer) -> str:
        """The token in an answer.

        Raises:
            NoToken: when there is none.
        """
        status_code = transfer.handle.getinfo(pycurl.RESPONSE_CODE)
        if status_code != 200:
            raise NoToken(f"HTTP {status_code}, expected 200")
        try:
            answer = json.loads(transfer.body or b"")
            token, life = answer["access_token"], float(answer.get("expires_in") or DEFAULT_LIFE_S)
        except (ValueError, OverflowError, KeyError, TypeError, AttributeError, RecursionError):
            raise NoToken("the answer holds no access_token") from None
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise NoToken("the access_token cannot be sent in a header")
        self._tokens[_account(options)] = (token, time.monotonic() + life - MARGIN_S)
        return token


def ask(handle: pycurl.Curl, options: HttpOptions) -> None:
    """Set the request for a token on a handle for POST."""
    fields = {"grant_type": "client_credentials"} | ({"scope": options.oauth_scope} if options.oauth_scope else {})
    handle.setopt(pycurl.POSTFIELDS, urlencode(fields))
    handle.setopt(pycurl.HTTPHEADER, ["Accept: application/json"])
    # Both are form-encoded before they become user name and password (RFC 6749, 2.3.1).
    handle.setopt(pycurl.USERNAME, quote(options.oauth_client_id, safe=""))
    handle.setopt(pycurl.PASSWORD, quote(options.oauth_client_secret, safe=""))


def _account(options: HttpOptions) -> Account:
    return options.oauth_token_url, options.oauth_client_id, options.oauth_client_secret, options.oauth_scope
