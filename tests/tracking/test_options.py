"""Options that cannot be used are refused at once, with a sentence."""

from __future__ import annotations

from typing import Any

import pytest

from statusapp.tracking import HttpIngest, RedisStream, TrackingOptions


def test_the_defaults_can_be_used() -> None:
    options = TrackingOptions()
    assert (options.addresses, options.sample_rate, options.keep_users) == ("cut", 1.0, True)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("service", ""), ("service", "x" * 65), ("service", "a\n"), ("service", 5),
        ("host", "x" * 65),
        ("sample_rate", 0), ("sample_rate", 1.1), ("sample_rate", "1"), ("sample_rate", True),
        ("sample_rate", float("nan")),
        ("slow_s", -1),
        ("ignored_paths", "/static"), ("ignored_paths", ["/a"]), ("ignored_paths", ("static/",)),
        ("ignored_paths", ("",)),
        ("addresses", "hashed"), ("addresses", None),
        ("keep_users", 1), ("keep_agents", None), ("keep_messages", "yes"),
        ("agent_products", "App"), ("secret_names", (1,)),
        ("route_of", "/"), ("user_of", 5),
        ("buffer_size", 99), ("buffer_size", 1_000_001), ("buffer_size", 500.5),
        ("flush_s", 0), ("flush_s", 61),
    ],
)  # fmt: skip
def test_an_option_that_cannot_be_used_is_named(option: str, value: Any) -> None:
    with pytest.raises(ValueError, match=option):
        TrackingOptions(**{option: value})


@pytest.mark.parametrize(
    "url", ["status.example.org", "ftp://a", "https://", "https://bob:x@a", "https://a?b", "https://a#b"]
)
def test_a_server_that_cannot_be_one(url: str) -> None:
    with pytest.raises(ValueError, match="the server's address"):
        HttpIngest(url, "token")


@pytest.mark.parametrize("token", ["", "hun ter", "hunter\n", "h\u00fcnter"])
def test_a_token_that_cannot_be_one_is_not_repeated(token: str) -> None:
    with pytest.raises(ValueError, match="the token") as caught:
        HttpIngest("https://a", token)
    assert not token or token not in str(caught.value)


@pytest.mark.parametrize(
    "arguments", [("localhost",), ("redis://a", ""), ("redis://a", "k", 9), ("redis://a", "k", True)]
)
def test_a_stream_that_cannot_be_one(arguments: tuple[Any, ...]) -> None:
    with pytest.raises(ValueError, match="must"):
        RedisStream(*arguments)
