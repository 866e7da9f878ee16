"""Commands about the tokens with which host applications report their requests."""

from __future__ import annotations

import click
from flask import current_app

from statusapp.cli.database import with_database
from statusapp.clock import utcnow
from statusapp.services import ingest
from statusapp.services.ingest import IngestRefused


@click.command("create_ingest_token")
@click.argument("name")
def create_ingest_token(name: str) -> None:
    """Let the host application NAME report its requests over HTTP."""
    try:
        token = with_database(lambda: ingest.create_token(name, utcnow()))
    except IngestRefused as error:
        raise click.ClickException(error.message) from error
    click.echo(f"Token of {name}, shown only now: {token}")
    click.echo(f"It reports to {ingest.ingest_address(current_app.config['SETTINGS'].public_url)}")


@click.command("revoke_ingest_token")
@click.argument("name")
def revoke_ingest_token(name: str) -> None:
    """End the token of the host application NAME."""
    try:
        with_database(lambda: ingest.revoke_token(name, utcnow()))
    except IngestRefused as error:
        raise click.ClickException(error.message) from error
    click.echo(f"The token of {name} is no longer valid.")
