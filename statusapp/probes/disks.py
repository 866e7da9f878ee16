"""The file systems of this host that can fill up."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

MEBIBYTE = 1024 * 1024
MOST_DISKS = 16
# They are full from the beginning and stay so.
READ_ONLY_KINDS = frozenset({"squashfs", "iso9660", "udf", "erofs", "cramfs", "romfs"})


@dataclass(frozen=True, slots=True)
class Disk:
    """One file system, by where it is mounted. Percentages are 0 to 100 of what users may fill.

    `inodes_percent` is None for kinds that make inodes as they need them.
    """

    mount: str
    percent: float
    free_mb: int
    inodes_percent: float | None


def read_disks(wanted: str) -> tuple[Disk, ...]:
    """The file system that the path `wanted` is on, then that of the root and all on devices, each once."""
    disks, seen = [], set()
    for mount in (mount_of(wanted), *_mounts()):
        try:
            device = os.stat(mount).st_dev
            if device in seen:
                continue
            seen.add(device)
            disks.append(_read_disk(mount))
        except OSError:
            continue
    return tuple(disks[:MOST_DISKS])


def mount_of(path: str) -> str:
    """Where the file system of a path is mounted."""
    folder = Path(path).resolve()
    while not os.path.ismount(folder):
        folder = folder.parent
    return str(folder)


def _mounts() -> Iterator[str]:
    """The root, which is no device inside a container, and what is mounted from devices."""
    yield "/"
    try:
        partitions = psutil.disk_partitions(all=False)
    except (OSError, psutil.Error):
        return
    for partition in partitions:
        # Containers mount single files, such as /etc/hosts, from a device of the host.
        if partition.fstype not in READ_ONLY_KINDS and os.path.isdir(partition.mountpoint):
            yield partition.mountpoint


def _read_disk(mount: str) -> Disk:
    usage = psutil.disk_usage(mount)
    inodes = os.statvfs(mount)
    used = None if inodes.f_files == 0 else 100.0 * (inodes.f_files - inodes.f_ffree) / inodes.f_files
    return Disk(mount, usage.percent, usage.free // MEBIBYTE, None if used is None else round(used, 1))
