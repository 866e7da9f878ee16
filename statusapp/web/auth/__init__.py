"""Signing in and out, and the first account."""

from statusapp.web.auth.views import blueprint

__all__ = ["blueprint"]
