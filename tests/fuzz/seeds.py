#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""seeds.py TARGET FOLDER: where a target's inputs start: streams that encoders here make, or nothing."""

import os
import struct
import subprocess
import sys
import tempfile

ENCODERS = {
    "h264": "x264enc speed-preset=ultrafast bframes=2 key-int-max=8 ! h264parse ! video/x-h264,stream-format=byte-stream,alignment=au",
    "avc": "x264enc speed-preset=ultrafast interlaced=true ! h264parse ! video/x-h264,stream-format=avc,alignment=au",
    "h265": "x265enc speed-preset=ultrafast key-int-max=8 ! h265parse ! video/x-h265,stream-format=byte-stream,alignment=au",
    "hvc1": "x265enc speed-preset=ultrafast ! h265parse ! video/x-h265,stream-format=hvc1,alignment=au",
    "av1": "av1enc cpu-used=8 ! av1parse ! video/x-av1,stream-format=obu-stream,alignment=tu",
    "vp8": "vp8enc deadline=1",
    "vp9": "vp9enc deadline=1 ! vp9parse ! video/x-vp9,alignment=super-frame",
    "mpeg2": "avenc_mpeg2video bitrate=300000 max-bframes=2 ! mpegvideoparse",
    "mpeg4": "avenc_mpeg4 max-bframes=2 ! mpeg4videoparse",
    "theora": "theoraenc",
    "vc1": "",
    "realvideo": "",
}
# As short as they may be: four bytes of length before each NAL unit, and no parameter sets.
CODEC_DATA = {
    "avc": bytes([1, 100, 0, 10, 0xFF, 0xE1, 0, 0, 0]),
    "hvc1": bytes(21) + bytes([3, 0]),
    "vc1": bytes([0x24, 0, 0, 1, 0x0F]),
}
PICTURES = 12


def sized(data: bytes) -> bytes:
    return struct.pack("<H", min(len(data), 0xFFFF)) + data[:0xFFFF]


def encode(target: str) -> list[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        line = (
            f"videotestsrc num-buffers={PICTURES} pattern=ball ! video/x-raw,width=64,height=64,framerate=25/1,format=I420 "
            f"! {ENCODERS[target]} ! multifilesink location={folder}/%05d"
        )
        subprocess.run(["gst-launch-1.0", "-q", *line.split()], check=False, capture_output=True, timeout=60)
        return [open(os.path.join(folder, name), "rb").read() for name in sorted(os.listdir(folder))]


def movie_header() -> list[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "v.mp4")
        line = f"videotestsrc num-buffers={PICTURES} ! x264enc speed-preset=ultrafast ! mp4mux ! filesink location={path}"
        subprocess.run(["gst-launch-1.0", "-q", *line.split()], check=False, capture_output=True, timeout=60)
        data = open(path, "rb").read() if os.path.exists(path) else b""
    at = data.find(b"moov") - 4
    return [data[at:]] if at >= 0 else []


def seed(target: str) -> list[bytes]:
    if target == "movieheader":
        return movie_header()
    if not ENCODERS.get(target):
        return []
    units = encode(target)
    seed = sized(CODEC_DATA[target]) if target in CODEC_DATA else b""
    seed += struct.pack("<QB", 1, 3)  # one frame is wanted
    for i, unit in enumerate(units):
        seed += b"\0" + sized(unit) + struct.pack("<II", 40000 * i, 40000 * i)
    return [seed]


def main() -> None:
    target, folder = sys.argv[1:]
    for i, data in enumerate(seed(target)):
        with open(os.path.join(folder, f"seed-{i}"), "wb") as file:
            file.write(data)


main()
