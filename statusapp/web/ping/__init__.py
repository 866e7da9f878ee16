"""Where jobs call in."""

from statusapp.web.ping.views import blueprint

__all__ = ["blueprint"]
