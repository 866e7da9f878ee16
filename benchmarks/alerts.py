"""How fast and how surely alerts arrive: `python -m benchmarks.alerts [PART ...] [--postgres]`, about half an hour.

Parts: `latency` (20 transitions, each told by a channel that was silent before), `storm` (1,000 endpoints go down at
once), `kills` (processes of the installation are killed at random moments while services go down and come back).

Everything is seen from outside: the target notes when it was asked, the receiver of the webhooks when it was told.
"""

from __future__ import annotations

import argparse
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import psutil
import requests

from benchmarks.alerts_rig import Switch, installation
from benchmarks.checks import row
from benchmarks.rig import Rig
from tests.instance import name_of, wait_for
from tests.postgres import run_postgres
from tests.receivers import Hook, running_hook

TRANSITIONS = 20
SILENCE_S = 32.0
STORM_CHANNELS = 2
STORM_INTERVAL_S = 60
KILL_CHANNELS = 20
DOWN_FOR_S = 60.0


@dataclass(frozen=True, slots=True)
class Told:
    """One event in one message, as the receiver got it."""

    channel: str
    key: str
    name: str
    transition: str
    at: float
    message: int


def main() -> None:
    """Run the parts and print their tables."""
    parts = {"latency": latency, "storm": storm, "kills": kills}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=[*parts, []], help="all of them unless named")
    parser.add_argument("--postgres", action="store_true", help="on a PostgreSQL of its own instead of SQLite")
    parser.add_argument("--endpoints", type=int, default=1000, help="of the storm")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of the random moments")
    options = parser.parse_args()
    for name in options.parts or parts:
        row("", "")
        row(f"== {name} on {'PostgreSQL' if options.postgres else 'SQLite'} ==", "")
        with ExitStack() as stack:
            environment = {}
            if options.postgres:
                environment["DATABASE_URL"] = stack.enter_context(run_postgres()).create(name)
            hook, target = stack.enter_context(running_hook()), stack.enter_context(Switch())
            parts[name](options, hook, target, environment)


def latency(_options: argparse.Namespace, hook: Hook, target: Switch, environment: dict[str, str]) -> None:
    """From the request of the check that confirms, as the target saw it, to the message."""
    count = TRANSITIONS // 2
    with installation(environment, target, hook, endpoints=count, channels=count, interval_s=10) as rig:
        wait_for(lambda: _operational(rig) == count, 60)
        waits: dict[str, list[float]] = {"fired": [], "resolved": []}
        for transition, numbers in (("fired", range(count)), ("resolved", range(count))):
            for number in numbers:
                target.switch(number, is_down=transition == "fired")
                time.sleep(1.0)
            wait_for(lambda wanted=transition: len(_told(hook, wanted)) >= count, 60)  # type: ignore[misc]
            for told in _told(hook, transition):
                confirmed = target.first_after_switch(_number(told.name))
                waits[transition].append(told.at - confirmed)
            # Only a channel that was silent for so long tells at once.
            time.sleep(SILENCE_S)
        for transition, found in waits.items():
            found.sort()
            row(f"{transition}: confirming check to message, {len(found)} times", _spread(found))
        rig.stop()


def storm(options: argparse.Namespace, hook: Hook, target: Switch, environment: dict[str, str]) -> None:
    """All endpoints go down within a minute, the page is asked for meanwhile."""
    count = options.endpoints
    with installation(
        environment, target, hook, endpoints=count, channels=STORM_CHANNELS, interval_s=STORM_INTERVAL_S, shared=True
    ) as rig:
        wait_for(lambda: _operational(rig) == count, 240)
        with _page_watched(rig) as calm:
            time.sleep(SILENCE_S)
        target.switch_all(is_down=True)
        begin = time.time()
        with _page_watched(rig) as page:
            wait_for(lambda: target.seen_down() == count, 2 * STORM_INTERVAL_S + 30)
            confirmed = target.last_first_failure()
            try:
                wait_for(lambda: all(len(names) == count for names in _names_by_channel(hook).values()), 90)
            except TimeoutError:
                row("  !! names were missing 90 s after the last confirmation", "")
        told = _told(hook, "fired")
        row(f"{count} endpoints, all down within", f"{confirmed - begin:.1f} s")
        for channel, names in sorted(_names_by_channel(hook).items()):
            messages = sorted({one.message for one in told if one.channel == channel})
            last = max(one.at for one in told if one.channel == channel)
            row(f"  {channel}: messages", str(len(messages)))
            row("    names in them", f"{len(names)} of {count}")
            row("    last message after the last confirmation", f"{last - confirmed:.1f} s")
        row(f"  page before, asked {len(calm)} times", _spread(sorted(calm)))
        _report_checks(rig, begin, page)
        rig.stop()


