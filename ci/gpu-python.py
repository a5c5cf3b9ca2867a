# SPDX-License-Identifier: LGPL-2.1-or-later
"""ci/gpu-python.py [PART...]: tests the Python package with PyTorch on a GPU, with the clips of ../shared. The parts:

equality    clips in random order, decoded and processed on the CPU and on the GPU, have the same tensors
growth      a thousand clips do not leak device memory
times       prints the time of a clip
throughput  prints clips per second, with one and with eight workers

Exits with 77 if there is no PyTorch with a GPU, or no clip.
"""

import os
import random
import statistics
import sys
import time
from pathlib import Path

try:
    import torch
except ImportError:
    torch = None
if torch is None or not torch.cuda.is_available():
    print("skipped: there is no PyTorch that has a GPU")
    sys.exit(77)

import codecpatch

VIDEOS = sorted(Path(os.environ["CPS_SHARED_DIR"]).glob("videos/*[0-9a-z].mp4"))
VIDEOS = [video for video in VIDEOS if video.stem != "corrupted"]
PLACES = (("cpu", "cpu"), ("cpu", "gpu"), ("gpu", "cpu"), ("gpu", "gpu"))


def read(video, decode, process, **options):
    return codecpatch.read(video, decode_backend=decode, process_backend=process, **options).tensors


def bits(tensor):
    return tensor.cpu().contiguous().view(torch.uint8)


def check_equality(rounds):
    """Formats change from clip to clip, so that decoders are closed, kept and reused."""
    chance = random.Random(1)
    expected = {}
    for _ in range(rounds):
        video, length, (decode, process) = chance.choice(VIDEOS), chance.choice((4, 16, 32)), chance.choice(PLACES)
        if (video, length) not in expected:
            expected[video, length] = read(video, "cpu", "cpu", sequence_length=length)
        got = read(video, decode, process, sequence_length=length)
        for name, tensor in expected[video, length].items():
            assert got[name].is_cuda == (process == "gpu"), f"{video}: {name} is elsewhere"
            assert torch.equal(bits(got[name]), bits(tensor)), f"{video}, {decode} to {process}: {name} differs"
    print(f"{rounds} clips in random order: equal")


def check_growth(clips):
    free = []
    for i in range(clips):
        read(VIDEOS[-1], "gpu" if i % 2 else "cpu", "gpu")
        if i in (clips // 10, clips - 1):
            torch.cuda.synchronize()
            free.append(torch.cuda.mem_get_info()[0])
    print(f"{clips} clips: {free[0] - free[1]} bytes of the device's memory lost")
    assert free[0] - free[1] < 2 << 20


def print_times():
    for video in VIDEOS:
        for decode, process in PLACES:
            times = []
            for _ in range(9):
                begin = time.perf_counter()
                read(video, decode, process)
                torch.cuda.synchronize()
                times.append(time.perf_counter() - begin)
            print(f"{video.stem:20} {decode} to {process}: {1e3 * statistics.median(times):6.1f} ms a clip")


def print_throughput(clips):
    for workers in (1, 8):
        for decode, process in PLACES:
            begin = time.perf_counter()
            options = {"decode_backend": decode, "process_backend": process}
            for clip in codecpatch.iter_clips([VIDEOS[0]] * clips, workers=workers, **options):
                if isinstance(clip, Exception):
                    raise clip
            torch.cuda.synchronize()
            print(f"{workers} workers, {decode} to {process}: {clips / (time.perf_counter() - begin):6.1f} clips/s")


if not VIDEOS:
    print("skipped: no clips")
    sys.exit(77)
PARTS = {
    "equality": lambda: check_equality(60),
    "growth": lambda: check_growth(1000),
    "times": print_times,
    "throughput": lambda: print_throughput(48),
}
for part in sys.argv[1:] or PARTS:
    PARTS[part]()
