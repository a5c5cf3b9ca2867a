#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Times decode_only, patch_stream and other video readers on the files of a folder.

    python3 benchmark_codec_apis.py VIDEO_DIR --apis decode_only patch_stream decord torchcodec \\
        --decode-backends cpu gpu --process-backends cpu gpu --limit 10

A run covers everything from a path to the frames or patches in memory: opening, counting, decoding, converting,
closing. All readers return the frames of the same indices. Readers that are not installed or need a missing GPU are
skipped with the reason. With --check, the frames of the other readers, and of the ffmpeg program if it exists, are
compared with those of codecpatch instead.

After the warm-up there are `--repeats` rounds, in each of which every combination of API and backends runs once, in
the order of the options, over all videos. Other load on the machine therefore affects all alike, and medians exclude
it. """

import argparse
import functools
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median, stdev
from time import perf_counter, process_time
from typing import NamedTuple

import codecpatch
import numpy as np
from codecpatch.compat import DecodeConfig, PatchStreamConfig, decode_only, patch_stream

try:
    import torch
except ImportError:
    torch = None

SUFFIXES = {".avi", ".flv", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".ts", ".webm"}
DTYPES = ["bf16", "bfloat16", "fp16", "float16", "fp32", "float32"]


class Skip(Exception):
    """The reason why a reader cannot run here."""


@dataclass(frozen=True)
class Combination:
    api: str
    decode: str
    process: "str | None" = None  # of patch_stream

    @property
    def title(self):
        return f"API={self.api} decode={self.decode}" + (f" process={self.process}" if self.process else "")

    @property
    def column(self):
        return f"{self.api} {self.decode}" + (f">{self.process}" if self.process else "")


# --- codecpatch ---


def run_decode_only(path, args, combination):
    config = DecodeConfig(
        video_path=path,
        sequence_length=args.sequence_length,
        decode_backend=combination.decode,
        decode_device_id=args.decode_device_id,
        uniform_strategy=args.uniform_strategy,
    )
    decode_only(config)


def run_patch_stream(path, args, combination):
    config = PatchStreamConfig(
        video_path=path,
        sequence_length=args.sequence_length,
        uniform_strategy=args.uniform_strategy,
        input_size=args.input_size,
        min_pixels=args.min_pixels,
        max_pixels=args.max_pixels,
        patch_size=args.patch_size,
        k_keep=args.k_keep,
        output_dtype=args.output_dtype,
        decode_backend=combination.decode,
        process_backend=combination.process,
        decode_device_id=args.decode_device_id,
        process_device_id=args.process_device_id,
    )
    with patch_stream(config) as session:
        len(session.metadata)


# --- Other readers: frames [T, H, W, 3] by the indices that `pick` returns for the number of frames ---


def read_with_decord(path, pick, args, backend):
    decord = installed(MODULES["decord"])
    try:
        context = decord.gpu(args.decode_device_id) if on_gpu(backend) else decord.cpu()
        threads = 0 if on_gpu(backend) else args.decord_cpu_threads
        reader = decord.VideoReader(str(path), ctx=context, num_threads=threads)
    except Exception as error:
        if "CUDA not enabled" in str(error):
            raise Skip("this decord was built without CUDA") from error
        raise
    batch = reader.get_batch(pick(len(reader)))
    return batch if on_gpu(backend) else batch.asnumpy()


def read_with_torchcodec(path, pick, args, backend):
    decoders = installed(MODULES["torchcodec"])
    device = f"cuda:{args.decode_device_id}" if on_gpu(backend) else "cpu"
    reader = decoders.VideoDecoder(
        str(path), dimension_order="NHWC", device=device, num_ffmpeg_threads=args.torchcodec_cpu_threads
    )
    return reader.get_frames_at(indices=pick(len(reader))).data


def read_with_pyav(path, pick, _, backend):
    av = installed(MODULES["pyav"])
    if on_gpu(backend):
        raise Skip("PyAV is measured on the CPU only")
    with av.open(str(path)) as container:  # the number of frames is known after the last packet
        count = sum(1 for packet in container.demux(video=0) if packet.size)
    indices = pick(count)
    frames, wanted, last = {}, set(indices), max(indices)
    with av.open(str(path)) as container:
        container.streams.video[0].thread_type = "AUTO"
        for index, frame in enumerate(container.decode(video=0)):
            if index in wanted:
                frames[index] = frame.to_ndarray(format="rgb24")
            if index == last:
                break
    return np.stack([frames[index] for index in indices])


PEERS = {"decord": read_with_decord, "torchcodec": read_with_torchcodec, "pyav": read_with_pyav}
MODULES = {"decord": "decord", "torchcodec": "torchcodec.decoders", "pyav": "av"}


def installed(name):
    """Returns the module. Raises Skip if the module or one of its libraries is missing."""
    try:
        __import__(name)
    except (ImportError, OSError, RuntimeError) as error:
        raise Skip(f"{name} cannot be imported: {one_line(error)}") from error
    return sys.modules[name]


def on_gpu(backend):
    """True if another reader should decode on the GPU. For codecpatch, the library decides."""
    has_gpu = torch is not None and torch.cuda.is_available()
    if backend == "gpu" and not has_gpu:
        raise Skip("PyTorch finds no GPU here" if torch else "PyTorch is not installed")
    return has_gpu and backend != "cpu"


def evenly(count, length):
    """Returns the indices of decode_only in exact integers; numpy.linspace is not always exact."""
    return [index * (count - 1) // (length - 1) if length > 1 else 0 for index in range(length)]


# --- Measuring ---


class Cost(NamedTuple):
    """Times in seconds."""

    wall: float
    cpu: float  # of all threads of this process


def run(path, args, combination):
    """Returns the cost, or the exception."""
    synchronize()
    started = perf_counter(), process_time()
    try:
        if combination.api == "decode_only":
            run_decode_only(path, args, combination)
        elif combination.api == "patch_stream":
            run_patch_stream(path, args, combination)
        else:
            read = PEERS[combination.api]
            read(path, lambda count: evenly(count, args.sequence_length), args, combination.decode)
    except codecpatch.CodecPatchError as error:
        if error.code == codecpatch.ErrorCode.BACKEND:
            return Skip(error.message.replace(f"{error.path}: ", "", 1))
        return error
    except Exception as error:  # any exception concerns only this reader and this video
        return error
    synchronize()
    return Cost(perf_counter() - started[0], process_time() - started[1])


def synchronize():
    if torch is not None and torch.cuda.is_available():
        for device in range(torch.cuda.device_count()):
            torch.cuda.synchronize(device)


def measure(videos, args, combinations):
    """Returns the cost of each run, or its exception, by combination and video."""
    results = {(combination, path): [] for combination in combinations for path in videos}
    for number in range(-args.warm_up, args.repeats):
        for combination in combinations:
            for path in videos:
                key = combination, path
                if isinstance(results[key], Exception):
                    continue
                outcome = run(path, args, combination)
                if isinstance(outcome, Exception):
                    results[key] = outcome
                elif number >= 0:
                    results[key].append(outcome)
    return results


def report(combination, videos, args, results):
    """Prints a combination: one line per video, and the mean over videos of their medians."""
    print(f"\n=== {combination.title} ===")
    outcomes = [results[combination, path] for path in videos]
    if all(isinstance(outcome, Skip) for outcome in outcomes):
        print(f"Skipped: {outcomes[0]}")
        return
    for number, (path, outcome) in enumerate(zip(videos, outcomes), start=1):
        start = f"[{number}/{len(videos)}] {path.name} | "
        if isinstance(outcome, Exception):
            print(f"{start}failed: {one_line(outcome)}")
            continue
        latencies = [cost.wall for cost in outcome]
        latency = median(latencies)
        print(
            f"{start}latency={latency:.4f}s | speed={1 / latency:.3f} videos/s | "
            f"{args.sequence_length / latency:.1f} frames/s | mean={fmean(latencies):.4f}s std={spread(latencies):.4f}s"
        )
    latencies = [median(cost.wall for cost in outcome) for outcome in outcomes if isinstance(outcome, list)]
    if not latencies:
        print("Summary: no successful runs for this API/backend combo.")
        return
    speeds = [1 / latency for latency in latencies]
    print(
        f"Summary: count={len(latencies)} | "
        f"latency_mean={fmean(latencies):.4f}s latency_std={spread(latencies):.4f}s | "
        f"speed_mean={fmean(speeds):.3f} videos/s speed_std={spread(speeds):.3f}"
    )


def one_line(error):
    """Returns the first line of the error, because some readers add a backtrace."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)


