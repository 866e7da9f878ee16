"""Of several writers who have read the same, one makes its change and the others are told; on both databases."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from statusapp.services import incident_updates as people
from statusapp.services import maintenance_plans as plans
from statusapp.services.groups import GroupDraft, add_group
from tests.services.conftest import database
from tests.web.conftest import MakeService

__all__ = ["database"]
WRITERS = 8
Planted = dict[str, tuple[str, str, Callable[[int], dict[str, Any]]]]


@pytest.fixture
def headers(client: FlaskClient, make_account: Callable[..., str], token_of: Callable[[str], str]) -> dict[str, str]:
    """Those of an owner."""
    return {"Authorization": f"Bearer {token_of(make_account())}"}


@pytest.fixture
def planted(app: Flask, make_service: MakeService, now: datetime) -> Planted:
    """For each kind of thing its address, the method, and what the writer of a number sends."""
    service_id = make_service("Shop")
    group_id = add_group(GroupDraft("Money"), plans.SYSTEM, now)
    incident_id = people.open_incident(people.IncidentDraft("Slow", "We look."), "owner@example.org", now)
    work = plans.MaintenanceDraft("Disks", "2035-01-31T02:00", 3600, covers_all=True)
    window_id = plans.plan_maintenance(work, now)
    again = {"title": "", "starts": "2035-01-31T02:00", "duration_seconds": 3600, "covers_all": True}
    return {
        "endpoint": (f"endpoints/{service_id}/", "PATCH", lambda number: {"description": f"by {number}"}),
        "tags": (f"endpoints/{service_id}/", "PATCH", lambda number: {"tags": [f"t{number}"]}),
        "settings": ("settings/", "PATCH", lambda number: {"title": f"by {number}"}),
        "incident": (f"incidents/{incident_id}/", "PATCH", lambda number: {"title": f"by {number}"}),
        "group": (f"groups/{group_id}/", "PUT", lambda number: {"name": f"by {number}"}),
        "maintenance": (f"maintenance/{window_id}/", "PUT", lambda number: {**again, "title": f"by {number}"}),
    }


@pytest.mark.parametrize("kind", ["endpoint", "tags", "settings", "incident", "group", "maintenance"])
def test_of_eight_at_once_one_writes(
    app: Flask, client: FlaskClient, planted: Planted, headers: dict[str, str], kind: str
) -> None:
    place, method, body = planted[kind]
    address = f"/health/api/{place}"
    etag = client.get(address, headers=headers).headers["ETag"]
    answers: list[Any] = []
    together = threading.Barrier(WRITERS)

    def write(number: int) -> None:
        writer = app.test_client()
        together.wait(20)
        answers.append(writer.open(address, method=method, json=body(number), headers={**headers, "If-Match": etag}))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status_code for answer in answers) == [200, *[412] * (WRITERS - 1)]
    (winner,) = (answer for answer in answers if answer.status_code == 200)
    assert client.get(address, headers=headers).json == winner.json
    new = client.open(address, method=method, json=body(99), headers={**headers, "If-Match": winner.headers["ETag"]})
    assert new.status_code == 200


def test_a_refused_change_leaves_nothing_behind(client: FlaskClient, planted: Planted, headers: dict[str, str]) -> None:
    place, method, body = planted["endpoint"]
    address = f"/health/api/{place}"
    before = client.get(address, headers=headers)
    refused = client.open(address, method=method, json=body(1), headers={**headers, "If-Match": '"old"'})
    assert (refused.status_code, "changed since you read it" in refused.text) == (412, True)
    assert client.get(address, headers=headers).json == before.json
    # The next change of the same client knows nothing of the condition.
    assert client.open(address, method=method, json=body(1), headers=headers).status_code == 200
