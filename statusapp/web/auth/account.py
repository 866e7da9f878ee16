"""What everybody who is signed in can do with their own account: another password, ending sessions and API clients."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_limiter import RateLimitExceeded
from flask_login import current_user

from statusapp.clock import utcnow
from statusapp.domain.errors import InvalidInput, NotFound
from statusapp.domain.visitors import browser_name
from statusapp.queries.accounts import SignedInAccount
from statusapp.queries.admin_accounts import list_sessions
from statusapp.queries.api_clients import get_client, list_clients
from statusapp.services import api_clients
from statusapp.services.api_tokens import last_used
from statusapp.services.credentials import PASSWORD_MIN_LENGTH
from statusapp.services.sessions import end_every_session, end_session, last_seen
from statusapp.web import signed_in
from statusapp.web.admin.rendering import render_admin
from statusapp.web.auth.forms import ChangePasswordForm
from statusapp.web.limits import change_password_within_limits

blueprint = Blueprint("account", __name__, url_prefix="/auth/account")


@blueprint.get("/")
def show_account() -> ResponseReturnValue:
    """The account, and where it is signed in."""
    return _page(ChangePasswordForm(), 200)


@blueprint.post("/password")
def change_password() -> ResponseReturnValue:
    """Set another password. All sessions end; this browser gets a new one."""
    form = ChangePasswordForm()
    if not form.validate():
        return _page(form, 400)
    account = _account()
    try:
        change_password_within_limits(account, form.present.data, form.password.data)
    except InvalidInput as error:
        form[error.field].errors = [error.message]
        return _page(form, 400)
    except RateLimitExceeded:
        form.present.errors = ["Too many attempts. Please wait a little and try again."]
        return _page(form, 429)
    signed_in.begin(signed_in.sign_in_here(account.email, form.password.data))
    flash("Your new password is set. Wherever else you were signed in, you are not any more.")
    return redirect(url_for("account.show_account"))


@blueprint.post("/sessions/<int(max=9223372036854775807):session_id>/end")
def end_one(session_id: int) -> ResponseReturnValue:
    """End one session, perhaps this one."""
    account = _account()
    try:
        end_session(account.user_id, session_id, signed_in.actor(), utcnow())
        flash("The session was ended.")
    except NotFound as error:
        flash(error.message)
    return redirect(url_for("account.show_account"))


@blueprint.post("/clients/<string(maxlength=32):client_id>/revoke")
def revoke_client(client_id: str) -> ResponseReturnValue:
    """Ask, and revoke an API client of one's own."""
    account_id = _account().user_id
    try:
        client = get_client(client_id, utcnow(), account_id)
        if "confirmed" in request.form:
            api_clients.revoke_client(client_id, signed_in.actor(), utcnow(), account_id)
            flash(f"{client.name} was revoked.")
            return redirect(url_for("account.show_account"))
    except NotFound as error:
        flash(error.message)
        return redirect(url_for("account.show_account"))
    return render_admin(
        "admin/confirm.html",
        question=f"Revoke {client.name}?",
        sentences=["Whatever uses it stops working at once. This cannot be taken back."],
        button="Revoke it",
        back=url_for("account.show_account"),
    )


@blueprint.post("/sessions/end")
def end_all() -> ResponseReturnValue:
    """End all sessions, this one too."""
    end_every_session(_account().user_id, signed_in.actor(), utcnow())
    signed_in.end()
    return redirect(url_for("auth.login"))


def _account() -> SignedInAccount:
    account: SignedInAccount = current_user.account
    return account


def _page(form: ChangePasswordForm, code: int) -> ResponseReturnValue:
    account, now = _account(), utcnow()
    sessions, clients = list_sessions(account.user_id, now), list_clients(account.user_id, None, now)
    html = render_admin(
        "auth/account.html",
        now=now,
        form=form,
        account=account,
        min_length=PASSWORD_MIN_LENGTH,
        sessions=sessions,
        seen=last_seen([one.id for one in sessions]),
        clients=clients,
        used=last_used([one.client_id for one in clients]),
        browser_name=browser_name,
    )
    return html, code
