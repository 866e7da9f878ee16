"""The commands: `flask --app wsgi COMMAND`, or plain `flask COMMAND` in the project's folder."""

from __future__ import annotations

from flask import Flask

from statusapp.cli.backup import back_up, restore
from statusapp.cli.demo import demo_data
from statusapp.cli.endpoints import add_endpoint, create_admin, run_health_checks, setup_health_monitoring
from statusapp.cli.requests import create_ingest_token, revoke_ingest_token, set_slow_route, show_requests
from statusapp.cli.uptime import show_uptime


def init_app(app: Flask) -> None:
    """Register the commands."""
    for command in (
        setup_health_monitoring,
        run_health_checks,
        add_endpoint,
        create_admin,
        back_up,
        restore,
        demo_data,
        create_ingest_token,
        revoke_ingest_token,
        set_slow_route,
        show_requests,
        show_uptime,
    ):
        app.cli.add_command(command)
