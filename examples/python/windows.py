#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Cuts a film into windows, each of which is a clip, and prints what is in them.

    python3 windows.py FILM [--window 10] [--hop 5] [--frames 16] [--k-keep 512]

The film is decoded once, and only the clips that are in use are in memory. With tqdm there is a progress bar.
"""

import argparse
import contextlib

import codecpatch

try:
    from tqdm import tqdm
except ImportError:
    tqdm = None


def clips_with_progress(session):
    """Yields the clips of a session, and shows how much of the film has been read, if that is known."""
    bar = tqdm(total=100, unit="%") if tqdm else contextlib.nullcontext()
    with bar:
        for clip in session:
            progress = session.progress
            if tqdm and progress is not None:
                bar.update(round(100 * progress) - bar.n)
            yield clip


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("film")
    parser.add_argument("--window", type=float, default=10, help="length of a window in seconds")
    parser.add_argument("--hop", type=float, help="seconds from the start of a window to the next; default: --window")
    parser.add_argument("--frames", type=int, default=16, help="frames that are sampled in each window")
    parser.add_argument("--k-keep", type=int, default=512, help="patches of each window")
    args = parser.parse_args()
    write = tqdm.write if tqdm else print

    options = {"sequence_length": args.frames, "k_keep": args.k_keep, "scale": 1 / 255, "output_dtype": "f16"}
    with codecpatch.open(args.film, window=args.window, hop=args.hop, **options) as session:
        for clip in clips_with_progress(session):
            frames = clip.sampled_frame_ids
            write(
                f"{clip.start:8.2f} s to {clip.stop:8.2f} s: frames {frames[0]} to {frames[-1]}, "
                f"patches {list(clip.patches.shape)}, mean score {float(clip.meta_scores.mean()):.2f}"
            )


if __name__ == "__main__":
    main()
