"""Accounts: the list, inviting somebody, and what owners may change of an account."""

from __future__ import annotations

from datetime import datetime

from flask import current_app, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from flask_wtf import FlaskForm
from wtforms import EmailField
from wtforms.validators import DataRequired

from statusapp.clock import utcnow
from statusapp.domain.enums import Role
from statusapp.domain.errors import InvalidInput
from statusapp.domain.visitors import browser_name
from statusapp.queries.admin_accounts import ORDERS, AccountItem, get_account, list_sessions, page_of_accounts
from statusapp.services import accounts as service
from statusapp.services.passwords import Link, has_mail_server, mail_link, offer_link
from statusapp.services.sessions import end_every_session, last_seen
from statusapp.web.admin.blueprint import owner_blueprint
from statusapp.web.admin.fields import ChoiceField
from statusapp.web.admin.listing import Choice, Column, Empty, Filter, Listing, enum_choices, show_list
from statusapp.web.admin.rendering import render_admin
from statusapp.web.admin.saving import is_saved, status_of
from statusapp.web.signed_in import actor

STATES = {"active": "Active", "invited": "Invited", "closed": "Closed"}
ROLES = [(role.word, role.word.capitalize()) for role in Role]
WHAT_ROLES_MAY = (
    "A viewer looks at the dashboard. Staff run services, incidents, maintenance and rules. An owner may do "
    "everything: accounts, secrets and deletion too."
)
COLUMNS: tuple[Column[AccountItem], ...] = (
    Column("Email", lambda row: row.email, "email"),
    Column("Role", lambda row: row.role.word),
    Column("State", lambda row: STATES[row.state]),
    Column("Sessions", lambda row: row.sessions, is_number=True, is_extra=True),
    Column("Last sign-in", lambda row: row.last_sign_in_at, is_number=True, is_extra=True),
    Column("Made", lambda row: row.created_at, "made", is_number=True, is_extra=True),
)
_ACCOUNT = "/health/account/<int(max=2147483647):account_id>"


class AccountForm(FlaskForm):  # type: ignore[misc]
    """Whom an account is for."""

    email = EmailField(
        "Email", [DataRequired("Enter an email address.")], description="Its owner chooses the password, by a link."
    )
    role = ChoiceField("Role", choices=ROLES, default="staff", description=WHAT_ROLES_MAY)


class RoleForm(FlaskForm):  # type: ignore[misc]
    """What an account may do."""

    role = ChoiceField(
        "Role", choices=ROLES, description=f"{WHAT_ROLES_MAY} With another role it has to sign in again."
    )


@owner_blueprint.get("/health/account/")
def list_accounts() -> ResponseReturnValue:
    """All accounts."""
    add = url_for("admin_owner.add_account")
    return show_list(
        Listing(
            title="Accounts",
            name="accounts",
            template="admin/accounts.html",
            columns=COLUMNS,
            orders=ORDERS,
            load=page_of_accounts,
            sort="email",
            search="email",
            filters=(
                Filter("role", "Role", enum_choices(Role)),
                Filter("state", "State", tuple(Choice(name, label, name) for name, label in STATES.items())),
            ),
            empty=Empty("An account lets somebody sign in.", "Invite somebody", add),
            add=("Invite somebody", add),
            extra={"states": STATES},
        )
    )


@owner_blueprint.route("/health/account/add/", methods=["GET", "POST"])
def add_account() -> ResponseReturnValue:
    """Make an account, and a link by which its owner sets the password."""
    form, added = AccountForm(), list[int]()
    if is_saved(form, lambda: added.append(service.add_account(form.email.data, _role(form), actor(), utcnow()))):
        return _hand_out(added[0])
    return render_admin("admin/account_add.html", form=form), status_of(form)


@owner_blueprint.route(f"{_ACCOUNT}/", methods=["GET", "POST"])
def edit_account(account_id: int) -> ResponseReturnValue:
    """An account, and its role."""
    account = get_account(account_id, utcnow())
    form = RoleForm(data={"role": account.role.word})
    if is_saved(form, lambda: service.change_role(account_id, _role(form), actor(), utcnow())):
        flash(f"{account.email} is {_role(form).word} now.")
        # Whoever gives an own role away has to sign in again.
        return redirect(url_for("admin_owner.list_accounts"))
    return _account_page(account, form), status_of(form)


