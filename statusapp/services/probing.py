"""How this installation probes: what it says of itself, where it may go, what it reads, and with which key."""

from __future__ import annotations

from dataclasses import dataclass

from flask import current_app

from config import Settings
from statusapp import __version__
from statusapp.probes.guard import Guard
from statusapp.services.vault import Vault, current_vault


@dataclass(frozen=True, slots=True)
class Probing:
    """The settings of probes. `body_limit` is in bytes; `canaries` are tcp:// addresses."""

    vault: Vault
    user_agent: str
    guard: Guard
    body_limit: int
    canaries: tuple[str, ...] = ()


def current_probing() -> Probing:
    """That of this installation; needs an application context."""
    settings: Settings = current_app.config["SETTINGS"]
    return Probing(
        current_vault(),
        f"statusapp/{__version__} (+{settings.public_url}/health/status-page/)",
        Guard(settings.allow_private_targets),
        settings.max_body_kib * 1024,
        settings.canary_targets,
    )
