"""The messenger process: looks four times a second for channels with something to send, and gives each its own thread.

It needs the database only. Several may run, on several machines: a channel's lease goes to one of them.

At the sweep's pace it also judges how the monitor itself does, so that people hear of it when no worker is left.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from types import FrameType

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from config import Settings
from statusapp import create_app
from statusapp.clock import now_us
from statusapp.domain.instants import SECOND
from statusapp.services.alert_monitor import evaluate_monitor
from statusapp.services.delivery import Outfit, current_outfit, deliver_quietly, find_due

logger = logging.getLogger(__name__)

POLL_S = 0.25
LONGEST_PAUSE_S = 5.0
# Whoever is still waiting for an answer then is left; its lease ends by itself.
FAREWELL_S = 3.0


class Messenger:
    """Serves all channels until it is told to stop."""

    def __init__(self, outfit: Outfit) -> None:
        self._outfit = outfit
        self._stop = threading.Event()
        self._threads: dict[int, threading.Thread] = {}

    def stop(self) -> None:
        """Begin nothing more."""
        self._stop.set()

    def is_stopped_within(self, seconds: float) -> bool:
        """Wait so long; whether it was told to stop meanwhile."""
        return self._stop.wait(seconds)

    def run(self) -> None:
        """Look and serve until `stop`; then give those at work a moment."""
        pause = POLL_S
        while not self._stop.wait(pause):
            try:
                self.look()
                pause = POLL_S
            except SQLAlchemyError as error:
                pause = min(pause * 2, LONGEST_PAUSE_S)
                logger.warning("the outbox cannot be read (%s); trying again in %.1f s", type(error).__name__, pause)
        deadline = time.monotonic() + FAREWELL_S
        for thread in self._threads.values():
            thread.join(max(deadline - time.monotonic(), 0))

    def look(self) -> None:
        """Begin with every channel that is due and not at work here."""
        self._threads = {number: thread for number, thread in self._threads.items() if thread.is_alive()}
        for channel_id in find_due(self._outfit):
            if channel_id not in self._threads and not self._stop.is_set():
                # Not waited for at the end of the process: an answer may not come for a long time.
                thread = threading.Thread(
                    target=deliver_quietly, args=(self._outfit, channel_id), name=f"channel {channel_id}", daemon=True
                )
                self._threads[channel_id] = thread
                thread.start()


def watch(app: Flask, messenger: Messenger, every_s: int) -> None:
    """Judge the monitor itself until the messenger stops, for the first time when everybody has had time to begin."""
    last = now_us()
    while not messenger.is_stopped_within(every_s):
        now = now_us()
        # After a pause of the whole machine everybody is behind.
        was_there = now - last < 2 * every_s * SECOND
        last = now
        if not was_there:
            continue
        with app.app_context():
            try:
                evaluate_monitor(now)
            except SQLAlchemyError as error:
                logger.warning("the monitor cannot be judged (%s); it is tried again", type(error).__name__)
            except Exception:
                logger.exception("the monitor could not be judged")


def run_messenger(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT."""
    app = create_app(settings, with_web=False)
    with app.app_context():
        messenger = Messenger(current_outfit())

        def handle(_number: int, _frame: FrameType | None) -> None:
            messenger.stop()

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, handle)
        threading.Thread(
            target=watch, args=(app, messenger, settings.alerting_interval), name="watch", daemon=True
        ).start()
        messenger.run()
