"""How API clients get in, and what they can ask for."""

from statusapp.web.api import (
    alerts,
    channels,
    checks,
    clients,
    documentation,
    endpoint_writes,
    endpoints,
    history,
    incidents,
    ingest,
    maintenance,
    page,
    prometheus,
    rates,
    records,
    runs,
)
from statusapp.web.api.access import member, owner
from statusapp.web.api.blueprints import members, owners, public
from statusapp.web.api.views import blueprint, grant_blueprint, token_blueprint

checks_blueprint = checks.blueprint
clients_blueprint = clients.blueprint
ingest_blueprint = ingest.blueprint
prometheus_blueprint = prometheus.blueprint
# The modules whose routes are gathered in the blueprints by who may come in.
RESOURCES = (
    alerts,
    channels,
    documentation,
    endpoint_writes,
    endpoints,
    history,
    incidents,
    maintenance,
    page,
    rates,
    records,
    runs,
)

__all__ = [
    "RESOURCES",
    "blueprint",
    "checks_blueprint",
    "clients_blueprint",
    "grant_blueprint",
    "ingest_blueprint",
    "member",
    "members",
    "owner",
    "owners",
    "prometheus_blueprint",
    "public",
    "token_blueprint",
]
