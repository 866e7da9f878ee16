"""Addresses, user agents and routes as they are kept."""

from __future__ import annotations

import pytest

from statusapp.tracking.clients import Agents, cut_address
from statusapp.tracking.fields import MAX_ROUTE, TOO_MANY, UNKNOWN
from statusapp.tracking.routes import MOST_ROUTES, Routes

MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("address", "cut", "full"),
    [
        ("203.0.113.77", "203.0.113.0", "203.0.113.77"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::", "2001:db8:1:2:3:4:5:6"),
        ("::ffff:203.0.113.77", "203.0.113.0", "203.0.113.77"),
        ("::ffff:cb00:714d", "203.0.113.0", "203.0.113.77"),
        ("fe80::1%eth0", "fe80::", "fe80::1"),
        ("::1", "::", "::1"),
        ("127.0.0.1", "127.0.0.0", "127.0.0.1"),
        ("unix:/run/a.sock", "", ""),
        ("hunter", "", ""),
        ("203.0.113.77:8080", "", ""),
    ],
)
def test_addresses(address: str, cut: str, full: str) -> None:
    assert cut_address(address, "cut") == cut
    assert cut_address(address, "full") == full
    assert cut_address(address, "off") == ""


@pytest.mark.parametrize(
    ("agent", "kept"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "Firefox/128 Linux"),
        (f"{MAC} Chrome/124.0.0.0 Safari/537.36", "Chrome/124 macOS"),
        (f"{MAC} Chrome/124.0.0.0 Safari/537.36 Edg/124.0", "Edg/124 macOS"),
        (f"{MAC} Version/17.4 Safari/605.1.15", "Safari/17 macOS"),
        ("Mozilla/5.0 (Linux; Android 14; Pixel 8) Chrome/124.0 Mobile Safari/537.36", "Chrome/124 Android"),
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "Googlebot/2"),
        ("curl/8.5.0", "curl/8"),
        ("python-requests/2.32", "python-requests/2"),
        ("statusapp/0.1.0 (+https://example.org/)", "statusapp/0"),
        ("hunter/1.0", "other"),
        ("hunter/1.0 curl-hunter", "other"),
        ("curl/1234567 (hunter; Windows)", "curl Windows"),
        ("", ""),
    ],
)
def test_agents(agent: str, kept: str) -> None:
    assert Agents().shorten(agent) == kept


def test_a_host_may_have_programs_of_its_own() -> None:
    assert Agents(("ShopApp",)).shorten("ShopApp/3.2.1 okhttp/4.9 (iPhone; hunter)") == "ShopApp/3 iOS"


@pytest.mark.parametrize(
    ("route", "kept"),
    [
        ("/users/<int:id>/edit", "/users/<int:id>/edit"),
        ("/users/{user_id}", "/users/{user_id}"),
        ("/^articles/(?P<year>[0-9]{4})/$", "/^articles/(?P<year>[0-9]{4})/$"),
        ("/api/v1/users/", "/api/v1/users/"),
        ("/users/17/edit", "/users/{id}/edit"),
        ("/users/0f8fad5b-d9cb-469f-a165-70867728950e", "/users/{id}"),
        ("/files/0123456789abcdef0123", "/files/{id}"),
        ("/reset/" + "x" * 50, "/reset/{id}"),
        ("/mail/bob@example.com", "/mail/{id}"),
        ("/a?q=b", "/{id}"),
        ("/a\nb", "/a b"),
        ("/<a>" * 100, ("/<a>" * 100)[:MAX_ROUTE]),
        ("", UNKNOWN),
    ],
)
def test_routes(route: str, kept: str) -> None:
    assert Routes().keep(route) == kept


def test_more_routes_than_can_be_told_apart_are_one() -> None:
    routes = Routes()
    for number in range(MOST_ROUTES):
        assert routes.keep(f"/route-{number}") == f"/route-{number}"
    assert routes.keep("/one-more") == TOO_MANY
    assert routes.keep("/route-5") == "/route-5"
