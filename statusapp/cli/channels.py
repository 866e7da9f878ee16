"""Commands about channels and what is sent to them."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import click

from statusapp.cli.database import Result, with_database
from statusapp.clock import utcnow
from statusapp.domain.actors import COMMAND_LINE
from statusapp.domain.enums import Severity
from statusapp.domain.errors import DomainError
from statusapp.domain.instants import from_us
from statusapp.queries.deliveries import ChannelRow, DeliveryRow
from statusapp.queries.deliveries import list_channels as find_channels
from statusapp.queries.deliveries import list_deliveries as find_deliveries
from statusapp.services import channels, message_texts
from statusapp.services.channels import ChannelDraft
from statusapp.services.page import page_zone

SEVERITIES = {severity.word: severity for severity in Severity}
TRANSITIONS = {transition.word: transition for transition in message_texts.EDITABLE}


@click.command("add_channel")
@click.argument("name")
@click.argument("kind", type=click.Choice(["email", "apprise", "webhook"]))
@click.argument("target")
@click.option("--severity", "severities", multiple=True, type=click.Choice(list(SEVERITIES)), help="Default: all.")
@click.option("--group", "groups", multiple=True, help="Only services under this heading of the page.")
@click.option("--tag", "tags", multiple=True, help="Only services with this tag.")
@click.option("--quiet", metavar="HH:MM-HH:MM", help="Only what is critical is sent at once in these hours.")
@click.option("--reports", is_flag=True, help="Send the daily report too.")
@click.option("--no-alerts", is_flag=True, help="Send no alerts.")
@click.option("--smtp", help="E-mail: the server, as in smtp://user:password@host:587; default: SMTP_URL.")
@click.option("--sender", help="E-mail: who it comes from.")
@click.option("--secret", help="Webhook: what it is signed with; default: a new one, which is shown once.")
def add_channel(name: str, kind: str, target: str, **given: Any) -> None:
    """Reach people by TARGET: recipients of e-mail, an Apprise address, or the address of a webhook."""
    secret = given["secret"] or secrets.token_urlsafe(32)
    destination = {
        "email": {"to": target, "url": given["smtp"], "sender": given["sender"]},
        "apprise": {"url": target},
        "webhook": {"url": target, "secret": secret},
    }[kind]
    draft = ChannelDraft(
        name,
        kind,
        destination,
        severities=tuple(SEVERITIES[word] for word in given["severities"]) or tuple(Severity),
        groups=given["groups"],
        tags=given["tags"],
        quiet=given["quiet"],
        sends_alerts=not given["no_alerts"],
        sends_reports=given["reports"],
    )
    _run(lambda: channels.add_channel(draft, utcnow(), actor=COMMAND_LINE))
    click.echo(f"Added {name}. Try it: flask test_channel {name!r}")
    if kind == "webhook" and not given["secret"]:
        click.echo(f"Its secret, shown only now: {secret}")


@click.command("list_channels")
def list_channels() -> None:
    """Show the channels, what they are for and how they do."""
    rows = with_database(find_channels)
    if not rows:
        click.echo("There are no channels yet: flask add_channel NAME KIND TARGET")
    zone = with_database(page_zone)
    for row in rows:
        click.echo(f"{click.style(row.name, bold=True)}  {row.kind}  {row.target}{'' if row.is_enabled else '  (off)'}")
        click.echo(f"    {_purpose(row)}")
        click.secho(f"    {_standing(row, zone)}", fg="red" if row.failing_since else None)


@click.command("test_channel")
@click.argument("name")
def test_channel(name: str) -> None:
    """Send a message of trial to the channel NAME and show what the receiver says. Ends with 1 when it says no."""
    tested = _run(lambda: channels.try_channel(channels.find_channel(name), utcnow(), actor=COMMAND_LINE))
    click.echo(f"{'taken' if tested.taken else 'NOT TAKEN'}: {tested.answer}")
    if not tested.taken:
        raise SystemExit(1)


@click.command("remove_channel")
@click.argument("name")
def remove_channel(name: str) -> None:
    """Delete the channel NAME and all that was or would have been sent to it."""
    _run(lambda: channels.delete_channel(channels.find_channel(name), actor=COMMAND_LINE))
    click.echo(f"Removed {name}.")


@click.command("show_deliveries")
@click.option("--failed", is_flag=True, help="Only what was not delivered.")
@click.option("--channel", help="Only of this channel.")
@click.option("--limit", default=30, show_default=True, type=click.IntRange(1, 10_000))
def show_deliveries(failed: bool, channel: str | None, limit: int) -> None:
    """Show the newest messages, what became of them, and what the receivers said."""
    channel_id = None if channel is None else _run(lambda: channels.find_channel(channel))
    rows = with_database(lambda: find_deliveries(failed=failed, channel_id=channel_id, limit=limit))
    zone = with_database(page_zone)
    for row in rows:
        click.echo(_delivery_line(row, zone))
    if not rows:
        click.echo("Nothing has failed." if failed else "Nothing has been sent yet.")


@click.command("set_message_text")
@click.argument("transition", type=click.Choice(list(TRANSITIONS)))
@click.option("--title", help="The line that must do alone.")
@click.option("--body", help="What follows it; \\n begins a new line.")
@click.option("--reset", is_flag=True, help="Use the product's own words again.")
def set_message_text(transition: str, title: str | None, body: str | None, reset: bool) -> None:
    """Use other words for the messages of a kind. Without an option, show those in use."""
    kind = TRANSITIONS[transition]
    if reset:
        with_database(lambda: message_texts.reset_text(kind, actor=COMMAND_LINE))
    elif title is not None or body is not None:
        present = with_database(message_texts.texts_in_use)[kind]
        new_body = present.body if body is None else body.replace("\\n", "\n")
        new_title = present.title if title is None else title
        _run(lambda: message_texts.set_text(kind, new_title, new_body, actor=COMMAND_LINE))
    in_use = with_database(message_texts.texts_in_use)[kind]
    click.secho(in_use.title, bold=True)
    click.echo(in_use.body)


def _run(work: Callable[[], Result]) -> Result:
    """What `work` returns; what it refuses becomes one clear line."""
    try:
        return with_database(work)
    except DomainError as error:
        raise click.ClickException(error.message) from error


def _purpose(row: ChannelRow) -> str:
    parts = [", ".join(severity.word for severity in row.severities) if row.sends_alerts else "no alerts"]
    if row.sends_reports:
        parts.append("daily report")
    if row.groups or row.tags:
        parts.append("only " + ", ".join([*row.groups, *(f"#{tag}" for tag in row.tags)]))
    if row.quiet:
        parts.append(f"quiet {row.quiet}")
    return " · ".join(parts)


def _standing(row: ChannelRow, zone: ZoneInfo) -> str:
    parts = [f"{row.waiting} waiting"] if row.waiting else []
    if row.broken_since is not None:
        parts.append(f"broken since {_time(row.broken_since, zone)}")
    elif row.failing_since is not None:
        parts.append(f"failing since {_time(row.failing_since, zone)}")
    parts.append(f"last sent {_time(row.last_sent_at, zone)}" if row.last_sent_at else "nothing sent yet")
    return ", ".join(parts) + (f"; last answer: {row.last_answer}" if row.last_answer else "")


def _delivery_line(row: DeliveryRow, zone: ZoneInfo) -> str:
    tries = f" after {row.attempts} attempts" if row.attempts > 1 else ""
    return (
        f"{_time(row.created_at, zone)}  {row.state.word:<7}  {row.channel}: {row.transition.word} {row.name}"
        f"{tries}{f' - {row.answer}' if row.answer else ''}"
    )


def _time(instant: int, zone: ZoneInfo) -> str:
    local: datetime = from_us(instant).astimezone(zone)
    return f"{local:%Y-%m-%d %H:%M:%S}"
