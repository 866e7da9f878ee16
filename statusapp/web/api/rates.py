"""How often one may ask: counted per API client, per account that is signed in, and per address for strangers.

It is counted in Redis for all processes together. While Redis is away each process counts for itself.
"""

from __future__ import annotations

import time

from flask import Response, current_app, g
from flask_limiter.util import get_remote_address
from redis import RedisError

from statusapp.extensions import limiter
from statusapp.services.api_tokens import ApiAccess
from statusapp.web.api import clients
from statusapp.web.api.access import find_caller
from statusapp.web.api.blueprints import members, owners, public
from statusapp.web.api.views import token_blueprint


def _client() -> str:
    access: ApiAccess | None = g.get("access")
    if access is None:
        found = find_caller()
        if found is None:
            return get_remote_address()
        access = found.access
    return f"account:{access.account.user_id}" if access.client is None else f"client:{access.client.client_id}"


def _limit() -> str:
    return f"{current_app.config['SETTINGS'].api_requests_per_minute} per minute"


@limiter.shared_limit(_limit, scope="api", key_func=_client)
def _count() -> None:
    """Count a request; the limiter raises when there were too many."""


def _tell(response: Response) -> Response:
    """The headers of draft-ietf-httpapi-ratelimit-headers, as most clients know them."""
    current = limiter.current_limit
    if current is None:
        return response
    try:
        left, reset_at = current.remaining, current.reset_at
    except RedisError:
        # Redis went away a moment ago; the next request is counted here.
        return response
    response.headers["RateLimit-Limit"] = str(current.limit.amount)
    response.headers["RateLimit-Remaining"] = str(max(left, 0))
    response.headers["RateLimit-Reset"] = str(max(int(reset_at - time.time()) + 1, 0))
    return response


# Counted behind the guards, which say who asks.
for _blueprint in (public, members, owners, clients.blueprint, token_blueprint):
    _blueprint.before_request(_count)
    _blueprint.after_request(_tell)
