"""Batches in a real Redis."""

from __future__ import annotations

from pathlib import Path

import pytest
import redis

from statusapp.tracking import RedisStream, RequestTracking, TrackingOptions, TransportError
from statusapp.tracking.redis_stream import SLACK
from statusapp.tracking.wire import STREAM_FIELD, STREAM_KEY, Batch, decode_batch, encode_batch
from tests.tracking.collecting import answer_with, ask

DOCUMENT = encode_batch(Batch("shop", "web-1"))


def test_a_batch_is_one_entry_with_one_field(redis_url: str) -> None:
    tracking = RequestTracking(answer_with(), RedisStream(redis_url), TrackingOptions("shop"))
    ask(tracking)
    assert tracking.close(10)
    with redis.Redis.from_url(redis_url) as client:
        ((_, fields),) = client.xrange(STREAM_KEY)
    assert list(fields) == [STREAM_FIELD.encode()]
    batch = decode_batch(fields[STREAM_FIELD.encode()])
    assert (batch.service, len(batch.records)) == ("shop", 1)


@pytest.mark.parametrize("decodes", [False, True])
def test_a_client_may_be_given_instead_of_an_address(redis_url: str, decodes: bool) -> None:
    with redis.Redis.from_url(redis_url, decode_responses=decodes) as client:
        stream = RedisStream(client, "other:key")
        stream.send(DOCUMENT)
        stream.reset()
        stream.send(DOCUMENT)
        stream.close()
        assert client.ping()
        assert client.xlen("other:key") == 2


def test_a_stream_that_is_full_takes_nothing_until_somebody_has_taken_something(redis_url: str) -> None:
    stream = RedisStream(redis_url, max_batches=10)
    with redis.Redis.from_url(redis_url) as client:
        for _ in range(10):
            stream.send(DOCUMENT)
        with pytest.raises(TransportError, match="10 batches that nobody has taken") as caught:
            stream.send(DOCUMENT)
        assert not caught.value.permanent
        assert client.xlen(STREAM_KEY) == 10
        client.xtrim(STREAM_KEY, 0)
        stream.send(DOCUMENT)
        assert client.xlen(STREAM_KEY) == 1
    stream.close()


def test_the_stream_is_bounded_however_many_write_to_it(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        for _ in range(500):
            stream = RedisStream(client, max_batches=10)
            stream.send(DOCUMENT)
        # Redis trims whole nodes of a hundred entries.
        assert client.xlen(STREAM_KEY) <= 10 + SLACK + 100


def test_a_redis_that_is_away_is_an_error_at_once(tmp_path: Path) -> None:
    with pytest.raises(redis.ConnectionError):
        RedisStream(f"unix://{tmp_path}/nothing.sock").send(DOCUMENT)
