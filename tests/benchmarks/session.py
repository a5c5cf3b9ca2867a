#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# What the Python package costs, against the same pipeline by hand in the same process.
#
#   session.py [--rounds N] [FILE]
#
# FILE is MP4 with H.264; without one it is the demo clip of ../shared beside the checkout, or a clip of 720p that is
# made here. It takes the package on PYTHONPATH and what that needs: see docs/benchmarks.md. By hand is
# gst_parse_launch() on the explicit line, PLAYING, end of stream on the bus, NULL, and no tensor taken out of it.
# Rows of a table take turns, in an order that changes from round to round, so that other load hits all alike. Times are
# medians; what a row takes more than the line by hand is the median of the differences within a round. CPU time is that
# of all threads of the process.
#
#   end to end    what a session costs on top of decoding: patch_stream(), decode_only(), codecpatch.read()
#   start         the same of a clip that costs next to nothing to decode (64x64, 16 pictures, intra only): the
#                 start and the end of a session is what is left; its parts
#   process       what the first session of a process pays once; each round is a process of its own
import argparse
import ctypes
import math
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import NamedTuple

import codecpatch
from codecpatch.compat import DecodeConfig, PatchStreamConfig, decode_only, patch_stream

PATCHES = "patchenergy ! patchselect output-dtype=bf16"
FRAMES = "framestack"


class Lines:
    """Lines of gst-launch-1.0, through libgstreamer itself."""

    PLAYING, NULL, EOS, ERROR = 4, 1, 1 << 0, 1 << 1
    FOREVER = ctypes.c_uint64(2**64 - 1)

    def __init__(self):
        self.gst = gst = ctypes.CDLL("libgstreamer-1.0.so.0")
        pointer, text = ctypes.c_void_p, ctypes.c_char_p
        for name, result, arguments in [
            ("gst_init", None, [pointer, pointer]),
            ("gst_parse_launch", pointer, [text, pointer]),
            ("gst_element_set_state", ctypes.c_int, [pointer, ctypes.c_int]),
            ("gst_element_get_bus", pointer, [pointer]),
            ("gst_bus_timed_pop_filtered", pointer, [pointer, ctypes.c_uint64, ctypes.c_int]),
            ("gst_message_get_structure", pointer, [pointer]),
            ("gst_structure_to_string", text, [pointer]),
            ("gst_mini_object_unref", None, [pointer]),
            ("gst_object_unref", None, [pointer]),
        ]:
            function = getattr(gst, name)
            function.restype, function.argtypes = result, arguments
        gst.gst_init(None, None)

    def run(self, line):
        gst = self.gst
        pipeline = gst.gst_parse_launch(line.encode(), None)
        if not pipeline:
            sys.exit(f"no pipeline: {line}")
        gst.gst_element_set_state(pipeline, self.PLAYING)
        bus = gst.gst_element_get_bus(pipeline)
        end = gst.gst_bus_timed_pop_filtered(bus, self.FOREVER, self.EOS | self.ERROR)
        details = gst.gst_message_get_structure(end)  # an end of stream has none
        if details:
            sys.exit(gst.gst_structure_to_string(details).decode())
        gst.gst_mini_object_unref(end)
        gst.gst_element_set_state(pipeline, self.NULL)
        gst.gst_object_unref(bus)
        gst.gst_object_unref(pipeline)


def by_hand(path, end):
    return (
        f'filesrc location="{path}" ! qtdemux ! h264parse ! frameplanner ! avdec_h264 ! uniformsampler on-error=fail '
        f"! {end} ! tensormetasink"
    )


class Cost(NamedTuple):
    """In milliseconds."""

    wall: float
    cpu: float = math.nan


def now():
    return Cost(1e3 * time.perf_counter(), 1e3 * time.process_time())


def between(begun, ended):
    return Cost(ended.wall - begun.wall, ended.cpu - begun.cpu)


def in_turns(rows, rounds):
    """The costs of each call by name, one a round."""
    costs = {name: [] for name in rows}
    for number in range(-1, rounds):  # the first warms up
        for name in random.sample(list(rows), len(rows)):
            begun = now()
            rows[name]()
            if number >= 0:
                costs[name].append(between(begun, now()))
    return costs


def print_rows(rows):
    print("| " + " | ".join(rows[0]) + " |")
    print("|" + "---|" * len(rows[0]))
    for row in rows[1:]:
        print("| " + " | ".join(row) + " |")
    print()


