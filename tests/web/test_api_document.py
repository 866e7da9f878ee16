"""The document of the API is complete and true: requests are made from it, and the answers held to it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import checks
from schemathesis.config import SchemathesisConfig
from schemathesis.openapi import from_wsgi

from statusapp.database import write_transaction
from statusapp.domain.enums import AlertKind, Role, Severity
from statusapp.extensions import db
from statusapp.models import Alert
from statusapp.services import channels
from statusapp.services import incident_updates as people
from statusapp.services import maintenance_plans as plans
from tests.world import World

PREFIXES = ("/api/v1/", "/health/api/", "/metrics")
# So many requests of each kind; `make soak` makes more.
EXAMPLES = int(os.environ.get("API_EXAMPLES", "2"))
checks.load_all_checks()
CHECKS = list(checks.CHECKS.get_by_names(checks.CHECKS.get_all_names()))
# A schema says what a value looks like. That a name is taken or an address cannot be checked is a 400 all the same.
BEYOND_THE_SCHEMA = ["2xx", "3xx", "400", "401", "403", "404", "409", "412", "429"]


def paths_of(app: Flask) -> set[tuple[str, str]]:
    """Each path and method of the API, as the document writes them."""
    found = set()
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<(?:[^<>]*:)?([^<>:]+)>", r"{\1}", rule.rule)
        if path.startswith(PREFIXES):
            found |= {(path, method.lower()) for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}}
    return found


def test_every_route_of_the_api_is_in_the_document(app: Flask, client: FlaskClient) -> None:
    document = client.get("/health/api/openapi.json").json
    told = {(path, method) for path, methods in document["paths"].items() for method in methods}
    assert paths_of(app) == {(path, method) for path, method in told if method != "parameters"}


def test_every_operation_says_what_it_is(client: FlaskClient) -> None:
    document = client.get("/health/api/openapi.json").json
    for path, methods in document["paths"].items():
        for method in set(methods) - {"parameters"}:
            assert methods[method]["summary"].endswith("."), (method, path)


def test_the_document_can_be_kept(client: FlaskClient) -> None:
    first = client.get("/health/api/openapi.json")
    again = client.get("/health/api/openapi.json", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_people_can_read_it(client: FlaskClient) -> None:
    page = client.get("/health/api/docs/", headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert "/health/api/endpoints/{endpoint_id}/" in page.text
    assert "style=" not in page.text


@pytest.fixture
def planted(app: Flask, now: datetime) -> None:
    """One of everything that can be asked for by its number, with the number 1."""
    world = World()
    world.add("Shop", group="Payments", tags=("money",))
    world.add("Inner", is_public=False)
    incident = people.IncidentDraft("Slow", "We look.", endpoint_ids=[1])
    assert people.open_incident(incident, "owner@example.org", now) == 1
    work = plans.MaintenanceDraft("Disks", "2035-01-31T02:00", 3600, covers_all=True)
    assert plans.plan_maintenance(work, now) == 1
    hook = channels.ChannelDraft("Hook", "webhook", {"url": "http://127.0.0.1:1/", "secret": "s" * 32})
    assert channels.add_channel(hook, now) == 1
    with write_transaction(db.session) as session:
        kind = {"kind": AlertKind.DOWN, "severity": Severity.CRITICAL, "since": 1, "fired_at": 1, "found": "refused"}
        session.add(Alert(subject="endpoint:1", name="Shop", endpoint_id=1, **kind))


@pytest.mark.usefixtures("planted")
@pytest.mark.parametrize("role", [None, Role.OWNER])
def test_answers_are_what_the_document_says(
    app: Flask, make_account: Callable[..., str], token_of: Callable[[str], str], role: Role | None
) -> None:
    headers = {} if role is None else {"Authorization": f"Bearer {token_of(make_account(role=role))}"}
    rules = {"checks": {"positive_data_acceptance": {"expected-statuses": BEYOND_THE_SCHEMA}}}
    config = SchemathesisConfig.from_dict(rules)
    document = from_wsgi("/health/api/openapi.json", alone(app), config=config)
    found = [result.ok() for result in document.get_all_operations()]
    # What is deleted cannot be asked for, and whoever has signed out cannot ask.
    asked = [operation for operation in found if operation.path != "/api/v1/auth/logout/"]
    for operation in sorted(asked, key=lambda operation: operation.method.upper() == "DELETE"):
        ask(operation, headers)


def alone(app: Flask) -> Callable[..., Any]:
    """The application with a context of its own for each request, as a server gives it."""

    def answer(environ: Any, start_response: Any) -> Any:
        with app.app_context():
            return app.wsgi_app(environ, start_response)

    return answer


def ask(operation: Any, headers: dict[str, str]) -> None:
    """Make some requests of one kind, and hold the answers to the document."""

    @given(case=operation.as_strategy())
    @settings(max_examples=EXAMPLES, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
              suppress_health_check=list(HealthCheck))  # fmt: skip
    def once(case: Any) -> None:
        case.path_parameters.update({name: 1 for name in case.path_parameters if name.endswith("_id")})
        answer = case.call(headers=headers)
        case.validate_response(answer, checks=CHECKS, headers=headers)
        if answer.status_code == 400:
            is_helpful(answer.json())

    once()


def is_helpful(body: Any) -> None:
    """What cannot be used is said in whole sentences, of each field that is at fault."""
    error = body["error"]
    # OAuth has a shape of its own (RFC 6749, 5.2).
    is_of_oauth = isinstance(error, str)
    told = [body["error_description"]] if is_of_oauth else [error["message"], *error.get("fields", {}).values()]
    assert all(text[:1].isupper() or not text[:1].isalpha() for text in told), told
    assert all(len(text) > 8 for text in told), told
