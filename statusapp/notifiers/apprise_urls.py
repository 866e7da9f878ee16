"""Everything that Apprise knows, by its address: chat, push, SMS, pagers. https://appriseit.com/services/"""

from __future__ import annotations

import logging
import re
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

from statusapp.domain.enums import Severity
from statusapp.domain.messages import Message
from statusapp.domain.web_addresses import HIDDEN
from statusapp.notifiers.kind import DeliveryError, Destination, InvalidDestination, Kind, Sending, is_permanent

# Where much has to be told and a service takes little at once: so many parts, a second apart.
MOST_PARTS = 10
MOST_SHORT_PARTS = 3
SHORT = 1000
PAUSE_S = 1.0
_STATUS = re.compile(r"error=(\d{3})\b")
# A name that somebody has given a server, and no token that stands where a server would.
_HOST = re.compile(r"localhost|(?:[a-z0-9-]+\.)+[a-z]{2,24}|\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:.]+\]")


@lru_cache(maxsize=1)
def _library() -> Any:
    """Apprise. It is heavy, so it is read when the first channel of this kind sends; its log is ours to tell."""
    import apprise

    logging.getLogger("apprise").propagate = False
    return apprise


def _send(destination: Destination, message: Message, sending: Sending) -> str:
    library = _library()
    asset = library.AppriseAsset(app_id="Statusapp", app_desc="Statusapp", app_url="")
    service = library.Apprise.instantiate(destination["url"], asset=asset)
    if service is None:
        raise DeliveryError("Apprise knows no such address", permanent=True)
    # What is too long for the service is told in parts, none is left out.
    service.overflow_mode = library.OverflowMode.SPLIT
    service.request_rate_per_sec = min(service.request_rate_per_sec, PAUSE_S)
    sender = library.Apprise()
    sender.add(service)
    kinds = library.NotifyType
    kind = {Severity.CRITICAL: kinds.FAILURE, Severity.WARNING: kinds.WARNING}.get(message.severity, kinds.INFO)
    result = sender.notify(
        body=_body(message, int(service.body_maxlen)),
        title=message.title,
        notify_type=kinds.SUCCESS if message.is_good_news else kind,
        body_format=library.NotifyFormat.TEXT,
        timeout=max(sending.deadline_s - 1, 1),
    )
    if not result:
        raise _failed([str(entry.message) for entry in result.logs()])
    return f"accepted by {service.service_name}"


def _failed(said: list[str]) -> DeliveryError:
    words = "; ".join(dict.fromkeys(text.strip() for text in said if text.strip()))
    codes = [int(code) for code in _STATUS.findall(words)]
    return DeliveryError(words or "the service did not take it", permanent=bool(codes) and is_permanent(codes[-1]))


def _body(message: Message, longest: int) -> str:
    """As much as the service has room for: the whole text, else all names, else what fits and where the rest is."""
    text, brief = (part.partition("\n")[2].strip() or part for part in (message.text, message.brief))
    if len(text) <= longest:
        return text
    parts = MOST_PARTS if longest >= SHORT else MOST_SHORT_PARTS
    if len(brief) <= parts * longest:
        return brief
    link = brief.rsplit("\n", 1)[-1]
    return f"{brief[: max(longest - len(link) - 2, 0)]}…\n{link}"


def _check(destination: Destination) -> dict[str, Any]:
    url = str(destination.get("url", "")).strip()
    if "://" not in url or _library().Apprise.instantiate(url) is None:
        raise InvalidDestination(
            "Apprise knows no such address; https://appriseit.com/services/ has them all, as in tgram://token/chat"
        )
    return {"url": url}


def _show(destination: Destination) -> str:
    scheme, _, rest = destination["url"].partition("://")
    host = _host(rest)
    return f"{scheme}://{host}/{HIDDEN}" if host else f"{scheme}://{HIDDEN}"


def _host(rest: str) -> str:
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    host = re.sub(r":\d+$", "", authority.rpartition("@")[2])
    return host if _HOST.fullmatch(host) else ""


def _secrets(destination: Destination) -> tuple[str, ...]:
    """Whatever in the address is long enough to be one. Where a token stands differs from service to service."""
    url = destination["url"]
    rest = url.partition("://")[2]
    password = re.match(r"[^/@:]*:([^/@]*)@", rest)
    pieces = [piece for piece in re.split(r"[/:@?&=#,]", rest) if len(piece) >= 5 and piece != _host(rest)]
    found = [url, rest, *pieces, *(unquote(piece) for piece in pieces)]
    if password:
        found += [password[1], unquote(password[1])]
    return tuple(dict.fromkeys(text for text in found if text))


KIND = Kind("apprise", "Apprise", "ntfys://topic", _check, _show, _secrets, _send)
