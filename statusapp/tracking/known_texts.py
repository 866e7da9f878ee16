"""What a request brought along, as texts that the message of its error must not repeat.

The path, the query, every header and the beginning of the body are taken apart; what is left is used for the one
message and forgotten.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote_plus

from statusapp.tracking.fields import METHODS

MAX_TEXTS = 500
MAX_WORDS = 3000
MAX_LENGTH = 8192
# A shorter value, or a shorter word of one, is looked for as a word only: inside of words it would be found everywhere.
SHORTEST_PART = 4
SHORTEST_WORD_PART = 6

_words_of = re.compile(r"\w{2,}").findall
_is_plain_name = re.compile(r"[a-z]+(?:[_-][a-z]+){0,4}|[a-z]+(?:[A-Z][a-z]+){0,4}").fullmatch
# Words of every request, which tell nothing and are in the messages of errors too.
_COMMON_WORDS = (
    "text html xhtml application json xml image avif webp apng video audio gzip deflate zstd identity keep alive close "
    "mozilla like gecko version mobile linux windows macintosh safari chrome firefox utf charset none null true false "
    "cors same origin site navigate document empty cross content type form data urlencoded multipart plain octet "
    "stream disposition boundary name filename max age cache control no and or the not for with from is in of to a an "
    "http https www localhost python requests curl bearer basic"
)
_COMMON = frozenset(_COMMON_WORDS.split())


# What a client can write elsewhere than in headers, and the id that was refused.
REFUSED_ID_KEY = "statusapp.refused_request_id"
_TOLD_BESIDE = ("REMOTE_USER", "REQUEST_METHOD", REFUSED_ID_KEY)


class RequestTexts(NamedTuple):
    """The raw texts of a request that failed.

    Attributes:
        path: the path that was asked for.
        query: the query string.
        headers: the values of all headers, and what else the client could write into a request.
        content_type: of the body.
        body: its beginning, as far as the application has read it.
    """

    path: str
    query: str
    headers: tuple[str, ...]
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Known:
    """Texts that must not be repeated, in lower case.

    Attributes:
        parts: to be taken out wherever they stand, the longest first.
        words: to be taken out where they are a word by themselves.
    """

    parts: tuple[str, ...] = ()
    words: frozenset[str] = frozenset()


def texts_of(environ: dict[str, Any], body: bytes) -> RequestTexts:
    """What of a WSGI environment is needed for `known_texts`; copies nothing but references."""
    headers = [value for key, value in environ.items() if key.startswith("HTTP_") and isinstance(value, str)]
    beside = [str(environ.get(key, "")) for key in _TOLD_BESIDE]
    return RequestTexts(
        str(environ.get("PATH_INFO", "")),
        str(environ.get("QUERY_STRING", "")),
        (*headers, *(value for value in beside if value not in METHODS)),
        str(environ.get("CONTENT_TYPE", "")),
        body,
    )


def known_texts(request: RequestTexts, route: str) -> Known:
    """What the message of an error must not repeat.

    Args:
        route: the template; its own words are no secrets.
    """
    values = [text for source in _sources(request, route) for text in _variants(source[:MAX_LENGTH]) if text]
    texts = {value.strip().lower() for value in values[:MAX_TEXTS]}
    words: set[str] = {text for text in texts if len(text) < SHORTEST_PART}
    for value in values:
        if len(words) > MAX_WORDS:
            break
        words.update(_words_of(value.lower()))
    parts = {text for text in texts if len(text) >= SHORTEST_PART}
    parts |= {word for word in words if len(word) >= SHORTEST_WORD_PART}
    return Known(tuple(sorted(parts - _COMMON, key=len, reverse=True)), frozenset(words - _COMMON))


def _sources(request: RequestTexts, route: str) -> Iterator[str]:
    """Each value that came with the request."""
    template = set(route.split("/"))
    yield from (segment for segment in request.path.split("/") if segment not in template)
    yield from _pairs(request.query)
    for header in request.headers:
        yield header
        yield from re.split(r"[;,&=\s]+", header)
        yield from _credentials(header)
    if request.body:
        yield from _body_values(request.content_type.partition(";")[0].strip().lower(), request.body)


def _variants(text: str) -> Iterable[str]:
    """A text as it came, decoded from what WSGI makes of UTF-8, and without percent signs."""
    found = {text}
    try:
        found.add(text.encode("latin-1").decode("utf-8", "ignore"))
    except UnicodeEncodeError:
        pass  # It is no text of WSGI's own.
    return found | {unquote_plus(variant) for variant in found if "%" in variant or "+" in variant}


def _pairs(text: str) -> Iterator[str]:
    """The values of a query string or a form, and what has no name."""
    for name, value in parse_qsl(text, keep_blank_values=True):
        yield from (() if _is_plain_name(name) and value else (name,))
        yield value


def _credentials(header: str) -> Iterator[str]:
    """User and password of basic authentication."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() == "basic":
        try:
            yield from base64.b64decode(encoded + "==").decode("utf-8", "ignore").split(":", 1)
        except (binascii.Error, ValueError):
            pass  # What it is as a text is among the values anyway.


def _body_values(content_type: str, body: bytes) -> Iterator[str]:
    text = body.decode("utf-8", "ignore")
    if content_type == "application/x-www-form-urlencoded":
        yield from _pairs(text)
        return
    try:
        # Whatever it says it is: many applications take JSON under any name.
        yield from _leaves(json.loads(text))
    except (ValueError, RecursionError):
        # Something else, or the beginning of something long: every word of it.
        yield from re.split(r"""[\s"'<>,;:&={}\[\]()]+""", text)
        yield from text.splitlines()


def _leaves(value: Any) -> Iterator[str]:
    """The values in a JSON document, and such names as do not look like names."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from (() if _is_plain_name(name) else (name,))
            yield from _leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)
    elif value is not None and not isinstance(value, bool):
        yield str(value)
