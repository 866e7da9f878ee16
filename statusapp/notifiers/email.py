"""E-mail by SMTP: the channel's own server or that of the setting SMTP_URL."""

from __future__ import annotations

import contextlib
import ipaddress
import re
import smtplib
import socket
import ssl
from email.message import EmailMessage
from email.utils import formatdate
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from statusapp.domain.messages import Message
from statusapp.domain.web_addresses import HIDDEN
from statusapp.notifiers.kind import DeliveryError, Destination, InvalidDestination, Kind, Sending

PORTS = {"smtp": 587, "smtps": 465}
MOST_RECIPIENTS = 50
FAREWELL_S = 2.0
_ADDRESS = re.compile(r"[^@\s<>,;:\"\\()\[\]\x00-\x1f\x7f]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?")


def _send(destination: Destination, message: Message, sending: Sending) -> str:
    url = destination.get("url") or sending.smtp_url
    if not url:
        raise DeliveryError("there is no mail server: give the channel one, or set SMTP_URL", permanent=True)
    parts = urlsplit(url)
    sender = destination.get("sender") or _default_sender(parts)
    mail = _mail(message, sender, destination["to"], sending)
    try:
        client = _connect(parts, sending.deadline_s)
        try:
            _sign_in(client, parts)
            refused = client.send_message(mail, sender, list(destination["to"]))
        except BaseException:
            client.close()
            raise
    except smtplib.SMTPRecipientsRefused as error:
        raise _refused(error) from error
    except smtplib.SMTPResponseException as error:
        code, text = error.smtp_code, _words(error.smtp_error)
        raise DeliveryError(f"{code} {text}".strip(), permanent=code >= 500) from error
    except smtplib.SMTPNotSupportedError as error:
        raise DeliveryError("the mail server offers no way of signing in", permanent=True) from error
    except ssl.SSLError as error:
        raise DeliveryError(f"no encrypted connection comes about ({error.reason or 'TLS'})") from error
    except (smtplib.SMTPException, OSError) as error:
        raise DeliveryError(_why(error)) from error
    _farewell(client)
    taken = len(destination["to"]) - len(refused)
    return f"accepted for {taken} of {len(destination['to'])} recipients" if refused else "accepted by the mail server"


def _connect(parts: SplitResult, timeout_s: float) -> smtplib.SMTP:
    host, port = parts.hostname or "", parts.port or PORTS[parts.scheme]
    # Without a name given, the library would look ours up in DNS.
    name = socket.gethostname()
    if parts.scheme == "smtps":
        return smtplib.SMTP_SSL(host, port, name, timeout=timeout_s, context=ssl.create_default_context())
    return smtplib.SMTP(host, port, name, timeout=timeout_s)


def _sign_in(client: smtplib.SMTP, parts: SplitResult) -> None:
    client.ehlo_or_helo_if_needed()
    encrypted = parts.scheme == "smtps"
    # This machine's own relay has no certificate for its name, and nobody is in between.
    if not encrypted and client.has_extn("starttls") and not _is_loopback(parts.hostname or ""):
        client.starttls(context=ssl.create_default_context())
        client.ehlo()
        encrypted = True
    if parts.username:
        if not encrypted and not _is_loopback(parts.hostname or ""):
            # Somebody in between may have cut the offer out of the answer.
            raise DeliveryError("the mail server offers no encryption, so the password was not sent", permanent=True)
        client.login(unquote(parts.username), unquote(parts.password or ""))


def _farewell(client: smtplib.SMTP) -> None:
    """Say QUIT. The message is accepted by now, whatever becomes of this."""
    with contextlib.suppress(Exception):
        if client.sock is not None:
            client.sock.settimeout(FAREWELL_S)
        client.quit()
    client.close()


def _mail(message: Message, sender: str, to: list[str], sending: Sending) -> EmailMessage:
    mail = EmailMessage()
    mail["Subject"] = message.title
    mail["From"] = sender
    mail["To"] = ", ".join(to)
    mail["Date"] = formatdate(sending.now, localtime=False)
    # The same when it is sent again, so that mail programs show it once.
    mail["Message-ID"] = f"<{message.batch}@{sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["User-Agent"] = sending.user_agent
    mail.set_content(message.text)
    mail.add_alternative(message.html, subtype="html")
    return mail


def _refused(error: smtplib.SMTPRecipientsRefused) -> DeliveryError:
    codes = [code for code, _ in error.recipients.values()]
    code, text = next(iter(error.recipients.values()))
    return DeliveryError(f"no recipient is accepted: {code} {_words(text)}", permanent=min(codes) >= 500)


def _words(text: bytes | str) -> str:
    return text.decode("utf-8", "replace") if isinstance(text, bytes) else text


def _why(error: Exception) -> str:
    # The library makes a connection that broke off of one that timed out.
    if isinstance(error, TimeoutError) or "timed out" in str(error):
        return "the mail server did not answer in time"
    if isinstance(error, ConnectionRefusedError):
        return "the mail server refuses connections"
    if isinstance(error, socket.gaierror):
        return "the name of the mail server is not found"
    if isinstance(error, smtplib.SMTPServerDisconnected | ConnectionError):
        return "the mail server broke the connection off"
    return "the mail server cannot be reached"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _default_sender(parts: SplitResult) -> str:
    user = unquote(parts.username or "")
    return user if _ADDRESS.fullmatch(user) else f"statusapp@{parts.hostname}"


def _check(destination: Destination) -> dict[str, Any]:
    given = destination.get("to") or []
    to = [text.strip() for text in (given.split(",") if isinstance(given, str) else given) if text.strip()]
    if not 1 <= len(to) <= MOST_RECIPIENTS:
        raise InvalidDestination(f"an e-mail channel has 1 to {MOST_RECIPIENTS} recipients, as in ops@example.org")
    sender, url = destination.get("sender") or None, destination.get("url") or None
    for address in [*to, *([sender] if sender else [])]:
        if not _ADDRESS.fullmatch(address):
            raise InvalidDestination(f"{address!r} is no e-mail address; write for example ops@example.org")
    if url is not None and not _is_server(url):
        raise InvalidDestination("a mail server looks like smtp://user:password@host:587 or smtps://host")
    return {"to": to, "sender": sender, "url": url}


def _is_server(url: str) -> bool:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in PORTS and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return usable and not (parts.path.strip("/") or parts.query or parts.fragment)


def _show(destination: Destination) -> str:
    shown = ", ".join(destination["to"])
    if destination.get("url"):
        parts = urlsplit(destination["url"])
        server = parts.netloc.rpartition("@")[2]
        shown += f" by {parts.scheme}://{f'{HIDDEN}@' if parts.username else ''}{server}"
    return shown


def _secrets(destination: Destination) -> tuple[str, ...]:
    parts = urlsplit(destination.get("url") or "")
    return tuple(text for text in (parts.password, unquote(parts.password or "")) if text)


KIND = Kind("email", "E-mail", "ops@example.org, night@example.org", _check, _show, _secrets, _send)
