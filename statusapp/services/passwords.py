"""Setting a password: with the present one, or with a link that works once and not for long.

The link goes to the account's own address when there is a mail server, and is otherwise handed over by whoever asked
for it: an owner, or who has the command line.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from flask import Flask, current_app
from sqlalchemy import select
from sqlalchemy.orm import Session

from config import Settings
from statusapp.database import write_transaction
from statusapp.domain.account_texts import password_message
from statusapp.domain.actors import Actor
from statusapp.domain.enums import AuditAction, AuditKind
from statusapp.domain.errors import InvalidInput, NotFound, WrongToken
from statusapp.domain.instants import to_us
from statusapp.extensions import db
from statusapp.models import PasswordLink, User
from statusapp.notifiers import email as mail
from statusapp.notifiers.kind import DeliveryError, InvalidDestination
from statusapp.queries.accounts import find_link
from statusapp.services import audit
from statusapp.services.credentials import check_email, check_password, digest, fits, hash_password, is_same, new_token
from statusapp.services.delivery import current_outfit
from statusapp.services.page import page_zone
from statusapp.services.sessions import end_all_sessions

logger = logging.getLogger(__name__)

RESET_LIFETIME = timedelta(hours=1)
# Whoever is invited may be away for a weekend.
INVITATION_LIFETIME = timedelta(days=3)
NOT_VALID = "This link does not work any more. It works once, and a newer one takes its place."
CLOSED = "This account is closed. Open it again first."


@dataclass(frozen=True, slots=True)
class Link:
    """A link by which a password can be set. The token is known to nobody else and is not kept here."""

    account_id: int
    email: str
    token: str
    expires_at: datetime
    is_invitation: bool

    @property
    def path(self) -> str:
        """The link without its host."""
        return f"/auth/password/{self.token}"


def change_password(account_id: int, present: str, new: str, actor: Actor, now: datetime) -> None:
    """Give an account another password. All its sessions end.

    Raises:
        InvalidInput: when the present one is wrong (field `present`) or the new one cannot be used (`password`).
    """
    check_password(new)
    stored = db.session.scalar(select(User.password_hash).where(User.id == account_id))
    # The connection goes back before the slow part.
    db.session.rollback()
    if not fits(stored, present):
        raise InvalidInput("present", "This is not your present password.")
    if present == new:
        raise InvalidInput("password", "This is your present password. Choose another one.")
    new_hash = hash_password(new)
    with write_transaction(db.session) as session:
        account = session.get_one(User, account_id, with_for_update=True, populate_existing=True)
        if account.password_hash != stored:
            raise InvalidInput("present", "The password was changed meanwhile.")
        _set(session, account, new_hash, actor, now)


def offer_link(account_id: int, actor: Actor, now: datetime) -> Link:
    """Make a link for an account; one that was made before does not work any more.

    Raises:
        NotFound: when there is no such account.
        InvalidInput: when it is closed.
    """
    token = new_token()
    with write_transaction(db.session) as session:
        account = session.get(User, account_id, with_for_update=True, populate_existing=True)
        if account is None:
            raise NotFound("There is no such account.")
        if not account.is_active:
            raise InvalidInput("email", CLOSED)
        is_invitation = account.password_set_at is None
        expires_at = now + (INVITATION_LIFETIME if is_invitation else RESET_LIFETIME)
        link = session.get(PasswordLink, account_id) or PasswordLink(user_id=account_id)
        link.token_hash, link.expires_at = digest(token), expires_at
        session.add(link)
        audit.record(session, actor, AuditAction.MADE_LINK, AuditKind.ACCOUNT, account_id, account.email, now)
        return Link(account_id, account.email, token, expires_at, is_invitation)


def offer_link_for(email: str, actor: Actor, now: datetime) -> Link:
    """Make a link for the account of an address.

    Raises:
        NotFound: when it has none.
        InvalidInput: when this is no address, or the account is closed.
    """
    account_id = db.session.scalar(select(User.id).where(User.email == check_email(email)))
    if account_id is None:
        raise NotFound(f"There is no account of {email.strip()}.")
    return offer_link(account_id, actor, now)


def opens_password(token: str, now: datetime) -> bool:
    """Whether `set_password` would accept this token."""
    return find_link(digest(token), now) is not None


def set_password(token: str, password: str, now: datetime) -> str:
    """Set the password of the account that a link is for; its email address. All its sessions end, and the link.

    Raises:
        InvalidInput: when the password cannot be used.
        WrongToken: when the link does not work any more.
    """
    check_password(password)
    # A guessed token must not cost a hash, and the hash must not be made while the write lock is held.
    account_id = find_link(digest(token), now)
    if account_id is None:
        raise WrongToken(NOT_VALID)
    new_hash = hash_password(password)
    with write_transaction(db.session) as session:
        link = session.get(PasswordLink, account_id, with_for_update=True, populate_existing=True)
        account = session.get(User, account_id, with_for_update=True, populate_existing=True)
        is_valid = link is not None and is_same(link.token_hash, digest(token)) and link.expires_at > now
        if not is_valid or account is None or not account.is_active:
            raise WrongToken(NOT_VALID)
        _set(session, account, new_hash, Actor(account.id, account.email), now)
        return account.email


def has_mail_server() -> bool:
    """Whether links can be sent by mail at all."""
    settings: Settings = current_app.config["SETTINGS"]
    return settings.smtp_url is not None


def send_link(link: Link, now: datetime) -> None:
    """Send a link to its account's address, and wait for what the mail server says.

    Raises:
        DeliveryError: when there is no mail server, or it did not take the message.
    """
    outfit = current_outfit()
    message = password_message(
        outfit.public_url, link.path, link.expires_at, page_zone(), uuid4().hex, link.is_invitation
    )
    # No transaction while waiting for the network.
    db.session.rollback()
    try:
        destination = mail.KIND.check({"to": [link.email]})
    except InvalidDestination as error:
        raise DeliveryError(f"{error}", permanent=True) from error
    outfit.send(mail.KIND, destination, message, outfit.sending(to_us(now)))


def mail_link(link: Link, now: datetime) -> str | None:
    """Send a link as `send_link` does; what went wrong, in a sentence, or None when the mail server took it."""
    try:
        send_link(link, now)
    except DeliveryError as error:
        return error.message
    return None


def mail_link_later(email: str, now: datetime) -> None:
    """Make and send a link to whoever has forgotten a password, in a thread of its own.

    So the answer takes as long and says the same whether there is such an account, and how its mail fared is only in
    the log.
    """
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    threading.Thread(target=_mail_link, args=(app, email, now), name="password link", daemon=True).start()


def _mail_link(app: Flask, email: str, now: datetime) -> None:
    with app.app_context():
        try:
            account_id = db.session.scalar(select(User.id).where(User.email == check_email(email)))
            if account_id is None:
                return
            # Nobody knows who asked: it may be anybody who knows the address.
            send_link(offer_link(account_id, Actor(None, "somebody who is not signed in"), now), now)
        except InvalidInput:
            return
        except DeliveryError as error:
            logger.error("a link to set a password could not be mailed: account=%s: %s", account_id, error.message)
        except Exception:
            logger.exception("a link to set a password could not be made")


def _set(session: Session, account: User, new_hash: str, actor: Actor, now: datetime) -> None:
    before = audit.fields_of(account)
    account.password_hash, account.password_set_at = new_hash, now
    end_all_sessions(session, account.id)
    link = session.get(PasswordLink, account.id)
    if link is not None:
        session.delete(link)
    after = audit.fields_of(account)
    audit.record(session, actor, AuditAction.CHANGED, AuditKind.ACCOUNT, account.id, account.email, now, before, after)
