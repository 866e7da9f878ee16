"""The command that fills a fresh installation with a believable history."""

from __future__ import annotations

import sys
import time
from functools import partial

import click
from flask import current_app

from statusapp.cli.database import with_database
from statusapp.clock import utcnow
from statusapp.services import installation
from statusapp.services.demo.catalogue import MOST_SERVICES
from statusapp.services.demo.loading import DemoRefused, fill
from statusapp.services.demo.plans import Plan


@click.command("demo-data")
@click.option("--endpoints", default=100, show_default=True, type=click.IntRange(1, MOST_SERVICES))
@click.option("--days", default=90, show_default=True, type=click.IntRange(1, 3650), help="Days of history.")
@click.option("--raw-days", type=click.IntRange(1, 3650), help="Days with single checks; default: all that are kept.")
@click.option("--interval", default=60, show_default=True, type=click.IntRange(10, 3600), help="Seconds.")
@click.option("--seed", default=1, show_default=True, help="Another number, another history.")
def demo_data(endpoints: int, days: int, raw_days: int | None, interval: int, seed: int) -> None:
    """Fill a fresh installation with invented services and their history, for trying the product out."""
    settings = current_app.config["SETTINGS"]
    plan = Plan(endpoints, days, min(raw_days or settings.check_retention_days, days), interval, seed)
    began = time.monotonic()
    with_database(partial(installation.prepare, settings))
    try:
        with click.progressbar(length=endpoints, label="Filling", hidden=not sys.stdout.isatty()) as bar:
            report = with_database(lambda: fill(plan, settings, utcnow(), bar.update))
    except DemoRefused as error:
        own = "INSTANCE_PATH=./demo" if settings.uses_sqlite else "INSTANCE_PATH=./demo DATABASE_URL=..."
        raise click.ClickException(
            f"{error.message}. Give the demo a place of its own: `{own} flask demo-data`, then `{own} make run`."
        ) from error
    click.echo(
        f"{endpoints:,} endpoints, {days:,} days: {report.checks:,} checks, {report.changes:,} changes of status "
        f"in {time.monotonic() - began:.0f} s"
    )
