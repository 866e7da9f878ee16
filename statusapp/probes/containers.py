"""What the kernel's control groups allow this process, as containers and systemd set it up, and how much is used.

Read from the files of cgroup v2 (https://docs.kernel.org/admin-guide/cgroup-v2.html) or v1. A limit holds for
everything below it, so the narrowest one on the way from the process's own group up to the root is the one that counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CGROUP_ROOT = Path("/sys/fs/cgroup")
MEMBERSHIP = Path("/proc/self/cgroup")
# Version 1 has no word for "no limit", but the largest number of whole pages.
NO_LIMIT_BYTES = 1 << 60


@dataclass(frozen=True, slots=True)
class Memory:
    """Of the group whose limit counts. What is used is without the files that the kernel may drop at once, as Docker
    counts it; swap is None where it is not accounted for or not limited."""

    limit_bytes: int
    used_bytes: int
    swap_limit_bytes: int | None = None
    swap_used_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Cpu:
    """How many CPUs the group may keep busy, and the microseconds of CPU time that it has used since it was made."""

    cpus: float
    used_us: int


@dataclass(frozen=True, slots=True)
class _Group:
    path: Path
    version: int


def read_memory(root: Path = CGROUP_ROOT, membership: Path = MEMBERSHIP) -> Memory | None:
    """The memory of the narrowest group; None where there is no limit, or nothing to read.

    Args:
        root: where the control groups are mounted.
        membership: the file that names the groups of this process.
    """
    found = [
        _memory_v2(group.path) if group.version == 2 else _memory_v1(group.path)
        for group in _groups(root, membership, "memory")
    ]
    return min((memory for memory in found if memory is not None), key=lambda memory: memory.limit_bytes, default=None)


def read_cpu(cores: int, root: Path = CGROUP_ROOT, membership: Path = MEMBERSHIP) -> Cpu | None:
    """The CPU time of the narrowest group; None where all `cores` of the host may be used, or nothing can be read."""
    groups = list(_groups(root, membership, "cpu"))
    limits = [(_quota(group), group) for group in groups]
    if groups:
        limits.append((_pinned(root, membership), groups[0]))
    allowed = [(cpus, group) for cpus, group in limits if cpus is not None and cpus < cores]
    if not allowed:
        return None
    cpus, group = min(allowed, key=lambda pair: pair[0])
    used_us = _cpu_used(group, root)
    return None if used_us is None else Cpu(cpus, used_us)


def _groups(root: Path, membership: Path, controller: str) -> Iterator[_Group]:
    """The groups of a controller from the process's own up to the root."""
    if (root / "cgroup.controllers").exists():
        top, version, path = root, 2, _path_of(membership, "")
    else:
        top, version, path = root / controller, 1, _path_of(membership, controller)
    own = top / path.lstrip("/")
    # Inside a container the path may be the host's, while the mount begins at the container's own group.
    if ".." in own.parts or not own.is_dir():
        own = top
    while own.is_dir():
        yield _Group(own, version)
        if own == top:
            return
        own = own.parent


def _path_of(membership: Path, controller: str) -> str:
    """The group of this process; lines are `number:controllers:path`, and version 2 names no controllers."""
    for line in (_text(membership) or "").splitlines():
        _, _, rest = line.partition(":")
        names, _, path = rest.partition(":")
        if controller in names.split(","):
            return path
    return "/"


def _memory_v2(group: Path) -> Memory | None:
    limit, current = _number(group / "memory.max"), _number(group / "memory.current")
    if limit is None or current is None:
        return None
    inactive = _entry(group / "memory.stat", "inactive_file") or 0
    swap_limit, swap = _number(group / "memory.swap.max"), _number(group / "memory.swap.current")
    return Memory(limit, max(current - inactive, 0), swap_limit, None if swap_limit is None else swap)


def _memory_v1(group: Path) -> Memory | None:
    limit, current = _number(group / "memory.limit_in_bytes"), _number(group / "memory.usage_in_bytes")
    if limit is None or current is None or limit >= NO_LIMIT_BYTES:
        return None
    inactive = _entry(group / "memory.stat", "total_inactive_file") or 0
    return Memory(limit, max(current - inactive, 0))


def _quota(group: _Group) -> float | None:
    """How many CPUs a group may keep busy by its share of time."""
    if group.version == 2:
        words = (_text(group.path / "cpu.max") or "").split()
        return _share(*words) if len(words) == 2 else None
    return _share(_text(group.path / "cpu.cfs_quota_us") or "", _text(group.path / "cpu.cfs_period_us") or "")


def _share(quota: str, period: str) -> float | None:
    """CPUs out of microseconds per period; no limit is "max" in version 2 and -1 in version 1."""
    try:
        used, of = int(quota), int(period)
    except ValueError:
        return None
    return used / of if used > 0 and of > 0 else None


def _cpu_used(group: _Group, root: Path) -> int | None:
    """Microseconds of CPU time."""
    if group.version == 2:
        return _entry(group.path / "cpu.stat", "usage_usec")
    # The accounting is a controller of its own, mounted with the other one or beside it.
    for folder in (group.path, root / "cpuacct" / group.path.relative_to(root / "cpu")):
        used_ns = _number(folder / "cpuacct.usage")
        if used_ns is not None:
            return used_ns // 1000
    return None


def _pinned(root: Path, membership: Path) -> float | None:
    """How many CPUs the process is bound to."""
    for group in _groups(root, membership, "cpuset"):
        names = ("cpuset.cpus.effective",) if group.version == 2 else ("cpuset.effective_cpus", "cpuset.cpus")
        for name in names:
            count = _count_cpus(_text(group.path / name) or "")
            if count:
                return float(count)
    return None


def _count_cpus(text: str) -> int:
    """How many numbers a list such as 0-3,8 has; 0 for none."""
    count = 0
    for part in text.split(","):
        first, _, last = part.partition("-")
        try:
            count += int(last or first) - int(first) + 1
        except ValueError:
            return 0
    return count


def _entry(path: Path, name: str) -> int | None:
    """One number of a file of lines `name number`."""
    for line in (_text(path) or "").splitlines():
        key, _, value = line.partition(" ")
        if key == name and value.strip().isdigit():
            return int(value)
    return None


def _number(path: Path) -> int | None:
    text = _text(path) or ""
    return int(text) if text.isdigit() else None


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return None
