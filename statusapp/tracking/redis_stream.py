"""Batches into a Redis stream, one entry each."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from statusapp.tracking.transports import TransportError
from statusapp.tracking.wire import STREAM_FIELD, STREAM_KEY

if TYPE_CHECKING:
    from redis import Redis

TIMEOUT_S = 1.0
# A full batch takes about 20 KB there, so the default bound about 40 MB; a batch of a quiet host less than 1 KB.
MAX_BATCHES = 2000
# Several processes may find the last place free at the same time.
SLACK = 200


class RedisStream:
    """Adds batches to a stream whose length is bounded.

    A stream that is full takes nothing: whoever waits with its batch drops and counts, while XADD's own trimming would
    lose the oldest batches without a word. MAXLEN stands behind it all the same, so that the stream is bounded come
    what may.
    """

    def __init__(self, redis: str | Redis, key: str = STREAM_KEY, max_batches: int = MAX_BATCHES) -> None:
        """Opens no connection.

        Args:
            redis: an address as redis-py takes it (redis://, rediss://, unix://), or a client, whose timeouts are then
                the ones that hold.
            key: of the stream.
            max_batches: its length, 10 to 1,000,000.

        Raises:
            ValueError: when one of them cannot be used.
            ImportError: when there is no redis-py for an address.
        """
        if isinstance(redis, str) and not redis.startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("the address of Redis must begin with redis://, rediss:// or unix://")
        if not key:
            raise ValueError("the key of the stream must not be empty")
        if isinstance(max_batches, bool) or not isinstance(max_batches, int) or not 10 <= max_batches <= 1_000_000:
            raise ValueError(f"max_batches must be a whole number from 10 to 1,000,000, not {max_batches!r}")
        self._connect = _connector(redis) if isinstance(redis, str) else lambda: redis
        self._is_ours = isinstance(redis, str)
        self._key = key
        self._max_batches = max_batches
        self._client: Any = None
        self._length = 0

    def send(self, document: bytes) -> None:
        """Add a batch.

        Raises:
            TransportError: when the stream is full.
            redis.RedisError: when Redis is away or refuses.
        """
        client = self._connected()
        if self._length >= self._max_batches:
            self._length = client.xlen(self._key)
            if self._length >= self._max_batches:
                raise TransportError(f"the stream holds {self._length} batches that nobody has taken")
        pipeline = client.pipeline(transaction=False)
        pipeline.xadd(self._key, {STREAM_FIELD: document}, maxlen=self._max_batches + SLACK, approximate=True)
        pipeline.xlen(self._key)
        self._length = pipeline.execute()[1]

    def reset(self) -> None:
        """Forget the connection. A client that was given looks after forks itself."""
        self._client = None

    def close(self) -> None:
        """Close the connection, but not a client that was given."""
        client, self._client = self._client, None
        if client is not None and self._is_ours:
            client.close()

    def _connected(self) -> Any:
        if self._client is None:
            self._client = self._connect()
        return self._client


def _connector(address: str) -> Callable[[], Any]:
    """What makes a client for an address.

    Its library is loaded here, so that hosts which send over HTTP need none, but not only when the first batch is sent:
    that may be at the end of the process, which is too late for it.
    """
    from redis import Redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    def connect() -> Any:
        # No tries of its own: the shipping thread has its pauses, and knows what waits.
        return Redis.from_url(
            address, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S, retry=Retry(NoBackoff(), 0)
        )

    return connect
