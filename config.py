"""Settings: typed, from the environment, checked once at the start, fatal when wrong.

Nothing else in the project reads `os.environ`. Every setting is a field of `Settings`; its meaning for an operator
stands in the README's table, which a test compares with `SETTING_NAMES`.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from statusapp.environment import SettingsError as SettingsError  # noqa: PLC0414 - exported from here too
from statusapp.environment import env_bool, env_choice, env_float, env_int, env_secret


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says, in the types the code uses. Durations are seconds unless the name says otherwise."""

    host: str
    port: int
    instance_path: Path
    database_url: str
    redis_url: str | None
    base_url: str
    public_url: str
    secret_key: str
    encryption_key: str
    workers: int
    web_threads: int
    check_window: int
    metrics_interval: int
    alerting_interval: int
    uptime_interval: int
    rollup_interval: int
    check_retention_days: int
    hour_retention_days: int
    day_retention_days: int
    ping_retention_days: int
    metric_retention_days: int
    metric_hour_retention_days: int
    request_retention_days: int
    request_sum_retention_days: int
    alert_retention_days: int
    track_requests: bool
    track_sample_rate: float
    track_addresses: str
    track_users: bool
    track_ignored_paths: tuple[str, ...]
    slow_request_ms: int
    partial_outage_weight: float
    max_concurrent_checks: int
    max_body_kib: int
    allow_private_targets: bool
    canary_targets: tuple[str, ...]
    twilio_account_sid: str | None
    twilio_auth_token: str | None
    africastalking_username: str | None
    africastalking_api_key: str | None
    smtp_url: str | None
    statuspages: tuple[str, ...]
    chart_js_url: str
    page_cache_seconds: float
    metrics_token: str | None
    api_requests_per_minute: int
    registration: str
    proxy_hops: int
    log_level: str

    @property
    def address(self) -> str:
        """The address of this server as a browser on this machine would type it."""
        return local_address(self.host, self.port)

    @property
    def uses_sqlite(self) -> bool:
        """Whether the database is a SQLite file."""
        return self.database_url.startswith("sqlite")

    @property
    def uses_embedded_redis(self) -> bool:
        """Whether this installation brings its own Redis."""
        return self.redis_url is None


SETTING_NAMES = (
    "HOST",
    "PORT",
    "INSTANCE_PATH",
    "DATABASE_URL",
    "REDIS_URL",
    "BASE_URL",
    "PUBLIC_URL",
    "SECRET_KEY",
    "ENCRYPTION_KEY",
    "WORKERS",
    "WEB_THREADS",
    "CHECK_WINDOW",
    "METRICS_INTERVAL",
    "ALERTING_INTERVAL",
    "UPTIME_INTERVAL",
    "ROLLUP_INTERVAL",
    "CHECK_RETENTION_DAYS",
    "HOUR_RETENTION_DAYS",
    "DAY_RETENTION_DAYS",
    "PING_RETENTION_DAYS",
    "METRIC_RETENTION_DAYS",
    "METRIC_HOUR_RETENTION_DAYS",
    "REQUEST_RETENTION_DAYS",
    "REQUEST_SUM_RETENTION_DAYS",
    "ALERT_RETENTION_DAYS",
    "TRACK_REQUESTS",
    "TRACK_SAMPLE_RATE",
    "TRACK_ADDRESSES",
    "TRACK_USERS",
    "TRACK_IGNORED_PATHS",
    "SLOW_REQUEST_MS",
    "PARTIAL_OUTAGE_WEIGHT",
    "MAX_CONCURRENT_CHECKS",
    "MAX_BODY_KIB",
    "ALLOW_PRIVATE_TARGETS",
    "CANARY_TARGETS",
    "TWILIO_ACCOUNT_SID",
    "TWILIO_AUTH_TOKEN",
    "AFRICASTALKING_USERNAME",
    "AFRICASTALKING_API_KEY",
    "SMTP_URL",
    "STATUSPAGES",
    "CHART_JS_URL",
    "PAGE_CACHE_SECONDS",
    "METRICS_TOKEN",
    "API_REQUESTS_PER_MINUTE",
    "REGISTRATION",
    "PROXY_HOPS",
    "LOG_LEVEL",
)

