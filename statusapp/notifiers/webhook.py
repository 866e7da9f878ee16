"""Our own webhook: JSON by POST, signed, with a number that stays the same when it is sent again."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import requests

from statusapp.domain.instants import SECOND, from_us
from statusapp.domain.messages import Event, Message
from statusapp.domain.web_addresses import HIDDEN
from statusapp.notifiers.kind import DeliveryError, Destination, InvalidDestination, Kind, Sending, is_permanent

VERSION = 1
READ_AT_MOST = 2048
SHORTEST_SECRET = 16
_INSTANTS = ("since", "fired_at", "at", "resolved_at", "starts_at", "ends_at")


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """What stands in X-Statusapp-Signature: sha256= and the HMAC over the timestamp, a dot and the body."""
    signed = f"{timestamp}.".encode() + body
    return f"sha256={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"


def payload(message: Message, now: int) -> bytes:
    """The body of the request; docs/notifications.md describes it."""
    content = {
        "version": VERSION,
        "batch": message.batch,
        "sent_at": _iso(now * SECOND),
        "title": message.title,
        "events": [_event(event) for event in message.events],
    }
    return json.dumps(content, separators=(",", ":")).encode()


def _event(event: Event) -> dict[str, Any]:
    data = {
        name: _iso(value) if name in _INSTANTS and isinstance(value, int) else value
        for name, value in event.data.items()
        if name not in ("severity", "lasted_us", "html", "brief")
    }
    span = event.data.get("lasted_us")
    if isinstance(span, int):
        data["lasted_s"] = span // SECOND
    fixed = {
        "key": event.key,
        "transition": event.transition.word,
        "severity": event.severity.word,
        "created_at": _iso(event.created_at),
    }
    return data | fixed


def _send(destination: Destination, message: Message, sending: Sending) -> str:
    body, started = payload(message, sending.now), time.monotonic()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": sending.user_agent,
        "X-Statusapp-Timestamp": str(sending.now),
        "X-Statusapp-Signature": signature(destination["secret"], sending.now, body),
        "Idempotency-Key": message.batch,
    }
    with requests.Session() as session:
        # Neither proxies nor passwords from the environment: the address that is connected to is the one judged.
        session.trust_env = False
        try:
            with session.post(
                destination["url"],
                data=body,
                headers=headers,
                timeout=sending.deadline_s,
                allow_redirects=False,
                stream=True,
            ) as answer:
                said = _said(answer, started + sending.deadline_s)
                return _judged(answer, said, sending.now)
        except requests.RequestException as error:
            raise DeliveryError(_why(error)) from error


def _said(answer: requests.Response, deadline: float) -> str:
    """The beginning of the body. The status has decided by now, so what goes wrong here does not matter."""
    try:
        answer.raw.decode_content = False
        read = b""
        while len(read) < READ_AT_MOST and time.monotonic() < deadline:
            part = answer.raw.read1(READ_AT_MOST - len(read))
            if not part:
                break
            read += part
            if 200 <= answer.status_code < 300:
                break
        return read.decode("utf-8", "replace").strip()
    except Exception:
        return ""


def _judged(answer: requests.Response, said: str, now: int) -> str:
    code = answer.status_code
    words = f"{code} {answer.reason or ''}".strip() + (f": {said}" if said else "")
    if 200 <= code < 300:
        return words
    if 300 <= code < 400:
        raise DeliveryError(f"{code}: it leads elsewhere, and that is not followed; give the final address")
    raise DeliveryError(words, is_permanent(code), _retry_after(answer.headers.get("Retry-After"), now))


def _retry_after(text: str | None, now: int) -> float | None:
    """The seconds that a Retry-After header asks for, which is a number or a date."""
    if text is None:
        return None
    if text.strip().isdecimal():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now, 0.0)


def _why(error: requests.RequestException) -> str:
    if isinstance(error, requests.Timeout):
        return "it did not answer in time"
    if isinstance(error, requests.exceptions.SSLError):
        return "no encrypted connection comes about"
    if isinstance(error, requests.ConnectionError):
        text = str(error)
        if "resolve" in text.lower():
            return "its name is not found"
        return "it refuses connections" if "refused" in text.lower() else "it cannot be reached"
    return f"it could not be asked ({type(error).__name__})"


def _check(destination: Destination) -> dict[str, Any]:
    url, secret = str(destination.get("url", "")).strip(), str(destination.get("secret", ""))
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or any(character.isspace() or ord(character) < 32 for character in url):
        raise InvalidDestination("the address of a webhook looks like https://example.org/hooks/status")
    if len(secret) < SHORTEST_SECRET:
        raise InvalidDestination(f"the secret of a webhook has at least {SHORTEST_SECRET} characters")
    return {"url": url, "secret": secret}


def _show(destination: Destination) -> str:
    parts = urlsplit(destination["url"])
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}/{HIDDEN if parts.path.strip('/') or parts.query or '@' in parts.netloc else ''}"


def _secrets(destination: Destination) -> tuple[str, ...]:
    url = destination["url"]
    parts = urlsplit(url)
    hidden = [url, destination["secret"], parts.username or "", parts.password or ""]
    pieces = [*parts.path.split("/"), *(pair.partition("=")[2] for pair in parts.query.split("&"))]
    return tuple(text for text in (*hidden, *(piece for piece in pieces if len(piece) >= 6)) if text)


def _iso(instant: int) -> str:
    moment: datetime = from_us(instant)
    return moment.isoformat().replace("+00:00", "Z")


KIND = Kind("webhook", "Webhook", "https://example.org/hooks/status", _check, _show, _secrets, _send)
