# SPDX-License-Identifier: LGPL-2.1-or-later
# For ci/peers-preinfer.sh: peers-preinfer.py CV_PREINFER FOLDER VIDEO...
#
# PSNR is that of a replay, over all frames of the groups, at the size of the canvases, in 8-bit RGB: each place shows
# what was last selected there in its group.
import json
import math
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

import codecpatch
import numpy
from codecpatch import _replenishment

PATCH, PIXELS, IMAGES, ROUNDS = 14, 150000, 4, 3
CALL = (
    *("--grouping_mode", "readiness", "--group_size", "32", "--images_per_group", str(IMAGES), "--patch", str(PATCH)),
    *("--max_pixels", str(PIXELS), "--readiness_sum_threshold", "0", "--min_group_frames", "8"),
    *("--max_group_frames", "64", "--avoid_keyframes", "--canvas_format", "jpg"),
)
OURS = [sys.executable, "-m", "codecpatch.preinfer"]


# In a small process of its own, because a process counts the memory of the one that started it.
MEASURE = """
import json, resource, subprocess, sys, time
begun = time.perf_counter()
code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
seconds, used = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024]))
sys.exit(code)
"""


def run(program, video, out, *options):
    """Wall time, CPU time and MiB at peak."""
    shutil.rmtree(out, ignore_errors=True)
    arguments = [*program, "--video", str(video), "--out_dir", str(out), *CALL, *options]
    done = subprocess.run([sys.executable, "-c", MEASURE, *arguments], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(arguments)}: {done.stderr}")
    return json.loads(done.stdout)


def ids_of(folder):
    return numpy.load(folder / "frame_ids.npy").tolist()


def read_frames(video, ids):
    size = {"min_pixels": 3136, "max_pixels": PIXELS, "align": 2 * PATCH, "size_rule": "floor", "resample": "area"}
    clip = codecpatch.read(
        video, output="frames", frame_indices=ids, video_track=0, decode_backend="cpu", on_error="substitute", **size
    )
    return dict(zip(ids, numpy.asarray(clip.frames)))


def chosen_by(folder, group, first, meta):
    """Which blocks are in the canvases of a group: [T, places] bool, of its frames in ascending order."""
    rows, columns = meta["hb_wb"]
    count = group.get("num_canvases", group["images_per_group"])
    positions = numpy.load(folder / "src_patch_position.npy").reshape(-1, rows, columns, 3)[first : first + count]
    corners = positions[:, ::2, ::2].reshape(-1, 3)
    frames = sorted(group["frame_ids"])
    result = numpy.zeros((len(frames), rows // 2 * (columns // 2)), bool)
    for frame, row, column in corners[corners[:, 0] >= 0].tolist():
        result[frames.index(frame), row // 2 * (columns // 2) + column // 2] = True
    return result, first + count


def error_of(between, chosen):
    every = numpy.arange(len(chosen))[:, None]
    shown = numpy.maximum.accumulate(numpy.where(chosen, every, 0))
    return int(between[numpy.arange(chosen.shape[1])[None], shown, every].sum())


def psnr(error, samples):
    return math.inf if error == 0 else 10 * math.log10(255**2 * samples / error)


def quality(folder, frames):
    """PSNR of a folder's selection, and of ours for its groups and numbers of blocks; and how many frames it groups."""
    meta = json.loads((folder / "meta.json").read_text())
    first = theirs = ours = samples = grouped = 0
    for group in meta["groups"]:
        pictures = numpy.stack([frames[frame] for frame in sorted(group["frame_ids"])])
        assert list(pictures.shape[1:3]) == meta["processed_hw"]
        between = _replenishment.distances(pictures, 2 * PATCH)
        chosen, first = chosen_by(folder, group, first, meta)
        ranked = _replenishment.per_sample(_replenishment.scores_of(between), 2 * PATCH)
        theirs += error_of(between, chosen)
        ours += error_of(between, _replenishment.selected(ranked, int(chosen.sum()) // chosen.shape[1]))
        samples += pictures.size
        grouped += len(pictures)
    return psnr(theirs, samples), psnr(ours, samples), grouped, meta["total_images"]


def row(*cells):
    print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def main():
    peer, work, *videos = sys.argv[1:]
    work = Path(work)
    row("video", "n", "same frames", "same without avoidance", "PSNR cv-preinfer", "same groups, ours", "gain",
        "frames grouped", "ours, fixed groups", "ours, readiness", "canvases", "seconds", "CPU seconds", "MiB")
    print("|" + "---|" * 14)
    gains = []
    for video in videos:
        count = "256" if "generated" in video else "64"
        theirs, ours, fixed = work / "theirs", work / "ours", work / "fixed"
        options = ("--num_sampled_frames", count)
        run([peer], video, theirs, *options, "--no_avoid_keyframes")
        run(OURS, video, ours, *options, "--no_avoid_keyframes")
        # cv-preinfer repeats frames if there are too few.
        plain = sorted(set(ids_of(theirs))) == ids_of(ours)
        spent = [(run([peer], video, theirs, *options), run(OURS, video, ours, *options)) for _ in range(ROUNDS)]
        run(OURS, video, fixed, *options, "--grouping_mode", "fixed")
        avoided = ids_of(theirs) == ids_of(ours)
        frames = read_frames(video, sorted({*ids_of(theirs), *ids_of(ours)}))
        own, same, grouped, images = quality(theirs, frames)
        ready, _, of, our_images = quality(ours, frames)
        gains.append(same - own)
        least = [[min(each[index] for each in side) for index in range(3)] for side in zip(*spent)]
        row(
            *(Path(video).name, of, "yes" if avoided else "NO", "yes" if plain else "NO", f"{own:.2f}", f"{same:.2f}"),
            *(f"{gains[-1]:+.2f}", f"{grouped} of {of}", f"{quality(fixed, frames)[0]:.2f}", f"{ready:.2f}"),
            f"{images}, {our_images}",
            *(f"{a:.{digits}f}, {b:.{digits}f}" for a, b, digits in zip(*least, (2, 2, 0))),
        )
    print(f"\nmean gain {statistics.mean(gains):+.2f} dB, least {min(gains):+.2f} dB")
    print(f"Pairs are cv-preinfer and ours; times and memory are the least of {ROUNDS} runs.")


main()
