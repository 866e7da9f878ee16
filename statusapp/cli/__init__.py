"""The commands: `flask --app wsgi COMMAND`, or plain `flask COMMAND` in the project's folder."""

from __future__ import annotations

from flask import Flask

from statusapp.cli.accounts import add_account, create_admin, list_accounts, reset_password
from statusapp.cli.alerts import (
    acknowledge_alert,
    mute_alerts,
    set_alert_rule,
    show_alert_rules,
    show_alerts,
    unmute_alerts,
)
from statusapp.cli.backup import back_up, restore
from statusapp.cli.channels import (
    add_channel,
    list_channels,
    remove_channel,
    set_message_text,
    show_deliveries,
    test_channel,
)
from statusapp.cli.demo import demo_data
from statusapp.cli.endpoints import add_endpoint, run_health_checks, setup_health_monitoring
from statusapp.cli.incidents import (
    cancel_maintenance,
    list_incidents,
    list_maintenance,
    open_incident,
    plan_maintenance,
    update_incident,
)
from statusapp.cli.page import page_settings
from statusapp.cli.reports import show_report
from statusapp.cli.requests import create_ingest_token, revoke_ingest_token, set_slow_route, show_requests
from statusapp.cli.uptime import show_uptime


def init_app(app: Flask) -> None:
    """Register the commands."""
    for command in (
        setup_health_monitoring,
        run_health_checks,
        add_endpoint,
        create_admin,
        add_account,
        list_accounts,
        reset_password,
        back_up,
        restore,
        demo_data,
        create_ingest_token,
        revoke_ingest_token,
        set_slow_route,
        show_requests,
        show_uptime,
        show_report,
        page_settings,
        show_alerts,
        acknowledge_alert,
        mute_alerts,
        unmute_alerts,
        set_alert_rule,
        show_alert_rules,
        open_incident,
        update_incident,
        list_incidents,
        plan_maintenance,
        cancel_maintenance,
        list_maintenance,
        add_channel,
        list_channels,
        test_channel,
        remove_channel,
        show_deliveries,
        set_message_text,
    ):
        app.cli.add_command(command)
