"""How often one may try to get in: counted per account and per address, in forms and API together."""

from __future__ import annotations

import hashlib
import time

from flask import Request, g, request
from flask_limiter.util import get_remote_address

from statusapp.clock import utcnow
from statusapp.domain.actors import Actor
from statusapp.extensions import limiter
from statusapp.queries.accounts import SignedInAccount
from statusapp.services.passwords import change_password, mail_link_later
from statusapp.services.sessions import SignIn, sign_in

PER_ADDRESS = "20 per minute; 200 per hour"
PER_ACCOUNT = "10 per minute; 60 per hour"
LINKS_PER_ADDRESS = "5 per minute; 30 per hour"
# Mail that nobody wants must not fill a mailbox.
LINKS_PER_ACCOUNT = "2 per minute; 6 per hour"
# Each makes an account, or tells whether an address has one.
REGISTRATIONS_PER_ADDRESS = "5 per minute; 30 per hour"
# An access token is good for an hour; programs that get one for each request are told to keep it.
GRANTS_PER_ADDRESS = "120 per minute; 2000 per hour"
GRANTS_PER_APPLICATION = "30 per minute; 600 per hour"
_LIMITED = (
    "auth.login",
    "auth.ask_for_link",
    "account.change_password",
    "api.login",
    "api.register",
    "api_grant.token",
)
# All requests to these are counted, by web/api/rates.py.
_API = ("api_public", "api_resources", "api_owner", "api_clients", "api_token")


@limiter.request_filter
def is_not_limited() -> bool:
    """Requests that nothing is counted of. They do not ask for Redis at all, so they cannot wait for it."""
    if request.blueprint in _API:
        return False
    return request.method != "POST" or request.endpoint not in _LIMITED


def _account_key() -> str:
    """The account that is tried, hashed: an address of a person has no place in Redis."""
    return hashlib.sha256(g.limited_account.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def sign_in_within_limits(email: str, password: str, incoming: Request) -> SignIn:
    """Sign in, unless this account or this address has tried too often.

    Raises:
        RateLimitExceeded: before the password is looked at.
        WrongCredentials: when nobody is signed in by these credentials.
    """
    g.limited_account = email.strip().lower()
    return _limited_sign_in(email, password, incoming)


@limiter.shared_limit(PER_ADDRESS, scope="sign-in", key_func=get_remote_address)
@limiter.shared_limit(PER_ACCOUNT, scope="sign-in-account", key_func=_account_key)
def _limited_sign_in(email: str, password: str, incoming: Request) -> SignIn:
    return sign_in(email, password, utcnow(), incoming.user_agent.string, incoming.remote_addr or "")


def change_password_within_limits(account: SignedInAccount, present: str, new: str) -> None:
    """Change a password, unless the present one was guessed at too often.

    Raises:
        RateLimitExceeded: before the password is looked at.
        InvalidInput: as `change_password` does.
    """
    g.limited_account = account.email
    _limited_change(account, present, new)


@limiter.shared_limit(PER_ACCOUNT, scope="sign-in-account", key_func=_account_key)
def _limited_change(account: SignedInAccount, present: str, new: str) -> None:
    change_password(account.user_id, present, new, Actor(account.user_id, account.email), utcnow())


def mail_link_within_limits(email: str) -> None:
    """Have a link to set a password mailed, unless there were too many for this account or from this address.

    Raises:
        RateLimitExceeded: whether there is such an account or not.
    """
    g.limited_account = email.strip().lower()
    _limited_link(email)


@limiter.shared_limit(LINKS_PER_ADDRESS, scope="link", key_func=get_remote_address)
@limiter.shared_limit(LINKS_PER_ACCOUNT, scope="link-account", key_func=_account_key)
def _limited_link(email: str) -> None:
    mail_link_later(email, utcnow())


@limiter.shared_limit(REGISTRATIONS_PER_ADDRESS, scope="registration", key_func=get_remote_address)
def count_registration() -> None:
    """Count an attempt to make an account.

    Raises:
        RateLimitExceeded: when there were too many from this address.
    """


@limiter.shared_limit(GRANTS_PER_ADDRESS, scope="grant", key_func=get_remote_address)
def count_grant() -> None:
    """Count a request for an access token, whoever makes it.

    Raises:
        RateLimitExceeded: when there were too many from this address.
    """


def count_issued_token(client_id: str) -> None:
    """Count an access token of an application, which has shown its secret: nobody else can use its limit up.

    Raises:
        RateLimitExceeded: when it has asked for too many.
    """
    g.limited_application = client_id
    _count_issued_token()


@limiter.shared_limit(GRANTS_PER_APPLICATION, scope="grant-application", key_func=lambda: g.limited_application)
def _count_issued_token() -> None:
    """Count one."""


def retry_after_s() -> int:
    """Seconds until the limit that was just exceeded lets one through again."""
    limit = limiter.current_limit
    return 60 if limit is None else max(1, int(limit.reset_at - time.time()) + 1)