def spread(values):
    return stdev(values) if len(values) > 1 else 0.0


def print_table(videos, combinations, results):
    shown = [c for c in combinations if any(isinstance(results[c, path], list) for path in videos)]
    if not shown:
        return
    print("\nMedians in ms: wall time / CPU time of all threads")
    rows = [["", *(combination.column for combination in shown)]]
    rows += [[path.name, *(cell(results[combination, path]) for combination in shown)] for path in videos]
    print_rows(rows)


def cell(outcome):
    if isinstance(outcome, Exception):
        return "-"
    return " / ".join(f"{1e3 * median(values):.0f}" for values in zip(*outcome))


def print_rows(rows):
    print("| " + " | ".join(rows[0]) + " |")
    print("|" + "---|" * len(rows[0]))
    for row in rows[1:]:
        print("| " + " | ".join(row) + " |")


# --- Comparing ---


def check(videos, args):
    """Prints the mean absolute difference of each reader's frames to codecpatch's, in levels of 0 to 255."""
    readers = {}
    for name in [name for name in args.apis if name in PEERS] or PEERS:
        try:
            installed(MODULES[name])
            readers[name] = functools.partial(read_same, PEERS[name], args)
        except Skip as reason:
            print(f"Skipped: {reason}")
    if shutil.which("ffmpeg"):
        readers["ffmpeg"] = read_with_ffmpeg
    rows = [["", "reader", "color_matrix=auto", "color_matrix=bt601", ""]]
    for path in videos:
        try:
            ours = {matrix: our_frames(path, args, matrix) for matrix in ("auto", "bt601")}
        except codecpatch.CodecPatchError as error:
            rows.append([path.name, "ours", "-", "-", one_line(error)])
            continue
        for name, read in readers.items():
            rows.append([path.name, name, *compared(path, args, read, ours)])
    print_rows(rows)


