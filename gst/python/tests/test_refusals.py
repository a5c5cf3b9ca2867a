# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is refused by name, before it costs anything."""

from __future__ import annotations

import json
import struct

import codecpatch
import pytest
from codecpatch import CodecPatchError
from support import launch, run_python

# What reading the second argument with the options of the third costs, in KiB more than a clip that is read before.
COST = """
import json, resource, sys
import codecpatch

codecpatch.read(sys.argv[1], k_keep=4)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    codecpatch.read(sys.argv[2], **json.loads(sys.argv[3]))
    said = ""
except codecpatch.CodecPatchError as error:
    said = str(error)
print(json.dumps([resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, said]))
"""


def cost(clip, source, options="{}"):
    kibibytes, said = json.loads(run_python(COST, clip, source, options).splitlines()[-1])
    return kibibytes, said


class Bits:
    def __init__(self) -> None:
        self.text = ""

    def u(self, value: int, bits: int) -> Bits:
        self.text += format(value, f"0{bits}b")
        return self

    def ue(self, *values: int) -> Bits:
        for value in values:
            code = format(value + 1, "b")
            self.text += "0" * (len(code) - 1) + code
        return self

    def nal(self, header: int) -> bytes:
        bits = self.text + "1"
        bits += "0" * (-len(bits) % 8)
        data = int(bits, 2).to_bytes(len(bits) // 8, "big")
        for last in (b"\0", b"\1", b"\2", b"\3"):
            data = data.replace(b"\0\0" + last, b"\0\0\3" + last)
        return b"\0\0\0\1" + bytes([header]) + data


def tiny_h264(width: int, height: int) -> bytes:
    """A few dozen bytes that announce pictures of that size, ITU-T H.264 7.3.2 and 7.3.3."""
    macroblocks = (width // 16 - 1, height // 16 - 1)
    sequence = Bits().u(66, 8).u(0, 8).u(51, 8).ue(0, 0, 2, 1).u(0, 1).ue(*macroblocks).u(0b1100, 4)
    picture = Bits().ue(0, 0).u(0, 2).ue(0, 0, 0).u(0, 3).ue(0, 0, 0).u(0, 3)
    piece = Bits().ue(0, 7, 0).u(0, 4).ue(0).u(0, 2).ue(0).u(0x5A5A5A, 24)
    return sequence.nal(0x67) + picture.nal(0x68) + piece.nal(0x65) * 3


def coded(path, encoder, muxer, *, size="64x64", frames=4):
    width, height = size.split("x")
    launch(
        *("videotestsrc", f"num-buffers={frames}", "!", f"video/x-raw,format=I420,width={width},height={height},framerate=25/1"),
        *("!", *encoder.split(), "!", *([muxer, "!"] if muxer else []), "filesink", f"location={path}"),
    )
    return path.read_bytes()


def grown_jpeg(data: bytes) -> bytes:
    return data.replace(b"\xff\xc0\0\x11\x08" + struct.pack(">HH", 64, 64), b"\xff\xc0\0\x11\x08" + struct.pack(">HH", 65000, 65000))


def grown_vp8(data: bytes) -> bytes:
    return data.replace(b"\x9d\x01\x2a" + struct.pack("<HH", 64, 64), b"\x9d\x01\x2a" + struct.pack("<HH", 16383, 16383))


def test_pictures_of_any_size(clip):
    with pytest.raises(CodecPatchError, match="320x240 pixels, more than max-source-pixels, which is 76799"):
        codecpatch.read(clip, max_source_pixels=320 * 240 - 1)
    assert len(codecpatch.read(clip, max_source_pixels=320 * 240, k_keep=4).sampled_frame_ids) == 16


@pytest.mark.parametrize("size", [(8192, 8192), (8192, 4352), (16384, 16384), (4096, 2320)])
def test_few_bytes_that_announce_much(size, clip, tmp_path):
    path = tmp_path / "tiny.h264"
    path.write_bytes(tiny_h264(*size))
    assert path.stat().st_size < 400
    kibibytes, said = cost(clip, path)
    assert f"{size[0]}x{size[1]} pixels, more than max-source-pixels" in said
    assert kibibytes < 50 << 10
    for source in (path.read_bytes(), open(path, "rb")):
        with pytest.raises(CodecPatchError, match="max-source-pixels"):
            codecpatch.read(source)


def test_size_that_grows(clip, tmp_path):
    """What comes behind the header counts as well."""
    path = tmp_path / "both.h264"
    small = coded(path, "x264enc bframes=0 ! video/x-h264,stream-format=byte-stream", "")
    path.write_bytes(small + tiny_h264(8192, 8192))
    kibibytes, said = cost(clip, path)
    assert "8192x8192 pixels, more than max-source-pixels" in said
    assert kibibytes < 50 << 10


@pytest.mark.parametrize(
    ("encoder", "muxer", "grow", "size"),
    [
        ("jpegenc", "matroskamux", grown_jpeg, "65000x65000"),
        ("jpegenc", "avimux", grown_jpeg, "65000x65000"),
        ("jpegenc", "qtmux", grown_jpeg, "65000x65000"),
        ("vp8enc", "matroskamux", grown_vp8, "16383x16383"),
        ("vp8enc", "avimux", grown_vp8, "16383x16383"),
    ],
)
def test_pictures_that_are_larger_than_their_container_says(encoder, muxer, grow, size, clip, tmp_path):
    path = tmp_path / "video"
    data = coded(path, encoder, muxer)
    assert grow(data) != data
    path.write_bytes(grow(data))
    kibibytes, said = cost(clip, path)
    assert f"{size} pixels, more than max-source-pixels" in said
    assert kibibytes < 50 << 10


@pytest.mark.slow
@pytest.mark.parametrize("size", ["7680x4320", "8192x4320"])
def test_films_of_8k(size, tmp_path):
    path = tmp_path / "film.mkv"
    coded(path, "jpegenc", "matroskamux", size=size, frames=2)
    assert len(codecpatch.read(path, k_keep=4, sequence_length=2).sampled_frame_ids) == 2


@pytest.mark.parametrize(
    "options",
    [
        '{"output": "frames", "sequence_length": 100000}',
        '{"sequence_length": 1000000}',
        '{"sequence_length": 100000, "patch_size": 1}',
        '{"input_size": 16000}',
        '{"input_size": 16000, "patch_size": 1}',
        '{"k_keep": 2000000000, "patch_size": 1, "input_size": 16000, "output_dtype": "f32"}',
        '{"max_memory": 1000}',
        '{"max_memory": 1000, "output": "frames"}',
    ],
)
def test_memory(options, clip):
    kibibytes, said = cost(clip, clip, options)
    assert "more than max-memory, which is" in said
    assert kibibytes < 50 << 10


def test_sizes_that_change(tmp_path):
    """The message tells where, and what it says to do works."""
    parts = []
    for size in ("160x96", "320x192"):
        part = tmp_path / f"{size}.h264"
        launch(
            *("videotestsrc", "num-buffers=50", "!", f"video/x-raw,format=I420,width={size[:3]},height={size[4:]},framerate=25/1"),
            *("!", "x264enc", "bframes=0", "key-int-max=25", "!", "video/x-h264,stream-format=byte-stream", "!"),
            *("filesink", f"location={part}"),
        )
        parts.append(part.read_bytes())
    path = tmp_path / "both.h264"
    path.write_bytes(b"".join(parts))
    with pytest.raises(CodecPatchError, match=r"from 160x96 .* to 320x192 .*, between 1\.\d+ and 2\.\d+ s: sample each part"):
        codecpatch.read(path, sequence_length=10)
    first, second = (codecpatch.read(path, output="frames", **part) for part in ({"stop": 2}, {"start": 2}))
    assert first.frames.shape[1:3] == (96, 160) and first.sampled_frame_ids[-1] == 49
    assert second.frames.shape[1:3] == (192, 320) and second.sampled_frame_ids[0] == 50
