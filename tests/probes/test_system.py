"""Readings of the host are within their ranges; inside a container they are of what it may use."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from statusapp.probes.containers import Cpu, Memory, read_cpu, read_memory
from statusapp.probes.disks import mount_of, read_disks
from statusapp.probes.system import read_host

MIB = 1024 * 1024
NO_GROUPS = (Path("/nonexistent"), Path("/nonexistent/cgroup"))


def lay(root: Path, files: dict[str, str]) -> Path:
    """Write files into a folder, as the kernel would show them."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    return root


def member(folder: Path, text: str) -> Path:
    """The file that names the groups of a process."""
    return lay(folder, {"membership": text}) / "membership"


def test_a_reading(tmp_path: Path) -> None:
    reading = read_host(str(tmp_path), 0.1, *NO_GROUPS)
    assert reading.host
    for percent in (reading.cpu_percent, reading.memory_percent, reading.disk_percent):
        assert percent is not None
        assert 0 <= percent <= 100
    assert 0 < (reading.memory_used_mb or 0) < (reading.memory_total_mb or 0)
    assert (reading.disk_free_mb or 0) > 0
    assert min(reading.load_1m or 0, reading.load_5m or 0, reading.load_15m or 0) >= 0
    details = reading.details
    assert details.cpu_cores_percent is not None
    assert len(details.cpu_cores_percent) == os.cpu_count()
    assert (details.processes or 0) > 1
    assert (details.uptime_s or 0) > 0
    assert (details.cpu_allowed, details.host_cpu_percent, details.host_memory_percent) == (None, None, None)
    assert 0 < (details.memory_available_mb or 0) <= (reading.memory_total_mb or 0)


def test_the_wanted_disk_comes_first_and_each_disk_once(tmp_path: Path) -> None:
    disks = read_disks(str(tmp_path))
    assert disks[0].mount == mount_of(str(tmp_path))
    assert len({os.stat(disk.mount).st_dev for disk in disks}) == len(disks)
    for disk in disks:
        assert 0 <= disk.percent <= 100
        assert disk.free_mb >= 0
        assert disk.inodes_percent is None or 0 <= disk.inodes_percent <= 100
    # What is no disk is not there: a full /dev is nobody's worry.
    assert not {"/proc", "/sys", "/dev/pts"} & {disk.mount for disk in disks}


# A container with its own view: the mount begins at its own group. Docker's numbers for --memory 512m --cpus 1.5.
DOCKER_V2 = {
    "cgroup.controllers": "cpuset cpu io memory pids",
    "memory.max": str(512 * MIB),
    "memory.current": str(200 * MIB),
    "memory.stat": f"anon {100 * MIB}\ninactive_file {80 * MIB}\nactive_file 1",
    "memory.swap.max": str(512 * MIB),
    "memory.swap.current": str(3 * MIB),
    "cpu.max": "150000 100000",
    "cpu.stat": "usage_usec 7000000\nuser_usec 1\nsystem_usec 2",
    "cpuset.cpus.effective": "0-7",
}
DOCKER_V1 = {
    "memory/memory.limit_in_bytes": str(512 * MIB),
    "memory/memory.usage_in_bytes": str(200 * MIB),
    "memory/memory.stat": f"cache 5\ntotal_inactive_file {80 * MIB}",
    "cpu/cpu.cfs_quota_us": "150000",
    "cpu/cpu.cfs_period_us": "100000",
    "cpuacct/cpuacct.usage": "7000000999",
    "cpuset/cpuset.cpus": "0-7",
}


def test_a_container_of_version_2(tmp_path: Path) -> None:
    root, membership = lay(tmp_path / "cgroup", DOCKER_V2), member(tmp_path, "0::/")
    assert read_memory(root, membership) == Memory(512 * MIB, 120 * MIB, 512 * MIB, 3 * MIB)
    assert read_cpu(8, root, membership) == Cpu(1.5, 7_000_000)


