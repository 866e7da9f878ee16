"""When things were last used, to the minute. Only Redis knows: what is read must neither write nor wait for a lock."""

from __future__ import annotations

import logging
from collections.abc import Hashable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from redis import RedisError

from statusapp.domain.instants import from_us, to_us
from statusapp.extensions import redis_connection

logger = logging.getLogger(__name__)

SAID_EVERY = timedelta(minutes=1)
MOST_REMEMBERED = 10_000
Name = TypeVar("Name", str, int)


class LastUsed:
    """The last use of one kind of thing.

    Args:
        prefix: what its keys in Redis begin with.
        kept: how long after a use it is known.
    """

    def __init__(self, prefix: str, kept: timedelta) -> None:
        self._prefix, self._kept = prefix, kept
        # When each thing was last said to be used by this process.
        self._said: dict[Hashable, datetime] = {}

    def say(self, name: str | int, now: datetime, key: Hashable | None = None) -> None:
        """Leave word in Redis that a thing is in use.

        Args:
            name: what it is called in Redis.
            now: when it is used.
            key: what tells it from others, where a name can come to be of another one.
        """
        key = name if key is None else key
        said = self._said.get(key)
        if said is not None and said <= now < said + SAID_EVERY:
            return
        if len(self._said) >= MOST_REMEMBERED:
            self._said.clear()
        # Before it is tried: with Redis away, one request in a minute finds that out, not all of them.
        self._said[key] = now
        try:
            redis_connection().set(f"{self._prefix}{name}", to_us(now), ex=self._kept)
        except RedisError as error:
            logger.debug("a use could not be noted: %s", type(error).__name__)

    def find(self, names: Sequence[Name]) -> dict[Name, datetime]:
        """When each was last used; those of which nothing is known are left out, while Redis is away all of them."""
        if not names:
            return {}
        try:
            found = redis_connection().mget([f"{self._prefix}{name}" for name in names])
        except RedisError:
            return {}
        return {name: from_us(int(value)) for name, value in zip(names, found, strict=True) if value is not None}
