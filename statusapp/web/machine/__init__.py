"""The public state for programs: the Statuspage API, feeds, a calendar, badges."""

from statusapp.web.machine.views import blueprint

__all__ = ["blueprint"]