def read_same(read, args, path, clip):
    return read(path, lambda _: clip.sampled_frame_ids, args, "cpu")


def read_with_ffmpeg(path, clip):
    """Returns the frames of the program, whose converter is set to interpolate chroma and to round, as codecpatch does.

    By default, as in the readers above, it repeats chroma samples and truncates fractions.
    """
    ids = sorted(set(clip.sampled_frame_ids))
    select = "+".join(f"eq(n\\,{index})" for index in ids)
    flags = "bilinear+accurate_rnd+full_chroma_int+full_chroma_inp"
    filters = f"select={select},scale=flags={flags},format=yuv444p12,scale=flags={flags},format=rgb24"
    output = ["-vf", filters, "-fps_mode", "passthrough", "-f", "rawvideo", "-"]
    command = ["ffmpeg", "-v", "error", "-i", str(path), *output]
    data = subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE).stdout
    frames = np.frombuffer(data, np.uint8).reshape(len(ids), *clip.frames.shape[1:])
    return frames[[ids.index(index) for index in clip.sampled_frame_ids]]


def our_frames(path, args, matrix, **options):
    options.update(sequence_length=args.sequence_length, decode_backend="cpu", color_matrix=matrix)
    return codecpatch.read(path, output="frames", **options)


def compared(path, args, read, ours):
    """Returns both differences, and a note."""
    try:
        theirs = read(path, ours["auto"])
    except Exception as error:
        return "-", "-", one_line(error)
    note = ""
    if tuple(theirs.shape) != tuple(ours["auto"].frames.shape):
        ours = {matrix: our_frames(path, args, matrix, apply_rotation=False) for matrix in ours}
        note = "it does not rotate, and is compared without"
    if tuple(theirs.shape) != tuple(ours["auto"].frames.shape):
        return "-", "-", f"its frames are {list(theirs.shape)}, ours {list(ours['auto'].frames.shape)}"
    return *(f"{difference(theirs, clip.frames):.2f}" for clip in ours.values()), note


