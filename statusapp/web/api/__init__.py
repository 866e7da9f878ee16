"""How API clients get in."""

from statusapp.web.api.views import blueprint, oauth_blueprint

__all__ = ["blueprint", "oauth_blueprint"]