@owner_blueprint.post(f"{_ACCOUNT}/link")
def make_link(account_id: int) -> ResponseReturnValue:
    """A link by which the password is set anew."""
    return _hand_out(account_id)


@owner_blueprint.post(f"{_ACCOUNT}/close")
def close_account(account_id: int) -> ResponseReturnValue:
    """Let nobody in by this account any more."""
    return _set_active(account_id, False)


@owner_blueprint.post(f"{_ACCOUNT}/open")
def open_account(account_id: int) -> ResponseReturnValue:
    """Let its owner in again."""
    return _set_active(account_id, True)


@owner_blueprint.post(f"{_ACCOUNT}/sessions/end")
def end_sessions(account_id: int) -> ResponseReturnValue:
    """Sign the account out everywhere."""
    account = get_account(account_id, utcnow())
    end_every_session(account_id, actor(), utcnow())
    flash(f"{account.email} was signed out everywhere.")
    return redirect(url_for("admin_owner.edit_account", account_id=account_id))


@owner_blueprint.post(f"{_ACCOUNT}/delete/")
def delete_account(account_id: int) -> ResponseReturnValue:
    """Ask, and delete an account."""
    account = get_account(account_id, utcnow())
    back = url_for("admin_owner.edit_account", account_id=account_id)
    if "confirmed" not in request.form:
        return render_admin(
            "admin/confirm.html",
            question=f"Delete {account.email}?",
            sentences=[
                "Its sessions end and its API tokens stop working. What it did stays in the audit log, by its address.",
                "Closing an account does the same, and can be taken back.",
            ],
            button="Delete for good",
            back=back,
        )
    try:
        service.delete_account(account_id, actor(), utcnow())
    except InvalidInput as error:
        flash(error.message)
        return redirect(back)
    flash(f"{account.email} was deleted.")
    return redirect(url_for("admin_owner.list_accounts"))


def _role(form: FlaskForm) -> Role:
    return next(role for role in Role if role.word == form.role.data)


def _set_active(account_id: int, is_active: bool) -> ResponseReturnValue:
    account = get_account(account_id, utcnow())
    try:
        service.set_active(account_id, is_active, actor(), utcnow())
        flash(f"{account.email} is {'open again' if is_active else 'closed'}.")
    except InvalidInput as error:
        flash(error.message)
    return redirect(url_for("admin_owner.edit_account", account_id=account_id))


def _hand_out(account_id: int) -> ResponseReturnValue:
    """Make a link, mail it when there is a mail server, and show it when that did not work."""
    try:
        link = offer_link(account_id, actor(), utcnow())
    except InvalidInput as error:
        flash(error.message)
        return redirect(url_for("admin_owner.edit_account", account_id=account_id))
    if not has_mail_server():
        return _link_page(link, "This installation has no mail server, so hand it over yourself.")
    trouble = mail_link(link, utcnow())
    if trouble is not None:
        return _link_page(link, f"It could not be mailed: {trouble} Hand it over yourself.")
    flash(f"A link to set the password was mailed to {link.email}.")
    return redirect(url_for("admin_owner.edit_account", account_id=account_id))


def _link_page(link: Link, why: str) -> str:
    settings = current_app.config["SETTINGS"]
    return render_admin("admin/account_link.html", link=link, why=why, address=f"{settings.public_url}{link.path}")


def _account_page(account: AccountItem, form: RoleForm) -> str:
    now: datetime = utcnow()
    sessions = list_sessions(account.id, now)
    return render_admin(
        "admin/account.html",
        now=now,
        person=account,
        form=form,
        states=STATES,
        is_own=account.id == current_user.account.user_id,
        sessions=sessions,
        seen=last_seen([one.id for one in sessions]),
        browser_name=browser_name,
    )
