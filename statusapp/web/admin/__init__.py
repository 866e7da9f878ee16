"""The operator's pages."""

from statusapp.web.admin import endpoint_bulk, endpoint_list, endpoint_views, views
from statusapp.web.admin.blueprint import blueprint, owner_blueprint

# Importing them adds their routes.
PAGES = (endpoint_bulk, endpoint_list, endpoint_views, views)

__all__ = ["PAGES", "blueprint", "owner_blueprint"]
