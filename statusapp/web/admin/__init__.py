"""The operator's pages."""

from statusapp.web.admin import (
    accounts,
    api_clients,
    audit,
    channels,
    checks,
    endpoint_bulk,
    endpoint_list,
    endpoint_views,
    groups,
    incidents,
    maintenance,
    metrics,
    page_settings,
    reports,
    requests,
    rules,
    texts,
    views,
)
from statusapp.web.admin.blueprint import blueprint, owner_blueprint

# Importing them adds their routes.
PAGES = (
    accounts,
    api_clients,
    audit,
    channels,
    checks,
    endpoint_bulk,
    endpoint_list,
    endpoint_views,
    groups,
    incidents,
    maintenance,
    metrics,
    page_settings,
    reports,
    requests,
    rules,
    texts,
    views,
)

__all__ = ["PAGES", "blueprint", "owner_blueprint"]
