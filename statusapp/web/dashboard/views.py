"""The dashboard itself."""

from __future__ import annotations

from dataclasses import dataclass

from flask import request
from flask.typing import ResponseReturnValue

from statusapp.clock import utcnow
from statusapp.services.page import page_zone
from statusapp.web.charts import chart_script
from statusapp.web.dashboard.blueprint import blueprint
from statusapp.web.dashboard.loading import load_dashboard
from statusapp.web.dashboard.ranges import LENGTHS, NAMES, range_from
from statusapp.web.dashboard.rendering import render_dashboard
from statusapp.web.times import Times


@dataclass(frozen=True, slots=True)
class NoteProblem:
    """A note that could not be taken: of which alert, what was typed, and what is wrong with it."""

    alert_id: int
    note: str
    message: str


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """What is wrong now, how everything does, and how the monitor itself does."""
    return show_dashboard()


def show_dashboard(problem: NoteProblem | None = None) -> str:
    """The page, with what is wrong with a note if something is."""
    now, zone = utcnow(), page_zone()
    over = range_from(request.args, now, zone)
    return render_dashboard(
        "dashboard/index.html",
        now=now,
        times=Times(zone),
        page=load_dashboard(over, now),
        over=over,
        ranges=[(key, NAMES[key]) for key in LENGTHS],
        problem=problem,
        back=request.full_path.rstrip("?"),
        chart_js=chart_script(),
    )