# Version and content are pinned: web/charts.py has the hash.
CHART_JS_URL = "https://cdn.jsdelivr.net/npm/chart.js@4.6.1/dist/chart.umd.min.js"
EVERY_INTERFACE = ("0.0.0.0", "::")  # noqa: S104 - only compared with, never a default
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
DATABASE_SCHEMES = {
    "sqlite": "sqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}
MINIMUM_SECRET_LENGTH = 16


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read and check all settings.

    Raises:
        SettingsError: at the first value that cannot be used; the message names the variable.
    """
    env = os.environ if environ is None else environ
    port = env_int(env, "PORT", 8000, 1, 65535)
    host = env.get("HOST", "").strip() or "127.0.0.1"
    instance_path = _instance_path(env)
    return Settings(
        host=host,
        port=port,
        instance_path=instance_path,
        database_url=_database_url(env, instance_path),
        redis_url=_redis_url(env),
        base_url=_address(env, "BASE_URL", local_address(host, port)),
        public_url=_address(env, "PUBLIC_URL", local_address(host, port)),
        secret_key=_key(env, "SECRET_KEY", instance_path),
        encryption_key=_key(env, "ENCRYPTION_KEY", instance_path),
        workers=env_int(env, "WORKERS", 2, 2, 64),
        web_threads=env_int(env, "WEB_THREADS", 8, 1, 128),
        check_window=env_int(env, "CHECK_WINDOW", 15, 5, 60),
        metrics_interval=env_int(env, "METRICS_INTERVAL", 600, 10, 86400),
        alerting_interval=env_int(env, "ALERTING_INTERVAL", 180, 10, 3600),
        uptime_interval=env_int(env, "UPTIME_INTERVAL", 3600, 60, 86400),
        rollup_interval=env_int(env, "ROLLUP_INTERVAL", 300, 10, 3600),
        check_retention_days=env_int(env, "CHECK_RETENTION_DAYS", 30, 1, 3650),
        hour_retention_days=env_int(env, "HOUR_RETENTION_DAYS", 90, 2, 3650),
        day_retention_days=env_int(env, "DAY_RETENTION_DAYS", 730, 2, 36500),
        ping_retention_days=env_int(env, "PING_RETENTION_DAYS", 30, 1, 3650),
        metric_retention_days=env_int(env, "METRIC_RETENTION_DAYS", 30, 1, 3650),
        metric_hour_retention_days=env_int(env, "METRIC_HOUR_RETENTION_DAYS", 365, 2, 3650),
        request_retention_days=env_int(env, "REQUEST_RETENTION_DAYS", 14, 1, 3650),
        request_sum_retention_days=env_int(env, "REQUEST_SUM_RETENTION_DAYS", 90, 2, 3650),
        alert_retention_days=env_int(env, "ALERT_RETENTION_DAYS", 365, 1, 36500),
        track_requests=env_bool(env, "TRACK_REQUESTS", True),
        track_sample_rate=env_float(env, "TRACK_SAMPLE_RATE", 1.0, 0.0001, 1),
        track_addresses=env_choice(env, "TRACK_ADDRESSES", "CUT", ("CUT", "FULL", "OFF")).lower(),
        track_users=env_bool(env, "TRACK_USERS", True),
        track_ignored_paths=_paths(env, "TRACK_IGNORED_PATHS", "/static/, /ping/"),
        slow_request_ms=env_int(env, "SLOW_REQUEST_MS", 1000, 1, 3_600_000),
        partial_outage_weight=env_float(env, "PARTIAL_OUTAGE_WEIGHT", 0.3, 0, 1),
        max_concurrent_checks=env_int(env, "MAX_CONCURRENT_CHECKS", 8000, 10, 20000),
        max_body_kib=env_int(env, "MAX_BODY_KIB", 256, 1, 16384),
        allow_private_targets=env_bool(env, "ALLOW_PRIVATE_TARGETS", True),
        canary_targets=_canary_targets(env),
        twilio_account_sid=_account(env, "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "AC[0-9A-Za-z]{32}"),
        twilio_auth_token=env_secret(env, "TWILIO_AUTH_TOKEN"),
        africastalking_username=_account(env, "AFRICASTALKING_USERNAME", "AFRICASTALKING_API_KEY", "[!-~]{1,100}"),
        africastalking_api_key=env_secret(env, "AFRICASTALKING_API_KEY"),
        smtp_url=_smtp_url(env),
        statuspages=_statuspages(env),
        chart_js_url=_chart_js_url(env),
        page_cache_seconds=env_float(env, "PAGE_CACHE_SECONDS", 0.5, 0, 60),
        metrics_token=_metrics_token(env),
        api_requests_per_minute=env_int(env, "API_REQUESTS_PER_MINUTE", 600, 1, 1_000_000),
        registration=env_choice(env, "REGISTRATION", "CLOSED", ("CLOSED", "OPEN")).lower(),
        proxy_hops=env_int(env, "PROXY_HOPS", 0, 0, 10),
        log_level=env_choice(env, "LOG_LEVEL", "INFO", LOG_LEVELS),
    )


def local_address(host: str, port: int) -> str:
    """How this machine itself reaches a server that listens on `host`."""
    reachable = "127.0.0.1" if host in EVERY_INTERFACE else host
    return f"http://{f'[{reachable}]' if ':' in reachable else reachable}:{port}"


def _instance_path(env: Mapping[str, str]) -> Path:
    text = env.get("INSTANCE_PATH", "").strip() or "./instance"
    path = Path(text).expanduser().resolve()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"INSTANCE_PATH={text!r} cannot be used: {error.strerror or error}.") from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise SettingsError(f"INSTANCE_PATH={text!r} cannot be used: the folder is not writable.")
    return path


def _database_url(env: Mapping[str, str], instance_path: Path) -> str:
    text = env_secret(env, "DATABASE_URL")
    if text is None:
        return f"sqlite:///{instance_path / 'statusapp.sqlite3'}"
    scheme, separator, rest = text.partition("://")
    if not separator or scheme not in DATABASE_SCHEMES:
        # The value may hold a password, so only its scheme is repeated.
        raise SettingsError(
            f"DATABASE_URL with scheme {scheme.split(':')[0]!r} cannot be used: it must look like "
            "postgresql://user:password@host/name or sqlite:////path/to/file."
        )
    if scheme == "sqlite" and (not rest.startswith("/") or rest in ("/", "/:memory:")):
        raise SettingsError("DATABASE_URL cannot be used: several processes share it, so it must name a file.")
    return f"{DATABASE_SCHEMES[scheme]}://{rest}"


def _redis_url(env: Mapping[str, str]) -> str | None:
    text = env_secret(env, "REDIS_URL")
    if text is not None and text.partition("://")[0] not in ("redis", "rediss", "unix"):
        raise SettingsError("REDIS_URL cannot be used: it must start with redis://, rediss:// or unix://.")
    return text


def _canary_targets(env: Mapping[str, str]) -> tuple[str, ...]:
    """Hosts with ports; as tcp:// addresses."""
    targets = []
    for part in env.get("CANARY_TARGETS", "").split(","):
        text = part.strip()
        if not text:
            continue
        try:
            usable = bool(urlsplit(f"tcp://{text}").hostname) and (urlsplit(f"tcp://{text}").port or 0) > 0
        except ValueError:
            usable = False
        if not usable or "/" in text or "@" in text:
            raise SettingsError(f"CANARY_TARGETS={text!r} cannot be used: write for example 1.1.1.1:443, 9.9.9.9:443.")
        targets.append(f"tcp://{text}")
    return tuple(targets)


def _paths(env: Mapping[str, str], name: str, default: str) -> tuple[str, ...]:
    """Beginnings of paths, separated by commas."""
    paths = tuple(text.strip() for text in (env.get(name, "").strip() or default).split(",") if text.strip())
    for path in paths:
        if not path.startswith("/"):
            raise SettingsError(f"{name}={path!r} cannot be used: a path begins with a slash.")
    return paths


def _account(env: Mapping[str, str], name: str, secret_name: str, pattern: str) -> str | None:
    """The name of an account with a service; it and the secret that belongs to it are set together."""
    account, secret = env.get(name, "").strip() or None, env_secret(env, secret_name)
    if (account is None) != (secret is None):
        given, missing = (secret_name, name) if account is None else (name, secret_name)
        raise SettingsError(f"{missing} is not set, but {given} is: set both or neither.")
    if account is not None and not re.fullmatch(pattern, account):
        raise SettingsError(f"{name} cannot be used: it does not look like one.")
    if secret is not None and not re.fullmatch("[!-~]+", secret):
        raise SettingsError(f"{secret_name} cannot be used: it has spaces or characters beyond ASCII.")
    return account


def _smtp_url(env: Mapping[str, str]) -> str | None:
    text = env_secret(env, "SMTP_URL")
    try:
        parts = urlsplit(text or "smtp://localhost")
        usable = parts.scheme in ("smtp", "smtps") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.path.strip("/") or parts.query or parts.fragment:
        # The value may hold a password, so nothing of it is repeated.
        raise SettingsError("SMTP_URL cannot be used: it must look like smtp://user:password@host:587 or smtps://host.")
    return text


def _statuspages(env: Mapping[str, str]) -> tuple[str, ...]:
    pages = [
        check_base_url(text.strip(), "STATUSPAGES") for text in env.get("STATUSPAGES", "").split(",") if text.strip()
    ]
    for page in pages:
        if not page.startswith("https://") or "@" in page:
            raise SettingsError(f"STATUSPAGES={page!r} cannot be used: write for example https://www.githubstatus.com.")
    return tuple(dict.fromkeys(pages))


def _chart_js_url(env: Mapping[str, str]) -> str:
    """Where browsers fetch Chart.js from: another server, or a path of this one."""
    text = env.get("CHART_JS_URL", "").strip() or CHART_JS_URL
    if not re.fullmatch("(https://[A-Za-z0-9.-]+(:[0-9]+)?)?/[!-~]+", text) or set(text) & set("\"';,*"):
        raise SettingsError(
            f"CHART_JS_URL={text!r} cannot be used: it must be an https address or a path such as /static/chart.js."
        )
    return text


def _metrics_token(env: Mapping[str, str]) -> str | None:
    token = env_secret(env, "METRICS_TOKEN")
    if token is not None and not re.fullmatch(f"[!-~]{{{MINIMUM_SECRET_LENGTH},}}", token):
        raise SettingsError(
            f"METRICS_TOKEN cannot be used: it needs at least {MINIMUM_SECRET_LENGTH} characters, without spaces."
        )
    return token


def _address(env: Mapping[str, str], name: str, default: str) -> str:
    return check_base_url(env.get(name, "").strip() or default, name)


def check_base_url(text: str, name: str) -> str:
    """`text` without its trailing slash, when it is an http or https address.

    Raises:
        SettingsError: when it is not; the message begins with `name`.
    """
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable or parts.query or parts.fragment or any(character.isspace() for character in text):
        raise SettingsError(
            f"{name}={text!r} cannot be used: it must look like https://example.org or http://host:8000."
        )
    return text.rstrip("/")


def _key(env: Mapping[str, str], name: str, instance_path: Path) -> str:
    given = env_secret(env, name)
    if given is not None:
        if len(given) < MINIMUM_SECRET_LENGTH:
            raise SettingsError(f"{name} cannot be used: it must have at least {MINIMUM_SECRET_LENGTH} characters.")
        return given
    return _generated_secret(instance_path / name.lower(), name)


def _generated_secret(path: Path, name: str) -> str:
    """The secret kept at `path`, made on the first call; safe against several processes that make it at once."""
    try:
        if not path.exists():
            candidate = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
            descriptor = os.open(candidate, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(secrets.token_hex(32))
            try:
                # A hard link appears whole or not at all, and never replaces a key that another process just made.
                os.link(candidate, path)
            except FileExistsError:
                pass
            finally:
                candidate.unlink()
        secret = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingsError(f"{name} is not set and {path} cannot be used: {error.strerror or error}.") from error
    if len(secret) < MINIMUM_SECRET_LENGTH:
        raise SettingsError(f"{name} is not set and {path} does not hold a key: delete the file to make a new one.")
    return secret
