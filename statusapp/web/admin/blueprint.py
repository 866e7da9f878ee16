"""The blueprints of the operator's pages, one for each guard, and how what they cannot do is told."""

from __future__ import annotations

from flask import Blueprint, Response

from statusapp.domain.errors import InvalidInput, NotFound
from statusapp.web.admin.navigation import account_of_browser, navigation
from statusapp.web.errors import error_answer

# What staff may do, and what owners alone may: what deletes things or deals with secrets.
blueprint = Blueprint("admin", __name__, url_prefix="/admin")
owner_blueprint = Blueprint("admin_owner", __name__, url_prefix="/admin")


@owner_blueprint.errorhandler(InvalidInput)
@blueprint.errorhandler(InvalidInput)
def answer_invalid_input(error: InvalidInput) -> Response:
    """What an address or a form asks for does not exist; forms that people fill in tell it beside the field."""
    return error_answer(400, error.message)


@owner_blueprint.errorhandler(NotFound)
@blueprint.errorhandler(NotFound)
def answer_not_found(error: NotFound) -> Response:
    """What is asked for is not there, or not any more."""
    return error_answer(404, error.message)


blueprint.add_app_template_global(navigation, "admin_navigation")
blueprint.add_app_template_global(account_of_browser, "admin_account")
