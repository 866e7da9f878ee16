"""Single readings of hosts: the list, and all of one."""

from __future__ import annotations

from flask.typing import ResponseReturnValue

from statusapp.queries.admin_metrics import ORDERS, ReadingItem, get_reading, host_names, page_of_readings
from statusapp.web.admin.blueprint import blueprint
from statusapp.web.admin.listing import Choice, Column, Empty, Filter, Listing, show_list
from statusapp.web.admin.rendering import render_admin

COLUMNS: tuple[Column[ReadingItem], ...] = (
    Column("Taken", lambda row: row.taken_at, "time"),
    Column("Host", lambda row: row.host),
    Column("CPU", lambda row: row.cpu_percent, is_number=True),
    Column("Memory", lambda row: row.memory_percent, is_number=True),
    Column("Disk", lambda row: row.disk_percent, is_number=True, is_extra=True),
    Column("Load", lambda row: row.load_1m, is_number=True, is_extra=True),
    Column("Database", lambda row: row.database_query_us, is_number=True, is_extra=True),
)


@blueprint.get("/health/systemmetrics/")
def list_metrics() -> ResponseReturnValue:
    """Readings, the newest first."""
    return show_list(
        Listing(
            title="System",
            name="system-metrics",
            template="admin/metrics.html",
            columns=COLUMNS,
            orders=ORDERS,
            load=page_of_readings,
            sort="-time",
            filters=(
                Filter("host", "Host", tuple(Choice(name, name, name) for name in host_names())),
                Filter("since", "From", is_time=True),
                Filter("until", "Until", is_time=True),
            ),
            empty=Empty("The machines under the monitor are read every ten minutes, once a worker runs."),
        )
    )


@blueprint.get("/health/systemmetrics/<int(max=2147483647):reading_id>/")
def show_metric(reading_id: int) -> ResponseReturnValue:
    """All of one reading."""
    return render_admin("admin/metric.html", reading=get_reading(reading_id))
