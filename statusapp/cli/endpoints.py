"""Commands about endpoints, and the set-up of an installation."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click
from click.core import ParameterSource
from flask import current_app

from config import SettingsError, check_base_url
from statusapp.cli.database import with_database
from statusapp.cli.metrics_table import print_metrics
from statusapp.clock import utcnow
from statusapp.domain.actors import COMMAND_LINE
from statusapp.domain.enums import Outcome
from statusapp.domain.values import ProbeResult
from statusapp.domain.web_addresses import masked
from statusapp.extensions import db
from statusapp.queries.endpoints import EndpointRow, list_endpoints, near_names
from statusapp.services import installation, metrics
from statusapp.services.check_runs import check_now
from statusapp.services.endpoint_drafts import HEARTBEAT_LOOK_S, EndpointDraft, InvalidEndpoint
from statusapp.services.endpoints import create_endpoint, ping_path
from statusapp.services.probing import current_probing

SHOW_PROGRESS_FROM = 20
WORDS = {Outcome.OK: "ok", Outcome.SLOW: "slow", Outcome.FAILED: "down", Outcome.WAITING: "waiting"}


@click.command("setup_health_monitoring")
@click.option("--base-url", help="The server that the default endpoints belong to; default: the setting BASE_URL.")
def setup_health_monitoring(base_url: str | None) -> None:
    """Create the page's settings and the default endpoints. Changes nothing that is there."""
    try:
        base_url = check_base_url(base_url, "--base-url") if base_url else current_app.config["SETTINGS"].base_url
    except SettingsError as error:
        raise click.ClickException(str(error)) from error
    report = with_database(lambda: installation.set_up(base_url, utcnow()))
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
    rows = {row.id: row for row in with_database(list_endpoints)}
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
        click.echo("\n" if results else "", nl=False)
        print_metrics(with_database(lambda: metrics.collect_now(utcnow())))
    if left or any(result.outcome in (Outcome.FAILED, Outcome.INTERNAL_ERROR) for result in results.values()):
        raise SystemExit(1)


@click.command("add_endpoint")
@click.argument("name")
@click.argument("address")
@click.option("--method", default="GET", show_default=True)
@click.option("--interval", default=300, show_default=True, help="Seconds between two checks.")
@click.option("--timeout", default=10.0, show_default=True, help="Seconds for the whole answer.")
@click.option("--expect", default="200-299", show_default=True, help="Status codes, as in 200-299, 401.")
@click.option("--retries", default=2, show_default=True, help="Failed retries before an outage is confirmed.")
@click.option("--slow", type=float, help="Seconds from which an answer counts as slow.")
@click.option("--condition", "fails", multiple=True, help="What must hold, as in '[BODY].status == ok'.")
@click.option("--degrades", multiple=True, help="The same, but only degrades the service.")
@click.option("--set", "settings", multiple=True, metavar="OPTION=VALUE", help="An option of the kind of check.")
@click.option("--header", "headers", multiple=True, metavar="NAME:VALUE", help="A request header.")
@click.option("--group", help="The heading on the page that it stands under.")
@click.option("--tag", "tags", multiple=True)
@click.option("--depends-on", multiple=True, metavar="NAME", help="An endpoint that this one needs.")
@click.option("--private", is_flag=True, help="Leave it off the public page.")
@click.option("--show-url", is_flag=True, help="Show the address on the public page.")
def add_endpoint(name: str, address: str, **given: Any) -> None:
    """Monitor ADDRESS under NAME: http(s)://, tcp://host:port, tls://host, dns://name or heartbeat:"""
    try:
        draft = _draft(name, address, given)
        endpoint_id = with_database(lambda: create_endpoint(draft, utcnow(), actor=COMMAND_LINE))
    except InvalidEndpoint as error:
        raise click.ClickException(str(error)) from error
    asked = f"{draft.method} {masked(address)}" if address.lower().startswith("http") else masked(address)
    click.echo(f"Added {name}: {asked} every {draft.interval_s} s.")
    path = ping_path(endpoint_id)
    if path is not None:
        click.echo(f"Have the job call {current_app.config['SETTINGS'].public_url}{path} when it is done.")


def _draft(name: str, address: str, given: dict[str, Any]) -> EndpointDraft:
    """What the command's options say. A heartbeat is looked at every minute unless another interval is given."""
    options: dict[str, Any] = dict(_pair(text, "=", "--set") for text in given["settings"])
    if given["headers"]:
        options["headers"] = dict(_pair(text, ":", "--header") for text in given["headers"])
    draft = EndpointDraft(
        name,
        address,
        method=given["method"].upper(),
        expected_status_codes=given["expect"],
        interval_s=given["interval"],
        timeout_ms=round(given["timeout"] * 1000),
        retries=given["retries"],
        slow_ms=None if given["slow"] is None else round(given["slow"] * 1000),
        options=options,
        conditions=(*((text, False) for text in given["fails"]), *((text, True) for text in given["degrades"])),
        group=given["group"],
        tags=given["tags"],
        depends_on=given["depends_on"],
        is_public=not given["private"],
        shows_url=given["show_url"],
    )
    source = click.get_current_context().get_parameter_source("interval")
    if draft.is_heartbeat and source is ParameterSource.DEFAULT:
        return replace(draft, interval_s=HEARTBEAT_LOOK_S)
    return draft


def _pair(text: str, sign: str, option: str) -> tuple[str, str]:
    name, found, value = text.partition(sign)
    if not found or not name.strip():
        raise click.ClickException(f"{option} {text!r} must have the form name{sign}value")
    return name.strip(), value.strip()


def _unknown(name: str) -> dict[int, EndpointRow]:
    near = near_names(name)
    hint = f" Did you mean {', '.join(near)}?" if near else " There are no endpoints yet: run setup_health_monitoring."
    raise click.ClickException(f"there is no endpoint {name!r}.{hint}")


def _print_table(rows: dict[int, EndpointRow], results: dict[int, ProbeResult]) -> None:
    if not results:
        return
    width = max(len("Service"), *(len(rows[endpoint_id].name) for endpoint_id in results))
    click.secho(f"{'Service':<{width}}  {'Result':<8}  {'Code':>4}  {'Time':>9}  Error", bold=True)
    for row in rows.values():
        result = results.get(row.id)
        if result is None:
            continue
        colour = {Outcome.OK: "green", Outcome.SLOW: "yellow", Outcome.WAITING: "yellow"}.get(result.outcome, "red")
        word = WORDS.get(result.outcome, "unknown")
        click.echo(
            f"{row.name:<{width}}  {click.style(f'{word:<8}', fg=colour)}  {result.status_code or '-':>4}  "
            f"{result.total_us / 1e6:>7.3f} s  {result.error or ''}".rstrip()
        )
    down = sum(result.outcome in (Outcome.FAILED, Outcome.INTERNAL_ERROR) for result in results.values())
    click.echo(f"{len(results) - down} of {len(results)} services answered as expected.")
