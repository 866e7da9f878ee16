"""E-mail by SMTP: whether the server greets us, encrypts, takes our password and does nothing when asked to."""

from __future__ import annotations

import ipaddress
import smtplib
import socket
import ssl
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from statusapp.domain.enums import ExternalStatus
from statusapp.probes.external.service import (
    DEADLINE_S,
    NO_TLS,
    ExternalResult,
    Meanings,
    Service,
    Target,
    answered,
    explained,
)

NAME = "E-mail (SMTP)"
PORTS = {"smtp": 587, "smtps": 465}
# Between two steps of the server's; a deadline for the whole is kept by whoever asks.
STEP_SHARE = 0.8
_MEANINGS: Meanings = (
    (smtplib.SMTPServerDisconnected, ExternalStatus.DOWN, "it breaks the connection off, or does not answer"),
    (smtplib.SMTPException, ExternalStatus.UNKNOWN, "it offers no way of signing in that is known here"),
    (ssl.SSLError, ExternalStatus.DOWN, NO_TLS),
    (socket.gaierror, ExternalStatus.UNKNOWN, "its name is not found"),
    (ConnectionRefusedError, ExternalStatus.DOWN, "it refuses connections"),
    (ConnectionError, ExternalStatus.DOWN, "it breaks the connection off"),
    (OSError, ExternalStatus.UNKNOWN, "it cannot be reached from here"),
)


def ask_smtp(url: str, tls: ssl.SSLContext | None = None, deadline_s: float = DEADLINE_S) -> ExternalResult:
    """Connect, EHLO, STARTTLS when offered, log in when the address has a user, NOOP and QUIT. No mail is sent.

    Args:
        url: smtp://user:password@host:587 or smtps://..., with user and password percent-encoded.
        tls: which certificates are accepted; default: those of the system's authorities.
    """
    parts, started = urlsplit(url), time.monotonic()
    tls = tls or ssl.create_default_context()
    try:
        # At its end the client says QUIT.
        with _connect(parts, tls, STEP_SHARE * deadline_s) as client:
            trouble = _talk(client, parts, tls)
    except smtplib.SMTPResponseException as error:
        return _refusal(error)
    except (smtplib.SMTPException, OSError, ValueError) as error:
        return explained(error, _MEANINGS)
    return trouble or answered("ready for mail", round((time.monotonic() - started) * 1e6))


def _connect(parts: SplitResult, tls: ssl.SSLContext, timeout_s: float) -> smtplib.SMTP:
    host, port = parts.hostname or "", parts.port or PORTS[parts.scheme]
    # Without a name given, the library would look ours up in DNS.
    name = socket.gethostname()
    if parts.scheme == "smtps":
        return smtplib.SMTP_SSL(host, port, name, timeout=timeout_s, context=tls)
    return smtplib.SMTP(host, port, name, timeout=timeout_s)


def _talk(client: smtplib.SMTP, parts: SplitResult, tls: ssl.SSLContext) -> ExternalResult | None:
    """The conversation between the greeting and the farewell; a result where something is in the way."""
    client.ehlo_or_helo_if_needed()
    encrypted = parts.scheme == "smtps"
    if not encrypted and client.has_extn("starttls"):
        client.starttls(context=tls)
        client.ehlo()
        encrypted = True
    if parts.username:
        if not encrypted and not _is_loopback(parts.hostname or ""):
            # Somebody in between may have cut the offer out of the answer.
            return ExternalResult(ExternalStatus.UNKNOWN, "it offers no encryption, so the password was not sent")
        client.login(unquote(parts.username), unquote(parts.password or ""))
    code, _ = client.noop()
    return None if code == 250 else ExternalResult(ExternalStatus.DOWN, f"it answers {code}")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _refusal(error: smtplib.SMTPResponseException) -> ExternalResult:
    """What it means when the server says no to a step. A code that begins with 4 is for now only."""
    code = error.smtp_code
    if isinstance(error, smtplib.SMTPAuthenticationError) and code >= 500:
        return ExternalResult(ExternalStatus.UNKNOWN, f"the credentials are refused ({code})")
    return ExternalResult(ExternalStatus.DOWN, f"it answers {code}")


def _targets(options: Mapping[str, Any]) -> list[Target]:
    url = options["smtp_url"]
    return [Target(NAME, lambda: ask_smtp(url))] if url else []


SERVICE = Service(("smtp_url",), _targets)
