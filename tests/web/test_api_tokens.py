"""Tokens: what they open, and what they do not."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from statusapp.domain.enums import ApiClientKind, AuditKind, Role, Scope
from statusapp.extensions import db
from statusapp.models import AuditEntry, User
from statusapp.services import accounts
from statusapp.services.api_clients import revoke_client
from tests.web.tokens import (
    CHANNELS,
    ENDPOINTS,
    GROUPS,
    ME,
    SYSTEM,
    MakeClient,
    basic,
    bearer,
    words,
)
from tests.world import World


@pytest.mark.usefixtures("app")
class TestScopes:
    """What a token opens, by its scopes and its account's role."""

    @pytest.mark.parametrize(
        ("scope", "role", "codes"),
        [
            # Reading, writing for staff, writing for owners, checks by the first addresses.
            (Scope.READ, Role.OWNER, (200, 403, 403, 403)),
            (Scope.READ, Role.VIEWER, (200, 403, 403, 403)),
            (Scope.WRITE, Role.OWNER, (200, 201, 403, 202)),
            (Scope.WRITE, Role.STAFF, (200, 201, 403, 202)),
            (Scope.ADMIN, Role.OWNER, (200, 201, 201, 202)),
            (Scope.INGEST, Role.OWNER, (403, 403, 403, 403)),
        ],
    )
    def test_a_token_opens_what_it_is_for(
        self, client: FlaskClient, make_client: MakeClient, scope: Scope, role: Role, codes: tuple[int, ...]
    ) -> None:
        headers = bearer(make_client(scope, role=role).secret)
        channel = {"name": "Hook", "kind": "webhook", "destination": {"url": "http://127.0.0.1:1/", "secret": "s" * 32}}
        answers = (
            client.get("/health/api/logs/", headers=headers),
            client.post(GROUPS, json={"name": "Front"}, headers=headers),
            client.post(CHANNELS, json=channel, headers=headers),
            client.post("/api/v1/endpoints/checks/", headers=headers),
        )
        assert tuple(answer.status_code for answer in answers) == codes, [answer.text for answer in answers]

    def test_the_missing_scope_is_told(self, client: FlaskClient, make_client: MakeClient) -> None:
        refused = client.post(GROUPS, json={"name": "Front"}, headers=bearer(make_client(Scope.READ).secret))
        assert refused.status_code == 403
        assert words(refused) == "This token is not for that: it has not the scope write."
        challenge = refused.headers["WWW-Authenticate"]
        assert challenge.startswith("Bearer ")
        assert "insufficient_scope" in challenge
        assert "scope=write" in challenge.replace('"', "")

    def test_what_the_account_may_not_is_told_without_a_scope(
        self, client: FlaskClient, make_client: MakeClient
    ) -> None:
        staff = make_client(Scope.WRITE, role=Role.STAFF, email="staff@example.org")
        refused = client.post(CHANNELS, json={}, headers=bearer(staff.secret))
        assert (refused.status_code, words(refused)) == (403, "Only an owner may change this.")
        assert "WWW-Authenticate" not in refused.headers

    def test_another_role_counts_at_once(self, client: FlaskClient, make_client: MakeClient, now: datetime) -> None:
        make_client()
        made = make_client(Scope.WRITE, role=Role.STAFF, email="staff@example.org")
        headers = bearer(made.secret)
        assert client.post(GROUPS, json={"name": "One"}, headers=headers).status_code == 201
        account_id = db.session.scalars(select(User.id).where(User.email == "staff@example.org")).one()
        accounts.change_role(account_id, Role.VIEWER, SYSTEM, now)
        refused = client.post(GROUPS, json={"name": "Two"}, headers=headers)
        assert (refused.status_code, words(refused)) == (403, "Only staff may change this.")
        assert client.get(GROUPS, headers=headers).status_code == 200
        assert client.get(ME, headers=headers).json["role"] == "viewer"
        accounts.set_active(account_id, False, SYSTEM, now)
        closed = client.get(GROUPS, headers=headers)
        assert (closed.status_code, words(closed)) == (401, "The account of this token is closed.")

    def test_strangers_see_less_than_a_token(self, client: FlaskClient, make_client: MakeClient) -> None:
        World().add("Shop")
        World().add("Inner", is_public=False)
        assert len(client.get(ENDPOINTS).json["items"]) == 1
        assert len(client.get(ENDPOINTS, headers=bearer(make_client().secret)).json["items"]) == 2
        # One that is not for reading is not taken for a stranger in silence.
        assert client.get(ENDPOINTS, headers=bearer(make_client(Scope.INGEST).secret)).status_code == 403

    def test_requests_are_taken_with_the_scope_for_it(self, client: FlaskClient, make_client: MakeClient) -> None:
        path = "/health/api/ingest/requests"
        headers = bearer(make_client(Scope.INGEST).secret)
        assert client.post(path, data=b"nonsense", headers=headers).status_code == 400
        refused = client.post(path, data=b"nonsense", headers=bearer(make_client(Scope.ADMIN).secret))
        assert (refused.status_code, words(refused)) == (
            403,
            "This token is not for that: it has not the scope ingest.",
        )
        assert client.post(path, data=b"nonsense", headers=bearer("ingest_guess")).status_code == 401

    def test_metrics_show_everything_to_a_token(self, client: FlaskClient, make_client: MakeClient) -> None:
        assert "statusapp_alerts_open" not in client.get("/metrics").text
        assert "statusapp_alerts_open" in client.get("/metrics", headers=bearer(make_client().secret)).text
        assert client.get("/metrics", headers=bearer(make_client(Scope.INGEST).secret)).status_code == 403

    def test_what_a_token_did_is_in_the_audit_log_by_its_name(
        self, client: FlaskClient, make_client: MakeClient
    ) -> None:
        client.post(GROUPS, json={"name": "Front"}, headers=bearer(make_client(Scope.WRITE).secret))
        entry = db.session.scalars(select(AuditEntry).where(AuditEntry.kind == AuditKind.GROUP)).one()
        assert (entry.actor, entry.via) == ("owner@example.org", "token deploy")


