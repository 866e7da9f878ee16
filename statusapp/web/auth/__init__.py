"""Signing in and out, the first account, forgotten passwords, and what everybody can do with their own account."""

from statusapp.web.auth import links, views
from statusapp.web.auth.account import blueprint as account_blueprint
from statusapp.web.auth.blueprint import blueprint

# Importing them adds their routes.
PAGES = (links, views)

__all__ = ["PAGES", "account_blueprint", "blueprint"]
