"""All kinds of channels by name."""

from __future__ import annotations

from statusapp.notifiers import apprise_urls, email, webhook
from statusapp.notifiers.kind import Kind

REGISTRY: dict[str, Kind] = {kind.name: kind for kind in (email.KIND, apprise_urls.KIND, webhook.KIND)}
