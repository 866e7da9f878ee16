"""The commands: `flask --app wsgi COMMAND`, or plain `flask COMMAND` in the project's folder."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import click
from flask import Flask, current_app
from sqlalchemy.exc import OperationalError, ProgrammingError

from config import SettingsError, check_base_url
from statusapp.clock import utcnow
from statusapp.domain.enums import Outcome
from statusapp.domain.errors import DomainError
from statusapp.domain.values import ProbeResult
from statusapp.extensions import db
from statusapp.queries.endpoints import EndpointRow, list_endpoints, near_names
from statusapp.services import accounts, installation, metrics
from statusapp.services.check_runs import check_now
from statusapp.services.endpoint_drafts import EndpointDraft, InvalidEndpoint
from statusapp.services.endpoints import create_endpoint
from statusapp.services.probing import current_probing

Result = TypeVar("Result")

SHOW_PROGRESS_FROM = 20


def init_app(app: Flask) -> None:
    """Register the commands."""
    for command in (setup_health_monitoring, run_health_checks, add_endpoint, create_admin):
        app.cli.add_command(command)


@click.command("setup_health_monitoring")
@click.option("--base-url", help="The server that the default endpoints belong to; default: the setting BASE_URL.")
def setup_health_monitoring(base_url: str | None) -> None:
    """Create the page's settings and the default endpoints. Changes nothing that is there."""
    try:
        base_url = check_base_url(base_url, "--base-url") if base_url else current_app.config["SETTINGS"].base_url
    except SettingsError as error:
        raise click.ClickException(str(error)) from error
    report = _with_database(lambda: installation.set_up(base_url, utcnow()))
    for name in report.created:
        click.echo(f"created  {name}")
    for name in report.kept:
        click.echo(f"kept     {name}")
    click.echo(f"{len(report.created)} created, {len(report.kept)} kept as they were.")


@click.command("run_health_checks")
@click.option("--endpoint", "name", help="Check only the endpoint of this name.")
@click.option("--collect-metrics", is_flag=True, help="Read and store the system metrics as well.")
def run_health_checks(name: str | None, collect_metrics: bool) -> None:
    """Check now, in this process. Ends with 1 when something is down."""
    rows = {row.id: row for row in _with_database(list_endpoints)}
    if name is not None:
        rows = {row.id: row for row in rows.values() if row.name == name} or _unknown(name)
    rows = {row.id: row for row in rows.values() if row.is_enabled or name is not None}
    results: dict[int, ProbeResult] = {}
    patience = max((row.timeout_ms for row in rows.values()), default=0) / 1000 + 5
    with click.progressbar(length=len(rows), label="Checking", hidden=len(rows) < SHOW_PROGRESS_FROM) as bar:

        def made(endpoint_id: int, result: ProbeResult) -> None:
            results[endpoint_id] = result
            bar.update(1)

        left = check_now(db.engine, current_probing(), list(rows), patience, made)
    _print_table(rows, results)
    if left:
        click.echo(f"{len(left)} could not be checked: a worker was checking them all the while.", err=True)
    if collect_metrics:
        click.echo(f"System: {metrics.collect_metrics(utcnow())}")
    if left or any(result.outcome in (Outcome.FAILED, Outcome.INTERNAL_ERROR) for result in results.values()):
        raise SystemExit(1)


@click.command("add_endpoint")
@click.argument("name")
@click.argument("url")
@click.option("--method", default="GET", show_default=True)
@click.option("--interval", default=300, show_default=True, help="Seconds between two checks.")
@click.option("--timeout", default=10.0, show_default=True, help="Seconds for the whole answer.")
@click.option("--expect", default="200-299", show_default=True, help="Status codes, as in 200-299, 401.")
@click.option("--retries", default=2, show_default=True, help="Failed retries before an outage is confirmed.")
def add_endpoint(name: str, url: str, method: str, interval: int, timeout: float, expect: str, retries: int) -> None:
    """Monitor URL under NAME. The first check is made at once."""
    draft = EndpointDraft(
        name,
        url,
        method=method.upper(),
        expected_status_codes=expect,
        interval_s=interval,
        timeout_ms=round(timeout * 1000),
        retries=retries,
    )
    try:
        _with_database(lambda: create_endpoint(draft, utcnow()))
    except InvalidEndpoint as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"Added {name}: {draft.method} {url} every {interval} s.")


@click.command("create_admin")
@click.option("--email", prompt="E-mail address")
@click.password_option()
def create_admin(email: str, password: str) -> None:
    """Create the first account, which may do everything."""
    try:
        _with_database(lambda: accounts.create_first_account(None, email, password, utcnow()))
    except DomainError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"Created the account {email}. Sign in at {current_app.config['SETTINGS'].address}/auth/login")


def _with_database(work: Callable[[], Result]) -> Result:
    """What `work` returns; a database that cannot be used becomes one clear line."""
    try:
        return work()
    except (OperationalError, ProgrammingError) as error:
        raise click.ClickException(
            f"the database cannot be used ({error.orig}). Is DATABASE_URL right, and has `flask db upgrade` been run?"
        ) from error


def _unknown(name: str) -> dict[int, EndpointRow]:
    near = near_names(name)
    hint = f" Did you mean {', '.join(near)}?" if near else " There are no endpoints yet: run setup_health_monitoring."
    raise click.ClickException(f"there is no endpoint {name!r}.{hint}")


def _print_table(rows: dict[int, EndpointRow], results: dict[int, ProbeResult]) -> None:
    if not results:
        return
    width = max(len(rows[endpoint_id].name) for endpoint_id in results)
    click.secho(f"{'Service':<{width}}  {'Result':<8}  {'Code':>4}  {'Time':>9}  Error", bold=True)
    for row in rows.values():
        result = results.get(row.id)
        if result is None:
            continue
        colour = {Outcome.OK: "green", Outcome.SLOW: "yellow"}.get(result.outcome, "red")
        word = {Outcome.OK: "ok", Outcome.SLOW: "slow", Outcome.FAILED: "down"}.get(result.outcome, "unknown")
        click.echo(
            f"{row.name:<{width}}  {click.style(f'{word:<8}', fg=colour)}  {result.status_code or '-':>4}  "
            f"{result.total_us / 1e6:>7.3f} s  {result.error or ''}".rstrip()
        )
    down = sum(result.outcome in (Outcome.FAILED, Outcome.INTERNAL_ERROR) for result in results.values())
    click.echo(f"{len(results) - down} of {len(results)} services answered as expected.")
