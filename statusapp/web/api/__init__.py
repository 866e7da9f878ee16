"""How API clients get in, and what they can ask for."""

from statusapp.web.api import checks
from statusapp.web.api.views import blueprint, oauth_blueprint

checks_blueprint = checks.blueprint

__all__ = ["blueprint", "checks_blueprint", "oauth_blueprint"]
