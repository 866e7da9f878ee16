"""The signed-in account of a browser: the signed cookie holds a session token and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Flask, Request, g, request, session
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask_login import UserMixin, current_user, login_user, logout_user

from statusapp.clock import utcnow
from statusapp.domain.actors import Actor
from statusapp.extensions import login_manager
from statusapp.queries.accounts import KnownAccount, SignedInAccount
from statusapp.services.api_tokens import ApiAccess
from statusapp.services.sessions import SignIn, find_session, sign_in, sign_out


@dataclass(frozen=True)
class BrowserUser(UserMixin):  # type: ignore[misc]
    """What Flask-Login knows of an account. Its id is the session's token, so that a session can be ended here."""

    token: str
    account: SignedInAccount

    def get_id(self) -> str:
        """What the cookie holds."""
        return self.token


class CookieSessions(SecureCookieSessionInterface):
    """Flask's own, but that a request without a cookie, as programs and pings send, costs no signing machinery."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """What the cookie holds."""
        if self.get_cookie_name(app) not in request.cookies:
            return self.session_class()
        return super().open_session(app, request)


def init_app(app: Flask) -> None:
    """Tell Flask-Login how to find an account."""
    app.session_interface = CookieSessions()
    # It would tie a session to address and browser, which change for people who move; ours can be ended on the server.
    login_manager.session_protection = None
    login_manager.user_loader(load_user)


def load_user(token: str) -> BrowserUser | None:
    """The account of a session token, looked up at every request that asks."""
    account = find_session(token, utcnow())
    return None if account is None else BrowserUser(token, account)


def account_id() -> int | None:
    """The account that this request was made by, as far as it has been looked up. Looks nothing up."""
    user = g.get("_login_user")
    account: KnownAccount | None = user.account if isinstance(user, BrowserUser) else g.get("account")
    return None if account is None else account.user_id


def actor() -> Actor:
    """Who makes this request, for what is written down of it. For views behind a guard that lets accounts in."""
    if "access" in g:
        access: ApiAccess = g.access
        return access.actor
    account: SignedInAccount = current_user.account
    return Actor(account.user_id, account.email)


def sign_in_here(email: str, password: str) -> SignIn:
    """A session for this browser, of an account whose password was set a moment ago."""
    return sign_in(email, password, utcnow(), request.user_agent.string, request.remote_addr or "")


def begin(signed_in: SignIn) -> None:
    """Make this browser the owner of a session, with a fresh cookie."""
    end()
    user = load_user(signed_in.token)
    if user is not None:
        login_user(user)


def end() -> None:
    """Sign this browser out, here and on the server."""
    if current_user.is_authenticated:
        sign_out(current_user.token)
        logout_user()
    # The form's secret goes as well: what was known before a sign-in is worth nothing after it.
    session.clear()
