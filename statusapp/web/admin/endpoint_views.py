"""One service: adding it, changing it, trying its check, pausing it."""

from __future__ import annotations

from typing import Any

from flask import current_app, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from statusapp.clock import utcnow
from statusapp.domain.errors import NotFound
from statusapp.queries.admin_endpoints import endpoint_choices, group_choices
from statusapp.services.endpoint_drafts import EndpointDraft, InvalidEndpoint
from statusapp.services.endpoint_edits import EndpointFile, change_endpoint, load_endpoint, with_secrets
from statusapp.services.endpoint_kinds import KindView, kind_of_address, list_kinds
from statusapp.services.endpoint_trial import Trial, try_endpoint
from statusapp.services.endpoints import (
    create_endpoint,
    pause_endpoint,
    ping_path,
    request_checks,
    resume_endpoint,
)
from statusapp.web.admin.blueprint import blueprint
from statusapp.web.admin.endpoint_form import (
    EndpointForm,
    cleared_of,
    draft_of,
    form_class,
    mark_secrets,
    new_draft,
    sections_of,
    tell,
    values_of,
)
from statusapp.web.admin.rendering import render_admin
from statusapp.web.admin.roles import is_owner
from statusapp.web.auth.targets import way_back
from statusapp.web.signed_in import actor

KINDS = {kind.name: kind for kind in list_kinds()}


@blueprint.route("/health/serviceendpoint/add/", methods=["GET", "POST"])
def add_endpoint() -> ResponseReturnValue:
    """Add a service; the kind of check is chosen first and can be changed while nothing is saved."""
    kind = _kind(request.form.get("to") or request.form.get("kind") or request.args.get("kind") or "http")
    base = new_draft(kind)
    typed = {"formdata": _switched(kind)} if "to" in request.form else {}
    form = form_class(kind)(data=values_of(base, kind), **typed)
    mark_secrets(form, frozenset(), may_change=is_owner())
    if not form.is_submitted() or "to" in request.form:
        return _form_page(form, kind)
    draft = _read(form, kind, base)
    if draft is None:
        return _form_page(form, kind), 400
    if "test" in request.form:
        return _form_page(form, kind, trial=try_endpoint(draft))
    try:
        endpoint_id = create_endpoint(draft, utcnow(), actor=actor())
    except InvalidEndpoint as problem:
        tell(form, kind, problem)
        return _form_page(form, kind), 400
    flash(f"{draft.name} was added. Its first check is being made.")
    return redirect(url_for("admin.edit_endpoint", endpoint_id=endpoint_id))


@blueprint.route("/health/serviceendpoint/<int(max=2147483647):endpoint_id>/", methods=["GET", "POST"])
def edit_endpoint(endpoint_id: int) -> ResponseReturnValue:
    """Change a service."""
    on_file = load_endpoint(endpoint_id)
    kind = _kind(kind_of_address(on_file.draft.url))
    form = form_class(kind)(data=values_of(on_file.draft, kind))
    mark_secrets(form, on_file.secrets, may_change=is_owner())
    if not form.is_submitted():
        return _form_page(form, kind, on_file)
    draft = _read(form, kind, on_file.draft, endpoint_id)
    if draft is None:
        return _form_page(form, kind, on_file), 400
    if "test" in request.form:
        return _form_page(form, kind, on_file, trial=try_endpoint(draft))
    try:
        change_endpoint(
            endpoint_id,
            draft_of(form, kind, on_file.draft),
            actor(),
            utcnow(),
            cleared_of(form),
            may_use_secrets=is_owner(),
        )
    except InvalidEndpoint as problem:
        tell(form, kind, problem)
        return _form_page(form, kind, on_file), 400
    flash(f"{draft.name} was saved.")
    return redirect(url_for("admin.list_endpoints"))


@blueprint.post("/health/serviceendpoint/<int(max=2147483647):endpoint_id>/pause")
def pause(endpoint_id: int) -> ResponseReturnValue:
    """Stop checking a service for now."""
    name = load_endpoint(endpoint_id).draft.name
    pause_endpoint(endpoint_id, utcnow(), actor=actor())
    flash(f"{name} is paused.")
    return redirect(way_back(url_for("admin.edit_endpoint", endpoint_id=endpoint_id)))


@blueprint.post("/health/serviceendpoint/<int(max=2147483647):endpoint_id>/resume")
def resume(endpoint_id: int) -> ResponseReturnValue:
    """Check a paused service again."""
    name = load_endpoint(endpoint_id).draft.name
    resume_endpoint(endpoint_id, utcnow(), actor=actor())
    flash(f"{name} is checked again, from now on.")
    return redirect(way_back(url_for("admin.edit_endpoint", endpoint_id=endpoint_id)))


@blueprint.post("/health/serviceendpoint/<int(max=2147483647):endpoint_id>/run")
def run_now(endpoint_id: int) -> ResponseReturnValue:
    """Have a worker check a service at once."""
    name = load_endpoint(endpoint_id).draft.name
    if request_checks([endpoint_id], utcnow(), actor=actor()):
        flash(f"{name} is being checked. The result is among its checks in a few seconds.")
    else:
        flash(f"{name} is paused, so it was not checked.")
    return redirect(way_back(url_for("admin.edit_endpoint", endpoint_id=endpoint_id)))


def _kind(name: str) -> KindView:
    kind = KINDS.get(name)
    if kind is None:
        raise NotFound(f"There is no kind of check {name[:40]!r}; there are {', '.join(KINDS)}.")
    return kind


def _switched(kind: KindView) -> MultiDict[str, str]:
    """What was typed for another kind of check, with this kind's own boxes as they are by default."""
    typed: MultiDict[str, str] = MultiDict(request.form)
    for option in kind.options:
        if option.type is bool and option.default:
            typed.setdefault(f"option_{option.name}", "y")
    return typed


def _read(
    form: EndpointForm, kind: KindView, base: EndpointDraft, endpoint_id: int | None = None
) -> EndpointDraft | None:
    """The draft that was sent, whole with its secrets; None when something is wrong with it, which is told."""
    is_readable = form.validate()
    draft = draft_of(form, kind, base)
    problems: list[InvalidEndpoint] = []
    try:
        if endpoint_id is not None:
            draft = with_secrets(endpoint_id, draft, cleared_of(form), may_use_secrets=is_owner())
        elif not is_owner() and any(option.is_secret and option.name in draft.options for option in kind.options):
            problems.append(InvalidEndpoint("Secrets may only be set by an owner.", "name"))
        if kind_of_address(draft.url) != kind.name:
            problems.append(InvalidEndpoint(f"This is no address of a {kind.label} check; write {kind.example}", "url"))
    except InvalidEndpoint as error:
        problems.append(error)
    except ValueError:
        pass  # It is no address at all, which is told among the rest.
    for problem in [*problems, *draft.problems()]:
        tell(form, kind, problem)
    return draft if is_readable and not problems and not draft.problems() else None


def _form_page(
    form: EndpointForm, kind: KindView, on_file: EndpointFile | None = None, trial: Trial | None = None
) -> str:
    extra: dict[str, Any] = {}
    if on_file is not None:
        path = ping_path(on_file.id)
        extra["ping_address"] = f"{current_app.config['SETTINGS'].public_url}{path}" if path else None
    return render_admin(
        "admin/endpoint_form.html",
        form=form,
        kind=kind,
        kinds=KINDS.values(),
        sections=sections_of(kind),
        on_file=on_file,
        trial=trial,
        groups=[name for _, name in group_choices()],
        services=[name for _, name in endpoint_choices()],
        is_owner=is_owner(),
        **extra,
    )
