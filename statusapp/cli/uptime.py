"""The command that opens an uptime figure."""

from __future__ import annotations

from datetime import datetime

import click
from flask import current_app

from statusapp.cli.database import with_database
from statusapp.clock import utcnow
from statusapp.domain.enums import Status
from statusapp.domain.overall import STATUS_LABELS
from statusapp.queries.endpoints import find_endpoint
from statusapp.queries.ledger import Explanation, explain_uptime
from statusapp.queries.uptime import SPAN_DAYS, load_uptimes


@click.command("explain_uptime")
@click.argument("name")
@click.option("--span", type=click.Choice(["24h", *SPAN_DAYS]), default="24h", show_default=True)
def show_uptime(name: str, span: str) -> None:
    """Show the uptime of the endpoint NAME and the intervals that it follows from."""
    weight: float = current_app.config["SETTINGS"].partial_outage_weight
    endpoint_id = with_database(lambda: find_endpoint(name))
    if endpoint_id is None:
        raise click.ClickException(f"there is no endpoint {name!r}")
    uptime = with_database(lambda: load_uptimes(endpoint_id, utcnow(), weight))[span]
    found = with_database(lambda: explain_uptime(endpoint_id, uptime.start, uptime.end, weight))
    for entry in found.entries:
        note = "superseded, counts for nothing" if entry.is_superseded else entry.reason or ""
        click.echo(
            f"{_at(entry.started_at)}  {_at(entry.ended_at):<19}  {STATUS_LABELS[entry.status]:<20}  "
            f"{_length(entry.counted_s):>12}  {entry.rule.word:<18}  {note}".rstrip()
        )
    click.secho(_formula(found), bold=True)


def _formula(found: Explanation) -> str:
    if found.percent is None:
        return "Nothing is known of this time."
    seconds = found.seconds
    down = f"{_length(seconds.get(Status.MAJOR_OUTAGE, 0))} down"
    if seconds.get(Status.PARTIAL_OUTAGE):
        down += f" + {found.partial_weight:g} x {_length(seconds[Status.PARTIAL_OUTAGE])} partly down"
    left_out = seconds.get(Status.UNKNOWN, 0) + seconds.get(Status.MAINTENANCE, 0)
    known = sum(seconds.values()) - left_out
    return f"{found.percent:.4f} % = 100 % less ({down}) of {_length(known)} known" + (
        f"; {_length(left_out)} unknown or in maintenance are left out" if left_out else ""
    )


def _at(moment: datetime | None) -> str:
    return "now" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S}"


def _length(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, hours, days = seconds / 60, seconds / 3600, seconds / 86_400
    return f"{minutes:.1f} min" if minutes < 60 else f"{hours:.1f} h" if hours < 48 else f"{days:.1f} days"
