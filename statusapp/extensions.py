"""The Flask extensions, made without an app and bound to one in `create_app`."""

from __future__ import annotations

import os
from typing import Any

from flask import Flask, current_app
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import LoginManager
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase

from statusapp.redis_address import redis_url


class Base(DeclarativeBase):
    """The base of all models. Every constraint has a name, because SQLite can only change what has one."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


# Objects stay readable after a commit: a page shows what a service has just saved.
db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})
migrate = Migrate(render_as_batch=True, compare_type=True)
login_manager = LoginManager()
csrf = CSRFProtect()
# The limits of signing in count in Redis. While it is away each process counts for itself.
limiter = Limiter(key_func=get_remote_address, in_memory_fallback_enabled=True, strategy="moving-window")

# A page never waits longer than this for Redis, nor asks twice.
REDIS_TIMEOUT_S = 0.5
_redis_clients: dict[tuple[int, str], Redis] = {}


def redis_options() -> dict[str, Any]:
    """How this process talks to Redis: briefly, and without trying again."""
    return {
        "socket_timeout": REDIS_TIMEOUT_S,
        "socket_connect_timeout": REDIS_TIMEOUT_S,
        "retry": Retry(NoBackoff(), 0),
    }


def redis_connection() -> Redis:
    """The Redis client of this process for short commands; made at the first call and anew after a fork.

    It opens no connection before the first command. Commands raise `redis.RedisError` while Redis is away.
    """
    url = redis_url(current_app.config["SETTINGS"])
    key = (os.getpid(), url)
    client = _redis_clients.get(key)
    if client is None:
        client = _redis_clients[key] = Redis.from_url(url, **redis_options())
    return client


def init_limiter(app: Flask) -> None:
    """Bind the limiter to the Redis of this installation."""
    # The limits library has a scheme of its own for a socket file.
    url = redis_url(app.config["SETTINGS"])
    app.config["RATELIMIT_STORAGE_URI"] = f"redis+{url}" if url.startswith("unix:") else url
    app.config["RATELIMIT_STORAGE_OPTIONS"] = redis_options()
    limiter.init_app(app)
