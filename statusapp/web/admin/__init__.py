"""The operator's pages."""

from statusapp.web.admin.views import blueprint

__all__ = ["blueprint"]
