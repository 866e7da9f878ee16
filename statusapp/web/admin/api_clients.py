"""API tokens and OAuth applications: one's own, and for owners those of everybody."""

from __future__ import annotations

from datetime import datetime, timedelta

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from flask_wtf import FlaskForm
from wtforms import StringField

from statusapp.clock import utcnow
from statusapp.domain.api_access import LEAST_ROLE
from statusapp.domain.enums import ApiClientKind, Scope
from statusapp.queries.api_clients import ORDERS, ApiClientItem, get_client, page_of_clients
from statusapp.queries.paging import Page, Wanted
from statusapp.services import api_clients as service
from statusapp.services.api_tokens import last_used
from statusapp.web.admin.blueprint import blueprint
from statusapp.web.admin.fields import ChoiceField, Storable, TicksField
from statusapp.web.admin.listing import Choice, Column, Empty, Filter, Listing, enum_choices, show_list
from statusapp.web.admin.rendering import render_admin
from statusapp.web.admin.roles import is_owner
from statusapp.web.admin.saving import is_saved, status_of
from statusapp.web.signed_in import actor

KINDS = {ApiClientKind.TOKEN: "API token", ApiClientKind.APPLICATION: "OAuth application"}
STATES = {"valid": "Valid", "expired": "Expired", "revoked": "Revoked", "closed": "Account closed"}
WHAT_SCOPES_ARE = (
    "Read: everything but secrets. Write: what staff may do, and read. Admin: what owners may do, and both. "
    "Ingest: report the requests of a host application. Never more than your account may do at that moment."
)
# How long it works, in days; 0 is until it is revoked.
LIFETIMES = {30: "30 days", 90: "90 days", 365: "1 year", 0: "until it is revoked"}
COLUMNS: tuple[Column[ApiClientItem], ...] = (
    Column("Name", lambda row: row.name, "name"),
    Column("Kind", lambda row: KINDS[row.kind], is_shown=False),
    Column("State", lambda row: STATES[row.state]),
    Column("May", lambda row: ", ".join(scope.word for scope in row.scopes), is_extra=True),
    Column("Account", lambda row: row.email, is_extra=True),
    Column("Expires", lambda row: row.expires_at, is_number=True, is_extra=True),
    Column("Made", lambda row: row.created_at, "made", is_number=True, is_extra=True),
)


class ApiClientForm(FlaskForm):  # type: ignore[misc]
    """An API client."""

    kind = ChoiceField(
        "Kind",
        choices=[(kind.word, label) for kind, label in KINDS.items()],
        default="token",
        description="A token goes into the Authorization header as it is. An application has an id and a secret, for "
        "which it gets tokens of an hour (OAuth 2, client credentials).",
    )
    name = StringField("Name", [Storable()], description="By which you know it again, such as the program it is for.")
    scopes = TicksField(
        "What it may do",
        default=("read",),
        description=WHAT_SCOPES_ARE,
    )
    days = ChoiceField("It works for", choices=[(str(days), words) for days, words in LIFETIMES.items()], default="90")


@blueprint.get("/health/apiclient/")
def list_api_clients() -> ResponseReturnValue:
    """One's own API clients, or all for owners."""
    add = url_for("admin.add_api_client")
    return show_list(
        Listing(
            title="API clients",
            name="api-clients",
            template="admin/api_clients.html",
            columns=COLUMNS,
            orders=ORDERS,
            load=_page,
            sort="-made",
            search="name, id, account" if is_owner() else "name, id",
            filters=(
                Filter("kind", "Kind", enum_choices(ApiClientKind, KINDS)),
                Filter("state", "State", tuple(Choice(name, label, name) for name, label in STATES.items())),
            ),
            empty=Empty(
                "A program that uses the API shows who it is by a token, or as an application.", "Add one", add
            ),
            add=("Add an API client", add),
            extra={"states": STATES, "kinds": KINDS},
        )
    )


@blueprint.route("/health/apiclient/add/", methods=["GET", "POST"])
def add_api_client() -> ResponseReturnValue:
    """Make an API client of one's own. Its secret is shown on the page that follows, and never again."""
    form, now = ApiClientForm(), utcnow()
    account = current_user.account
    form.scopes.choices = tuple(
        (scope.word, scope.word.capitalize()) for scope in Scope if account.role >= LEAST_ROLE[scope]
    )
    made: list[service.NewClient] = []
    names = {"expires_at": "days"}
    if is_saved(form, lambda: made.append(service.add_client(account.user_id, _draft(form, now), actor(), now)), names):
        return render_admin("admin/api_client_secret.html", made=made[0], kinds=KINDS)
    return render_admin("admin/api_client_add.html", form=form), status_of(form)


@blueprint.get("/health/apiclient/<string(maxlength=32):client_id>/")
def show_api_client(client_id: str) -> ResponseReturnValue:
    """All about an API client but its secret, which is kept nowhere."""
    now = utcnow()
    client = get_client(client_id, now, _whose())
    return render_admin(
        "admin/api_client.html",
        now=now,
        client=client,
        states=STATES,
        kinds=KINDS,
        used_at=last_used([client.client_id]).get(client.client_id),
    )


@blueprint.post("/health/apiclient/<string(maxlength=32):client_id>/revoke")
def revoke_api_client(client_id: str) -> ResponseReturnValue:
    """Ask, and revoke an API client."""
    client = get_client(client_id, utcnow(), _whose())
    if "confirmed" not in request.form:
        what = "and the tokens that it was given stop" if client.kind is ApiClientKind.APPLICATION else "stops"
        return render_admin(
            "admin/confirm.html",
            question=f"Revoke {client.name}?",
            sentences=[
                f"The {KINDS[client.kind]} of {client.email} {what} working at once. This cannot be taken back."
            ],
            button="Revoke it",
            back=url_for("admin.show_api_client", client_id=client_id),
        )
    service.revoke_client(client_id, actor(), utcnow(), _whose())
    flash(f"{client.name} was revoked.")
    return redirect(url_for("admin.list_api_clients"))


def _draft(form: ApiClientForm, now: datetime) -> service.ClientDraft:
    days = int(form.days.data)
    return service.ClientDraft(
        next(kind for kind in ApiClientKind if kind.word == form.kind.data),
        form.name.data or "",
        frozenset(scope for scope in Scope if scope.word in form.scopes.data),
        now + timedelta(days=days) if days else None,
    )


def _whose() -> int | None:
    """Whose clients may be seen and revoked; None is everybody's."""
    account_id: int = current_user.account.user_id
    return None if is_owner() else account_id


def _page(wanted: Wanted, now: datetime) -> Page[ApiClientItem]:
    return page_of_clients(wanted, now, _whose())
