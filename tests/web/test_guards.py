"""Who may come in: every route says so, and whoever says nothing is closed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from config import Settings
from statusapp import create_app
from statusapp.domain.enums import Role
from statusapp.web import guards

# Whoever adds a public route adds it here, and so has thought about it.
PUBLIC = {
    "static",
    "status.index", "status.page", "status.page_data", "status.service", "status.overview",
    "status.incident", "status.history", "status.theme", "status.logo",
    "health.health", "health.live", "health.ready",
    "auth.login", "auth.logout", "auth.first_account", "auth.ask_for_link", "auth.new_password",
    "api.register", "api.login", "api_grant.token",
    "machine.summary", "machine.status", "machine.components", "machine.incidents", "machine.unresolved_incidents",
    "machine.maintenances", "machine.upcoming_maintenances", "machine.active_maintenances",
    "machine.atom_feed", "machine.rss_feed", "machine.calendar", "machine.badge",
    "api_public.list_endpoints", "api_public.get_endpoint", "api_public.openapi", "api_public.docs",
    "prometheus.metrics",
    "ping.success", "ping.start", "ping.fail", "ping.ended",
}  # fmt: skip


def test_every_route_has_a_declared_guard(app: Flask) -> None:
    assert [rule.endpoint for rule in app.url_map.iter_rules() if guards.guard_of(app, rule.endpoint) is None] == []


def test_the_public_routes_are_known_by_name(app: Flask) -> None:
    endpoints = {rule.endpoint for rule in app.url_map.iter_rules()}
    assert {name for name in endpoints if guards.guard_of(app, name) is guards.public} == PUBLIC


def test_a_route_without_a_guard_is_closed(settings: Settings) -> None:
    app = create_app(settings)
    app.add_url_rule("/forgotten", view_func=lambda: "secret", endpoint="forgotten")
    assert app.test_client().get("/forgotten").status_code == 403


def test_anonymous_browsers_are_sent_to_sign_in(client: FlaskClient) -> None:
    response = client.get("/admin/")
    assert (response.status_code, response.headers["Location"]) == (302, "/auth/login?next=/admin/")


def test_staff_see_the_operator_page(
    client: FlaskClient, make_account: Callable[..., str], sign_in: Callable[..., Any]
) -> None:
    sign_in(make_account(role=Role.STAFF))
    response = client.get("/admin/")
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"


def test_viewers_are_refused(
    client: FlaskClient, make_account: Callable[..., str], sign_in: Callable[..., Any]
) -> None:
    sign_in(make_account(role=Role.VIEWER))
    assert client.get("/admin/").status_code == 403


@pytest.mark.parametrize("credentials", [None, "Bearer", "Bearer wrong", "Basic YTpi", "Bearer \xff"])
def test_programs_need_a_token(client: FlaskClient, credentials: str | None) -> None:
    headers = {"Authorization": credentials} if credentials else {}
    response = client.get("/api/v1/auth/oauth/applications/", headers=headers)
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"].lower().startswith("bearer")


def test_a_browser_s_cookie_is_no_token(
    client: FlaskClient, make_account: Callable[..., str], sign_in: Callable[..., Any]
) -> None:
    sign_in(make_account())
    assert client.get("/admin/").status_code == 200
    assert client.get("/api/v1/auth/oauth/applications/").status_code == 401
