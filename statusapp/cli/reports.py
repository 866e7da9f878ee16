"""The command that shows a daily report."""

from __future__ import annotations

import click

from statusapp.cli.database import with_database
from statusapp.clock import utcnow
from statusapp.domain import report_texts
from statusapp.domain.errors import DomainError
from statusapp.services import reports
from statusapp.services.reports import FoundReport


@click.command("report")
@click.option("--date", "given", metavar="YYYY-MM-DD", help="Which day; also today or yesterday. Default: yesterday.")
def show_report(given: str | None) -> None:
    """Show the report of a day of the page's zone; of today so far."""
    try:
        found = with_database(lambda: _find(given))
    except DomainError as error:
        raise click.ClickException(error.message) from error
    click.echo(report_texts.text(found.data, most_services=None))
    if not found.is_stored:
        click.echo("This report is not stored: it was made just now.")


def _find(given: str | None) -> FoundReport:
    now = utcnow()
    return reports.show_report(reports.day_for(given, now), now)
