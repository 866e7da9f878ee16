"""What a host application gets with `pip install`: one top-level name, no dependencies, request tracking that works."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import statusapp
from tests.instance import ROOT

PACKAGE = ROOT / "statusapp" / "tracking"
# The one module of each framework, and the one transport, that need something beside the standard library.
NEEDS = {"flask_app.py": {"flask", "werkzeug"}, "django_app.py": {"django"}, "redis_stream.py": {"redis"}}

USE = """
import sys
from statusapp.tracking import HttpIngest, RequestTracking, TrackingOptions

def app(environ, start_response):
    start_response("200 OK", [])
    return [b"ok"]

tracked = RequestTracking(app, HttpIngest("http://127.0.0.1:9", "token"), TrackingOptions("host"))
answer = tracked({"REQUEST_METHOD": "GET", "PATH_INFO": "/"}, lambda *_: print)
print(b"".join(answer).decode())
answer.close()
print(tracked.waiting)
print(sorted({name.partition(".")[0] for name in sys.modules} & {"flask", "sqlalchemy", "redis", "rq", "config"}))
"""


def run(*command: str | Path, cwd: Path) -> str:
    """Run a program that must succeed, with no more of the environment than it needs; what it prints."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PYTEST"))}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=170, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def install(folder: Path) -> Path:
    """A fresh virtual environment with this repository installed in it; its Python."""
    # A copy, because building leaves files beside the source.
    (folder / "source").mkdir()
    for name in ("statusapp", "migrations", "tests"):
        shutil.copytree(ROOT / name, folder / "source" / name, ignore=shutil.ignore_patterns("__pycache__"))
    for path in (*ROOT.glob("*.py"), ROOT / "pyproject.toml"):
        shutil.copy(path, folder / "source")
    run(sys.executable, "-m", "venv", "venv", cwd=folder)
    python = folder / "venv" / "bin" / "python"
    can_build = subprocess.run([python, "-c", "import setuptools, wheel"], capture_output=True, check=False)
    isolation = ["--no-build-isolation"] if can_build.returncode == 0 else []
    run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *isolation, "./source", cwd=folder)
    return python


@pytest.mark.timeout(400)
def test_a_host_gets_one_name_without_dependencies_and_can_use_it(tmp_path: Path) -> None:
    python = install(tmp_path)
    (site,) = (tmp_path / "venv" / "lib").glob("python*/site-packages")
    (info,) = site.glob("statusapp-*.dist-info")
    files = [line.split(",")[0] for line in (info / "RECORD").read_text().splitlines()]
    assert {file.split("/")[0] for file in files} == {"statusapp", info.name}
    assert {file.split("/")[1] for file in files if file.count("/") > 1 and "__pycache__" not in file} == {"tracking"}
    requirements = [line for line in (info / "METADATA").read_text().splitlines() if line.startswith("Requires-Dist")]
    assert all("extra ==" in line for line in requirements)
    assert run(python, "-c", USE, cwd=tmp_path).splitlines() == ["ok", "1", "[]"]


def test_the_versions_are_one() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == statusapp.__version__


@pytest.mark.parametrize("path", sorted(PACKAGE.glob("*.py")), ids=lambda path: path.name)
def test_only_the_standard_library_and_tracking_itself_are_imported(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            names = [node.module or ""]
        else:
            continue
        for name in names:
            top = name.partition(".")[0]
            is_own = name.startswith("statusapp.tracking")
            assert is_own or top in sys.stdlib_module_names or top in NEEDS.get(path.name, set()), name
