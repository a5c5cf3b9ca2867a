# SPDX-License-Identifier: LGPL-2.1-or-later
"""The C library: its location, the signatures of its functions, and its errors as Python exceptions.

The library is loaded by the first call of :func:`library`.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
from collections.abc import Callable
from ctypes import POINTER, byref, c_char_p, c_int, c_int64, c_size_t, c_ssize_t, c_uint, c_void_p
from typing import Any

from .errors import CodecPatchError, ErrorCode

_SONAME = "libgstcodecpatch-1.0.so.0"
_PKG_CONFIG_NAME = "gstreamer-codecpatch-1.0"

READ_FUNC = ctypes.CFUNCTYPE(c_ssize_t, c_void_p, c_void_p, c_size_t)
SEEK_FUNC = ctypes.CFUNCTYPE(c_int64, c_void_p, c_int64, c_int)
RELEASE_FUNC = ctypes.CFUNCTYPE(None, c_void_p)
METADATA_FUNC = ctypes.CFUNCTYPE(None, c_char_p, c_char_p, c_void_p)


_OPTIONS = POINTER(c_char_p)
_ERROR = POINTER(c_void_p)

# name: result, arguments. Text that the caller owns is a void pointer, because ctypes would convert c_char_p to bytes
# and lose the pointer.
_FUNCTIONS: dict[str, tuple[Any, list[Any]]] = {
    "cps_video_new_path": (c_void_p, [c_char_p]),
    "cps_video_new_uri": (c_void_p, [c_char_p]),
    "cps_video_new_bytes": (c_void_p, [c_void_p, c_size_t, RELEASE_FUNC, c_void_p, c_char_p]),
    "cps_video_new_stream": (c_void_p, [READ_FUNC, SEEK_FUNC, RELEASE_FUNC, c_void_p, c_char_p]),
    "cps_video_unref": (None, [c_void_p]),
    "cps_video_open": (c_void_p, [c_void_p, _OPTIONS, _ERROR]),
    "cps_video_get_index": (c_void_p, [c_void_p]),
    "cps_video_set_index": (None, [c_void_p, c_void_p]),
    "cps_index_unref": (None, [c_void_p]),
    "cps_index_get_n_frames": (c_uint, [c_void_p]),
    "cps_index_get_times": (c_void_p, [c_void_p]),
    "cps_index_get_random_access": (c_void_p, [c_void_p]),
    "cps_index_get": (c_void_p, [c_void_p, c_char_p]),
    "cps_index_serialize": (c_void_p, [c_void_p, POINTER(c_size_t)]),
    "cps_index_deserialize": (c_void_p, [c_void_p, c_size_t]),
    "cps_session_wait_open": (c_int, [c_void_p, c_uint, _ERROR]),
    "cps_session_wait_next": (c_int, [c_void_p, c_uint]),
    "cps_session_next": (c_void_p, [c_void_p, _ERROR]),
    "cps_session_get": (c_void_p, [c_void_p, c_char_p]),
    "cps_session_pop_warning": (c_void_p, [c_void_p]),
    "cps_session_interrupt": (None, [c_void_p]),
    "cps_session_close": (None, [c_void_p]),
    "cps_session_free": (None, [c_void_p]),
    "cps_session_abandoned": (c_uint, []),
    "cps_session_forget_functions": (None, []),
    "cps_tensors_get_count": (c_uint, [c_void_p]),
    "cps_tensors_get_name": (c_char_p, [c_void_p, c_uint]),
    "cps_tensors_foreach_metadata": (None, [c_void_p, METADATA_FUNC, c_void_p]),
    "cps_tensors_to_dlpack": (c_void_p, [c_void_p, c_char_p, _ERROR]),
    "cps_tensors_free": (None, [c_void_p]),
    "cps_pictures_new": (c_void_p, [c_int]),
    "cps_pictures_set_background": (None, [c_void_p, c_uint]),
    "cps_pictures_set_dim": (None, [c_void_p, c_uint]),
    "cps_pictures_add_tensor": (c_int, [c_void_p, c_char_p, c_char_p, c_void_p, c_uint, c_void_p, _ERROR]),
    "cps_pictures_add_metadata": (None, [c_void_p, c_char_p, c_char_p]),
    "cps_pictures_arrange": (c_int, [c_void_p, _ERROR]),
    "cps_pictures_get_count": (c_uint, [c_void_p]),
    "cps_pictures_get_width": (c_uint, [c_void_p]),
    "cps_pictures_get_height": (c_uint, [c_void_p]),
    "cps_pictures_draw": (None, [c_void_p, c_uint, c_void_p, c_size_t]),
    "cps_pictures_free": (None, [c_void_p]),
    "cps_replenishment_scores": (c_int, [c_void_p, c_uint, c_uint, c_uint, c_uint, c_void_p]),
    "cps_error_get_code": (c_int, [c_void_p]),
    "cps_error_get_message": (c_char_p, [c_void_p]),
    "cps_error_free": (None, [c_void_p]),
    "cps_free": (None, [c_void_p]),
}

_library: ctypes.CDLL | None = None
_process: int | None = None  # the process that has run a session


def library() -> ctypes.CDLL:
    """Returns the C library, which the first call loads. Its functions release the GIL. Thread-safe."""
    global _library
    # No lock, because loading twice has no effect, and a forked child could inherit a lock that is never released.
    if _library is None:
        _library = _load()
    return _library


def enter_session() -> ctypes.CDLL:
    """Returns the C library, for a new session. Raises in a fork of a process that has run a session.

    GStreamer's threads do not survive a fork, so waiting for them would never end.
    """
    global _process
    check_process()
    loaded = library()
    _process = os.getpid()
    return loaded


def has_run() -> bool:
    """True if this process has run a session."""
    return _process == os.getpid()


def is_forked() -> bool:
    """True if this process is a fork of a process that has run a session."""
    return _process is not None and _process != os.getpid()


def check_process() -> None:
    if is_forked():
        raise CodecPatchError(
            "This process was forked from one that had already run a codecpatch session, and no session can run in it. "
            'Start workers afresh: multiprocessing_context="spawn" (or "forkserver") of torch.utils.data.DataLoader, '
            'multiprocessing.get_context("spawn"); or run the first session in the workers, not before them.',
            code=ErrorCode.FORKED,
        )


def check(error: c_void_p, path: str) -> None:
    """Raises the C library's `error` about the source `path`, and frees it. Does nothing if there is no error."""
    if not error:
        return
    code = library().cps_error_get_code(error)
    message = library().cps_error_get_message(error).decode("utf-8", "replace")
    library().cps_error_free(error)
    if code == ErrorCode.OPTION:
        raise ValueError(message)
    raise CodecPatchError(message, path, code)


