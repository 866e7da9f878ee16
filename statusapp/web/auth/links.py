"""Forgotten passwords: asking for a link, and setting a new password by one."""

from __future__ import annotations

from flask import flash, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_limiter import RateLimitExceeded

from statusapp.clock import utcnow
from statusapp.domain.errors import InvalidInput, WrongToken
from statusapp.services.credentials import PASSWORD_MIN_LENGTH, check_email
from statusapp.services.passwords import has_mail_server, opens_password, set_password
from statusapp.web import signed_in
from statusapp.web.auth.blueprint import blueprint
from statusapp.web.auth.forms import NewPasswordForm, ResetForm
from statusapp.web.limits import mail_link_within_limits, retry_after_s


@blueprint.route("/reset/", methods=["GET", "POST"])
def ask_for_link() -> ResponseReturnValue:
    """Ask for a link by mail. The answer is the same whether there is such an account."""
    form = ResetForm()
    if not has_mail_server() or not form.validate_on_submit():
        return _ask_page(form, 400 if form.errors else 200)
    try:
        email = check_email(form.email.data)
        mail_link_within_limits(email)
    except InvalidInput as error:
        form.email.errors = [error.message]
        return _ask_page(form, 400)
    except RateLimitExceeded:
        form.email.errors = ["This was asked for too often. Please wait a little, and look into your mailbox."]
        response = make_response(_ask_page(form, 429))
        response.headers["Retry-After"] = str(retry_after_s())
        return response
    return _ask_page(form, 200, sent_to=email)


@blueprint.route("/password/<token>", methods=["GET", "POST"])
def new_password(token: str) -> ResponseReturnValue:
    """Set the password of the account that a link is for, and sign in."""
    form = NewPasswordForm()
    if not opens_password(token, utcnow()):
        return _invalid()
    if not form.validate_on_submit():
        return _password_page(form, 400 if form.is_submitted() else 200)
    try:
        email = set_password(token, form.password.data, utcnow())
    except InvalidInput as error:
        form.password.errors = [error.message]
        return _password_page(form, 400)
    except WrongToken:
        return _invalid()
    signed_in.begin(signed_in.sign_in_here(email, form.password.data))
    flash("Your new password is set. Wherever else you were signed in, you are not any more.")
    return redirect(url_for("dashboard.index"))


def _ask_page(form: ResetForm, code: int, sent_to: str | None = None) -> tuple[str, int]:
    return render_template("auth/reset.html", form=form, can_mail=has_mail_server(), sent_to=sent_to), code


def _password_page(form: NewPasswordForm, code: int) -> ResponseReturnValue:
    return render_template("auth/password.html", form=form, min_length=PASSWORD_MIN_LENGTH), code


def _invalid() -> ResponseReturnValue:
    return render_template("auth/password_invalid.html"), 404
