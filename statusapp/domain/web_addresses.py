"""Addresses as operators may see them: without what is secret in them."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

HIDDEN = "***"
# The address of an endpoint that is not asked but calls in.
HEARTBEAT = "heartbeat:"


def masked(url: str) -> str:
    """`url` with *** in place of its password and of the values of its query."""
    parts = urlsplit(url)
    netloc = parts.netloc
    userinfo, at, host = netloc.rpartition("@")
    if at:
        user, colon, _ = userinfo.partition(":")
        # A name without a password is often a token.
        netloc = f"{user}:{HIDDEN}@{host}" if colon else f"{HIDDEN}@{host}"
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    query = urlencode([(name, HIDDEN if value else "") for name, value in pairs], safe="*") if pairs else parts.query
    if netloc == parts.netloc and not any(value for _, value in pairs):
        return url
    return urlunsplit((parts.scheme, netloc, parts.path, query, ""))


def secrets_in(url: str) -> tuple[str, ...]:
    """The texts that `masked` hides."""
    parts = urlsplit(url)
    userinfo, at, _ = parts.netloc.rpartition("@")
    password = (userinfo.partition(":")[2] or userinfo) if at else ""
    values = [value for _, value in parse_qsl(parts.query, keep_blank_values=True)]
    raw = [pair.partition("=")[2] for pair in parts.query.split("&")]
    return tuple(dict.fromkeys(text for text in (password, *values, *raw) if text))
