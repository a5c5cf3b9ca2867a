# SPDX-License-Identifier: LGPL-2.1-or-later
# For ci/peers-preinfer.sh: peers-preinfer.py FOLDER_OF_PROGRAMS FOLDER VIDEO...
#
# PSNR is that of a replay, over all frames of the groups, at the size of the canvases, in 8-bit RGB: each place shows
# what was last selected there in its group.
#
# The packer gets the groups and the blocks that cv-preinfer chose: with cv-preinfer's own frames, where its file of
# positions and its PNGs must be equal, and with ours, where the mean difference of the canvases is printed.
import io
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
from PIL import Image

PATCH, PIXELS, IMAGES, ROUNDS = 14, 150000, 4, 3
CALL = (
    *("--grouping_mode", "readiness", "--group_size", "32", "--images_per_group", str(IMAGES), "--patch", str(PATCH)),
    *("--max_pixels", str(PIXELS), "--readiness_sum_threshold", "0", "--min_group_frames", "8"),
    *("--max_group_frames", "64", "--avoid_keyframes", "--canvas_format", "jpg"),
)


# In a small process of its own, because a process counts the memory of the one that started it.
MEASURE = """
import json, resource, subprocess, sys, time
begun = time.perf_counter()
code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
seconds, used = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024]))
sys.exit(code)
"""


# In a process of its own, because two copies of libavcodec in one process use functions of each other.
THEIR_FRAMES = """
import json, sys, numpy
from codec_selector.codec_patch_gop import video_processor
video, to, width, height, ids = json.loads(sys.argv[1])
items = video_processor.cv_reader_fetch_bitcost(
    video, ids, bitcost_grid="adaptive", export_pixels=1, out_w=width, out_h=height)
numpy.save(to, numpy.stack([item["pixels"][:, :, ::-1] for item in items]))
"""


def run(program, video, out, *options):
    """Wall time, CPU time and MiB at peak."""
    shutil.rmtree(out, ignore_errors=True)
    arguments = [*program, "--video", str(video), "--out_dir", str(out), *CALL, *options]
    done = subprocess.run([sys.executable, "-c", MEASURE, *arguments], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(arguments)}: {done.stderr}")
    return json.loads(done.stdout)


def count_of(video):
    return "256" if "generated" in video else "64"


def ids_of(folder):
    return numpy.load(folder / "frame_ids.npy").tolist()


def read_frames(video, ids, size, **options):
    """Frames at this height and width, by index."""
    options = {"video_track": 0, "decode_backend": "cpu", "on_error": "substitute", "resample": "area", **options}
    clip = codecpatch.read(video, output="frames", frame_indices=ids, height=size[0], width=size[1], **options)
    return dict(zip(ids, numpy.asarray(clip.frames)))


def their_frames(video, ids, size, work):
    """The same by cv-preinfer's decoder."""
    to = work / "frames.npy"
    request = json.dumps([str(video), str(to), size[1], size[0], ids])
    subprocess.run([sys.executable, "-c", THEIR_FRAMES, request], check=True, capture_output=True)
    return dict(zip(ids, numpy.load(to)))


def meta_of(folder):
    return json.loads((folder / "meta.json").read_text())


