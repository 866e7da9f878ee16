"""E-mail: a real server takes it, refuses it, or wants a password."""

from __future__ import annotations

import socket
import threading
from typing import Any

import pytest

from statusapp.notifiers import email
from statusapp.notifiers.kind import DeliveryError, InvalidDestination
from statusapp.notifiers.sending import send
from tests.notifiers.conftest import message, sending
from tests.receivers import Mailbox, running_mail_server

Mail = tuple[Mailbox, int]


def to(port: int, *recipients: str, url: str | None = None) -> dict[str, Any]:
    to = list(recipients or ("ops@example.org",))
    return email.KIND.check({"to": to, "url": url or f"smtp://127.0.0.1:{port}", "sender": "m@example.org"})


def failure(destination: dict[str, Any], **circumstances: Any) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        send(email.KIND, destination, message(), sending(**circumstances))
    return caught.value


def test_it_arrives_as_plain_text_and_as_html(mail: Mail) -> None:
    mailbox, port = mail
    answer = send(email.KIND, to(port, "ops@example.org", "night@example.org"), message(), sending())
    assert answer == "accepted by the mail server"
    (received,) = mailbox.mails
    assert received["Subject"] == "[Major Outage] User Login: HTTP 502, since 09:57 (3 min)"
    assert mailbox.recipients == [["ops@example.org", "night@example.org"]]
    assert (received["From"], received["Message-ID"]) == ("m@example.org", f"<{'b' * 32}@example.org>")
    plain, html = received.get_body(("plain",)), received.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert plain.get_content().splitlines()[0] == received["Subject"]
    assert "<h1" in html.get_content()


def test_without_a_server_of_its_own_the_setting_is_used(mail: Mail) -> None:
    mailbox, port = mail
    destination = email.KIND.check({"to": "ops@example.org"})
    send(email.KIND, destination, message(), sending(smtp_url=f"smtp://127.0.0.1:{port}"))
    assert len(mailbox.mails) == 1
    error = failure(destination)
    assert error.permanent
    assert "set SMTP_URL" in error.message


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
def test_the_password_is_used_and_a_wrong_one_is_for_good() -> None:
    with running_mail_server("pass:word") as (mailbox, port):
        send(email.KIND, to(port, url=f"smtp://ops:pass%3Aword@127.0.0.1:{port}"), message(), sending())
        assert len(mailbox.mails) == 1
        error = failure(to(port, url=f"smtp://ops:wrong-one@127.0.0.1:{port}"))
        assert error.permanent
        assert error.message.startswith("535")
        assert "wrong-one" not in error.message


@pytest.mark.parametrize(("answer", "permanent"), [("550 no such mailbox", True), ("450 greylisted", False)])
def test_no_recipient_is_accepted(mail: Mail, answer: str, permanent: bool) -> None:
    mailbox, port = mail
    mailbox.refuses = {"ops@example.org": answer}
    error = failure(to(port))
    assert error.permanent is permanent
    assert answer in error.message


def test_one_recipient_of_two_is_enough_and_the_answer_says_so(mail: Mail) -> None:
    mailbox, port = mail
    mailbox.refuses = {"gone@example.org": "550 gone"}
    answer = send(email.KIND, to(port, "ops@example.org", "gone@example.org"), message(), sending())
    assert answer == "accepted for 1 of 2 recipients"
    assert mailbox.recipients == [["ops@example.org"]]


@pytest.mark.parametrize(("answer", "permanent"), [("554 looks like spam", True), ("452 disk full", False)])
def test_the_message_is_refused(mail: Mail, answer: str, permanent: bool) -> None:
    mailbox, port = mail
    mailbox.after_data = answer
    error = failure(to(port))
    assert (error.permanent, error.message) == (permanent, answer)


def test_nothing_that_is_told_can_add_a_header(mail: Mail) -> None:
    mailbox, port = mail
    evil = message(("Login\r\nBcc: all@example.org",), "HTTP 502\nX-Evil: 1")
    send(email.KIND, to(port), evil, sending())
    (received,) = mailbox.mails
    assert received["Bcc"] is None
    assert received["X-Evil"] is None
    assert mailbox.recipients == [["ops@example.org"]]


def test_a_server_that_says_nothing_is_left_at_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        error = failure(to(silent.getsockname()[1]), deadline_s=0.5)
        assert not error.permanent
        assert "0.5 s" in error.message or "in time" in error.message


def test_a_password_is_not_sent_in_the_clear_over_the_network(monkeypatch: pytest.MonkeyPatch, mail: Mail) -> None:
    _, port = mail
    resolved = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_more: resolved)
    error = failure(to(port, url=f"smtp://ops:secret1@mail.example.org:{port}"))
    assert error.permanent
    assert "the password was not sent" in error.message


def test_threads_end(mail: Mail) -> None:
    _, port = mail
    send(email.KIND, to(port), message(), sending())
    assert not [thread for thread in threading.enumerate() if thread.name == "sending" and thread.is_alive()]


def test_the_server_is_shown_without_user_and_password() -> None:
    shown = email.KIND.show(to(0, url="smtp://ops:secret1@mail.example.org:587"))
    assert shown == "ops@example.org by smtp://***@mail.example.org:587"


@pytest.mark.parametrize(
    "given",
    [
        {"to": ""}, {"to": "nobody"}, {"to": "a@b\nc@d.org"}, {"to": "a@example.org", "sender": "x"},
        {"to": "a@example.org", "url": "http://x"}, {"to": "a@example.org", "url": "smtp://host/path"},
        {"to": [f"a{n}@example.org" for n in range(51)]},
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(InvalidDestination):
        email.KIND.check(given)
