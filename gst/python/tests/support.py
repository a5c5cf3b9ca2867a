# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests share: reading what gst-launch-1.0 wrote, and comparing with it. Importable in worker processes."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy

SHARED = Path(os.environ.get("CPS_SHARED_DIR") or Path(__file__).resolve().parents[4] / "shared")
# bfloat16 as its bits, for NumPy has none.
_TYPES = {"U8": "u1", "F16": "<f2", "BF16": "<u2", "F32": "<f4", "I64": "<i8"}
TENSORS = ("patches", "meta_fields", "meta_scores")


def launch(*line: str) -> None:
    """Runs a pipeline to its end."""
    subprocess.run(["gst-launch-1.0", "-q", *line], check=True, stdin=subprocess.DEVNULL, timeout=100)


def make_clip(path: Path, *, frames: int = 60, size: str = "320x240", pattern: str = "zone-plate") -> Path:
    """H.264 in MP4: moving rings, a key frame a second."""
    width, height = size.split("x")
    launch(
        *("videotestsrc", f"num-buffers={frames}", f"pattern={pattern}", "kx2=12", "ky2=12", "kt=20", "!"),
        *(f"video/x-raw,format=I420,width={width},height={height},framerate=30/1", "!"),
        *("x264enc", "key-int-max=30", "speed-preset=ultrafast", "!", "h264parse", "!", "mp4mux", "!"),
        *("filesink", f"location={path}"),
    )
    return path


def run_line(clip: Path, to: Path, *process: str, sampler: tuple[str, ...] = ()) -> Saved:
    """The README's line, with these elements behind the sampler: what it wrote."""
    launch(
        *("filesrc", f"location={clip}", "!", "qtdemux", "!", "h264parse", "!", "frameplanner", "!", "avdec_h264", "!"),
        *("uniformsampler", *sampler, "!", *process, "!", "tensormetasink", f"location={to}"),
    )
    return Saved(to)


class Saved:
    """A safetensors file."""

    def __init__(self, path: Path) -> None:
        data = Path(path).read_bytes()
        size = int.from_bytes(data[:8], "little")
        header = json.loads(data[8 : 8 + size])
        self.metadata = header.pop("__metadata__")
        self.tensors = {}
        for name, entry in header.items():
            begin, end = (8 + size + offset for offset in entry["data_offsets"])
            self.tensors[name] = numpy.frombuffer(data[begin:end], _TYPES[entry["dtype"]]).reshape(entry["shape"])


def array(tensor) -> numpy.ndarray:
    """A tensor of PyTorch or NumPy as an array, bfloat16 as its bits."""
    if isinstance(tensor, numpy.ndarray):
        return tensor.view("u2") if tensor.dtype.name == "bfloat16" else tensor
    import torch

    tensor = tensor.detach().cpu()
    return tensor.view(torch.int16).numpy().view("u2") if tensor.dtype == torch.bfloat16 else tensor.numpy()


def dtype_name(tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def assert_same(tensors: dict, expected: dict) -> None:
    """The same tensors, bit for bit."""
    assert set(tensors) == set(expected)
    for name, tensor in tensors.items():
        numpy.testing.assert_array_equal(array(tensor), array(expected[name]), err_msg=name)


def checksum(clip) -> list[int]:
    """What tells the tensors of a clip from others, and crosses processes."""
    import zlib

    return [zlib.crc32(numpy.ascontiguousarray(array(tensor))) for tensor in clip.tensors.values()]


def run_python(code: str, *arguments: object, fails: bool = False, **environment: str) -> str:
    """Runs a program in a process of its own: what it printed."""
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", code, *map(str, arguments)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=100,
    )
    assert (done.returncode != 0) == fails, done.stdout + done.stderr
    return done.stdout + done.stderr if fails else done.stdout


class NoSeek(io.RawIOBase):
    """A file that cannot seek, such as a pipe."""

    def __init__(self, data: bytes) -> None:
        self._file = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def readinto(self, target) -> int:
        return self._file.readinto(target)


class OnlyRead:
    """The least of a file: read() alone, a little at a time."""

    def __init__(self, data: bytes) -> None:
        self._file = io.BytesIO(data)

    def read(self, size: int) -> bytes:
        return self._file.read(min(size, 1000))


class ReadAndSeek(OnlyRead):
    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)


def make_two_tracks(path: Path) -> Path:
    """MP4 of two tracks of H.264: 20 frames of 160x120, and 30 of 320x240, of other contents."""
    video = "video/x-raw,format=I420,framerate=30/1"
    launch(
        *("mp4mux", "name=mux", "!", "filesink", f"location={path}"),
        *("videotestsrc", "num-buffers=20", "pattern=ball", "!", f"{video},width=160,height=120", "!"),
        *("x264enc", "speed-preset=ultrafast", "!", "h264parse", "!", "mux.video_0"),
        *("videotestsrc", "num-buffers=30", "pattern=zone-plate", "kx2=12", "ky2=12", "kt=20", "!"),
        *(f"{video},width=320,height=240", "!", "x264enc", "speed-preset=ultrafast", "!", "h264parse", "!"),
        "mux.video_1",
    )
    return path
