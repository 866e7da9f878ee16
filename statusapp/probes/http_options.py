"""What an operator can say about an HTTP check beyond address, method and codes."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from statusapp.domain.options import InvalidOption, option

METHOD = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,20}")  # A token of RFC 9110, 5.6.2.
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
CONTENT_TYPES = {"raw": None, "json": "application/json", "form": "application/x-www-form-urlencoded"}
PROXY = re.compile(r"(?:https?|socks4a?|socks5h?)://\S+")


@dataclass(frozen=True, slots=True)
class HttpOptions:
    """The options of an HTTP check."""

    headers: dict[str, str] = option({}, "request headers", secret=True)
    body: str = option("", "the request's body", secret=True)
    body_type: str = option("raw", "what the body is: sets the Content-Type", choices=tuple(CONTENT_TYPES))
    username: str = option("", "user name for basic authentication")
    password: str = option("", "password for basic authentication", secret=True)
    bearer_token: str = option("", "token for the Authorization header", secret=True)
    oauth_token_url: str = option("", "where a token is fetched from first (OAuth 2 client credentials)")
    oauth_client_id: str = option("", "client id for that")
    oauth_client_secret: str = option("", "client secret for that", secret=True)
    oauth_scope: str = option("", "scope for that")
    follow_redirects: int = option(0, "how many redirects are followed", low=0, high=20)
    ip_version: str = option("any", "which addresses of a name are used", choices=("any", "4", "6"))
    proxy: str = option("", "address of a proxy, as in http://user:password@host:3128", secret=True)
    verify_tls: bool = option(True, "whether the certificate must be valid")
    ca_certificate: str = option("", "PEM of an authority to trust instead of the usual ones")
    client_certificate: str = option("", "PEM of a certificate to show to the server")
    client_key: str = option("", "PEM of its key", secret=True)
    http_version: str = option("auto", "HTTP version", choices=("auto", "1.1", "2"))

    def __post_init__(self) -> None:
        for name, value in self.headers.items():
            if not _TOKEN.fullmatch(name):
                raise InvalidOption(f"{name!r} cannot be the name of a header", "headers")
            if any(character in value for character in "\r\n\0"):
                raise InvalidOption(f"the header {name} holds a line break", "headers")
        if self.body_type == "json" and self.body:
            try:
                json.loads(self.body)
            except (ValueError, RecursionError):
                raise InvalidOption("the body is not JSON, though body_type says so", "body") from None
        if self.proxy and not PROXY.fullmatch(self.proxy):
            raise InvalidOption("proxy must look like http://host:3128 or socks5://host:1080", "proxy")
        if bool(self.client_key) != bool(self.client_certificate):
            raise InvalidOption("client_certificate and client_key belong together", "client_key")
        if self.oauth_token_url and not self.oauth_token_url.lower().startswith(("http://", "https://")):
            raise InvalidOption("oauth_token_url must begin with http:// or https://", "oauth_token_url")
        given = (bool(self.username), bool(self.bearer_token), bool(self.oauth_token_url))
        if sum(given) > 1:
            raise InvalidOption("only one of username, bearer_token and oauth_token_url can be used", "username")

    @property
    def content_type(self) -> str | None:
        """The Content-Type that goes with the body."""
        return CONTENT_TYPES[self.body_type]


PLAIN = HttpOptions()
