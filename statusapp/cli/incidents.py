"""Commands about incidents and maintenance."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TypeVar

import click

from statusapp.cli.database import with_database
from statusapp.cli.naming import done, endpoint_named, group_named
from statusapp.clock import utcnow
from statusapp.domain.actors import COMMAND_LINE
from statusapp.domain.enums import Impact, IncidentStatus
from statusapp.domain.incidents import IMPACT_WORDS, STATUS_WORDS
from statusapp.domain.instants import to_us
from statusapp.queries.incidents import IncidentView
from statusapp.queries.incidents import list_incidents as load_incidents
from statusapp.queries.maintenance import WindowView, list_windows
from statusapp.services import incident_updates, maintenance_plans
from statusapp.services.incident_updates import IncidentDraft
from statusapp.services.maintenance_plans import MaintenanceDraft

AUTHOR = "command line"
STATUSES = {status.word.replace("_", "-"): status for status in IncidentStatus}
IMPACTS = {impact.word: impact for impact in Impact}
UNITS = {"m": 60, "h": 3600, "d": 86_400}

Result = TypeVar("Result")


@click.command("open_incident")
@click.argument("title")
@click.argument("text")
@click.option("--status", type=click.Choice(list(STATUSES)[:3]), default="investigating", show_default=True)
@click.option("--impact", type=click.Choice(list(IMPACTS)), help="Default: what follows from the affected services.")
@click.option("--affects", multiple=True, metavar="NAME", help="A service that it affects; may be repeated.")
@click.option("--draft", is_flag=True, help="Do not show it to the public yet.")
def open_incident(
    title: str, text: str, status: str, impact: str | None, affects: tuple[str, ...], draft: bool
) -> None:
    """Open an incident TITLE and tell the public TEXT, in Markdown."""
    wanted = IncidentDraft(
        title,
        text,
        STATUSES[status],
        None if impact is None else IMPACTS[impact],
        [endpoint_named(name) for name in affects],
        is_public=not draft,
    )
    incident_id = done(lambda: incident_updates.open_incident(wanted, AUTHOR, utcnow()))
    click.echo(f"Opened incident {incident_id}{' as a draft' if draft else ''}.")


@click.command("update_incident")
@click.argument("incident", type=int)
@click.argument("text")
@click.option("--status", type=click.Choice(list(STATUSES)), help="What it passes to; default: it stays as it is.")
@click.option("--publish", is_flag=True, help="Show a draft to the public.")
def update_incident(incident: int, text: str, status: str | None, publish: bool) -> None:
    """Tell how INCIDENT (a number of list_incidents) goes: TEXT, in Markdown."""
    move = None if status is None else STATUSES[status]
    done(lambda: incident_updates.add_update(incident, text, AUTHOR, utcnow(), move))
    if publish:
        done(lambda: incident_updates.publish_incident(incident, utcnow(), actor=COMMAND_LINE))
    click.echo(f"Incident {incident} has been updated.")


@click.command("list_incidents")
@click.option("--all", "with_past", is_flag=True, help="Those that are over as well.")
def list_incidents(with_past: bool) -> None:
    """Show the open incidents, drafts included."""
    found = with_database(lambda: load_incidents(only_open=not with_past))
    for incident in found:
        click.echo(_incident_line(incident))
    if not found:
        click.echo("There are no incidents." if with_past else "No incident is open.")


@click.command("plan_maintenance")
@click.argument("title")
@click.argument("starts")
@click.argument("duration")
@click.option("--service", "services", multiple=True, metavar="NAME", help="A service that it is for.")
@click.option("--group", "groups", multiple=True, metavar="NAME", help="All services of a group.")
@click.option("--all", "covers_all", is_flag=True, help="Everything.")
@click.option("--zone", help="An IANA time zone such as Europe/Berlin; default: the page's.")
@click.option("--repeat", "rule", metavar="RRULE", help="As in FREQ=WEEKLY;BYDAY=SU.")
@click.option("--announce", default="1d", show_default=True, help="How long before it is shown on the page.")
@click.option("--text", default="", help="What it is about, in Markdown.")
@click.option("--private", is_flag=True, help="Do not show it to the public.")
def plan_maintenance(
    title: str,
    starts: str,
    duration: str,
    services: tuple[str, ...],
    groups: tuple[str, ...],
    covers_all: bool,
    zone: str | None,
    rule: str | None,
    announce: str,
    text: str,
    private: bool,
) -> None:
    """Plan maintenance TITLE that STARTS at a wall time (2026-11-30T02:00) and takes DURATION (30m, 2h, 1d)."""
    draft = MaintenanceDraft(
        title,
        starts,
        _seconds(duration),
        zone=zone,
        rule=rule,
        body=text,
        announce_s=_seconds(announce),
        endpoint_ids=[endpoint_named(name) for name in services],
        group_ids=[group_named(name) for name in groups],
        covers_all=covers_all,
        is_public=not private,
    )
    window_id = done(lambda: maintenance_plans.plan_maintenance(draft, utcnow(), actor=COMMAND_LINE))
    click.echo(f"Planned maintenance {window_id}.")


@click.command("cancel_maintenance")
@click.argument("maintenance", type=int)
@click.option("--occurrence", metavar="TIME", help="Only the one that begins then, as list_maintenance shows it.")
def cancel_maintenance(maintenance: int, occurrence: str | None) -> None:
    """Call off MAINTENANCE (a number of list_maintenance), or one occurrence of it."""
    if occurrence is None:
        done(lambda: maintenance_plans.cancel_maintenance(maintenance, utcnow(), AUTHOR))
    else:
        starts_at = _instant(occurrence)
        done(lambda: maintenance_plans.cancel_occurrence(maintenance, starts_at, utcnow(), AUTHOR))
    click.echo(f"Maintenance {maintenance} has been called off{' for this time' if occurrence else ''}.")


@click.command("list_maintenance")
def list_maintenance() -> None:
    """Show the planned maintenance and when each begins next."""
    found = with_database(lambda: list_windows(utcnow()))
    for window in found:
        click.echo(_window_line(window))
    if not found:
        click.echo("No maintenance is planned.")


def _seconds(text: str) -> int:
    found = re.fullmatch(r"(\d{1,6})([mhd])", text.strip())
    if found is None:
        raise click.ClickException(f"{text!r} is no length of time; examples are 30m, 2h and 1d")
    return int(found[1]) * UNITS[found[2]]


def _instant(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise click.ClickException(f"{text!r} is no time such as 2026-11-30T01:00Z")
    return to_us(moment)


def _incident_line(incident: IncidentView) -> str:
    draft = "" if incident.is_public else "  (draft)"
    names = ", ".join(service.name for service in incident.affected)
    return (
        f"{incident.id:>5}  {incident.started_at:%Y-%m-%d %H:%M}  {STATUS_WORDS[incident.status]:<13}  "
        f"{IMPACT_WORDS[incident.impact]:<15}  {incident.title}{f'  [{names}]' if names else ''}{draft}"
    )


def _window_line(window: WindowView) -> str:
    following = "over" if window.next_at is None else f"{window.next_at:%Y-%m-%dT%H:%MZ}"
    rule = f", {window.plan.rule}" if window.plan.rule else ""
    private = "" if window.is_public else "  (private)"
    return (
        f"{window.id:>5}  next {following:<17}  {window.plan.duration_s // 60:>5} min  {window.title}  "
        f"[{', '.join(window.affects)}]  ({window.plan.starts} {window.plan.zone}{rule}){private}"
    )
