# SPDX-License-Identifier: LGPL-2.1-or-later
"""Folders that are written whole or not at all."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Iterator

_PART = ".part"
_LAST = "meta.json"  # by which readers tell that a folder is complete
_OURS = re.compile(r"canvas_\d{3,}\.(jpg|png|npy)|(src_patch_position|frame_ids)\.npy|meta\.json")


@contextlib.contextmanager
def written_whole(path: str) -> Iterator[str]:
    """Gives a folder to write into, which takes the place of `path` at the end, unless there is an exception.

    If `path` is a folder that has files, those of an earlier run are replaced, and others stay. What a process that was
    killed has left of such a folder is removed.
    """
    path = os.path.realpath(path)
    if os.path.lexists(path) and not os.path.isdir(path):
        raise NotADirectoryError(f"{path}: is not a folder.")
    parent, name = os.path.split(path)
    made = _make_folders(parent)
    # A folder that another file system is mounted on cannot be replaced.
    inside = os.path.isdir(path) and (os.path.ismount(path) or not os.access(parent, os.W_OK))
    part = lock = None
    try:
        part, lock = _make_part(path if inside else parent, f".{name[:80]}.")
        yield part
        _publish(part, path)
    except BaseException:
        if part is not None:
            shutil.rmtree(part, ignore_errors=True)
        for folder in made:
            with contextlib.suppress(OSError):
                os.rmdir(folder)
        raise
    finally:
        if lock is not None:
            os.close(lock)


def _make_part(folder: str, prefix: str) -> tuple[str, int | None]:
    """Makes a folder to write into. Its writer holds the lock that is returned, which ends with the process."""
    boot = _boot_id()
    prefix += f"{boot}-"
    if boot:
        _remove_abandoned(folder, prefix)
    while True:
        part = tempfile.mkdtemp(prefix=prefix, suffix=_PART, dir=folder)
        try:
            lock = _lock(part)
        except OSError:  # no locks on this file system, so nobody removes the folder either
            return part, None
        if lock is not None:
            return part, lock
        # Another process has taken it for abandoned before it was locked.


def _boot_id() -> str:
    """Tells machines and reboots apart, because locks may not work across machines; empty if it is unknown."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip().replace("-", "")
    except OSError:
        return ""


def _remove_abandoned(folder: str, prefix: str) -> None:
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for name in [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]:
            if name.startswith(prefix) and name.endswith(_PART):
                with contextlib.suppress(OSError):
                    _remove_unlocked(os.path.join(folder, name))


def _remove_unlocked(part: str) -> None:
    lock = _lock(part)
    if lock is not None:
        shutil.rmtree(part, ignore_errors=True)
        os.close(lock)


def _lock(folder: str) -> int | None:
    """Returns a descriptor that locks a folder; None if another process has locked or removed it."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(descriptor), os.stat(folder)):
            return descriptor
    except (BlockingIOError, FileNotFoundError):
        pass
    except OSError:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return None


def _make_folders(path: str) -> list[str]:
    """Makes a folder, and those above it. Returns those that were not there, the deepest first."""
    made = []
    while not os.path.isdir(path):
        if os.path.lexists(path):
            raise NotADirectoryError(f"{path}: is not a folder.")
        made.append(path)
        path = os.path.dirname(path)
    for folder in reversed(made):
        with contextlib.suppress(FileExistsError):
            os.mkdir(folder)
    return made


def _publish(part: str, path: str) -> None:
    if not os.path.isdir(path):
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(part, 0o777 & ~mask)
        os.rename(part, path)
        return
    if not os.listdir(path):
        os.chmod(part, os.stat(path).st_mode & 0o7777)
        os.rename(part, path)
        return
    old = {name for name in os.listdir(path) if _OURS.fullmatch(name)}
    for name in sorted(old, key=lambda name: name != _LAST):
        os.remove(os.path.join(path, name))
    for name in sorted(os.listdir(part), key=lambda name: name == _LAST):
        os.replace(os.path.join(part, name), os.path.join(path, name))
    os.rmdir(part)
