"""Commands about alerts and their rules."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, TypeVar

import click

from statusapp.cli.database import with_database
from statusapp.cli.naming import done, endpoint_named, group_named
from statusapp.clock import now_us
from statusapp.domain.actors import COMMAND_LINE
from statusapp.domain.alert_rules import SERVICE_KINDS
from statusapp.domain.enums import AlertKind, Severity
from statusapp.domain.instants import SECOND, from_us, to_us
from statusapp.queries.alerts import AlertView, RuleView, list_alerts, list_muted, list_open_alerts, list_rules
from statusapp.services import alerts, rules

KINDS = {kind.word.replace("_", "-"): kind for kind in AlertKind}
SEVERITIES = {severity.word: severity for severity in Severity}
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
LONGEST_S = 30 * 86_400

Result = TypeVar("Result")


@click.command("show_alerts")
@click.option("--all", "with_past", is_flag=True, help="Those that are over as well, the newest first.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
def show_alerts(with_past: bool, limit: int) -> None:
    """Show the open alerts."""
    found = with_database(lambda: list_alerts(limit) if with_past else list_open_alerts()[:limit])
    for alert in found:
        click.echo(_alert_line(alert))
    if not found:
        click.echo("There are no alerts." if with_past else "No alert is open.")


@click.command("acknowledge_alert")
@click.argument("alert", type=int)
@click.option("--note", default="", help="What is being done about it.")
@click.option("--undo", is_flag=True, help="Take it back: reminders go on.")
def acknowledge_alert(alert: int, note: str, undo: bool) -> None:
    """Say that somebody is at ALERT (a number of show_alerts): no more reminders until it is over."""
    if undo:
        done(lambda: alerts.unacknowledge(alert, now_us(), COMMAND_LINE))
        click.echo(f"Alert {alert} is no longer acknowledged.")
    else:
        done(lambda: alerts.acknowledge(alert, note, now_us(), COMMAND_LINE))
        click.echo(f"Alert {alert} is acknowledged: no more reminders until it is over.")


@click.command("mute_alerts")
@click.option("--service", metavar="NAME", help="Alert nobody about this service.")
@click.option("--group", metavar="NAME", help="With --rule: only for the services of this group.")
@click.option(
    "--rule", type=click.Choice(list(KINDS)), help="Have this rule raise nothing; with --service for that alone."
)
@click.option("--until", metavar="TIME", help="A length of time (2h) or a time (2026-11-30T06:00Z); default: for good.")
def mute_alerts(service: str | None, group: str | None, rule: str | None, until: str | None) -> None:
    """Alert nobody about a service, or by a rule."""
    end = None if until is None else _instant(until)
    name = _mute(service, group, rule, muted=True, until=end)
    click.echo(f"{name} alerts nobody {'any more' if end is None else f'until {from_us(end):%Y-%m-%d %H:%M} UTC'}.")


@click.command("unmute_alerts")
@click.option("--service", metavar="NAME", help="Alert people about this service again.")
@click.option("--group", metavar="NAME", help="With --rule: only for the services of this group.")
@click.option("--rule", type=click.Choice(list(KINDS)), help="Have this rule raise alerts again.")
def unmute_alerts(service: str | None, group: str | None, rule: str | None) -> None:
    """Alert people again about a service, or by a rule."""
    click.echo(f"{_mute(service, group, rule, muted=False, until=None)} alerts people again.")


@click.command("set_alert_rule")
@click.argument("rule", type=click.Choice(list(KINDS)))
@click.option("--service", metavar="NAME", help="Only for this service.")
@click.option("--group", metavar="NAME", help="Only for the services of this group.")
@click.option("--severity", type=click.Choice(list(SEVERITIES)))
@click.option("--threshold", type=click.FloatRange(0, 1e7), help="In the unit of the rule.")
@click.option("--for", "for_", metavar="TIME", help="How long it must have been wrong: 90s, 10m, 2h; 0s is at once.")
@click.option("--window", metavar="TIME", help="The span that is looked at.")
@click.option("--least", type=click.IntRange(0, 1_000_000), help="With fewer results than this it says nothing.")
@click.option("--repeat", metavar="TIME", help="The pause between reminders; 0s is none.")
@click.option("--on/--off", "is_enabled", default=None, help="Whether it is in use.")
@click.option("--reset", is_flag=True, help="Take back what was set.")
def set_alert_rule(rule: str, service: str | None, group: str | None, reset: bool, **given: Any) -> None:
    """Change RULE for everything, or set one for a service or a group."""
    kind = KINDS[rule]
    scope = _scope(kind, service, group)
    if reset:
        done(lambda: rules.reset_rule(kind, **scope, actor=COMMAND_LINE))
        click.echo(f"The rule {rule} is reset.")
        return
    changes = _changes(given)
    if not changes:
        raise click.ClickException("say what is to change, as in --for 2m, or --reset")
    done(lambda: rules.set_rule(kind, changes, **scope, actor=COMMAND_LINE))
    click.echo(f"The rule {rule} is set{f' for {service or group}' if service or group else ''}.")


@click.command("show_alert_rules")
def show_alert_rules() -> None:
    """Show the rules, and the services that are muted."""
    now = now_us()
    for rule in with_database(list_rules):
        click.echo(_rule_line(rule, now))
    for muted in with_database(lambda: list_muted(now)):
        click.echo(f"muted: {muted.name} {_until(muted.until)}")


def _mute(service: str | None, group: str | None, rule: str | None, *, muted: bool, until: int | None) -> str:
    """Mute or unmute a service, a rule, or a rule for a service or a group; the name of what it was done to."""
    if rule is not None:
        kind = KINDS[rule]
        scope = _scope(kind, service, group)
        done(lambda: rules.mute_rule(kind, muted=muted, until=until, **scope, actor=COMMAND_LINE))
        return f"The rule {rule}" + (f" for {service or group}" if scope else "")
    if service is None or group is not None:
        raise click.ClickException("name a --service, a --rule, or a --rule with a --service or a --group")
    endpoint_id = endpoint_named(service)
    done(lambda: rules.mute_endpoint(endpoint_id, muted=muted, until=until, actor=COMMAND_LINE))
    return service


def _scope(kind: AlertKind, service: str | None, group: str | None) -> dict[str, Any]:
    if service is not None and group is not None:
        raise click.ClickException("a rule is for one service or for one group, not for both")
    if (service or group) and kind not in SERVICE_KINDS:
        raise click.ClickException(f"a rule about {kind.word.replace('_', '-')} is of no service or group")
    if service is not None:
        return {"endpoint_id": endpoint_named(service)}
    if group is None:
        return {}
    return {"group_id": group_named(group)}


def _changes(given: dict[str, Any]) -> dict[str, Any]:
    names = {"for_": "for_s", "window": "window_s", "repeat": "repeat_s"}
    changes: dict[str, Any] = {}
    for name, value in given.items():
        if value is None:
            continue
        if name in names:
            changes[names[name]] = _seconds(value)
        else:
            changes[name] = SEVERITIES[value] if name == "severity" else value
    return changes


def _seconds(text: str) -> int:
    found = re.fullmatch(r"(\d{1,7})([smhd])", text.strip())
    seconds = int(found[1]) * UNITS[found[2]] if found else -1
    if not 0 <= seconds <= LONGEST_S:
        raise click.ClickException(f"{text!r} is no length of time up to 30 days; examples are 90s, 10m, 2h and 1d")
    return seconds


def _instant(text: str) -> int:
    now = now_us()
    if re.fullmatch(r"\d+[smhd]", text.strip()):
        return now + _seconds(text) * SECOND
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or to_us(moment) <= now:
        raise click.ClickException(f"{text!r} is no time to come such as 2h or 2026-11-30T06:00Z")
    return to_us(moment)


def _until(until: int | None) -> str:
    return "for good" if until is None else f"until {from_us(until):%Y-%m-%d %H:%M} UTC"


def _alert_line(alert: AlertView) -> str:
    state = "open" if alert.resolved_at is None else f"over {from_us(alert.resolved_at):%Y-%m-%d %H:%M}"
    marks = ["flapping"] if alert.is_flapping else []
    if alert.acknowledged_at is not None:
        note = f": {alert.note}" if alert.note else ""
        marks.append(f"acknowledged by {alert.acknowledged_by}{note}")
    return (
        f"{alert.id:>6}  {alert.severity.word:<8}  {alert.kind.word:<14}  since {from_us(alert.since):%Y-%m-%d %H:%M}  "
        f"{state:<21}  {alert.name}: {alert.found}" + (f"  ({'; '.join(marks)})" if marks else "")
    )


def _rule_line(rule: RuleView, now: int) -> str:
    scope = "everything" if rule.scope is None else f"{'group ' if rule.is_of_group else ''}{rule.scope}"
    facts = [rule.severity.word]
    facts += [f"threshold {rule.threshold:g}"] if rule.threshold is not None else []
    lengths = (("for", rule.for_s), ("window", rule.window_s), ("repeat", rule.repeat_s))
    facts += [f"{name} {seconds} s" for name, seconds in lengths if seconds]
    facts += [f"least {rule.least}"] if rule.least else []
    facts += [] if rule.is_enabled else ["off"]
    if rule.is_muted and (rule.muted_until is None or rule.muted_until > now):
        facts.append(f"muted {_until(rule.muted_until)}")
    return f"{rule.kind.word.replace('_', '-'):<16}  {scope:<20}  {', '.join(facts)}"
