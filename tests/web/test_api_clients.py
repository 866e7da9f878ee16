"""Tokens and applications as programs make, show and revoke them; access tokens by OAuth 2."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from statusapp.domain.enums import ApiClientKind, AuditKind, Role, Scope
from statusapp.extensions import db
from statusapp.models import AuditEntry
from statusapp.services.api_clients import NewClient, issue_access_token, revoke_client
from statusapp.services.api_tokens import find_application
from tests.web.tokens import (
    APPLICATIONS,
    FORM,
    GRANT,
    GROUPS,
    LOGOUT,
    ME,
    SYSTEM,
    TOKENS,
    MakeClient,
    basic,
    bearer,
    words,
)


@pytest.mark.usefixtures("app")
class TestManaging:
    """Making, listing and revoking by the API."""

    @pytest.mark.parametrize(
        ("path", "listed", "secret"), [(TOKENS, "tokens", "token"), (APPLICATIONS, "applications", "client_secret")]
    )
    def test_one_is_made_shown_once_and_revoked(
        self,
        client: FlaskClient,
        make_account: Callable[..., str],
        token_of: Callable[[str], str],
        path: str,
        listed: str,
        secret: str,
    ) -> None:
        headers = bearer(token_of(make_account()))
        draft = {"name": "deploy", "scopes": ["read", "ingest"], "expires_at": "2035-01-01T00:00:00Z"}
        made = client.post(path, json=draft, headers=headers)
        assert made.status_code == 201, made.text
        assert made.headers["Cache-Control"] == "no-store"
        shown = {name: value for name, value in made.json.items() if name != secret}
        assert (shown["scopes"], shown["state"], shown["last_used_at"]) == (["read", "ingest"], "valid", None)
        assert client.get(path, headers=headers).json == {listed: [shown]}
        one = made.headers["Location"]
        kept = client.get(one, headers=headers)
        assert kept.json == shown
        assert client.delete(one, headers=headers | {"If-Match": '"other"'}).status_code == 412
        assert client.delete(one, headers=headers | {"If-Match": kept.headers["ETag"]}).status_code == 204
        assert client.delete(one, headers=headers).status_code == 404
        assert client.get(path, headers=headers).json == {listed: []}

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"name": ""}, "name"),
            ({"scopes": []}, "scopes"),
            ({"scopes": ["all"]}, "scopes.0"),
            ({"scopes": ["admin"]}, "scopes"),
            ({"expires_at": "2001-01-01T00:00:00Z"}, "expires_at"),
            ({"secret": "mine"}, "secret"),
        ],
    )
    def test_what_cannot_be_made_is_told_by_field(
        self,
        client: FlaskClient,
        make_account: Callable[..., str],
        token_of: Callable[[str], str],
        changes: dict[str, Any],
        field: str,
    ) -> None:
        headers = bearer(token_of(make_account("staff@example.org", Role.STAFF)))
        refused = client.post(TOKENS, json={"name": "deploy", "scopes": ["read"]} | changes, headers=headers)
        assert refused.status_code == 400
        assert field in refused.json["error"]["fields"]

    def test_a_token_makes_and_revokes_no_token(self, client: FlaskClient, make_client: MakeClient) -> None:
        made = make_client(Scope.ADMIN)
        headers = bearer(made.secret)
        assert client.get(TOKENS, headers=headers).status_code == 200
        for answer in (
            client.post(TOKENS, json={"name": "next", "scopes": ["read"]}, headers=headers),
            client.post(APPLICATIONS, json={"name": "next", "scopes": ["read"]}, headers=headers),
            client.delete(f"{TOKENS}{made.client_id}/", headers=headers),
        ):
            assert answer.status_code == 403
            assert "after a sign-in" in words(answer)

    def test_each_deals_with_their_own_and_owners_with_everyone_s(
        self,
        client: FlaskClient,
        make_account: Callable[..., str],
        make_client: MakeClient,
        token_of: Callable[[str], str],
    ) -> None:
        make_account("staff@example.org", Role.STAFF)
        others = make_client()
        staff = bearer(token_of("staff@example.org"))
        own = client.post(TOKENS, json={"name": "own", "scopes": ["write"]}, headers=staff).json
        assert [one["name"] for one in client.get(TOKENS, headers=staff).json["tokens"]] == ["own"]
        assert client.get(f"{TOKENS}?everyone=true", headers=staff).status_code == 403
        assert client.get(f"{TOKENS}{others.client_id}/", headers=staff).status_code == 404
        assert client.delete(f"{TOKENS}{others.client_id}/", headers=staff).status_code == 404
        owner = bearer(token_of("owner@example.org"))
        everyone = client.get(f"{TOKENS}?everyone=true", headers=owner).json["tokens"]
        assert {one["account"] for one in everyone} == {"owner@example.org", "staff@example.org"}
        assert client.delete(f"{APPLICATIONS}{own['client_id']}/", headers=owner).status_code == 404
        assert client.delete(f"{TOKENS}{own['client_id']}/", headers=owner).status_code == 204

    @pytest.mark.parametrize("client_id", ["x", "x" * 16, "%00", "%ed%a0%80", "x" * 40, "%27%20OR%201"])
    def test_an_id_that_is_none_is_404(
        self, client: FlaskClient, make_account: Callable[..., str], token_of: Callable[[str], str], client_id: str
    ) -> None:
        headers = bearer(token_of(make_account()))
        assert client.get(f"{TOKENS}{client_id}/", headers=headers).status_code == 404
        assert client.delete(f"{APPLICATIONS}{client_id}/", headers=headers).status_code == 404

    def test_a_cookie_makes_no_tokens(self, client: FlaskClient, make_account: Any, sign_in: Any) -> None:
        sign_in(make_account())
        assert client.post(TOKENS, json={"name": "x", "scopes": ["read"]}).status_code == 401


@pytest.mark.usefixtures("app")
class TestMe:
    """Whose a token is, and how it ends."""

    def test_a_token_tells_its_scopes(self, client: FlaskClient, make_client: MakeClient) -> None:
        made = make_client(Scope.INGEST, Scope.READ)
        told = client.get(ME, headers=bearer(made.secret)).json
        assert (told["email"], told["role"], told["scopes"]) == ("owner@example.org", "owner", ["read", "ingest"])
        assert told["client"] == {"kind": "token", "client_id": made.client_id, "name": "deploy"}
        assert told["expires_at"] is None

    def test_a_sign_in_has_none(
        self, client: FlaskClient, make_account: Callable[..., str], token_of: Callable[[str], str]
    ) -> None:
        headers = bearer(token_of(make_account()))
        told = client.get(ME, headers=headers).json
        assert (told["scopes"], told["client"], told["role"]) == (None, None, "owner")
        assert client.post(LOGOUT, headers=headers).status_code == 204
        assert client.get(ME, headers=headers).status_code == 401

    def test_an_api_token_is_revoked_and_not_signed_out(self, client: FlaskClient, make_client: MakeClient) -> None:
        headers = bearer(make_client().secret)
        assert client.post(LOGOUT, headers=headers).status_code == 409
        assert client.get(ME, headers=headers).status_code == 200

    def test_an_access_token_can_be_ended(self, client: FlaskClient, application: NewClient, now: datetime) -> None:
        found = find_application(application.client_id, application.secret, now)
        headers = bearer(issue_access_token(found.id, found.scopes, now).token)
        assert client.get(ME, headers=headers).json["client"]["kind"] == "application"
        assert client.post(LOGOUT, headers=headers).status_code == 204
        assert client.get(ME, headers=headers).status_code == 401


@pytest.mark.usefixtures("app")
class TestGrant:
    """Access tokens by client credentials."""

    @pytest.mark.parametrize("way", ["header", "body"])
    def test_an_application_gets_a_token_and_uses_it(
        self, client: FlaskClient, application: NewClient, way: str
    ) -> None:
        shown = {"client_id": application.client_id, "client_secret": application.secret} if way == "body" else {}
        headers = basic(application.client_id, application.secret) if way == "header" else {}
        granted = client.post(GRANT, data=FORM | shown, headers=headers)
        assert granted.status_code == 200, granted.text
        assert granted.headers["Cache-Control"] == "no-store"
        assert granted.headers["Content-Type"] == "application/json"
        told = dict(granted.json)
        token = told.pop("access_token")
        assert told == {"token_type": "Bearer", "expires_in": 3600, "scope": "write"}
        assert client.post(GROUPS, json={"name": "Front"}, headers=bearer(token)).status_code == 201
        entry = db.session.scalars(select(AuditEntry).where(AuditEntry.kind == AuditKind.GROUP)).one()
        assert entry.via == "application deploy"

    def test_less_can_be_asked_for_and_more_cannot(self, client: FlaskClient, application: NewClient) -> None:
        headers = basic(application.client_id, application.secret)
        granted = client.post(GRANT, data=FORM | {"scope": "read"}, headers=headers).json
        assert granted["scope"] == "read"
        assert client.get(GROUPS, headers=bearer(granted["access_token"])).status_code == 200
        assert client.post(GROUPS, json={"name": "x"}, headers=bearer(granted["access_token"])).status_code == 403
        for scope in ("admin", "read admin", "everything", "READ", "ingest"):
            refused = client.post(GRANT, data=FORM | {"scope": scope}, headers=headers)
            assert (refused.status_code, refused.json["error"]) == (400, "invalid_scope"), scope
            assert refused.json["error_description"] == "This application may ask for: read write."

    @pytest.mark.parametrize(
        ("form", "headers", "error"),
        [
            ({}, {}, "invalid_request"),
            ({"grant_type": "password", "username": "a", "password": "b"}, {}, "unsupported_grant_type"),
            ({"grant_type": "authorization_code", "code": "x"}, {}, "unsupported_grant_type"),
            ({"grant_type": ["client_credentials"] * 2}, {}, "invalid_request"),
            (FORM | {"client_secret": "x"}, basic("a", "b"), "invalid_request"),
            (FORM, {}, "invalid_client"),
            (FORM, basic("x" * 16, "sas_" + "y" * 49), "invalid_client"),
            (FORM, {"Authorization": "Basic"}, "invalid_client"),
            (FORM, {"Authorization": "Basic !!!"}, "invalid_client"),
            (FORM, {"Authorization": "Basic " + b64encode(b"\xff\xfe:\xff").decode()}, "invalid_client"),
            (FORM, bearer("sat_x"), "invalid_client"),
            (FORM | {"client_id": "a\0b", "client_secret": "\0"}, {}, "invalid_client"),
        ],
    )
    def test_what_is_wrong_is_told_as_rfc_6749_has_it(
        self, client: FlaskClient, form: dict[str, Any], headers: dict[str, str], error: str
    ) -> None:
        refused = client.post(GRANT, data=form, headers=headers)
        assert refused.status_code == (401 if error == "invalid_client" else 400)
        assert refused.json["error"] == error
        assert set(refused.json) == {"error", "error_description"}
        assert refused.headers["Cache-Control"] == "no-store"
        assert ("WWW-Authenticate" in refused.headers) == (error == "invalid_client")

    def test_another_s_secret_is_no_secret(
        self, client: FlaskClient, make_client: MakeClient, application: NewClient
    ) -> None:
        other = make_client(kind=ApiClientKind.APPLICATION)
        token = make_client()
        unknown = client.post(GRANT, data=FORM, headers=basic("x" * 16, application.secret)).json
        for client_id, secret in (
            (application.client_id, other.secret),
            (token.client_id, token.secret),
            (application.client_id, application.secret[:-1]),
        ):
            # Whether there is such an application is told to nobody who does not know its secret.
            assert client.post(GRANT, data=FORM, headers=basic(client_id, secret)).json == unknown

    def test_nothing_is_read_from_the_address(self, client: FlaskClient, application: NewClient) -> None:
        asked = {**FORM, "client_id": application.client_id, "client_secret": application.secret}
        refused = client.post(GRANT, query_string=asked)
        assert (refused.status_code, refused.json["error"]) == (400, "invalid_request")
        refused = client.post(GRANT, json=asked)
        assert (refused.status_code, refused.json["error"]) == (400, "invalid_request")
        assert client.get(GRANT, query_string=asked).status_code == 405

    def test_a_revoked_application_gets_nothing(
        self, client: FlaskClient, application: NewClient, now: datetime
    ) -> None:
        headers = basic(application.client_id, application.secret)
        token = client.post(GRANT, data=FORM, headers=headers).json["access_token"]
        revoke_client(application.client_id, SYSTEM, now)
        refused = client.post(GRANT, data=FORM, headers=headers)
        assert (refused.status_code, refused.json["error_description"]) == (401, "This application was revoked.")
        assert client.get(GROUPS, headers=bearer(token)).status_code == 401

    def test_who_asks_for_too_many_is_told_to_keep_one(self, client: FlaskClient, application: NewClient) -> None:
        headers = basic(application.client_id, application.secret)
        codes = [client.post(GRANT, data=FORM, headers=headers).status_code for _ in range(31)]
        assert codes == [200] * 30 + [429]
        refused = client.post(GRANT, data=FORM, headers=headers)
        assert refused.json["error"] == "temporarily_unavailable"
        assert int(refused.headers["Retry-After"]) > 0
