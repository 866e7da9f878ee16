"""The settings of the status page, with a look at the page before they are saved."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Response, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from statusapp.clock import utcnow
from statusapp.domain.colors import normal_color
from statusapp.domain.enums import IncidentMode
from statusapp.domain.errors import InvalidInput
from statusapp.queries.page_settings import PageSettings, load_page_settings
from statusapp.services.incident_modes import IncidentModes, load_incident_modes, set_incident_modes
from statusapp.services.page import COLORS, logo_from, normal_settings, page_problems, update_page_settings
from statusapp.web.admin.blueprint import blueprint
from statusapp.web.admin.page_forms import SECTIONS, ModesForm, PageForm, settings_of, values_of
from statusapp.web.admin.rendering import render_admin
from statusapp.web.admin.saving import status_of, tell
from statusapp.web.signed_in import actor
from statusapp.web.status.rendering import Dress
from statusapp.web.status.themes import theme_css
from statusapp.web.status.views import preview_page


@blueprint.route("/health/statuspagesettings/", methods=["GET", "POST"])
def page_settings() -> ResponseReturnValue:
    """Change the settings of the page, or see what it would look like."""
    before = load_page_settings()
    form = PageForm(data=values_of(before))
    if form.is_submitted():
        settings = _read(form, before)
        if settings is not None and "preview" in request.form:
            return _preview(settings)
        if settings is not None:
            update_page_settings(settings, actor=actor())
            flash("The settings were saved. The page has them at once.")
            return redirect(url_for("admin.page_settings"))
    page = render_admin("admin/page_settings.html", form=form, sections=SECTIONS, settings=before, is_upload=True)
    return page, status_of(form)


@blueprint.route("/health/statuspagesettings/incidents", methods=["GET", "POST"])
def incident_modes() -> ResponseReturnValue:
    """Change what alerts do about incidents by themselves. Apart from the settings, so that saving one loses nothing of
    the other."""
    modes = load_incident_modes()
    form = ModesForm(data={"critical": modes.critical.word, "warning": modes.warning.word})
    if form.validate_on_submit():
        critical, warning = (IncidentMode[field.data.upper()] for field in (form.critical, form.warning))
        set_incident_modes(IncidentModes(critical, warning), actor(), utcnow())
        flash("It was saved. The alerts from now on do so.")
        return redirect(url_for("admin.incident_modes"))
    return render_admin("admin/incident_modes.html", form=form), status_of(form)


@blueprint.get("/health/statuspagesettings/theme.css")
def preview_theme() -> ResponseReturnValue:
    """The colours of a preview; what is no colour is left out."""
    given: dict[str, Any] = {name: normal_color(request.args.get(name, "")) or "" for name in COLORS}
    return Response(theme_css(replace(load_page_settings(), **given)), mimetype="text/css")


def _preview(settings: PageSettings) -> ResponseReturnValue:
    """The page with settings that are not in effect. Its styles cannot stand in it, so their address has them."""
    colors = {name: getattr(settings, name) for name in COLORS}
    response = preview_page(settings, Dress(url_for("admin.preview_theme", **colors), settings.logo or None))
    response.headers["Cache-Control"] = "no-store"
    return response


def _read(form: PageForm, before: PageSettings) -> PageSettings | None:
    """The settings that were sent, in their normal form; None when something is wrong with them, which is told."""
    is_readable, logo = form.validate(), None
    try:
        upload = form.logo.data
        logo = logo_from(upload.read()) if upload else None
    except InvalidInput as error:
        tell(form, "logo", error)
    settings = normal_settings(settings_of(form, before, logo))
    for name, message in page_problems(settings).items():
        tell(form, name, InvalidInput(name, message))
    return settings if is_readable and not form.errors else None