def test_a_container_of_version_1_whose_path_is_the_hosts(tmp_path: Path) -> None:
    root = lay(tmp_path / "cgroup", DOCKER_V1)
    membership = member(tmp_path, "4:memory:/docker/abc\n3:cpuset:/docker/abc\n2:cpu,cpuacct:/docker/abc")
    assert read_memory(root, membership) == Memory(512 * MIB, 120 * MIB)
    assert read_cpu(8, root, membership) == Cpu(1.5, 7_000_000)


def test_the_narrowest_limit_on_the_way_up_counts(tmp_path: Path) -> None:
    root = lay(
        tmp_path / "cgroup",
        {
            "cgroup.controllers": "cpu memory",
            "pod/memory.max": str(300 * MIB),
            "pod/memory.current": str(90 * MIB),
            "pod/cpu.max": "50000 100000",
            "pod/cpu.stat": "usage_usec 9",
            "pod/app/memory.max": str(400 * MIB),
            "pod/app/memory.current": str(10 * MIB),
            "pod/app/cpu.max": "max 100000",
            "pod/app/cpu.stat": "usage_usec 5",
        },
    )
    membership = member(tmp_path, "0::/pod/app")
    assert read_memory(root, membership) == Memory(300 * MIB, 90 * MIB)
    assert read_cpu(4, root, membership) == Cpu(0.5, 9)


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"cgroup.controllers": "cpu memory", "memory.max": "max", "memory.current": "5", "cpu.max": "max 100000"},
        {"cgroup.controllers": "cpu memory", "memory.max": "lots", "memory.current": "", "cpu.max": "1"},
        {
            "memory/memory.limit_in_bytes": "9223372036854771712",
            "memory/memory.usage_in_bytes": "5",
            "cpu/cpu.cfs_quota_us": "-1",
            "cpu/cpu.cfs_period_us": "100000",
        },
    ],
    ids=["nothing", "version 2", "spoiled", "version 1"],
)
def test_without_a_limit_nothing_is_limited(tmp_path: Path, files: dict[str, str]) -> None:
    root = lay(tmp_path / "cgroup", files)
    for membership in (member(tmp_path, "0::/../.."), tmp_path / "gone"):
        assert read_memory(root, membership) is None
        assert read_cpu(4, root, membership) is None


def test_a_limit_that_the_host_does_not_reach_is_none(tmp_path: Path) -> None:
    root, membership = lay(tmp_path / "cgroup", DOCKER_V2), member(tmp_path, "0::/")
    assert read_cpu(1, root, membership) is None
    lay(root, {"memory.max": str(1 << 50)})
    reading = read_host(str(tmp_path), 0.05, root, membership)
    assert reading.details.host_memory_percent is None
    assert (reading.memory_total_mb or 0) < (1 << 50) // MIB


def test_a_container_that_is_bound_to_some_cpus(tmp_path: Path) -> None:
    root, membership = lay(tmp_path / "cgroup", DOCKER_V2), member(tmp_path, "0::/")
    lay(root, {"cpu.max": "max 100000", "cpuset.cpus.effective": "0-1,5"})
    assert read_cpu(8, root, membership) == Cpu(3.0, 7_000_000)


def test_in_a_container_the_reading_is_its_own(tmp_path: Path) -> None:
    root, membership = lay(tmp_path / "cgroup", DOCKER_V2), member(tmp_path, "0::/")
    # Half a CPU is allowed. Within the sample of 0.4 s, 0.1 s are used: half of what was allowed.
    lay(root, {"cpu.max": "50000 100000"})
    later = threading.Timer(0.1, lay, (root, {"cpu.stat": "usage_usec 7100000"}))
    later.start()
    reading = read_host(str(tmp_path), 0.4, root, membership)
    later.join()
    assert 20 <= (reading.cpu_percent or 0) <= 55
    assert (reading.details.cpu_allowed, reading.memory_total_mb, reading.memory_used_mb) == (0.5, 512, 120)
    assert reading.memory_percent == pytest.approx(23.4)
    assert (reading.details.memory_available_mb, reading.details.swap_used_mb) == (392, 3)
    assert reading.details.host_cpu_percent is not None
    assert reading.details.host_memory_percent is not None
