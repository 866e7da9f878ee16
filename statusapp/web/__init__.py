"""The web side: one package per blueprint, each with the guard that stands before all of its routes."""

from __future__ import annotations

from flask import Blueprint, Flask

from statusapp.extensions import csrf
from statusapp.web import (
    admin,
    api,
    assets,
    auth,
    dashboard,
    errors,
    guards,
    headers,
    health,
    machine,
    ping,
    signed_in,
    status,
)

BLUEPRINTS: tuple[tuple[Blueprint, guards.Guard], ...] = (
    (status.blueprint, guards.public),
    (health.blueprint, guards.public),
    (machine.blueprint, guards.public),
    (ping.blueprint, guards.public),
    (auth.blueprint, guards.public),
    (auth.account_blueprint, guards.viewer),
    (api.blueprint, guards.public),
    (api.grant_blueprint, guards.public),
    (api.clients_blueprint, guards.bearer_of_account),
    (api.token_blueprint, guards.bearer),
    (api.checks_blueprint, guards.bearer_staff),
    (api.ingest_blueprint, guards.bearer_ingest),
    (api.prometheus_blueprint, guards.public),
    (api.public, guards.public),
    (api.members, api.member),
    (api.owners, api.owner),
    (admin.blueprint, guards.staff),
    (admin.owner_blueprint, guards.owner),
    (dashboard.blueprint, guards.viewer),
    (dashboard.actions_blueprint, guards.staff),
)

# These take no cookie for an answer, so another site's form can do nothing with them.
WITHOUT_COOKIES = (
    api.blueprint,
    api.grant_blueprint,
    api.clients_blueprint,
    api.token_blueprint,
    api.checks_blueprint,
    api.ingest_blueprint,
    machine.blueprint,
    ping.blueprint,
)
# Their guards ask for the CSRF token themselves, of whoever came in by a cookie.
WITH_OWN_CSRF_CHECK = (api.public, api.members, api.owners)


def init_app(app: Flask) -> None:
    """Register blueprints, guards, error answers and headers."""
    app.before_request(guards.check_guard)
    for blueprint, guard in BLUEPRINTS:
        guards.declare(app, blueprint.name, guard)
        app.register_blueprint(blueprint)
    for blueprint in (*WITHOUT_COOKIES, *WITH_OWN_CSRF_CHECK):
        csrf.exempt(blueprint)
    signed_in.init_app(app)
    assets.init_app(app)
    errors.init_app(app)
    headers.init_app(app)
