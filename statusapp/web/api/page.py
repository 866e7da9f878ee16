"""Groups, and the settings of the status page."""

from __future__ import annotations

import base64
from dataclasses import asdict, replace
from typing import Any

from flask import Response, url_for
from marshmallow import fields

from statusapp.clock import utcnow
from statusapp.domain.enums import AuditKind
from statusapp.queries.admin_groups import ORDERS, get_group, page_of_groups
from statusapp.queries.page_settings import load_page_settings
from statusapp.services.groups import GroupDraft, add_group, change_group, delete_group
from statusapp.services.page import logo_from, normal_settings, page_problems, update_page_settings
from statusapp.web.api.access import caller
from statusapp.web.api.answers import answer, created, nothing, unchanged
from statusapp.web.api.blueprints import members
from statusapp.web.api.listing import answer_page, listing, wanted_of
from statusapp.web.api.problems import NOT_USABLE, Problem, invalid
from statusapp.web.api.schemas_endpoints import Group
from statusapp.web.api.schemas_fields import Known, Text, Whole

GROUP = "/groups/<int(max=2147483647):group_id>/"
GROUPS = listing("Group", ORDERS, "position", Group, is_searched=True)
_SETTING_NAMES = {"refresh_interval_s": "refresh_interval_seconds"}


class PageSettings(Known):
    """How the status page presents itself. A logo is a data: URI, a colour "#rrggbb" or empty for the theme's own."""

    title = Text(metadata={"example": "Our services"})
    description = Text()
    time_zone = Text(100, metadata={"example": "Europe/Berlin"})
    refresh_interval_seconds = Whole(attribute="refresh_interval_s")
    logo = Text(600_000)
    theme = Text(20, metadata={"example": "auto"})
    primary_color = Text(50)
    success_color = Text(50)
    warning_color = Text(50)
    danger_color = Text(50)
    shows_response_times = fields.Boolean()
    shows_uptime = fields.Boolean()
    shows_incidents = fields.Boolean()
    shows_metrics = fields.Boolean()
    history_days = Whole()
    footer = Text()
    support_url = Text()
    announcement = Text()
    is_indexed = fields.Boolean()


@members.route("/groups/")
@members.arguments(GROUPS.query, location="query")
@members.response(200, GROUPS.answer)
def list_groups(given: dict[str, Any]) -> Response:
    """Groups, in the order of the page."""
    return answer_page(GROUPS, page_of_groups(wanted_of(GROUPS, given), utcnow()))


@members.route("/groups/", methods=["POST"])
@members.arguments(Group)
@members.response(201, Group)
def create_group(given: dict[str, Any]) -> Response:
    """Add a group."""
    group_id = add_group(GroupDraft(**given), caller().actor, utcnow())
    data, version = _group(group_id)
    return created(data, url_for("api_resources.show_group", group_id=group_id), version=version)


@members.route(GROUP)
@members.response(200, Group)
def show_group(group_id: int) -> Response:
    """One group."""
    return _answer(group_id)


@members.route(GROUP, methods=["PUT"])
@members.arguments(Group)
@members.response(200, Group)
def put_group(given: dict[str, Any], group_id: int) -> Response:
    """Give a group other values."""
    with unchanged(AuditKind.GROUP, group_id, lambda: _group(group_id)[1]):
        change_group(group_id, GroupDraft(**given), caller().actor, utcnow())
    return _answer(group_id)


@members.route(GROUP, methods=["DELETE"])
@members.response(204)
def remove_group(group_id: int) -> Response:
    """Delete a group. Its services stay, under no heading."""
    with unchanged(AuditKind.GROUP, group_id, lambda: _group(group_id)[1]):
        delete_group(group_id, caller().actor, utcnow())
    return nothing()


@members.route("/settings/")
@members.response(200, PageSettings)
def show_settings() -> Response:
    """The settings of the status page."""
    return answer(_settings())


@members.route("/settings/", methods=["PATCH"])
@members.arguments(PageSettings)
@members.response(200, PageSettings)
def patch_settings(given: dict[str, Any]) -> Response:
    """Change some of the settings of the status page."""
    with unchanged(AuditKind.PAGE, None, _settings):
        if given.get("logo"):
            given["logo"] = _logo(given["logo"])
        wanted = normal_settings(replace(load_page_settings(), **given))
        problems = page_problems(wanted)
        if problems:
            raise Problem(400, NOT_USABLE, {_SETTING_NAMES.get(name, name): text for name, text in problems.items()})
        update_page_settings(wanted, actor=caller().actor)
    return answer(_settings())


def _logo(uri: str) -> str:
    """The image of a data: URI, as an upload of it would be kept."""
    _, comma, content = uri.partition(";base64,")
    try:
        if not (uri.startswith("data:") and comma):
            raise ValueError
        return logo_from(base64.b64decode(content, validate=True))
    except ValueError:
        raise invalid("logo", "Send an image as data:image/png;base64,... or an empty text for none.") from None


def _settings() -> dict[str, Any]:
    data: dict[str, Any] = PageSettings().dump(asdict(load_page_settings()))
    return data


def _answer(group_id: int) -> Response:
    data, version = _group(group_id)
    return answer(data, version=version)


def _group(group_id: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """A group, and the part of it that operators write."""
    data: dict[str, Any] = Group().dump(get_group(group_id))
    return data, {name: value for name, value in data.items() if name != "services"}
