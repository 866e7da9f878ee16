"""The dashboard: what is wrong now and how everything does, and all there is to know of one service."""

from statusapp.web.dashboard import actions, service_views, views
from statusapp.web.dashboard.blueprint import actions_blueprint, blueprint

# Importing them adds their routes.
PAGES = (actions, service_views, views)

__all__ = ["PAGES", "actions_blueprint", "blueprint"]
