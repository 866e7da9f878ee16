"""The public side: the index, the status page with what lies behind it, and the same as JSON."""

from statusapp.web.status import detail_views as _detail_views
from statusapp.web.status.views import blueprint

__all__ = ["_detail_views", "blueprint"]
