"""Accounts from the command line: whoever has the machine itself may let people in."""

from __future__ import annotations

from collections.abc import Callable

import click
from flask import current_app

from statusapp.cli.database import with_database
from statusapp.clock import utcnow
from statusapp.domain.actors import COMMAND_LINE
from statusapp.domain.enums import Role
from statusapp.domain.errors import DomainError
from statusapp.queries.admin_accounts import page_of_accounts
from statusapp.queries.paging import Wanted
from statusapp.services import accounts
from statusapp.services.passwords import Link, offer_link, offer_link_for

ROLES = [role.word for role in Role]
MOST_LISTED = 10_000


@click.command("create_admin")
@click.option("--email", prompt="E-mail address")
@click.password_option()
def create_admin(email: str, password: str) -> None:
    """Create the first account, which may do everything."""
    try:
        with_database(lambda: accounts.create_first_account(None, email, password, utcnow()))
    except DomainError as error:
        raise click.ClickException(f"{error} Make others with add_account.") from error
    click.echo(f"Created the account {email}. Sign in at {current_app.config['SETTINGS'].address}/auth/login")


@click.command("add_account")
@click.argument("email")
@click.option(
    "--role",
    type=click.Choice([role.word for role in Role]),
    default="staff",
    show_default=True,
    help="What it may do.",
)
def add_account(email: str, role: str) -> None:
    """Create an account, and print the link by which its owner chooses the password."""

    def add() -> Link:
        chosen = next(one for one in Role if one.word == role)
        return offer_link(accounts.add_account(email, chosen, COMMAND_LINE, utcnow()), COMMAND_LINE, utcnow())

    _print_link(_done(add))


@click.command("reset_password")
@click.argument("email")
def reset_password(email: str) -> None:
    """Print a link by which the password of an account is set anew. It works once and for an hour."""
    _print_link(_done(lambda: offer_link_for(email, COMMAND_LINE, utcnow())))


@click.command("list_accounts")
def list_accounts() -> None:
    """List who can sign in."""
    rows = with_database(lambda: page_of_accounts(Wanted("email", limit=MOST_LISTED), utcnow()).rows)
    if not rows:
        click.echo("There are no accounts yet: run create_admin.")
        return
    width = max(len("Email"), *(len(row.email) for row in rows))
    click.secho(f"{'Email':<{width}}  {'Role':<6}  {'State':<7}  Last sign-in", bold=True)
    for row in rows:
        last = f"{row.last_sign_in_at:%Y-%m-%d %H:%M} UTC" if row.last_sign_in_at else "-"
        colour = {"closed": "red", "invited": "yellow"}.get(row.state, "green")
        state = click.style(f"{row.state:<7}", fg=colour)
        click.echo(f"{row.email:<{width}}  {row.role.word:<6}  {state}  {last}")


def _done(change: Callable[[], Link]) -> Link:
    try:
        return with_database(change)
    except DomainError as error:
        raise click.ClickException(str(error)) from error


def _print_link(link: Link) -> None:
    settings = current_app.config["SETTINGS"]
    click.echo(f"The link for {link.email}, which works once and until {link.expires_at:%Y-%m-%d %H:%M} UTC:")
    click.echo(f"{settings.public_url}{link.path}")
