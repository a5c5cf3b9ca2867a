# SPDX-License-Identifier: LGPL-2.1-or-later
"""Folders that are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator

_LAST = "meta.json"  # by which readers tell that a folder is complete
_OURS = re.compile(r"canvas_\d{3,}\.(jpg|png|npy)|(src_patch_position|frame_ids)\.npy|meta\.json")


@contextlib.contextmanager
def written_whole(path: str) -> Iterator[str]:
    """Gives a folder to write into, which takes the place of `path` at the end, unless there is an exception.

    If `path` is a folder that has files, those of an earlier run are replaced, and others stay.
    """
    path = os.path.realpath(path)
    if os.path.lexists(path) and not os.path.isdir(path):
        raise NotADirectoryError(f"{path}: is not a folder.")
    parent, name = os.path.split(path)
    made = _make_folders(parent)
    # A folder that another file system is mounted on cannot be replaced.
    inside = os.path.isdir(path) and (os.path.ismount(path) or not os.access(parent, os.W_OK))
    part = None
    try:
        part = tempfile.mkdtemp(prefix=f".{name[:80]}.", suffix=".part", dir=path if inside else parent)
        yield part
        _publish(part, path)
    except BaseException:
        if part is not None:
            shutil.rmtree(part, ignore_errors=True)
        for folder in made:
            with contextlib.suppress(OSError):
                os.rmdir(folder)
        raise


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
