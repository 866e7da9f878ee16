"""How the application is put together: settings, extensions, blueprints, commands, errors; nothing else."""

from __future__ import annotations

from pathlib import Path

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

import statusapp.models  # noqa: F401  (makes the tables known to the extensions)
from config import Settings
from statusapp import cli
from statusapp.database import configure_engine
from statusapp.extensions import csrf, db, init_limiter, login_manager, migrate
from statusapp.redis_address import redis_url
from statusapp.tracking import RedisStream, TrackingOptions
from statusapp.tracking.errors import ROUTE_KEY
from statusapp.tracking.flask_app import track

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"


def build(settings: Settings, *, with_web: bool) -> Flask:
    """An application for these settings. Opens no connection."""
    app = Flask("statusapp", instance_path=str(settings.instance_path))
    app.config.update(
        SETTINGS=settings,
        SECRET_KEY=settings.secret_key,
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SQLALCHEMY_ENGINE_OPTIONS={"pool_pre_ping": not settings.uses_sqlite, "pool_size": settings.web_threads},
        SESSION_COOKIE_NAME="statusapp_session",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.public_url.startswith("https://"),
        MAX_CONTENT_LENGTH=1024 * 1024,
    )
    db.init_app(app)
    migrate.init_app(app, db, directory=str(MIGRATIONS))
    with app.app_context():
        configure_engine(db.engine)
    if with_web:
        _add_web(app, settings)
    cli.init_app(app)
    return app


def _add_web(app: Flask, settings: Settings) -> None:
    """What answers requests, the innermost first. It is imported here, so that workers need not carry it."""
    from statusapp import web
    from statusapp.web import signed_in
    from statusapp.web.answer_cache import AnswerCache

    app.wsgi_app = AnswerCache(  # type: ignore[method-assign]
        app.wsgi_app, settings.page_cache_seconds, ROUTE_KEY
    )
    if settings.proxy_hops:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=settings.proxy_hops, x_proto=settings.proxy_hops, x_host=settings.proxy_hops
        )
    # Templates get no `current_user`: a public page must not load an account.
    login_manager.init_app(app, add_context_processor=False)
    csrf.init_app(app)
    init_limiter(app)
    web.init_app(app)
    if settings.track_requests:
        track(app, RedisStream(redis_url(settings)), tracking_options(settings), signed_in.account_id)


def tracking_options(settings: Settings) -> TrackingOptions:
    """How this server's own requests are logged."""
    return TrackingOptions(
        service="statusapp",
        sample_rate=settings.track_sample_rate,
        slow_s=settings.slow_request_ms / 1000,
        ignored_paths=settings.track_ignored_paths,
        addresses=settings.track_addresses,
        keep_users=settings.track_users,
    )
