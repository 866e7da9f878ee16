"""The commands about accounts: whoever has the machine itself lets people in."""

from __future__ import annotations

import re

from flask import Flask

from statusapp.clock import utcnow
from statusapp.extensions import db
from statusapp.services.passwords import set_password
from statusapp.services.sessions import sign_in

PASSWORD = "correct horse battery"
LINK = re.compile(r"http://\S+/auth/password/([\w-]+)")


def said(app: Flask, *words: str, code: int = 0) -> str:
    db.session.rollback()
    result = app.test_cli_runner().invoke(args=list(words))
    assert result.exit_code == code, result.output
    return result.output


def test_an_account_is_added_listed_and_let_in_by_its_link(app: Flask) -> None:
    assert "There are no accounts yet: run create_admin." in said(app, "list_accounts")
    link = LINK.search(said(app, "add_account", "Ann@Example.org", "--role", "viewer"))
    assert link is not None
    assert re.search(r"ann@example.org  viewer  invited  -", said(app, "list_accounts"))
    set_password(link[1], PASSWORD, utcnow())
    sign_in("ann@example.org", PASSWORD, utcnow())
    assert re.search(r"ann@example.org  viewer  active   \d{4}-\d\d-\d\d \d\d:\d\d UTC", said(app, "list_accounts"))


def test_a_forgotten_password_is_set_by_a_printed_link(app: Flask) -> None:
    said(app, "create_admin", "--email", "ann@example.org", "--password", PASSWORD)
    link = LINK.search(said(app, "reset_password", "ann@example.org"))
    assert link is not None
    set_password(link[1], "another horse battery", utcnow())
    assert sign_in("ann@example.org", "another horse battery", utcnow()).token


def test_what_cannot_be_done_is_one_clear_line(app: Flask) -> None:
    assert "There is no account of nobody@example.org." in said(app, "reset_password", "nobody@example.org", code=1)
    assert "does not look like an email address" in said(app, "add_account", "nobody", code=1)
    said(app, "add_account", "ann@example.org")
    assert "There is an account of this address already." in said(app, "add_account", "ann@example.org", code=1)
