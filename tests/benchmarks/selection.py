#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# How well the selected patches show a clip: the rankings of patchselect, two simple rules, and the best possible.
#
#   selection.py [--n N...] [--budgets PERCENT...] [--json FILE] [--plot FILE] [FILE...]
#
# Without files it reads all of ../shared/videos beside the checkout. It takes the package on PYTHONPATH and what that
# needs, and NumPy; --plot needs matplotlib: see docs/selection.md.
#
# The measure is the PSNR of a replay: each place of the grid shows the patch that was last selected there, and grey
# (128) before the first one. PSNR is over all frames and all samples of the clip at target size, in 8-bit RGB. A budget
# is a share of all patches of the clip.
#
#   rankings       what patchselect selects with k-keep = budget
#   random         all patches of frame 0, then others by chance
#   closed loop    frame by frame: a patch is sent if its squared difference from what its place shows is above a
#                  threshold. Bisection finds the lowest threshold that keeps within the budget.
#   optimum        the highest PSNR of all selections, exactly: dynamic programming gives the least error of each place
#                  for each number of patches, and then the best division of the budget among the places
#   with frame 0   the same, of the selections that have all patches of frame 0, as replenishment has
#
# Everything is computed from public results: all patches of a clip are its frames at target size.
import argparse
import importlib.util
import io
import json
import math
import sys
import time
from pathlib import Path

import codecpatch
import numpy

RANKINGS = {
    "energy": {"ranking": "energy"},
    "frame difference": {"ranking": "energy", "energy_mode": "frame-difference"},
    "replenishment": {"ranking": "replenishment"},
}
FRAME_0 = "optimum with frame 0"
RULES = ["random", "closed loop", FRAME_0, "optimum"]
GREY = 128
ALL = 2**31 - 1  # more patches than any clip has


def read(path, n, k, **options):
    return codecpatch.read(
        path,
        **{"sequence_length": n, "k_keep": k, "output_dtype": "u8", "on_error": "substitute"},
        **{"decode_backend": "cpu", "process_backend": "cpu"},
        **options,
    )


def errors_of(clip):
    """Squared errors of a patch: [place, shown frame, frame], and of grey [place, frame]; and the number of samples."""
    frames = len(clip.sampled_frame_ids)
    patches = numpy.asarray(clip.patches, "f8").reshape(frames, -1, numpy.prod(clip.patches.shape[1:]))
    places = patches.transpose(1, 0, 2)
    # Exact, because all sums are integers below 2^53.
    squares = (places**2).sum(2)
    errors = squares[:, :, None] + squares[:, None, :] - 2 * places @ places.transpose(0, 2, 1)
    return errors, ((places - GREY) ** 2).sum(2), patches.size


def replay_error(errors, grey, sent):
    """The squared error of the replay of what was sent, [frame, place] bool."""
    frames, places = sent.shape
    frame, place = numpy.arange(frames)[:, None], numpy.arange(places)[None]
    shown = numpy.maximum.accumulate(numpy.where(sent, frame, -1))
    return numpy.where(shown < 0, grey.T, errors[place, shown, frame]).sum()


def psnr(error, samples):
    """Infinite if the replay is exact; None if there is no replay."""
    if math.isinf(error):
        return None
    return math.inf if error == 0 else 10 * math.log10(255**2 * samples / error)


# --- Selections ---


def selected(clip, frames, places):
    sent = numpy.zeros(frames * places, bool)
    sent[numpy.asarray(clip.meta_fields)[:, 3]] = True
    return sent.reshape(frames, places)


def chosen_at_random(frames, places, count):
    rank = numpy.random.default_rng(0).permutation(frames * places)
    rank[:places] -= frames * places  # those of frame 0 come first
    return (numpy.argsort(numpy.argsort(rank)) < count).reshape(frames, places)


def closed_loop(errors, grey, count):
    def sent_above(threshold):
        place, frames = numpy.arange(len(grey)), grey.shape[1]
        shown, sent = numpy.full(len(grey), -1), numpy.zeros((frames, len(grey)), bool)
        for frame in range(frames):
            error = numpy.where(shown < 0, grey[:, frame], errors[place, shown, frame])
            sent[frame] = error > threshold
            shown[sent[frame]] = frame
        return sent

    if sent_above(0).sum() <= count:
        return sent_above(0)
    low, high = 0, int(max(errors.max(), grey.max()))  # errors are integers
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if sent_above(middle).sum() <= count else (middle, high)
    return sent_above(high)


def least_errors(errors, grey, first):
    """The least error of one place for each number of patches, from 0 to that of the frames. `first`: with frame 0."""
    frames = len(grey)
    sums = numpy.zeros((frames, frames + 1))
    numpy.cumsum(errors, axis=1, out=sums[:, 1:])
    hold = sums - numpy.diagonal(sums)[:, None]  # [a, e]: of showing frame a from there to e, exclusive
    hold[numpy.tri(frames, frames + 1, dtype=bool)] = numpy.inf
    # [e]: of the frames before e
    best = hold[0] if first else numpy.concatenate([[0], numpy.cumsum(grey)])
    result = [numpy.inf, best[-1]] if first else [best[-1]]
    while len(result) <= frames:
        best = (best[:-1, None] + hold).min(axis=0)
        result.append(best[-1])
    return result