def chosen_by(folder, group, first, meta, frames):
    """Which blocks of these frames are in the canvases of a group, [T, places] bool, and the first canvas after it."""
    rows, columns = meta["hb_wb"]
    count = group.get("num_canvases", group["images_per_group"])
    positions = numpy.load(folder / "src_patch_position.npy").reshape(-1, rows, columns, 3)[first : first + count]
    corners = positions[:, ::2, ::2].reshape(-1, 3)
    result = numpy.zeros((len(frames), rows // 2 * (columns // 2)), bool)
    for frame, row, column in corners[corners[:, 0] >= 0].tolist():
        result[frames.index(frame), row // 2 * (columns // 2) + column // 2] = True
    return result, first + count


def error_of(frames, chosen):
    """Squared error of a replay of these blocks."""
    side, width = 2 * PATCH, frames.shape[2]
    every = numpy.arange(len(chosen))[:, None]
    shown = numpy.maximum.accumulate(numpy.where(chosen, every, 0))
    error = 0
    for place in range(chosen.shape[1]):
        row, column = (side * each for each in divmod(place, width // side))
        block = frames[:, row : row + side, column : column + side].astype(numpy.int64)
        error += int(((block - block[shown[:, place]]) ** 2).sum())
    return error


def psnr(error, samples):
    return math.inf if error == 0 else 10 * math.log10(255**2 * samples / error)


def quality(folder, frames):
    """PSNR of a folder's selection, and of ours for its groups and numbers of blocks; and how many frames it groups."""
    meta = meta_of(folder)
    first = theirs = ours = samples = grouped = 0
    for group in meta["groups"]:
        ids = sorted(group["frame_ids"])
        pictures = numpy.stack([frames[each] for each in ids])
        assert list(pictures.shape[1:3]) == meta["processed_hw"]
        chosen, first = chosen_by(folder, group, first, meta, ids)
        ranked = _replenishment.scores(pictures, 2 * PATCH)
        theirs += error_of(pictures, chosen)
        ours += error_of(pictures, _replenishment.selected(ranked, int(chosen.sum()) // chosen.shape[1]))
        samples += pictures.size
        grouped += len(pictures)
    return psnr(theirs, samples), psnr(ours, samples), grouped, meta["total_images"]


def repacked(folder, frames):
    """Canvases and the bytes of the file of positions, by our packer, of the groups and the blocks of a folder.

    cv-preinfer fills up a group that has too few blocks with black canvases, at no position. They are added here.
    """
    meta, first = meta_of(folder), 0
    canvases, positions = [], []
    for group in meta["groups"]:
        # Ours takes the frames in their order; theirs may have exchanged the first one, and sorts the others.
        ids = [group["frame_ids"][0], *sorted(group["frame_ids"][1:])]
        chosen, end = chosen_by(folder, group, first, meta, ids)
        images, places = _replenishment.packed(numpy.stack([frames[each] for each in ids]), ids, chosen, PATCH)
        rest = end - first - len(images)
        canvases += [images, numpy.zeros((rest, *images.shape[1:]), numpy.uint8)]
        positions += [places, numpy.full((rest * math.prod(meta["hb_wb"]), 3), -1, numpy.int32)]
        first = end
    file = io.BytesIO()
    numpy.save(file, numpy.concatenate(positions), allow_pickle=False)
    return numpy.concatenate(canvases), file.getvalue()


def difference(canvases, others):
    return float(numpy.abs(canvases.astype(float) - others).mean())


def paired(canvases):
    """The same with one colour for each two pixels: what swscale makes of a frame that it resizes."""
    luma = canvases.astype(float) @ [0.299, 0.587, 0.114]
    chroma = canvases - luma[..., None]
    pairs = chroma.reshape(*chroma.shape[:-2], -1, 2, 3).mean(axis=-2)
    return luma[..., None] + pairs.repeat(2, axis=-2)


def packing(video, folder, work):
    """Cells of a row about the packer."""
    meta = meta_of(folder)
    size, ids = meta["processed_hw"], sorted({*ids_of(folder)})
    theirs = numpy.stack([numpy.asarray(Image.open(folder / name).convert("RGB")) for name in meta["canvas_files"]])
    positions = (folder / "src_patch_position.npy").read_bytes()
    filled = (numpy.load(folder / "src_patch_position.npy").reshape(len(theirs), -1) >= 0).all(axis=1)
    canvases, packed = repacked(folder, their_frames(video, ids, size, work))
    mean = difference(repacked(folder, read_frames(video, ids, size))[0][filled], theirs[filled])
    alike = []
    for track in (0, 1):
        try:
            frames = read_frames(video, ids, size, video_track=track, color_matrix="bt601")
        except ValueError:  # there is no such track
            continue
        ours = repacked(folder, frames)[0][filled]
        alike.append((difference(ours, theirs[filled]), difference(paired(ours), paired(theirs[filled]))))
    return (
        *(len(theirs), int((~filled).sum()), "yes" if packed == positions else "NO"),
        *("yes" if (canvases == theirs).all() else "NO", f"{mean:.2f}", *(f"{each:.2f}" for each in min(alike))),
    )


def row(*cells):
    print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def main():
    programs, work, *videos = sys.argv[1:]
    peer, program = ([str(Path(programs) / name)] for name in ("cv-preinfer", "codecpatch-preinfer"))
    work = Path(work)
    row("video", "n", "same frames", "same without avoidance", "PSNR cv-preinfer", "same groups, ours", "gain",
        "frames grouped", "ours, fixed groups", "ours, readiness", "canvases", "seconds", "CPU seconds", "MiB")
    print("|" + "---|" * 14)
    gains = []
    theirs, ours, fixed = work / "theirs", work / "ours", work / "fixed"
    for video in videos:
        if "dark" in Path(video).name:  # a replay of cv-preinfer's has nothing to show before its first frame
            continue
        options = ("--num_sampled_frames", count_of(video))
        run(peer, video, theirs, *options, "--no_avoid_keyframes")
        run(program, video, ours, *options, "--no_avoid_keyframes")
        # cv-preinfer repeats frames if there are too few.
        plain = sorted(set(ids_of(theirs))) == ids_of(ours)
        spent = [(run(peer, video, theirs, *options), run(program, video, ours, *options)) for _ in range(ROUNDS)]
        run(program, video, fixed, *options, "--grouping_mode", "fixed")
        avoided = ids_of(theirs) == ids_of(ours)
        frames = read_frames(video, sorted({*ids_of(theirs), *ids_of(ours)}), meta_of(theirs)["processed_hw"])
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
    print(f"Pairs are cv-preinfer and ours; times and memory are the least of {ROUNDS} runs.\n")
    row("video", "canvases of cv-preinfer", "of these black, at no position", "positions equal, byte for byte",
        "canvases equal, from its frames", "mean difference, from ours", "with BT.601, of the track that is nearer",
        "and one colour for two pixels")
    print("|" + "---|" * 8)
    for video in videos:
        run(peer, video, theirs, "--num_sampled_frames", count_of(video), "--canvas_format", "png")
        row(Path(video).name, *packing(video, theirs, work))


main()
