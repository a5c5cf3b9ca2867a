# SPDX-License-Identifier: LGPL-2.1-or-later
from __future__ import annotations

import faulthandler
import os
import signal

import pytest

# Before NumPy is imported. As codecpatch-preinfer does: threads for small matrices cost more than they gain.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import support  # noqa: E402
import windowed  # noqa: E402

# Seconds: nothing takes as long, so that it hangs. The factor is that of the tests by Check.
PATIENCE = 150 * float(os.environ.get("CK_TIMEOUT_MULTIPLIER", "1"))

_stderr = 2


def pytest_configure(config: pytest.Config) -> None:
    global _stderr
    _stderr = os.dup(2)  # not yet captured
    # Shells start what runs in the background with Ctrl-C ignored, and Python leaves it at that.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def no_hang():
    """Ends the whole run, and tells where, rather than wait for ever."""
    faulthandler.dump_traceback_later(PATIENCE, exit=True, file=_stderr)
    yield
    faulthandler.cancel_dump_traceback_later()


@pytest.fixture(scope="session")
def clip(tmp_path_factory):
    """60 frames of 320x240 at 30 a second, key frames 0 and 30."""
    return support.make_clip(tmp_path_factory.mktemp("clips") / "clip.mp4")


@pytest.fixture(scope="session")
def data(clip) -> bytes:
    return clip.read_bytes()


@pytest.fixture(scope="session")
def line(clip, tmp_path_factory):
    """The clip by the README's line, K = 100."""
    to = tmp_path_factory.mktemp("line") / "clip.safetensors"
    return support.run_line(clip, to, "patchenergy", "!", "patchselect", "k-keep=100")


@pytest.fixture(scope="session")
def damaged(data, tmp_path_factory):
    """The clip, with the middle of its pictures overwritten."""
    path = tmp_path_factory.mktemp("clips") / "damaged.mp4"
    begin, size = data.index(b"mdat") + 4, len(data)
    end = data.index(b"moov") if data.index(b"moov") > begin else size
    middle, length = (begin + end) // 2, (end - begin) // 4
    path.write_bytes(data[:middle] + b"\x55" * length + data[middle + length :])
    return path


@pytest.fixture(scope="session")
def stream(clip, tmp_path_factory):
    """The clip in a container that need not seek."""
    path = tmp_path_factory.mktemp("clips") / "clip.mkv"
    support.launch(
        *("filesrc", f"location={clip}", "!", "qtdemux", "!", "h264parse", "!", "matroskamux", "!"),
        *("filesink", f"location={path}"),
    )
    return path.read_bytes()


@pytest.fixture
def gate(stream, request):
    """It lets the first part of the clip through; or nothing, if the test says so."""
    gate = windowed.Gate(stream, getattr(request, "param", 0.7))
    yield gate
    gate.open.set()
