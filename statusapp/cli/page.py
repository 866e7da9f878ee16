"""The command that shows and changes the settings of the status page."""

from __future__ import annotations

from dataclasses import fields, replace
from difflib import get_close_matches
from typing import Any, BinaryIO

import click

from statusapp.cli.naming import done
from statusapp.domain.actors import COMMAND_LINE
from statusapp.domain.errors import InvalidInput
from statusapp.queries.page_settings import PageSettings, load_page_settings
from statusapp.services.page import logo_from, update_page_settings

NAMES = tuple(field.name for field in fields(PageSettings) if field.name != "logo")
YES_NO = {"yes": True, "no": False}


@click.command("page_settings")
@click.option("--set", "changes", multiple=True, metavar="NAME=VALUE", help="Change a setting; may be repeated.")
@click.option("--logo", type=click.File("rb"), help="An image: PNG, JPEG, GIF, WebP or SVG.")
@click.option("--no-logo", is_flag=True, help="Take the logo away.")
def page_settings(changes: tuple[str, ...], logo: BinaryIO | None, no_logo: bool) -> None:
    """Show the settings of the status page, or change them."""

    def change() -> PageSettings:
        settings = load_page_settings()
        values = dict(_parsed(text, settings) for text in changes)
        if logo is not None or no_logo:
            values["logo"] = "" if logo is None else logo_from(logo.read())
        if values:
            update_page_settings(replace(settings, **values), actor=COMMAND_LINE)
        return load_page_settings()

    settings = done(change)
    width = max(map(len, NAMES))
    for name in NAMES:
        click.echo(f"{name:<{width}}  {_shown(getattr(settings, name))}")
    click.echo(f"{'logo':<{width}}  {_logo(settings.logo)}")


def _parsed(text: str, settings: PageSettings) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    name = name.strip()
    if name not in NAMES or not equals:
        close = get_close_matches(name, NAMES, 1)
        hint = f"Did you mean {close[0]}=...?" if close and name not in NAMES else "Write NAME=VALUE."
        raise InvalidInput("set", f"{text!r} sets nothing. {hint} The names are {', '.join(NAMES)}.")
    usual = getattr(settings, name)
    if isinstance(usual, bool):
        if value.strip() not in YES_NO:
            raise InvalidInput(name, f"{name} is yes or no, not {value!r}.")
        return name, YES_NO[value.strip()]
    if isinstance(usual, int):
        if not value.strip().isdecimal():
            raise InvalidInput(name, f"{name} is a whole number, not {value!r}.")
        return name, int(value)
    return name, value


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) or "–"


def _logo(uri: str) -> str:
    return uri.partition(";")[0].removeprefix("data:") if uri else "–"
