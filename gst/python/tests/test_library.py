# SPDX-License-Identifier: LGPL-2.1-or-later
"""Importing the package, and finding the C library."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import codecpatch
import pytest
from support import run_python

OPEN = "import codecpatch; codecpatch.open('v.mp4')"


def test_importing_starts_nothing():
    """No thread, no GStreamer, no C library, no NumPy, no PyTorch."""
    printed = run_python(
        """
import os, sys
before = set(sys.modules)
import codecpatch, codecpatch.compat
heavy = {"numpy", "torch", "concurrent.futures", "multiprocessing"}
assert not heavy & (set(sys.modules) - before), heavy & set(sys.modules)
maps = open("/proc/self/maps").read()
assert "gstreamer" not in maps and "libglib" not in maps and "gstcodecpatch" not in maps
assert len(os.listdir("/proc/self/task")) == 1
codecpatch.compat.PatchStreamConfig("v.mp4"), codecpatch.compat.DecodeConfig("v.mp4")
assert "gstcodecpatch" not in open("/proc/self/maps").read()
print("ok")
"""
    )
    assert printed == "ok\n"


def test_version():
    assert re.fullmatch(r"\d+\.\d+\.\d+", codecpatch.__version__)
    project = Path(__file__).resolve().parents[3] / "meson.build"
    if not project.exists():
        pytest.skip(f"there is no {project}")
    assert f"version: '{codecpatch.__version__}'" in project.read_text()


def test_types_are_declared():
    assert (Path(codecpatch.__file__).parent / "py.typed").exists()


def test_library_that_is_named_but_missing():
    message = run_python(OPEN, CODECPATCH_LIBRARY="/no/such/library.so", fails=True)
    assert "CodecPatchError" in message and "CODECPATCH_LIBRARY" in message and "/no/such/library.so" in message


def test_library_that_is_another():
    import ctypes.util

    message = run_python(OPEN, CODECPATCH_LIBRARY=ctypes.util.find_library("m"), fails=True)
    assert "CodecPatchError" in message and "has no function" in message


def test_library_that_is_not_installed(tmp_path):
    """Says what to install and what to set."""
    code = "from codecpatch import _library; _library._SONAME = 'libnosuch.so.0'; " + OPEN
    message = run_python(code, CODECPATCH_LIBRARY="", PATH=str(tmp_path), fails=True)
    assert "CodecPatchError" in message and "CODECPATCH_LIBRARY" in message and "Install it" in message


def test_library_of_pkg_config(tmp_path, clip):
    """Where the loader does not look."""
    tool = tmp_path / "pkg-config"
    tool.write_text(f"#!{sys.executable}\nprint({str(tmp_path)!r})\n")
    tool.chmod(0o755)
    (tmp_path / "libelsewhere.so.0").symlink_to(os.path.realpath(os.environ["CODECPATCH_LIBRARY"]))
    code = """
import sys, codecpatch
from codecpatch import _library
_library._SONAME = "libelsewhere.so.0"
print(len(codecpatch.read(sys.argv[1], k_keep=3).patches))
"""
    path = f"{tmp_path}:{os.environ['PATH']}"
    assert run_python(code, clip, CODECPATCH_LIBRARY="", PATH=path) == "3\n"


def test_plugin_that_is_not_there(tmp_path, clip):
    """The library alone is not enough; what it takes is in the message."""
    library = tmp_path / "libgstcodecpatch-1.0.so.0"
    library.write_bytes(Path(os.environ["CODECPATCH_LIBRARY"]).read_bytes())
    message = run_python(
        "import sys, codecpatch; codecpatch.read(sys.argv[1])",
        clip,
        CODECPATCH_LIBRARY=str(library),
        GST_PLUGIN_PATH="",
        GST_PLUGIN_PATH_1_0="",
        GST_REGISTRY=str(tmp_path / "registry.bin"),
        fails=True,
    )
    if "CodecPatchError" not in message:
        pytest.skip("the plugin is installed on this machine")
    assert "GST_PLUGIN_PATH" in message
