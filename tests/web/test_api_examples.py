"""The examples of docs/api.md work as they stand there."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from tests.web.browsing import serving
from tests.world import World

DOCUMENT = Path(__file__).parents[2] / "docs" / "api.md"
# curl itself takes a refusal for a success.
STRICT = 'curl() { command curl -sS --fail-with-body -o /dev/stdout "$@"; }\nset -euo pipefail\n'


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
def test_the_examples_work(app: Flask, make_account: Callable[..., str]) -> None:
    make_account()
    World().add("API Root")
    commands = re.findall(r"^    \$ (.*)$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(commands) > 10
    address = f"http://127.0.0.1:{app.config['SETTINGS'].port}"
    with serving(app):
        script = STRICT + "\n".join(commands).replace("http://127.0.0.1:8000", address)
        done = subprocess.run(["bash", "-c", script], check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
