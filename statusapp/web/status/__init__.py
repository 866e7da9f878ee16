"""The public side: the index, the status page, and the same as JSON."""

from statusapp.web.status.views import blueprint

__all__ = ["blueprint"]