def _report_checks(rig: Rig, begin: float, page: list[float]) -> None:
    """How punctual the checks were since `begin`, and how fast the page."""
    found = sorted(late for (late,) in rig.rows(f"SELECT late_us FROM health_check WHERE slot >= {int(begin * 1e6)}"))
    row("  checks meanwhile", str(len(found)))
    row("    lateness", _spread([late / 1e6 for late in found]))
    row(f"  page, asked {len(page)} times", _spread(sorted(page)))


def kills(options: argparse.Namespace, hook: Hook, target: Switch, environment: dict[str, str]) -> None:
    """Services go down and come back, one after the other, while any process of the installation is killed.

    Each goes down once, so that nothing is withheld as flapping.
    """
    chance = random.Random(options.seed)
    seconds = options.kills * 3.0
    count = max(int(seconds / 2), 4)
    with installation(
        environment, target, hook, endpoints=count, channels=min(KILL_CHANNELS, count), interval_s=10
    ) as rig:
        wait_for(lambda: _operational(rig) == count, 120)
        starts = sorted(chance.uniform(0, seconds) for _ in range(count))
        moments = sorted(chance.uniform(0, seconds) for _ in range(options.kills))
        plan = [(at, number, True) for number, at in enumerate(starts)]
        plan += [(at + DOWN_FOR_S, number, False) for number, at in enumerate(starts)]
        killed = _run(rig, target, sorted(plan), moments, chance)
        row(f"seed {options.seed}: processes killed", str(sum(killed.values())))
        row("  which", ", ".join(f"{name} {times}" for name, times in killed.most_common()))
        _ensure_running(rig)
        _settle(rig, hook, count)
        _report_kills(rig, hook, target, count)
        rig.stop()


def _run(
    rig: Rig, target: Switch, plan: list[tuple[float, int, bool]], moments: list[float], chance: random.Random
) -> Counter[str]:
    """Switch services as planned and kill at the given moments, both in seconds from now."""
    killed: Counter[str] = Counter()
    began = time.monotonic()
    while plan or moments:
        due_plan = plan[0][0] if plan else float("inf")
        due_kill = moments[0] if moments else float("inf")
        time.sleep(max(began + min(due_plan, due_kill) - time.monotonic(), 0))
        if due_plan <= due_kill:
            _, number, is_down = plan.pop(0)
            target.switch(number, is_down=is_down)
        else:
            moments.pop(0)
            killed[_kill_one(rig, chance)] += 1
    return killed


def _kill_one(rig: Rig, chance: random.Random) -> str:
    """Kill a process at random, the supervisor too; after that everything is started again, as systemd would."""
    _ensure_running(rig)
    victim = chance.choice(rig.processes())
    name = name_of(victim) or "gone"
    if rig.process is not None and victim.pid == rig.process.pid:
        name = "supervisor"
    try:
        victim.kill()
    except psutil.NoSuchProcess:
        return "gone before"
    return name


def _ensure_running(rig: Rig) -> None:
    assert rig.process is not None
    if rig.process.poll() is None:
        try:
            if psutil.Process(rig.process.pid).status() != psutil.STATUS_ZOMBIE:
                return
        except psutil.NoSuchProcess:
            pass
        rig.process.wait(5)
    wait_for(lambda: not rig.leftovers(), 30)
    rig.start()


