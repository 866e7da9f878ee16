"""The monitor's own health, for whoever watches the watcher."""

from statusapp.web.health.views import blueprint

__all__ = ["blueprint"]
