"""Every test of a use case runs on both databases."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.world import World


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    """Which database the test runs on."""
    return str(request.param)


@pytest.fixture
def world(app: Flask) -> World:
    """Verbs on an empty, migrated database."""
    return World()
