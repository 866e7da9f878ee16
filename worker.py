"""`python worker.py` runs one RQ worker; `python worker.py scheduler` rq-scheduler; `... messenger` sends messages.

For other supervisors and other machines; `python -m statusapp` runs everything together.
"""

from __future__ import annotations

import logging
import os
import sys

from config import SettingsError, load_settings


def main(arguments: list[str]) -> int:
    """Run a worker, the scheduler or the messenger until SIGTERM; 2 for a wrong call or setting."""
    if arguments not in ([], ["scheduler"], ["messenger"]):
        print("usage: python worker.py [scheduler | messenger]", file=sys.stderr)
        return 2
    try:
        settings = load_settings()
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    if arguments == ["messenger"]:
        from statusapp.jobs.messenger import run_messenger

        run_messenger(settings)
    elif arguments:
        from statusapp.jobs.scheduler import run_scheduler

        run_scheduler(settings)
    else:
        from statusapp.jobs.worker import run_worker

        run_worker(settings, os.getpid())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
