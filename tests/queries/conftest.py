"""Every test of a query runs on both databases."""

from __future__ import annotations

from tests.services.conftest import database, world

__all__ = ["database", "world"]