def print_costs(costs, hand_of=lambda name: None):
    rows = [["", "wall ms", "lowest", "more than by hand", "CPU ms", "more than by hand"]]
    for name, own in costs.items():
        row, hand = [name], costs.get(hand_of(name), own)
        for kind in ("wall", "cpu"):
            values = [getattr(cost, kind) for cost in own]
            more = median(value - getattr(other, kind) for value, other in zip(values, hand))
            row.append("" if math.isnan(values[0]) else f"{median(values):.1f}")
            row += [f"{min(values):.1f}"] if kind == "wall" else []
            row.append("" if hand is own else f"{more:+.1f}")
        rows.append(row)
    print_rows(rows)


def hand_of(name):
    return "by hand, frames" if "frames" in name or "decode_only" in name else "by hand, patches"


def end_to_end(lines, path, rounds):
    cpu = {"decode_backend": "cpu"}

    def stream():
        with patch_stream(PatchStreamConfig(video_path=path, **cpu)) as session:
            return session.patches, session.metadata_tensors

    rows = {
        "by hand, patches": lambda: lines.run(by_hand(path, PATCHES)),
        "patch_stream()": stream,
        "codecpatch.read()": lambda: codecpatch.read(path, **cpu),
        "by hand, frames": lambda: lines.run(by_hand(path, FRAMES)),
        "decode_only()": lambda: decode_only(DecodeConfig(video_path=path, **cpu)),
        'codecpatch.read(output="frames")': lambda: codecpatch.read(path, output="frames", **cpu),
    }
    print(f"End to end, {Path(path).name}, {rounds} rounds\n")
    print_costs(in_turns(rows, rounds), hand_of)


def start(lines, path, rounds):
    parts = {"open()": [], "next()": [], "close()": []}

    def session():
        moments = [now()]
        opened = codecpatch.open(path, output="frames", decode_backend="cpu")
        moments.append(now())
        clip = opened.next()
        moments.append(now())
        opened.close()
        moments.append(now())
        for part, begun, ended in zip(parts.values(), moments, moments[1:]):
            part.append(between(begun, ended))
        return clip

    rows = {"by hand": lambda: lines.run(by_hand(path, FRAMES)), "a session": session}
    print(f"Start: 16 pictures of 64x64, intra only, {rounds} rounds\n")
    costs = in_turns(rows, rounds)
    # The round that warms up does not count.
    costs.update({f"its {name}": values[1:] for name, values in parts.items()})
    print_costs(costs, lambda name: "by hand" if name == "a session" else None)


PROCESS = """
import sys, time
def passed(work):
    started = time.perf_counter(); work(); return 1e3 * (time.perf_counter() - started)
def load(): global codecpatch; import codecpatch
def framework():
    from codecpatch import _tensors; _tensors.framework()
def read(): codecpatch.read(sys.argv[1], decode_backend="cpu", output="frames")
print(*map(passed, (load, framework, read, read)))
"""


def process(path, rounds):
    names = ["import codecpatch", "import of PyTorch or NumPy", "first session", "second session"]
    costs = {name: [] for name in names}
    for _ in range(rounds):
        done = subprocess.run([sys.executable, "-c", PROCESS, path], check=True, stdout=subprocess.PIPE, text=True)
        for name, value in zip(names, done.stdout.split()):
            costs[name].append(Cost(float(value)))
    print(f"A new process, the same clip, {rounds} rounds\n")
    print_costs(costs)


def make(lines, path, source, encoder):
    lines.run(f'videotestsrc {source} ! x264enc {encoder} ! h264parse ! mp4mux ! filesink location="{path}"')


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("file", nargs="?")
    parser.add_argument("--rounds", type=int, default=30)
    args = parser.parse_args()
    lines = Lines()
    with tempfile.TemporaryDirectory() as folder:
        tiny = f"{folder}/tiny.mp4"
        make(lines, tiny, "num-buffers=16 ! video/x-raw,format=I420,width=64,height=64", "key-int-max=1")
        demo = Path(__file__).resolve().parents[2].parent / "shared" / "videos" / "demo.mp4"
        path = args.file or (str(demo) if demo.exists() else f"{folder}/clip.mp4")
        if not os.path.exists(path):
            rings = "num-buffers=120 pattern=zone-plate kx2=12 ky2=12 kt=20"
            make(lines, path, f"{rings} ! video/x-raw,format=I420,width=1280,height=720", "key-int-max=60")
        print(f"Load when it began: {os.getloadavg()[0]:.1f}\n")
        end_to_end(lines, path, args.rounds)
        start(lines, tiny, 3 * args.rounds)
        process(tiny, max(3, args.rounds // 5))


if __name__ == "__main__":
    main()
