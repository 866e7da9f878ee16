"""How API clients get in, and what they can ask for."""

from statusapp.web.api import checks, ingest
from statusapp.web.api.views import blueprint, oauth_blueprint

checks_blueprint = checks.blueprint
ingest_blueprint = ingest.blueprint

__all__ = ["blueprint", "checks_blueprint", "ingest_blueprint", "oauth_blueprint"]
