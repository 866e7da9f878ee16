"""Children: named, in sessions of their own, started again after a pause that grows, ended with their parent."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import psutil
import pytest

from statusapp.redis_address import LONGEST_SOCKET_PATH, socket_path
from statusapp.supervisor import redis_server
from statusapp.supervisor.children import FIRST_PAUSE_S, LONGEST_PAUSE_S, SETTLED_AFTER_S, Child, fork, stop
from tests.instance import name_of, wait_for


def ignore_and_sleep() -> None:
    """A process that does not want to end."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(60)


def test_a_child_has_its_name_and_a_session_of_its_own() -> None:
    child = Child("a child", lambda: time.sleep(60), grace=2)
    child.start()
    assert child.process_id is not None
    process = psutil.Process(child.process_id)
    wait_for(lambda: name_of(process) == "a child", 15)
    assert os.getsid(child.process_id) == child.process_id
    stop([child])
    assert not psutil.pid_exists(process.pid)


def test_the_pause_before_a_restart_grows_and_is_forgotten_after_a_settled_life() -> None:
    child = Child("dies", lambda: None, grace=1)
    pauses = []
    for _ in range(8):
        child._started = time.monotonic()
        child.ended(0)
        assert child.restart_at is not None
        pauses.append(round(child.restart_at - time.monotonic(), 2))
    assert pauses == sorted(pauses)
    assert pauses[0] == pytest.approx(FIRST_PAUSE_S, abs=0.05)
    assert pauses[-1] == pytest.approx(LONGEST_PAUSE_S, abs=0.05)
    child._started = time.monotonic() - SETTLED_AFTER_S
    child.ended(0)
    assert child.restart_at - time.monotonic() == pytest.approx(FIRST_PAUSE_S, abs=0.05)


def test_what_does_not_want_to_end_is_killed_with_all_it_started() -> None:
    def parent() -> None:
        fork_and_sleep()

    def fork_and_sleep() -> None:
        if os.fork() == 0:
            os.setsid()
        ignore_and_sleep()

    child = Child("stubborn", parent, grace=0.3)
    child.start()
    assert child.process_id is not None
    process = psutil.Process(child.process_id)
    wait_for(lambda: len(process.children()) == 1, 15)
    (grandchild,) = process.children()
    time.sleep(0.1)
    stop([child])
    assert not process.is_running()
    wait_for(lambda: not grandchild.is_running() or grandchild.status() == psutil.STATUS_ZOMBIE, 15)


def test_a_child_ends_with_its_parent(tmp_path: Path) -> None:
    note = tmp_path / "pid"

    def parent() -> None:
        note.with_suffix(".part").write_text(str(fork(ignore_and_sleep, "grandchild")))
        note.with_suffix(".part").rename(note)
        time.sleep(60)

    process_id = fork(parent, "parent")
    wait_for(note.exists, 15)
    grandchild = psutil.Process(int(note.read_text()))
    wait_for(lambda: name_of(grandchild) == "grandchild", 15)
    time.sleep(0.1)
    os.kill(process_id, signal.SIGKILL)
    os.waitpid(process_id, 0)
    wait_for(lambda: not grandchild.is_running() or grandchild.status() == psutil.STATUS_ZOMBIE, 15)


def test_a_child_that_fails_ends_with_1_and_says_why(capfd: pytest.CaptureFixture[str]) -> None:
    process_id = fork(lambda: 1 / 0, "fails")  # type: ignore[arg-type, return-value]
    _, status = os.waitpid(process_id, 0)
    assert os.waitstatus_to_exitcode(status) == 1


def test_a_long_path_moves_the_socket_and_stays_the_same(tmp_path: Path) -> None:
    assert socket_path(tmp_path) == tmp_path / "redis.sock"
    deep = tmp_path / ("x" * LONGEST_SOCKET_PATH)
    moved = socket_path(deep)
    assert len(str(moved)) <= LONGEST_SOCKET_PATH
    assert moved == socket_path(deep)
    assert moved != socket_path(deep / "y")


def test_a_socket_that_was_left_behind_goes_and_a_folder_of_others_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "private" / "redis.sock"
    redis_server.prepare_socket(path)
    path.touch()
    redis_server.prepare_socket(path)
    assert not path.exists()
    path.parent.chmod(0o777)
    with pytest.raises(redis_server.RedisUnavailable, match="not a folder of this user alone"):
        redis_server.prepare_socket(path)


def test_without_a_server_one_line_says_what_helps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setattr(redis_server, "find_spec", lambda _name: None)
    with pytest.raises(redis_server.RedisUnavailable, match="install redis-server or valkey-server, or set REDIS_URL"):
        redis_server.find_server()
