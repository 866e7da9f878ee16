"""The web process: gunicorn with threads, on a socket that the supervisor has opened."""

from __future__ import annotations

import gc
import signal
import socket
from typing import Any

from gunicorn.app.base import BaseApplication

from config import Settings
from statusapp import create_app
from statusapp.supervisor.linux import die_with_parent


class WebServer(BaseApplication):  # type: ignore[misc]
    """Gunicorn without a command line."""

    def __init__(self, settings: Settings, listener: socket.socket) -> None:
        self._settings = settings
        self._descriptor = listener.fileno()
        super().__init__()

    def load_config(self) -> None:
        """Set gunicorn's options."""
        options: dict[str, Any] = {
            "bind": f"fd://{self._descriptor}",
            "workers": 1,
            "worker_class": "gthread",
            "threads": self._settings.web_threads,
            "timeout": 60,
            "graceful_timeout": 3,
            "loglevel": "warning",
            "control_socket_disable": True,
            "post_fork": _end_with_arbiter,
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """The application, made in gunicorn's worker."""
        app = create_app(self._settings)
        # Never garbage, as all that the parent has imported; to look through it takes longer than most answers.
        gc.freeze()
        return app


def serve(settings: Settings, listener: socket.socket) -> None:
    """Serve until SIGTERM."""
    WebServer(settings, listener).run()


def _end_with_arbiter(_server: Any, _worker: Any) -> None:
    die_with_parent(signal.SIGKILL)
