"""Commands about the requests that host applications report."""

from __future__ import annotations

from datetime import timedelta

import click
from flask import current_app

from statusapp.cli.database import with_database
from statusapp.clock import utcnow
from statusapp.domain.actors import COMMAND_LINE
from statusapp.domain.request_rules import RequestLimits, RouteWindow, find_failing, find_slow
from statusapp.queries.request_sums import RouteFilter, RouteTraffic, Traffic, load_traffic
from statusapp.queries.requests import ErrorGroup, list_errors
from statusapp.services import ingest, request_names
from statusapp.services.ingest import IngestRefused

ROUTES_SHOWN = 20
ERRORS_SHOWN = 10


@click.command("create_ingest_token")
@click.argument("name")
def create_ingest_token(name: str) -> None:
    """Let the host application NAME report its requests over HTTP."""
    try:
        token = with_database(lambda: ingest.create_token(name, utcnow(), COMMAND_LINE))
    except IngestRefused as error:
        raise click.ClickException(error.message) from error
    click.echo(f"Token of {name}, shown only now: {token}")
    click.echo(f"It reports to {ingest.ingest_address(current_app.config['SETTINGS'].public_url)}")


@click.command("revoke_ingest_token")
@click.argument("name")
def revoke_ingest_token(name: str) -> None:
    """End the token of the host application NAME."""
    try:
        with_database(lambda: ingest.revoke_token(name, utcnow(), COMMAND_LINE))
    except IngestRefused as error:
        raise click.ClickException(error.message) from error
    click.echo(f"The token of {name} is no longer valid.")


@click.command("set_slow_route")
@click.argument("service")
@click.argument("method")
@click.argument("route")
@click.argument("milliseconds", type=click.IntRange(0, 3_600_000))
def set_slow_route(service: str, method: str, route: str, milliseconds: int) -> None:
    """Give a route a threshold of slowness of its own; 0 takes it back."""
    threshold = milliseconds or None
    found = with_database(
        lambda: request_names.set_slow_route(service, method.upper(), route, threshold, utcnow(), COMMAND_LINE)
    )
    if not found:
        raise click.ClickException(f"no request to {method.upper()} {route} of {service} has come in yet")
    told = f"is slow from {milliseconds} ms on" if milliseconds else "is slow from the setting SLOW_REQUEST_MS on"
    click.echo(f"{method.upper()} {route} of {service} {told}. What is logged already stays as it is.")


@click.command("show_requests")
@click.option("--hours", default=1.0, show_default=True, type=click.FloatRange(0.1, 24 * 90))
@click.option("--service", help="Only of this host application.")
def show_requests(hours: float, service: str | None) -> None:
    """Show the requests of the last hours by route, what is wrong with them, and the newest errors."""
    end = utcnow()
    start = end - timedelta(hours=hours)
    traffic = with_database(lambda: load_traffic(start, end, RouteFilter(service=service)))
    if not traffic.routes:
        click.echo("No requests have been logged in this time.")
        return
    _print_traffic(traffic)
    limits = RequestLimits(slow_us=current_app.config["SETTINGS"].slow_request_ms * 1000)
    windows = [RouteWindow(f"{route.method} {route.route}", route.sums, route.slow_us) for route in traffic.routes]
    for finding in (*find_failing(windows, limits), *find_slow(windows, limits)):
        click.secho(str(finding), fg="yellow")
    for group in list_errors(start, end, service, ERRORS_SHOWN):
        click.echo(_error_line(group))


def _print_traffic(traffic: Traffic) -> None:
    shown = traffic.routes[:ROUTES_SHOWN]
    width = max(len(_route_name(route)) for route in shown)
    click.secho(f"{'Route':<{width}}  {'Requests':>9}  {'Errors':>7}  {'p50':>8}  {'p95':>8}  {'p99':>8}", bold=True)
    for route in shown:
        sums = route.sums
        times = "  ".join(f"{(sums.percentile(share) or 0) / 1e6:>6.3f} s" for share in (0.5, 0.95, 0.99))
        click.echo(f"{_route_name(route):<{width}}  {sums.count:>9,}  {sums.error_percent or 0:>5.2f} %  {times}")
    more = len(traffic.routes) - len(shown)
    click.echo(
        f"{traffic.overall.count:,} requests, {traffic.per_minute:,.1f} a minute, "
        f"{traffic.overall.error_percent or 0:.2f} % errors" + (f"; {more} more routes" if more else "")
    )


def _route_name(route: RouteTraffic) -> str:
    return f"{route.service} {route.method} {route.route}"


def _error_line(group: ErrorGroup) -> str:
    return (
        f"{group.last_at:%Y-%m-%d %H:%M} {group.error_class} in {group.method} {group.route}: {group.message or '-'} "
        f"(first seen {group.first_at:%Y-%m-%d %H:%M}, {group.count:,} times, {group.clients:,} clients)"
    )
