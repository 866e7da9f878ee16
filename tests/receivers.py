"""Real receivers of messages on this machine: an HTTP server that answers as it is told, and a mail server."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from tests.instance import free_port


@dataclass(frozen=True, slots=True)
class Received:
    """One request that came in."""

    path: str
    headers: dict[str, str]
    body: bytes
    at: float

    @property
    def keys(self) -> list[str]:
        """The keys of the events in it."""
        return [event["key"] for event in json.loads(self.body)["events"]]


@dataclass(slots=True)
class Answer:
    """How a request is answered. `drip` is the pause between bytes of the head, for an answer that never ends."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"ok"
    drip: float = 0.0
    hold: threading.Event | None = None


class Hook:
    """An HTTP server. `answers` are used up one by one, the last one for ever."""

    def __init__(self) -> None:
        self.requests: list[Received] = []
        self.answers: list[Answer] = [Answer()]
        self.arrived: Callable[[], None] = lambda: None
        self._ended = threading.Event()
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length)
                if len(body) < length:
                    return  # Its sender was killed before it had said all: nothing has arrived.
                received = Received(self.path, dict(self.headers), body, time.time())
                hook.requests.append(received)
                hook.arrived()
                answer = hook.answers.pop(0) if len(hook.answers) > 1 else hook.answers[0]
                if answer.hold is not None:
                    answer.hold.wait(30)
                if answer.drip:
                    self._drip(answer.drip)
                    return
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            do_GET = do_POST

            def _drip(self, pause: float) -> None:
                self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Drip: ")
                while not hook._ended.wait(pause):
                    self.wfile.write(b"x")
                    self.wfile.flush()

            def log_message(self, *_args: Any) -> None:
                """Say nothing."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_args: Any) -> None:
                """A sender that was cut off has closed its connection."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def stop(self) -> None:
        """Close the port and end."""
        self._ended.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@contextmanager
def running_hook() -> Iterator[Hook]:
    """A hook that is stopped at the end."""
    hook = Hook()
    try:
        yield hook
    finally:
        hook.stop()


class Mailbox:
    """What a mail server got. With `refuses` it answers so to each recipient."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self.refuses: dict[str, str] = {}
        self.after_data: str = "250 OK"

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:
        """Take or refuse a recipient."""
        if address in self.refuses:
            return self.refuses[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        """Keep the mail."""
        if self.after_data.startswith("250"):
            self.mails.append(message_from_bytes(envelope.content, policy=policy.default))  # type: ignore[arg-type]
            self.recipients.append(list(envelope.rcpt_tos))
        return self.after_data


@contextmanager
def running_mail_server(password: str | None = None) -> Iterator[tuple[Mailbox, int]]:
    """A mail server on this machine; with a password it wants the user "ops" to sign in."""

    def authenticate(_server: Any, _session: Any, _envelope: Any, _mechanism: Any, data: Any) -> AuthResult:
        good = isinstance(data, LoginPassword) and (data.login, data.password) == (b"ops", (password or "").encode())
        return AuthResult(success=good, handled=False)

    mailbox = Mailbox()
    options: dict[str, Any] = {}
    if password is not None:
        options = {"authenticator": authenticate, "auth_required": True, "auth_require_tls": False}
    port = free_port()
    controller = Controller(mailbox, hostname="127.0.0.1", port=port, **options)
    controller.start()
    try:
        yield mailbox, port
    finally:
        controller.stop()
