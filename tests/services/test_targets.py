"""What is stored of an endpoint and what its probe gets: secrets are encrypted, masked, and found again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from flask import Flask, current_app

from config import SettingsError
from statusapp.database import write_connection
from statusapp.domain.enums import CheckKind, ErrorKind, Outcome, Status
from statusapp.domain.instants import from_us
from statusapp.domain.values import ProbeResult, Target
from statusapp.domain.web_addresses import masked, secrets_in
from statusapp.extensions import db
from statusapp.models import CheckDetail
from statusapp.probes.http_options import HttpOptions
from statusapp.services.endpoint_drafts import InvalidEndpoint
from statusapp.services.endpoints import request_checks
from statusapp.services.results import Finished, apply_results
from statusapp.services.vault import Vault, WrongKey, check_key, current_vault
from tests.world import MINUTE, T0, World

SECRET_URL = "https://user:pa55word@shop.example.org/a?token=t0ken&empty=&q=two+words"


def target_of(world: World, **values: Any) -> Target:
    """The target of a new endpoint."""
    world.add(**values)
    ((_, target, _),) = world.claim(T0)
    return target


def test_addresses_are_masked_and_whole_again_for_the_probe(world: World) -> None:
    target = target_of(world, url=SECRET_URL, method="GET")
    shown = world.scalar("SELECT url FROM service_endpoint")
    assert shown == "https://user:***@shop.example.org/a?token=***&empty=&q=***"
    assert target.url == SECRET_URL
    assert {"pa55word", "t0ken", "two words", "two+words"} <= set(target.secrets)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://example.org/", "https://example.org/"),
        ("https://example.org/a?b=&c", "https://example.org/a?b=&c"),
        ("https://token@example.org/", "https://***@example.org/"),
        ("tcp://example.org:1", "tcp://example.org:1"),
        ("heartbeat:", "heartbeat:"),
    ],
)
def test_what_is_masked(url: str, shown: str) -> None:
    assert masked(url) == shown
    assert bool(secrets_in(url)) == (url != shown)


def test_secret_options_are_nowhere_in_the_database(world: World) -> None:
    options = {"headers": {"X-Key": "k3y-value"}, "password": "pa55word", "username": "user", "follow_redirects": 3}
    target = target_of(world, options=options)
    assert target.options == HttpOptions(
        headers={"X-Key": "k3y-value"}, password="pa55word", username="user", follow_redirects=3
    )
    assert set(target.secrets) == {"k3y-value", "pa55word"}
    dump = str(world.rows("SELECT * FROM service_endpoint"))
    assert "user" in dump
    assert "k3y-value" not in dump
    assert "pa55word" not in dump


def test_plain_http_has_no_options_to_set(world: World) -> None:
    assert target_of(world).options is None


def test_conditions_and_thresholds_reach_the_probe(world: World) -> None:
    target = target_of(
        world, conditions=(("[STATUS]==any(200,429)", False), ("[RESPONSE_TIME] < 1s", True)), slow_ms=800
    )
    assert [(str(condition), degrades) for condition, degrades in target.expected.conditions] == [
        ("[STATUS] == any(200, 429)", False),
        ("[RESPONSE_TIME] < 1s", True),
    ]
    assert target.expected.slow_us == 800_000


def test_another_key_opens_nothing_and_blames_nobody(world: World) -> None:
    sealed = current_vault().seal({"a": "b"})
    other = Vault("another key of some length")
    with pytest.raises(WrongKey):
        other.open(sealed)
    with pytest.raises(WrongKey):
        current_vault().open(sealed[:-4] + "AAA=")
    world.add(options={"password": "x", "username": "y"})
    world.execute("UPDATE service_endpoint SET secrets = :sealed", sealed=other.seal({"password": "x"}))
    ((_, target, _),) = world.claim(T0)
    assert "ENCRYPTION_KEY" in str(target.problem)


def test_what_was_spoiled_by_hand_is_a_problem_and_not_a_crash(world: World) -> None:
    world.add()
    for column, value in (("options", "rubbish"), ("options", '{"a": 1}'), ("conditions", "[[1]]"), ("conditions", "7"),
                          ("conditions", '[["nonsense", false]]'), ("url", "gopher://x")):  # fmt: skip
        before = world.scalar(f"SELECT {column} FROM service_endpoint")
        world.execute(f"UPDATE service_endpoint SET {column} = :value", value=value)
        world.execute("UPDATE endpoint_state SET claimed_slot = NULL, due_at = :due", due=T0)
        ((_, target, _),) = world.claim(T0)
        assert target.problem, (column, value)
        world.execute(f"UPDATE service_endpoint SET {column} = :value", value=before)


def test_a_start_with_another_key_is_refused(app: Flask) -> None:
    check_key()
    check_key()
    settings = current_app.config["SETTINGS"]
    app.config["SETTINGS"] = replace(settings, encryption_key="another key of some length")
    with pytest.raises(SettingsError, match="ENCRYPTION_KEY is not the key"):
        check_key()
    app.config["SETTINGS"] = settings
    check_key()


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"conditions": (("nonsense", False),)}, "must begin with a placeholder"),
        ({"conditions": (("[DNS_RCODE] == NOERROR", False),)}, "a check of HTTP has only"),
        ({"conditions": (("[BODY] == re((a)", False),)}, "missing )"),
        ({"conditions": (("[STATUS] == 200", False),) * 51}, "50 conditions"),
        ({"slow_ms": 0}, "slow threshold"),
        ({"slow_ms": 10_000}, "slow threshold"),
        ({"tags": ("",)}, "tag"),
        ({"depends_on": ("Nobody",)}, "no other endpoint of this name"),
        ({"depends_on": ("Shop",)}, "no other endpoint of this name"),
        ({"url": "tcp://db"}, "a host and a port"),
        ({"url": "tcp://db:99999"}, "not an address that can be checked"),
        ({"url": "tcp://db:1/x"}, "tcp://db.example.org:5432"),
        ({"url": "dns://1.1.1.1:53/x"}, "the resolver is an option"),
        ({"url": "heartbeat:x"}, "write heartbeat:"),
        ({"url": "file:///etc/passwd"}, "begins with one of http:"),
        ({"url": "dns://a", "options": {"resolver": "ns1"}}, "must be an IP address"),
    ],
)
def test_what_cannot_be_saved_is_refused_with_a_reason(world: World, values: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidEndpoint) as raised:
        world.add(**values)
    assert reason in str(raised.value)
    assert world.scalar("SELECT COUNT(*) FROM service_endpoint") == 0


def test_groups_are_made_once_and_kept_in_order(world: World) -> None:
    world.add("A", group="Backend", tags=("x", "y", "x"))
    world.add("B", group="Frontend")
    world.add("C", group="Backend", depends_on=("A", "B"))
    assert [row.name for row in world.rows("SELECT name FROM service_group ORDER BY position")] == [
        "Backend",
        "Frontend",
    ]
    assert [row.tag for row in world.rows("SELECT tag FROM endpoint_tag ORDER BY tag")] == ["x", "y"]
    assert world.scalar("SELECT COUNT(*) FROM endpoint_dependency") == 2


def test_checks_on_demand_go_through_the_same_claim(world: World) -> None:
    first, second = world.add("A"), world.add("B")
    paused = world.add("C")
    world.execute("UPDATE service_endpoint SET is_enabled = :no WHERE id = :id", no=False, id=paused)
    for claimed in world.claim(T0):
        world.apply(claimed, T0 + 10_000)
    world.execute("UPDATE endpoint_state SET due_at = NULL WHERE endpoint_id = :id", id=paused)
    later = T0 + 5_000_000
    # Nothing of the grid is due before that, whatever the ids.
    world.execute("UPDATE endpoint_state SET next_check_at = :due, due_at = :due WHERE due_at > 0", due=T0 + MINUTE)
    assert request_checks([second, paused], from_us(later)) == 1
    claims = [claim for claim, _, _ in world.claim(later) if claim.kind is CheckKind.MANUAL]
    assert [(claim.endpoint_id, claim.slot) for claim in claims] == [(second, later)]
    assert request_checks(None, from_us(later)) == 2
    assert world.state(first).extra_at == world.state(second).extra_at == later
    assert request_checks([999], from_us(later)) == 0


def test_a_detail_holds_the_conditions(world: World) -> None:
    world.add()
    (claimed,) = world.claim(T0)
    detail = {"conditions": [{"condition": "[STATUS] == 1", "passed": False, "found": "200", "degrades": False}]}
    result = ProbeResult(T0, Outcome.FAILED, ErrorKind.CONDITION, "[STATUS] == 1 (found 200)", detail=detail)
    with write_connection(db.engine) as connection:
        apply_results(connection, [Finished(claimed[0], claimed[2], result)], T0 + 1)
    assert db.session.query(CheckDetail).one().data == detail
    assert world.state(claimed[0].endpoint_id).status == Status.UNKNOWN