def optimum(errors, grey, most, first=False):
    """The least error of the clip for each number of patches up to `most`; infinite if there are too few."""
    best = numpy.zeros(most + 1)
    for place, place_grey in zip(errors, grey):
        least = least_errors(place, place_grey, first)
        before, best = best, best + least[0]
        for count, error in enumerate(least[1 : most + 1], 1):
            numpy.minimum(best[count:], before[:-count] + error, out=best[count:])
    return best


# --- Tables ---


def measure(path, n, budgets):
    """A row for each budget."""
    whole = read(path, n, ALL)
    errors, grey, samples = errors_of(whole)
    places, frames = grey.shape
    counts = {budget: int(places * frames * budget / 100) for budget in budgets}
    most = max(counts.values())
    least, least_of_first = (optimum(errors, grey, most, first) for first in (False, True))
    for budget, count in counts.items():
        sent = {
            name: selected(read(path, n, count, **options), frames, places) for name, options in RANKINGS.items()
        }
        sent["random"] = chosen_at_random(frames, places, count)
        sent["closed loop"] = closed_loop(errors, grey, count)
        values = {name: psnr(replay_error(errors, grey, each), samples) for name, each in sent.items()}
        values[FRAME_0] = psnr(least_of_first[count], samples)
        values["optimum"] = psnr(least[count], samples)
        yield {
            **{"video": Path(path).name, "n": n, "budget": budget, "patches": count, "of": places * frames},
            **{"psnr": values, "closed_loop_patches": int(sent["closed loop"].sum())},
        }


def print_row(*cells):
    print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def print_head():
    head = ["video", "n", "budget", "patches", *RANKINGS, *RULES, "replenishment to closed loop", "to optimum"]
    print_row(*head)
    print("|" + "---|" * len(head))


def decibels(value):
    if value is None:
        return ""
    return "exact" if math.isinf(value) else f"{value:.2f}"


def gap(value, other):
    """`value` less `other`; minus infinity if only the other replay is exact."""
    return "+0.00" if value == other else f"{value - other:+.2f}"


def print_result(row):
    values = row["psnr"]
    print_row(
        *(row["video"], row["n"], f"{row['budget']:g} %", row["patches"]),
        *(decibels(values[name]) for name in [*RANKINGS, *RULES]),
        *(gap(values["replenishment"], values[other]) for other in ("closed loop", "optimum")),
    )


def for_json(row):
    """JSON has no infinity, so that an exact replay is a word."""
    words = {name: "exact" if value == math.inf else value for name, value in row["psnr"].items()}
    return {**row, "psnr": words}


def plot(rows, path):
    import matplotlib
    import PIL.Image  # which matplotlib needs, too

    matplotlib.use("Agg")
    from matplotlib import pyplot

    videos, lengths = (list(dict.fromkeys(row[key] for row in rows)) for key in ("video", "n"))
    size = (2.5 * len(videos), 2.3 * len(lengths) + 0.6)
    figure, axes = pyplot.subplots(len(lengths), len(videos), figsize=size, squeeze=False, layout="constrained")
    for axis, (n, video) in zip(axes.flat, ((n, video) for n in lengths for video in videos)):
        shown = [row for row in rows if (row["video"], row["n"]) == (video, n)]
        for name in [*RANKINGS, "random", "closed loop", "optimum"]:
            budgets, values = zip(*((row["budget"], row["psnr"][name]) for row in shown))
            axis.plot(budgets, values, "k:" if name == "optimum" else "o-", ms=2, lw=1, label=name)
        axis.set_ylim(top=min(axis.get_ylim()[1], 50))  # because differences above cannot be seen
        axis.set_title(f"{video}, n = {n}", fontsize=7)
        axis.tick_params(labelsize=6)
        axis.grid(alpha=0.3)
    figure.supxlabel("budget, % of all patches", fontsize=7)
    figure.supylabel("PSNR of the replay, dB", fontsize=7)
    lines = axes.flat[0].get_legend_handles_labels()
    figure.legend(*lines, loc="outside upper center", ncol=6, fontsize=7, frameon=False)
    picture = io.BytesIO()
    figure.savefig(picture, dpi=90)
    PIL.Image.open(picture).convert("RGB").quantize(32).save(path, "PNG", optimize=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("files", nargs="*", metavar="FILE")
    parser.add_argument("--n", type=int, nargs="+", default=[16, 64], help="sampled frames")
    parser.add_argument("--budgets", type=float, nargs="+", default=[10, 25, 50], metavar="PERCENT")
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--plot", metavar="FILE")
    args = parser.parse_args()
    if args.plot and importlib.util.find_spec("matplotlib") is None:
        parser.error("--plot needs matplotlib: pip install matplotlib")
    shared = Path(__file__).resolve().parents[2].parent / "shared" / "videos"
    files = args.files or sorted(map(str, shared.glob("*.mp4")))
    if not files:
        parser.error(f"name a FILE: there is none in {shared}")
    rows = []
    print_head()
    for path in files:
        started = time.perf_counter()
        try:
            for n in args.n:
                for row in measure(path, n, args.budgets):
                    rows.append(row)
                    print_result(row)
        except codecpatch.CodecPatchError as error:
            print(error, file=sys.stderr)
        print(f"{Path(path).name}: {time.perf_counter() - started:.1f} s", file=sys.stderr)
    if args.json:
        Path(args.json).write_text(json.dumps([for_json(row) for row in rows], indent=1) + "\n")
    if args.plot:
        plot(rows, args.plot)


if __name__ == "__main__":
    main()
