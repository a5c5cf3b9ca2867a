#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reads a camera in windows, each of which is a clip, and prints what is in them.

    python3 camera.py rtsp://CAMERA/STREAM [--window 8] [--hop 4] [--frames 16] [--k-keep 2048] [--clips N]

Where the camera fails, it is opened again each second: clips then go on with the next window. Where this program is
slower than the camera, whole clips are dropped.
"""

import argparse
import sys
import warnings

import codecpatch


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("uri", help="of a camera; files are read as fast as this program takes them")
    parser.add_argument("--window", type=float, default=8.0, help="length of a window in seconds")
    parser.add_argument("--hop", type=float, help="seconds from the start of a window to the next; default: --window")
    parser.add_argument("--frames", type=int, default=16, help="frames that are sampled in each window")
    parser.add_argument("--k-keep", type=int, default=2048, help="patches of each window")
    parser.add_argument("--clips", type=int, help="end after so many; default: never")
    parser.add_argument("--patience", type=float, default=5.0, help="seconds beyond a window after which to say so")
    args = parser.parse_args()
    warnings.simplefilter("always", codecpatch.CodecPatchWarning)  # each interruption, not only the first

    options = {"sequence_length": args.frames, "k_keep": args.k_keep, "on_error": "substitute"}
    taken = 0
    with codecpatch.open(args.uri, window=args.window, hop=args.hop, **options) as camera:
        while taken != args.clips:
            try:
                clip = camera.next(timeout=args.window + args.patience)
            except codecpatch.CodecPatchError as error:
                if error.code is not codecpatch.ErrorCode.TIMEOUT:
                    raise
                print("no clip yet: is the camera there?", file=sys.stderr)
                continue
            if clip is None:
                break
            taken += 1
            print(
                f"clip {clip.clip_index}: {clip.start:.2f} s to {clip.stop:.2f} s, patches {list(clip.patches.shape)}, "
                f"mean score {float(clip.meta_scores.mean()):.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
