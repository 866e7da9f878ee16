"""Settings: a wrong value is one line that names the variable; a right one is in the type the code uses."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from pathlib import Path

import pytest

from config import SETTING_NAMES, Settings, SettingsError, load_settings


def load(instance: Path, **environment: str) -> Settings:
    return load_settings({"INSTANCE_PATH": str(instance), **environment})


def test_the_defaults(tmp_path: Path) -> None:
    settings = load(tmp_path / "i")
    assert (settings.port, settings.host, settings.check_window) == (8000, "127.0.0.1", 15)
    assert settings.base_url == settings.address == "http://127.0.0.1:8000"
    assert settings.database_url == f"sqlite:///{tmp_path}/i/statusapp.sqlite3"
    assert settings.uses_embedded_redis
    assert (settings.metrics_interval, settings.alerting_interval, settings.uptime_interval) == (600, 180, 3600)


def test_every_field_has_its_variable() -> None:
    assert tuple(field.name.upper() for field in fields(Settings)) == SETTING_NAMES


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("PORT", "http", "whole number from 1 to 65535"),
        ("PORT", "0", "whole number from 1 to 65535"),
        ("PORT", "65536", "whole number from 1 to 65535"),
        ("WORKERS", "1", "from 2 to 64"),
        ("WEB_THREADS", "0", "from 1 to 128"),
        ("CHECK_WINDOW", "1", "from 5 to 60"),
        ("METRICS_INTERVAL", "5", "from 10"),
        ("LOG_LEVEL", "LOUD", "one of DEBUG, INFO"),
        ("BASE_URL", "example.org", "https://example.org"),
        ("BASE_URL", "http://a b", "https://example.org"),
        ("BASE_URL", "http://host:0", "https://example.org"),
        ("BASE_URL", "http://host/?a=1", "https://example.org"),
        ("DATABASE_URL", "mysql://root@db/x", "postgresql://"),
        ("DATABASE_URL", "nonsense", "postgresql://"),
        ("DATABASE_URL", "sqlite://", "must name a file"),
        ("DATABASE_URL", "sqlite:///:memory:", "must name a file"),
        ("REDIS_URL", "http://localhost", "redis://"),
        ("SECRET_KEY", "short", "at least 16"),
        ("SECRET_KEY_FILE", "/nonexistent/key", "cannot be read"),
        ("PROXY_HOPS", "-1", "from 0 to 10"),
        ("METRIC_HOUR_RETENTION_DAYS", "1", "from 2 to 3650"),
        ("SMTP_URL", "mail.example.org", "smtp://user:password@host:587"),
        ("SMTP_URL", "smtp://host:0", "smtp://user:password@host:587"),
        ("SMTP_URL", "smtp://host:x", "smtp://user:password@host:587"),
        ("SMTP_URL", "smtp://host/path", "smtp://user:password@host:587"),
        ("STATUSPAGES", "www.githubstatus.com", "https://"),
        ("STATUSPAGES", "https://a.example.org, http://b.example.org", "https://www.githubstatus.com"),
        ("STATUSPAGES", "https://me@a.example.org", "https://www.githubstatus.com"),
        ("INSTANCE_PATH", "/dev/null/x", "cannot be used"),
    ],
)
def test_a_wrong_value_is_one_line_that_names_it(tmp_path: Path, name: str, value: str, hint: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings({"INSTANCE_PATH": str(tmp_path / "i"), name: value})
    message = str(caught.value)
    assert message.startswith(name)
    assert hint in message
    assert "\n" not in message


def test_a_password_is_never_repeated(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, DATABASE_URL="mysql://root:hunter2@db/x")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"TWILIO_ACCOUNT_SID": "AC" + "0" * 32}, "TWILIO_AUTH_TOKEN is not set, but TWILIO_ACCOUNT_SID is"),
        ({"TWILIO_AUTH_TOKEN": "hunter2"}, "TWILIO_ACCOUNT_SID is not set, but TWILIO_AUTH_TOKEN is"),
        ({"TWILIO_ACCOUNT_SID": "AC/../x", "TWILIO_AUTH_TOKEN": "hunter2"}, "TWILIO_ACCOUNT_SID cannot be used"),
        ({"AFRICASTALKING_USERNAME": "shop"}, "AFRICASTALKING_API_KEY is not set"),
        ({"AFRICASTALKING_USERNAME": "shop", "AFRICASTALKING_API_KEY": "hunter2\n"}, None),
        ({"AFRICASTALKING_USERNAME": "shop", "AFRICASTALKING_API_KEY": "hun\nter2"}, "AFRICASTALKING_API_KEY cannot"),
        ({"SMTP_URL": "http://me:hunter2@host"}, "SMTP_URL cannot be used"),
    ],
)
def test_accounts_with_services_are_set_together(
    tmp_path: Path, environment: dict[str, str], message: str | None
) -> None:
    if message is None:
        assert load(tmp_path, **environment).africastalking_api_key == "hunter2"
        return
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, **environment)
    assert str(caught.value).startswith(message)
    assert "hun" not in str(caught.value)


def test_services_and_their_secrets_in_files(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("hunter2\n")
    (tmp_path / "smtp").write_text("smtps://me:hunter2@mail.example.org\n")
    settings = load(
        tmp_path / "i",
        TWILIO_ACCOUNT_SID="AC" + "0" * 32,
        TWILIO_AUTH_TOKEN_FILE=str(tmp_path / "token"),
        SMTP_URL_FILE=str(tmp_path / "smtp"),
        STATUSPAGES="https://www.githubstatus.com/, https://status.example.org,https://www.githubstatus.com",
    )
    assert (settings.twilio_auth_token, settings.smtp_url) == ("hunter2", "smtps://me:hunter2@mail.example.org")
    assert settings.statuspages == ("https://www.githubstatus.com", "https://status.example.org")


def test_an_empty_value_means_the_default(tmp_path: Path) -> None:
    settings = load(tmp_path, PORT=" ", REDIS_URL="", SECRET_KEY="", LOG_LEVEL="")
    assert (settings.port, settings.redis_url, settings.log_level) == (8000, None, "INFO")


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "url"
    file.write_text("postgres://u:p@db/status\n")
    settings = load(tmp_path / "i", DATABASE_URL_FILE=str(file))
    assert settings.database_url == "postgresql+psycopg://u:p@db/status"


def test_every_process_finds_the_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        keys = set(pool.map(lambda _: load(tmp_path).secret_key, range(64)))
    assert len(keys) == 1
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["encryption_key", "secret_key"]


def test_a_broken_key_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "secret_key").write_text("x")
    with pytest.raises(SettingsError, match=r"SECRET_KEY is not set and .* does not hold a key"):
        load(tmp_path)


def test_an_address_for_every_interface_is_this_machines(tmp_path: Path) -> None:
    assert load(tmp_path, HOST="0.0.0.0", PORT="81").base_url == "http://127.0.0.1:81"
    assert load(tmp_path, HOST="::1", PORT="81").address == "http://[::1]:81"
