"""The command about the settings of the page."""

from __future__ import annotations

from pathlib import Path

from flask import Flask

from statusapp.extensions import db
from statusapp.queries.page_settings import load_page_settings


def said(app: Flask, *words: str, code: int = 0) -> str:
    db.session.rollback()
    result = app.test_cli_runner().invoke(args=["page_settings", *words])
    assert result.exit_code == code, result.output
    return result.output


def test_settings_are_shown_and_changed(app: Flask, tmp_path: Path) -> None:
    assert "title                 Driver App Status" in said(app)
    logo = tmp_path / "logo.svg"
    logo.write_text("<svg/>")
    words = ("title=Acme = good", "shows_uptime=no", "history_days=30", "primary_color=7C3AED")
    output = said(app, *(part for word in words for part in ("--set", word)), "--logo", str(logo))
    assert "shows_uptime          no" in output
    assert "logo                  image/svg+xml" in output
    settings = load_page_settings()
    assert (settings.title, settings.shows_uptime, settings.history_days) == ("Acme = good", False, 30)
    assert settings.primary_color == "#7c3aed"
    assert "logo                  –" in said(app, "--no-logo")


def test_what_cannot_be_used_is_one_clear_line(app: Flask, tmp_path: Path) -> None:
    assert "Did you mean title=...?" in said(app, "--set", "titel=x", code=1)
    assert "Write NAME=VALUE." in said(app, "--set", "title", code=1)
    assert "shows_uptime is yes or no" in said(app, "--set", "shows_uptime=maybe", code=1)
    assert "history_days is a whole number" in said(app, "--set", "history_days=-1", code=1)
    assert "contrast" in said(app, "--set", "primary_color=#ffff00", code=1)
    (tmp_path / "x").write_text("no image")
    assert "PNG, JPEG" in said(app, "--logo", str(tmp_path / "x"), code=1)
    assert load_page_settings().title == "Driver App Status"
