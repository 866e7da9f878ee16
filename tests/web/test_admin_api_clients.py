"""API clients as operators make and revoke them on their pages."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from statusapp.clock import utcnow
from statusapp.domain.enums import Role
from tests.web.conftest import Operator

LIST = "/admin/health/apiclient/"
SECRET = re.compile(r'id="secret" type="text" value="([^"]+)"')
ID = re.compile(rf'{LIST}([0-9A-Za-z]{{16}})/"')


def made(operator: Operator, **values: object) -> str:
    """The secret of a new client."""
    form = {"kind": "token", "name": "Deploys", "scopes": ["read"], "days": "90"} | values
    found = SECRET.search(operator.post(f"{LIST}add/", form).text)
    assert found is not None
    return found[1]


def id_of_first(operator: Operator) -> str:
    found = ID.search(operator.get(LIST).text)
    assert found is not None
    return found[1]


def status(client: FlaskClient, secret: str, path: str = "/health/api/alerts/") -> int:
    return client.application.test_client().get(path, headers={"Authorization": f"Bearer {secret}"}).status_code


def test_a_token_is_shown_once_works_and_is_revoked(operator: Operator) -> None:
    secret = made(operator)
    assert status(operator.client, secret) == 200
    page = operator.get(LIST).text
    assert "Deploys" in page
    assert secret not in page
    address = f"{LIST}{id_of_first(operator)}/"
    assert secret not in operator.get(address).text
    assert "Revoke Deploys?" in operator.post(f"{address}revoke").text
    assert status(operator.client, secret) == 200
    operator.post(f"{address}revoke", {"confirmed": "1"})
    assert status(operator.client, secret) == 401
    assert "Revoked" in operator.get(f"{LIST}?state=revoked").text
    log = operator.get("/admin/health/audit/").text
    assert log.count("Deploys") == 2
    assert secret not in log
    client = operator.client.application.test_client()
    by_token = {"Authorization": f"Bearer {made(operator, name='Robot', scopes=['write'])}"}
    assert client.post("/health/api/groups/", json={"name": "Front"}, headers=by_token).status_code == 201
    assert "owner@example.org, by the token Robot" in operator.get("/admin/health/audit/").text


def test_an_application_gets_tokens_by_its_secret(operator: Operator) -> None:
    secret = made(operator, kind="application", name="Shop", scopes=["read", "ingest"])
    grant = {"grant_type": "client_credentials", "client_id": id_of_first(operator), "client_secret": secret}
    answer = operator.client.application.test_client().post("/api/v1/auth/oauth/token/", data=grant)
    assert answer.status_code == 200, answer.text
    assert status(operator.client, answer.json["access_token"]) == 200
    assert status(operator.client, secret) == 401


def test_staff_are_offered_what_they_may_and_see_their_own(
    operator: Operator, make_account: Callable[..., str], sign_in: Callable[..., object]
) -> None:
    made(operator, name="Of the owner")
    of_owner = id_of_first(operator)
    sign_in(make_account("staff@example.org", Role.STAFF))
    staff = Operator(operator.client)
    assert 'value="admin"' not in staff.get(f"{LIST}add/").text
    refused = staff.post(f"{LIST}add/", {"kind": "token", "name": "x", "scopes": ["admin"], "days": "0"})
    assert refused.status_code == 400
    assert "Of the owner" not in staff.get(LIST).text
    assert staff.get(f"{LIST}{of_owner}/").status_code == 404
    assert staff.post(f"{LIST}{of_owner}/revoke", {"confirmed": "1"}).status_code == 404
    assert staff.get(f"{LIST}nonsense/").status_code == 404


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"name": " "}, "Give it a name"),
        ({"scopes": []}, "Choose at least one scope."),
        ({"days": "7"}, "Choose one of these"),
        ({"kind": "key"}, "Choose one of these"),
    ],
)
def test_what_cannot_be_made_is_explained(operator: Operator, values: dict[str, object], words: str) -> None:
    form = {"kind": "token", "name": "Deploys", "scopes": ["read"], "days": "90"} | values
    answer = operator.post(f"{LIST}add/", form)
    assert answer.status_code == 400
    assert words in answer.text


def test_the_end_is_as_chosen(operator: Operator) -> None:
    made(operator, days="0")
    assert "never" in operator.get(f"{LIST}{id_of_first(operator)}/").text
    made(operator, days="30")
    rows = operator.get(f"{LIST}?format=csv").text.splitlines()
    assert rows[0].startswith("Name,Kind,State,May,Account,Expires,Made")
    year = utcnow().year
    assert any(str(year) in row.split(",")[5] or str(year + 1) in row.split(",")[5] for row in rows[1:])