@pytest.mark.usefixtures("app")
class TestRefused:
    """Tokens that open nothing."""

    @pytest.mark.parametrize(
        ("kind", "told"),
        [
            ("truncated", "not whole"),
            ("mistyped", "not whole"),
            ("revoked", "was revoked"),
            ("expired", "expired on"),
            ("secret", "It is for getting an access token"),
            ("other", "not known"),
        ],
    )
    def test_a_token_that_is_good_for_nothing_says_why(
        self, client: FlaskClient, make_client: MakeClient, now: datetime, kind: str, told: str
    ) -> None:
        made = make_client()
        token = made.secret
        if kind == "truncated":
            token = token[:-4]
        elif kind == "mistyped":
            token = token[:30] + ("a" if token[30] != "a" else "b") + token[31:]
        elif kind == "revoked":
            revoke_client(made.client_id, SYSTEM, now)
        elif kind == "expired":
            before = now - timedelta(days=2)
            token = make_client(ends=before + timedelta(days=1), at=before).secret
        elif kind == "secret":
            token = make_client(kind=ApiClientKind.APPLICATION).secret
        else:
            token = "a session that never was"
        refused = client.get(GROUPS, headers=bearer(token))
        assert refused.status_code == 401
        assert told in words(refused)
        assert "invalid_token" in refused.headers["WWW-Authenticate"]

    def test_a_token_counts_in_the_header_alone(self, client: FlaskClient, make_client: MakeClient) -> None:
        token = make_client(Scope.ADMIN).secret
        for path in (f"{GROUPS}?access_token={token}", f"{GROUPS}?token={token}", f"{ME}?access_token={token}"):
            assert client.get(path).status_code in (400, 401)
        assert client.post(GROUPS, data={"access_token": token, "name": "Front"}).status_code == 401
        assert client.get(GROUPS, headers=basic("token", token)).status_code == 401
        client.set_cookie("access_token", token)
        assert client.get(GROUPS).status_code == 401

    def test_a_token_opens_no_page(self, client: FlaskClient, make_client: MakeClient) -> None:
        assert client.get("/admin/", headers=bearer(make_client(Scope.ADMIN).secret)).status_code == 302

    @pytest.mark.parametrize(
        "token", ["sa_", "sa_" + "x" * 60, "sat_" + "x" * 50, "sas_" + "\xe4" * 50, "sa_" + "x" * 9000]
    )
    def test_nonsense_is_refused_like_any_other(self, client: FlaskClient, token: str) -> None:
        assert client.get(GROUPS, headers=bearer(token)).status_code == 401