def difference(one, other):
    """Computed frame by frame, to save memory."""
    return fmean(float(np.abs(np.int16(a) - np.int16(b)).mean()) for a, b in zip(one, other))


# --- The command line ---


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("video_dir", type=Path, help="folder with videos")
    parser.add_argument("--limit", type=int, default=None, help="the first so many videos only")
    parser.add_argument(
        "--apis", nargs="+", default=["decode_only", "patch_stream"], choices=["decode_only", "patch_stream", *PEERS]
    )
    parser.add_argument("--decode-backends", nargs="+", default=["cpu", "gpu"], choices=["auto", "cpu", "gpu"])
    parser.add_argument("--process-backends", nargs="+", default=["cpu", "gpu"], choices=["auto", "cpu", "gpu"])
    parser.add_argument("--sequence-length", type=int, default=16)
    parser.add_argument("--uniform-strategy", default="auto", choices=["auto", "seek", "skip", "stream"])
    parser.add_argument("--decode-device-id", type=int, default=0)
    parser.add_argument("--process-device-id", type=int, default=0)
    parser.add_argument("--decord-cpu-threads", type=int, default=0, help="0: as decord has it")
    parser.add_argument("--torchcodec-cpu-threads", type=int, default=0, help="0: as FFmpeg has it")
    parser.add_argument("--input-size", type=int, default=224)
    parser.add_argument("--min-pixels", type=int, default=None)
    parser.add_argument("--max-pixels", type=int, default=None)
    parser.add_argument("--patch-size", type=int, default=14)
    parser.add_argument("--k-keep", type=int, default=2048)
    parser.add_argument("--output-dtype", default="bfloat16", choices=DTYPES)
    parser.add_argument("--warm-up", type=int, default=1, help="rounds that are not counted")
    parser.add_argument("--repeats", type=int, default=3, help="rounds that are")
    parser.add_argument("--check", action="store_true", help="compare the others' frames with ours; no times")
    args = parser.parse_args()
    if not args.video_dir.is_dir():
        parser.error(f"{args.video_dir} is no folder")
    if args.sequence_length < 1 or args.repeats < 1 or (args.limit is not None and args.limit < 1):
        parser.error("--sequence-length, --repeats and --limit are 1 or more")
    return parser, args


def main():
    parser, args = arguments()
    videos = sorted(path for path in args.video_dir.iterdir() if path.suffix.lower() in SUFFIXES and path.is_file())
    videos = videos[: args.limit]
    if not videos:
        parser.error(f"there are no videos in {args.video_dir}")
    print(f"Found {len(videos)} videos in {args.video_dir.resolve()}")
    if args.check:
        check(videos, args)
        return
    combinations = [
        Combination(api, decode, process)
        for api in args.apis
        for decode in args.decode_backends
        for process in (args.process_backends if api == "patch_stream" else [None])
    ]
    results = measure(videos, args, combinations)
    for combination in combinations:
        report(combination, videos, args, results)
    print_table(videos, combinations, results)


if __name__ == "__main__":
    main()