def _settle(rig: Rig, hook: Hook, count: int) -> None:
    """Wait until nothing is open and nothing waits, or for five minutes."""
    open_or_waiting = (
        "SELECT (SELECT COUNT(*) FROM alert WHERE resolved_at IS NULL AND kind = 0) "
        "+ (SELECT COUNT(*) FROM alert_delivery WHERE state IN (0, 2))"
    )
    try:
        wait_for(lambda: _operational(rig) == count and rig.rows(open_or_waiting)[0][0] == 0, 300)
    except TimeoutError:
        row("  !! it had not settled after 300 s", str(rig.rows(open_or_waiting)[0][0]))
    time.sleep(2)
    assert hook.requests, "nothing was told at all"


def _report_kills(rig: Rig, hook: Hook, target: Switch, count: int) -> None:
    seen = {name for (name,) in rig.rows(
        "SELECT DISTINCT e.name FROM status_change c JOIN service_endpoint e ON e.id = c.endpoint_id WHERE c.status = 4"
    )}  # fmt: skip
    row("services that went down, failed checks seen of", f"{count}, {target.seen_down()}")
    row("  outages in the ledger", str(len(seen)))
    total = doubled = 0
    for transition in ("fired", "resolved"):
        told = _told(hook, transition)
        names = {one.name for one in told}
        by_name: dict[str, set[str]] = {}
        for one in told:
            by_name.setdefault(one.name, set()).add(one.key)
        missing, more_keys = seen - names, {name for name, keys in by_name.items() if len(keys) > 1}
        doubles = len(told) - len({one.key for one in told})
        total, doubled = total + len(told), doubled + doubles
        row(f"  {transition}: told", f"{len(names & seen)} of {len(seen)}, missing {sorted(missing)[:5] or 'none'}")
        row("    doubles, all with the key of the first", f"{doubles}")
        row("    told under more than one key", f"{sorted(more_keys)[:5] or 'none'}")
    row("  share of doubles", f"{100 * doubled / max(total, 1):.2f} %")
    flapping = rig.rows("SELECT COUNT(*) FROM alert_delivery WHERE transition = 3")[0][0]
    row("  told as flapping", str(flapping))
    given_up = rig.rows("SELECT COUNT(*) FROM alert_delivery WHERE state = 3")[0][0]
    row("  given up", str(given_up))


def _told(hook: Hook, transition: str) -> list[Told]:
    """Each event about a service being down that a webhook brought, in the order of arrival."""
    return [
        Told(request.path, event["key"], event["name"], transition, request.at, number)
        for number, request in enumerate(list(hook.requests))
        for event in json.loads(request.body)["events"]
        if event["transition"] == transition and event.get("kind") == "down"
    ]


def _names_by_channel(hook: Hook) -> dict[str, set[str]]:
    names: dict[str, set[str]] = {f"/hook/{number}": set() for number in range(STORM_CHANNELS)}
    for one in _told(hook, "fired"):
        names[one.channel].add(one.name)
    return names


def _operational(rig: Rig) -> int:
    return int(rig.rows("SELECT COUNT(*) FROM endpoint_state WHERE status = 1")[0][0])


def _number(name: str) -> int:
    return int(name.split()[1])


@contextmanager
def _page_watched(rig: Rig) -> Iterator[list[float]]:
    """Ask for the page twice a second; the list gets how long each answer took, in seconds."""
    times: list[float] = []
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.5):
            began = time.monotonic()
            requests.get(f"{rig.address}/health/status-page/", timeout=30).raise_for_status()
            times.append(time.monotonic() - began)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield times
    finally:
        ended.set()
        thread.join()


def _spread(found: list[float]) -> str:
    """Median, p99 and worst of sorted seconds."""
    if not found:
        return "none"
    figures = (found[len(found) // 2], found[min(int(len(found) * 0.99), len(found) - 1)], found[-1])
    return " / ".join(f"{value * 1000:.0f}" for value in figures) + " ms (median / p99 / worst)"


if __name__ == "__main__":
    main()
