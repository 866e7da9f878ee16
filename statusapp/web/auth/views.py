"""The views of signing in and out."""

from __future__ import annotations

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_limiter import RateLimitExceeded

from statusapp.clock import utcnow
from statusapp.domain.errors import AccountExists, InvalidInput, WrongCredentials, WrongToken
from statusapp.queries.accounts import has_first_account
from statusapp.services.accounts import create_first_account, opens_first_account
from statusapp.services.credentials import PASSWORD_MIN_LENGTH
from statusapp.web import signed_in
from statusapp.web.auth.blueprint import blueprint
from statusapp.web.auth.forms import FirstAccountForm, SignInForm
from statusapp.web.auth.targets import is_own_path
from statusapp.web.limits import retry_after_s, sign_in_within_limits


@blueprint.route("/login", methods=["GET", "POST"])
def login() -> ResponseReturnValue:
    """The form to sign in."""
    form = SignInForm()
    if not form.validate_on_submit():
        return _sign_in_page(form, 400 if form.is_submitted() else 200)
    try:
        session = sign_in_within_limits(form.email.data, form.password.data, request)
    except WrongCredentials as error:
        return _sign_in_page(form, 400, error.message)
    except RateLimitExceeded:
        return _sign_in_page(form, 429, "Too many attempts. Please wait a little and try again.")
    signed_in.begin(session)
    return redirect(_target() or url_for("dashboard.index"))


@blueprint.post("/logout")
def logout() -> ResponseReturnValue:
    """End the session."""
    signed_in.end()
    return redirect(url_for("status.page"))


@blueprint.route("/first-account/<token>", methods=["GET", "POST"])
def first_account(token: str) -> ResponseReturnValue:
    """The form for the very first account, behind a link that works once."""
    if not opens_first_account(token):
        return render_template("auth/link_invalid.html", has_account=has_first_account()), 404
    form = FirstAccountForm()
    if not form.validate_on_submit():
        return _first_account_page(form, 400 if form.is_submitted() else 200)
    try:
        create_first_account(token, form.email.data, form.password.data, utcnow())
    except InvalidInput as error:
        form[error.field].errors = [error.message]
        return _first_account_page(form, 400)
    except (AccountExists, WrongToken):
        return render_template("auth/link_invalid.html", has_account=has_first_account()), 404
    signed_in.begin(signed_in.sign_in_here(form.email.data, form.password.data))
    return redirect(url_for("dashboard.index"))


def _target() -> str | None:
    """Where the browser wanted to go, when that is a place here."""
    target = request.args.get("next", "")
    return target if is_own_path(target) else None


def _sign_in_page(form: SignInForm, code: int, error: str | None = None) -> ResponseReturnValue:
    html = render_template("auth/login.html", form=form, error=error, next=_target(), has_account=has_first_account())
    response = make_response(html, code)
    if code == 429:
        response.headers["Retry-After"] = str(retry_after_s())
    return response


def _first_account_page(form: FirstAccountForm, code: int) -> ResponseReturnValue:
    return render_template("auth/first_account.html", form=form, min_length=PASSWORD_MIN_LENGTH), code
