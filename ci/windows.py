#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Windows of long files: each clip must be, byte for byte, what a session with the window's start and stop reads.

    windows.py [--window 10] [--clips 12] [--plans N] [FILE...]

Without FILE, ffmpeg makes films of ten minutes: GOPs of 250 with a pyramid of B pictures, the same in fragments, as an
MPEG transport stream and behind an edit list, open GOPs, and a variable frame rate. Each is read with hops of one, a
half, a quarter and two windows, 4 and 16 frames, patches by both rankings, and whole frames. `--clips` of each plan,
chosen at random, are read once more by themselves; 0 means all. With --plans only N plans of each file, at random. A
file that cannot be read in windows is told, with its error.
"""

import argparse
import itertools
import pathlib
import random
import subprocess
import sys
import tempfile
import warnings

import codecpatch

SOURCE = "-f lavfi -i testsrc2=rate=25:size=320x180:duration=600"
OUTPUTS = (
    {"output": "frames"},
    {"k_keep": 64, "output_dtype": "u8"},
    {"ranking": "replenishment", "k_keep": 64, "output_dtype": "u8"},
)


def ffmpeg(arguments: str, *paths: pathlib.Path) -> None:
    names = [str(path) for path in paths]
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", *(arguments % tuple(names)).split()], check=True)


def make_films(folder: pathlib.Path) -> list:
    pyramid = folder / "pyramid.mp4"
    encode = "-c:v libx264 -preset veryfast -pix_fmt yuv420p"
    ffmpeg(f"{SOURCE} {encode} -g 250 -bf 3 -x264-params b-pyramid=normal %s", pyramid)
    ffmpeg("-i %s -c copy -movflags frag_keyframe+empty_moov %s", pyramid, folder / "fragments.mp4")
    ffmpeg("-i %s -c copy %s", pyramid, folder / "transport.ts")
    ffmpeg("-ss 3.3 -i %s -c copy %s", pyramid, folder / "edited.mov")
    ffmpeg(f"{SOURCE} {encode} -g 100 -x264-params open-gop=1:bframes=3 %s", folder / "open.mkv")
    ffmpeg(f"{SOURCE} -vf setpts=N/25/TB+floor(N/7)*0.11/TB -fps_mode vfr {encode} -g 250 %s", folder / "variable.mp4")
    return sorted(folder.iterdir())


def difference(clip: codecpatch.Clip, alone: codecpatch.Clip) -> str:
    for key in clip.metadata.keys() | alone.metadata.keys():
        if key != "clip_index" and clip.metadata.get(key) != alone.metadata.get(key):
            return f"{key} is {clip.metadata.get(key)}, not {alone.metadata.get(key)}"
    for name, tensor in alone.tensors.items():
        if clip.tensors[name].shape != tensor.shape or not bool((clip.tensors[name] == tensor).all()):
            return f"{name} differs"
    return ""


def check(path: pathlib.Path, window: float, hop: float, options: dict, count: int, chance: random.Random) -> tuple:
    """Returns the number of windows, and the differences of those that are read by themselves."""
    found, total = [], 0
    with codecpatch.open(path, window=window, hop=hop, **options) as session:
        for clip in session:
            total += 1
            if count and chance.random() > count * hop / max(clip.duration_sec, hop):
                continue
            alone = codecpatch.read(path, start=clip.start, stop=clip.stop, **options)
            found.append(difference(clip, alone))
    return total, found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("files", nargs="*", type=pathlib.Path)
    parser.add_argument("--window", type=float, default=10)
    parser.add_argument("--clips", type=int, default=12)
    parser.add_argument("--plans", type=int)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", codecpatch.CodecPatchWarning)
    chance = random.Random(15)
    differ = compared = 0
    with tempfile.TemporaryDirectory() as folder:
        for path in arguments.files or make_films(pathlib.Path(folder)):
            windows = 0
            row = []
            plans = list(itertools.product((1, 0.5, 0.25, 2), (4, 16), OUTPUTS))
            for factor, length, output in chance.sample(plans, arguments.plans) if arguments.plans else plans:
                options = {**output, "sequence_length": length}
                try:
                    total, found = check(path, arguments.window, factor * arguments.window, options, arguments.clips,
                                         chance)
                except (codecpatch.CodecPatchError, ValueError) as error:
                    print(error)
                    continue
                windows += total
                row += found
                for text in filter(None, found):
                    print(f"{path.name}, hop {factor} windows, {options}: {text}")
            compared += len(row)
            differ += sum(map(bool, row))
            print(f"{path.name}: {windows} windows, {len(row)} compared, {sum(map(bool, row))} differ", flush=True)
    print(f"{compared} compared, {differ} differ")
    sys.exit(1 if differ or not compared else 0)


if __name__ == "__main__":
    main()
