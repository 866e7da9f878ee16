"""The form of a service: defaults, what is wrong beside its field, secrets, and trying the check."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select

from statusapp.domain.enums import CheckKind
from statusapp.extensions import db
from statusapp.models import (
    EndpointDependency,
    EndpointState,
    EndpointTag,
    ServiceEndpoint,
)
from statusapp.services.endpoint_drafts import EndpointDraft
from statusapp.services.endpoints import create_endpoint
from statusapp.services.vault import current_vault
from tests.target import Target
from tests.web.conftest import Operator

LIST = "/admin/health/serviceendpoint/"
ADD = f"{LIST}add/"
HOSTILE = "<script>alert(1)</script>{{7*7}}"


@pytest.fixture
def target() -> Iterator[Target]:
    """A service that answers."""
    server = Target()
    yield server
    server.stop()


def fields(**changes: Any) -> dict[str, Any]:
    """What a browser sends of the form for an HTTP check, with the boxes that are ticked by default."""
    usual = {
        "kind": "http",
        "name": "Shop",
        "url": "https://shop.example.org/",
        "expected_status_codes": "200-299",
        "interval_s": "5 min",
        "timeout_ms": "10 s",
        "retries": "2",
        "successes_to_confirm": "2",
        "method": "GET",
        "is_public": "y",
        "option_verify_tls": "y",
        "option_body_type": "raw",
        "option_ip_version": "any",
        "option_http_version": "auto",
        "option_follow_redirects": "0",
    }
    return usual | changes


def endpoint(name: str = "Shop") -> ServiceEndpoint:
    """The service as it is in the database now."""
    db.session.rollback()
    db.session.expire_all()
    return db.session.scalars(select(ServiceEndpoint).where(ServiceEndpoint.name == name)).one()


def secrets_of(row: ServiceEndpoint) -> dict[str, Any]:
    return current_vault().open(row.secrets) if row.secrets else {}


def test_a_service_is_added_with_the_defaults_and_due_at_once(operator: Operator) -> None:
    page = operator.get(ADD).text
    assert 'value="5 min"' in page
    assert 'value="200-299"' in page
    answer = operator.post(ADD, fields(), follow_redirects=True)
    assert "Shop was added" in answer.text
    row = endpoint()
    assert (row.url, row.interval_s, row.timeout_ms, row.retries, row.is_public) == (
        "https://shop.example.org/", 300, 10_000, 2, True,
    )  # fmt: skip
    assert (row.options, row.secrets) == ("{}", None)
    assert db.session.get_one(EndpointState, row.id).extra_at is not None


def test_a_number_that_is_left_empty_is_the_usual_one(operator: Operator) -> None:
    operator.post(ADD, fields(timeout_ms="", slow_ms=""))
    assert (endpoint().timeout_ms, endpoint().slow_ms) == (10_000, None)


def test_everything_of_the_form_is_saved(operator: Operator, now: datetime) -> None:
    create_endpoint(EndpointDraft("Database", "tcp://127.0.0.1:5432"), now)
    operator.post(
        ADD,
        fields(
            url="https://u:pw12@shop.example.org/?key=k123", method="POST", interval_s="1 min 30 s", timeout_ms="2.5 s",
            slow_ms="800 ms", conditions="[BODY].ok == true\r\n[STATUS] < 400", degrading="[RESPONSE_TIME] < 500",
            group="Front", tags="a, b", depends_on="Database", description="Where people buy", position="3",
            is_public="", shows_url="y", option_verify_tls="", option_follow_redirects="4", option_ip_version="6",
            option_headers="Accept: text/plain\r\nX-Token: s3cret", option_body='{"a": 1}', option_body_type="json",
            option_username="u", option_password="pass word",
        ),
    )  # fmt: skip
    row = endpoint()
    assert row.url == "https://u:***@shop.example.org/?key=***"
    assert (row.method, row.interval_s, row.timeout_ms, row.slow_ms) == ("POST", 90, 2500, 800)
    assert (row.is_public, row.shows_url, row.position, row.description) == (False, True, 3, "Where people buy")
    assert (
        row.conditions == '[["[BODY].ok == true", false], ["[STATUS] < 400", false], ["[RESPONSE_TIME] < 500", true]]'
    )
    assert json.loads(row.options) == {
        "body_type": "json", "username": "u", "follow_redirects": 4, "ip_version": "6", "verify_tls": False,
    }  # fmt: skip
    assert secrets_of(row) == {
        "url": "https://u:pw12@shop.example.org/?key=k123",
        "headers": {"Accept": "text/plain", "X-Token": "s3cret"},
        "body": '{"a": 1}',
        "password": "pass word",
    }
    assert db.session.scalars(select(EndpointTag.tag)).all() == ["a", "b"]
    assert db.session.scalars(select(EndpointDependency.endpoint_id)).all() == [row.id]


BAD_VALUES: list[tuple[dict[str, str], str, str]] = [
    ({"name": ""}, "name", "1 to 200 characters"),
    ({"url": "ftp://example.org"}, "url", "an address begins with one of"),
    ({"url": "tcp://example.org:22"}, "url", "no address of a HTTP check"),
    ({"expected_status_codes": "2xx"}, "expected_status_codes", "200-299, 401"),
    ({"interval_s": "often"}, "interval_s", "30 s, 5 min or 1 h 30 min"),
    ({"interval_s": "2 s", "timeout_ms": "1 s"}, "interval_s", "5 seconds to 1 day"),
    ({"timeout_ms": "10 min"}, "timeout_ms", "shorter than the interval"),
    ({"timeout_ms": "soon"}, "timeout_ms", "Write a length of time"),
    ({"retries": "some"}, "retries", "Enter a whole number"),
    ({"retries": "11"}, "retries", "0 to 10 retries"),
    ({"slow_ms": "20 s"}, "slow_ms", "shorter than the timeout"),
    ({"conditions": "[BODY] ~ x"}, "conditions", "After [BODY] one of"),
    ({"degrading": "[DNS_RCODE] == NOERROR"}, "degrading", "has only"),
    ({"depends_on": "Nobody"}, "depends_on", "no other endpoint of this name"),
    ({"method": "BREW"}, "method", "GET, HEAD"),
    ({"option_headers": "no colon"}, "option_headers", "Name: value"),
    ({"option_body": "{", "option_body_type": "json"}, "option_body", "not JSON"),
    ({"option_proxy": "nowhere"}, "option_proxy", "http://host:3128"),
    ({"option_follow_redirects": "99"}, "option_follow_redirects", "from 0 to 20"),
    ({"option_bearer_token": "t", "option_username": "u"}, "option_username", "only one of"),
    ({"description": "a\0b"}, "description", "cannot be stored"),
]


def test_a_bad_value_stands_beside_its_field_and_nothing_typed_is_lost(operator: Operator) -> None:
    for changes, field, words in BAD_VALUES:
        answer = operator.post(ADD, fields(**{"group": "Typed group", "option_oauth_scope": "typed-scope"} | changes))
        page = html.unescape(answer.text)
        assert answer.status_code == 400, changes
        assert words.lower() in page.split(f'id="{field}-error">')[1].split("</p>")[0].lower()
        assert "Typed group" in page
        assert "typed-scope" in page
    assert db.session.scalar(select(ServiceEndpoint.id)) is None


def test_a_name_that_is_taken_is_told_at_the_name(operator: Operator) -> None:
    operator.post(ADD, fields())
    answer = operator.post(ADD, fields())
    assert answer.status_code == 400
    assert "choose another name" in answer.text.split('id="name-error">')[1]


@pytest.mark.parametrize(
    ("kind", "changes", "options"),
    [
        ("tcp", {"url": "tcp://127.0.0.1:22", "option_send": "PING", "option_expect": "PONG"}, '{"expect": "PONG"}'),
        ("dns", {"url": "dns://example.org", "option_record_type": "MX"}, '{"record_type": "MX"}'),
        (
            "tls",
            {"url": "tls://example.org", "option_degraded_days": "21", "option_verify": "y"},
            '{"degraded_days": 21}',
        ),
    ],
)
def test_each_kind_of_check_has_a_form_of_its_own(
    operator: Operator, kind: str, changes: dict[str, str], options: str
) -> None:
    assert (
        f'name="{next(name for name in changes if name.startswith("option_"))}"'
        in operator.get(f"{ADD}?kind={kind}").text
    )
    operator.post(ADD, {"kind": kind, "name": "It", "interval_s": "1 min", "timeout_ms": "5 s", **changes})
    row = endpoint("It")
    assert (row.options, row.interval_s, row.is_public) == (options, 60, False)


def test_a_heartbeat_shows_the_address_that_its_job_calls(operator: Operator) -> None:
    data = {"kind": "heartbeat", "name": "Backup", "interval_s": "1 min", "option_period": "1 d", "option_grace": "2 h"}
    page = operator.post(ADD, data, follow_redirects=True).text
    address = page.split("<code>")[1].split("</code>")[0]
    assert operator.client.get(address.removeprefix(address.split("/ping/")[0])).status_code == 200
    row = endpoint("Backup")
    assert row.options == '{"grace": 7200}'
    operator.post(f"{LIST}{row.id}/", data | {"option_grace": "3 h"})
    assert address in operator.get(f"{LIST}{row.id}/").text


def test_another_kind_is_chosen_without_losing_what_was_typed(operator: Operator) -> None:
    page = operator.post(ADD, fields(name="Typed", interval_s="7 min", to="tls", url="tls://x.example.org")).text
    assert 'value="Typed"' in page
    assert 'value="7 min"' in page
    assert 'name="option_degraded_days"' in page
    assert "checked" in page.split('name="option_verify"')[0].rsplit("<input", 1)[1]
    assert db.session.scalar(select(ServiceEndpoint.id)) is None


def test_a_secret_is_never_shown_kept_when_blank_and_cleared_by_its_box(operator: Operator) -> None:
    secret = {"option_headers": "X-Key: abc-secret", "option_bearer_token": "tok-secret"}
    operator.post(ADD, fields(url="https://shop.example.org/?token=q-secret", **secret))
    address = f"{LIST}{endpoint().id}/"
    page = operator.get(address).text
    assert "abc-secret" not in page
    assert "tok-secret" not in page
    assert "q-secret" not in page
    assert page.count("(set)") == 2
    shown = fields(url="https://shop.example.org/?token=***", name="Renamed")
    operator.post(address, shown)
    kept = secrets_of(endpoint("Renamed"))
    assert (kept["url"], kept["bearer_token"]) == ("https://shop.example.org/?token=q-secret", "tok-secret")
    operator.post(address, shown | {"option_bearer_token-clear": "y"})
    assert secrets_of(endpoint("Renamed")).keys() == {"url", "headers"}
    answer = operator.post(address, shown | {"url": "https://other.example.org/?token=***"})
    assert "write it as a whole" in answer.text.split('id="url-error">')[1]
    operator.post(address, shown | {"url": "https://other.example.org/"})
    assert secrets_of(endpoint("Renamed")).keys() == {"headers"}


def test_staff_can_neither_set_secrets_nor_send_them_elsewhere(
    staff_operator: Operator, now: datetime, target: Target
) -> None:
    draft = EndpointDraft("Shop", "http://127.0.0.1:1/", options={"headers": {"X-Key": "abc-secret"}})
    create_endpoint(draft, now)
    address = f"{LIST}{endpoint().id}/"
    page = staff_operator.get(address).text
    assert "disabled" in page.split('id="option_headers"')[0].rsplit("<textarea", 1)[1]
    for changes in (
        {"url": target.address},
        {"url": target.address, "test": "1"},
        {"option_headers": "X-Key: other"},
        {"option_headers-clear": "y"},
        {"option_oauth_token_url": target.address},
    ):
        answer = staff_operator.post(address, fields(**{"url": "http://127.0.0.1:1/"} | changes))
        assert answer.status_code == 400
        assert "owner" in answer.text.split("field-error")[1]
    assert not target.arrivals
    assert secrets_of(endpoint()) == {"headers": {"X-Key": "abc-secret"}}
    assert staff_operator.post(address, fields(url="http://127.0.0.1:1/", interval_s="1 min")).status_code == 302
    assert endpoint().interval_s == 60
    assert staff_operator.post(ADD, fields(name="New", option_password="p")).status_code == 400


def test_a_change_is_in_effect(operator: Operator, now: datetime) -> None:
    create_endpoint(EndpointDraft("Shop", "http://127.0.0.1:1/", group="Old", tags=("old",), depends_on=()), now)
    create_endpoint(EndpointDraft("Child", "http://127.0.0.1:1/", depends_on=("Shop",)), now)
    row = endpoint()
    before = db.session.get_one(EndpointState, row.id).next_check_at
    address = f"{LIST}{row.id}/"
    page = operator.get(address).text
    assert 'value="Old"' in page
    answer = operator.post(address, fields(name="Store", interval_s="10 s", timeout_ms="5 s", tags="new", group=""))
    assert answer.status_code == 302
    row = endpoint("Store")
    assert (row.group_id, row.interval_s) == (None, 10)
    assert db.session.scalars(select(EndpointTag.tag)).all() == ["new"]
    assert db.session.get_one(EndpointState, row.id).next_check_at != before
    answer = operator.post(address, fields(name="Store", depends_on="Child"))
    assert "depend on itself" in answer.text.split('id="depends_on-error">')[1]
    answer = operator.post(address, fields(url="dns://example.org"))
    assert "add another service" in answer.text.split('id="url-error">')[1]


def test_the_test_shows_what_was_found_and_saves_nothing(operator: Operator, target: Target) -> None:
    data = fields(url=f"{target.address}/", conditions="[BODY] == ok\r\n[STATUS] == 201", test="1")
    page = operator.post(ADD, data).text
    assert "It fails" in page
    assert "<code>[STATUS] == 201</code>" in page.replace("&#34;", '"')
    assert ">200</code>" in page
    assert "Waiting" in page
    assert "Answered by 127.0.0.1" in page
    assert "[BODY] == ok" in page.split("<textarea")[1]
    page = operator.post(ADD, fields(url=f"{target.address}/", test="1")).text
    assert "It works" in page
    assert len(target.arrivals["/"]) == 2
    assert db.session.scalar(select(ServiceEndpoint.id)) is None


def test_a_service_is_paused_resumed_and_checked_by_hand(operator: Operator, now: datetime) -> None:
    endpoint_id = create_endpoint(EndpointDraft("Shop", "http://127.0.0.1:1/"), now)
    assert "is paused" in operator.post(f"{LIST}{endpoint_id}/pause", follow_redirects=True).text
    assert not endpoint().is_enabled
    assert "was not checked" in operator.post(f"{LIST}{endpoint_id}/run", follow_redirects=True).text
    assert "checked again" in operator.post(f"{LIST}{endpoint_id}/resume", follow_redirects=True).text
    assert "being checked" in operator.post(f"{LIST}{endpoint_id}/run", follow_redirects=True).text
    endpoint()
    assert db.session.get_one(EndpointState, endpoint_id).extra_kind is CheckKind.MANUAL
    for path in ("", "pause", "resume", "run"):
        assert operator.post(f"{LIST}999/{path}").status_code == 404


def test_hostile_texts_are_inert(operator: Operator, now: datetime) -> None:
    draft = EndpointDraft(HOSTILE, "http://127.0.0.1:1/", description=HOSTILE, group=HOSTILE, tags=(HOSTILE,))
    create_endpoint(draft, now)
    row = endpoint(HOSTILE)
    pages = [
        operator.get(LIST).text,
        operator.get(f"{LIST}{row.id}/").text,
        operator.post(f"{LIST}delete/", {"ids": str(row.id)}).text,
        operator.post(f"{LIST}bulk/", {"ids": str(row.id), "action": "group"}).text,
        operator.post(ADD, fields(name=HOSTILE, url=HOSTILE, conditions=HOSTILE)).text,
        operator.get(f"{LIST}?status={HOSTILE}").text,
    ]
    for page in pages:
        assert "alert(1)" in page
        assert "<script>alert" not in page
        assert "{{7*7}}" in page