def call(function: Callable[..., Any], *arguments: Any) -> tuple[Any, c_void_p]:
    """Calls a function whose last argument is a ``GError **``. Returns its result, and the error for :func:`check`."""
    error = c_void_p()
    return function(*arguments, byref(error)), error


def to_text(text: str | bytes) -> bytes:
    """Returns a text as bytes for the C library. ValueError if it contains a zero byte, which would end it."""
    # surrogateescape restores the bytes of file names that are not UTF-8.
    encoded = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
    if b"\0" in encoded:
        raise ValueError(f"there is a zero byte in {text!r}")
    return encoded


def take_text(address: int | None) -> str | None:
    """Returns the text at an address that the caller owns, and frees it."""
    if not address:
        return None
    text = ctypes.string_at(address).decode("utf-8", "replace")
    library().cps_free(address)
    return text


def _load() -> ctypes.CDLL:
    tried = []
    for find in (_from_environment, _from_loader, _from_pkg_config):
        name = find()
        if name is None:
            continue
        try:
            return _declare(ctypes.CDLL(name), name)
        except OSError as error:
            tried.append(str(error))
            if find is _from_environment:
                raise CodecPatchError(
                    f"The library that CODECPATCH_LIBRARY names cannot be loaded: {error}", code=ErrorCode.SETUP
                ) from error
    raise CodecPatchError(
        f"The C library of codecpatch, {_SONAME}, is not installed where the loader looks. Install it (meson install, "
        "then ldconfig), or set CODECPATCH_LIBRARY to its path, as in build/gst/codecpatch/"
        f"{_SONAME}. Tried: {'; '.join(tried)}",
        code=ErrorCode.SETUP,
    )


def _from_environment() -> str | None:
    return os.environ.get("CODECPATCH_LIBRARY") or None


def _from_loader() -> str:
    return _SONAME


def _from_pkg_config() -> str | None:
    try:
        libdir = subprocess.run(
            ["pkg-config", "--variable=libdir", _PKG_CONFIG_NAME],
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None
    return os.path.join(libdir, _SONAME) if libdir else None


def _declare(loaded: ctypes.CDLL, name: str) -> ctypes.CDLL:
    for function, (result, arguments) in _FUNCTIONS.items():
        try:
            pointer = getattr(loaded, function)
        except AttributeError as error:
            raise CodecPatchError(
                f"{name} has no function {function}: it is older than this package, or no libgstcodecpatch.",
                code=ErrorCode.SETUP,
            ) from error
        pointer.restype, pointer.argtypes = result, arguments
    return loaded
