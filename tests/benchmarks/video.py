#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What plans on one codecpatch.Video cost, against the floor and other readers.

    video.py BENCH_PLANS [--plans 100] [--gops 60 250] [--seconds 60] [--peers session torchcodec decord] [FILE...]

BENCH_PLANS is the program build/tests/benchmarks/bench-plans. Without FILE (H.264 in MP4) it makes, for each length of
a GOP, a clip of 1080p with B frames that are references. A plan is 16 frames, evenly spaced in a random section of 1 to
10 s. Each plan is read once by each reader, in an order that changes from plan to plan, so that other load hits all
alike; the first plan of each reader does not count. The figures are sums over the plans, as a ratio to

    floor        libavcodec alone, from memory, with exactly the access units that the plan needs (see plans.cpp)

    Video        video[[...]] on one Video
    session      codecpatch.read(path, frame_indices=...), which indexes the file for each plan
    torchcodec   VideoDecoder(seek_mode="exact"), which is kept, get_frames_at
    decord       VideoReader, which is kept, get_batch

each in a process of its own, all with as many decoding threads as there are processors. Readers return RGB, which the
floor does not make. CPU time is that of the process and its threads. Memory is the resident size after each tenth of the
plans, read by Video alone.
"""

import argparse
import importlib.util
import multiprocessing
import os
import random
import subprocess
import tempfile
import time
from pathlib import Path

import codecpatch

FRAMES = 16
THREADS = os.cpu_count() or 1


def plans_of(video, count):
    rng = random.Random(1)
    result = []
    for _ in range(count):
        length = max(FRAMES, round(video.fps * rng.uniform(1, 10)))
        start = rng.randrange(max(1, len(video) - length))
        result.append([start + i * (min(length, len(video)) - 1) // (FRAMES - 1) for i in range(FRAMES)])
    return result


class Floor:
    """The program that decodes with libavcodec alone; a call is a plan, and returns wall and CPU time."""

    def __init__(self, program, path):
        line = [program, "floor", path, str(THREADS)]
        self.process = subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.units = 0

    def __call__(self, plan):
        self.process.stdin.write(",".join(map(str, plan)) + "\n")
        self.process.stdin.flush()
        units, wall, cpu = self.process.stdout.readline().split()
        self.units += int(units)
        return float(wall), float(cpu)


class Reader:
    """A reader in a process of its own, because what one keeps in memory slows the others down."""

    def __init__(self, name, path):
        context = multiprocessing.get_context("spawn")
        self.pipe, other = context.Pipe()
        context.Process(target=serve, args=(other, name, path), daemon=True).start()

    def __call__(self, plan):
        self.pipe.send(plan)
        return self.pipe.recv()


def serve(pipe, name, path):
    read = READERS[name](path)
    while True:
        plan = pipe.recv()
        wall, cpu = time.perf_counter(), time.process_time()
        frames = read(plan)
        spent = time.perf_counter() - wall, time.process_time() - cpu
        assert len(frames) == FRAMES
        pipe.send(spent)


def video_reader(path):
    video = codecpatch.Video(path, decode_backend="cpu")
    return lambda plan: video[plan]


def session_reader(path):
    return lambda plan: codecpatch.read(path, frame_indices=plan, output="frames", decode_backend="cpu").frames


def torchcodec_reader(path):
    from torchcodec.decoders import VideoDecoder

    decoder = VideoDecoder(path, seek_mode="exact", num_ffmpeg_threads=THREADS)
    return lambda plan: decoder.get_frames_at(plan).data


def decord_reader(path):
    import decord

    reader = decord.VideoReader(path, num_threads=THREADS)
    return lambda plan: reader.get_batch(plan).asnumpy()


READERS = {
    "Video": video_reader,
    "session": session_reader,
    "torchcodec": torchcodec_reader,
    "decord": decord_reader,
}


def resident_mib():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:")) / 1024


def readers_of(program, path, peers):
    readers = {"floor": Floor(program, path), "Video": Reader("Video", path)}
    for name in peers:
        if name == "session" or importlib.util.find_spec(name):
            readers[name] = Reader(name, path)
        else:
            print(f"{name} is not installed")
    return readers


def measure(program, path, count, peers):
    begun = time.process_time()
    video = codecpatch.Video(path, decode_backend="cpu")
    opened = time.process_time() - begun
    print(f"\n{Path(path).name}: {video!r}, opened in {1e3 * opened:.0f} ms of CPU time")
    plans = plans_of(video, count + 1)
    readers = readers_of(program, path, peers)
    spent = {name: [0.0, 0.0] for name in readers}
    rng = random.Random(2)
    for number, plan in enumerate(plans):
        for name in rng.sample(list(readers), len(readers)):
            wall, cpu = readers[name](plan)
            if number:
                spent[name][0] += wall
                spent[name][1] += cpu
            elif name == "floor":
                readers[name].units = 0
    print(f"{count} plans, {readers['floor'].units} access units, {THREADS} threads, load {os.getloadavg()[0]:.1f}\n")
    print("| | wall ms a plan | ratio | CPU ms a plan | ratio |\n|---|---|---|---|---|")
    for name, (wall, cpu) in spent.items():
        floor_wall, floor_cpu = spent["floor"]
        figures = f"{1e3 * wall / count:.1f} | {wall / floor_wall:.2f} | {1e3 * cpu / count:.1f} | {cpu / floor_cpu:.2f}"
        print(f"| {name} | {figures} |", flush=True)
    sizes = []
    for number, plan in enumerate(plans[1:]):
        video[plan]
        if (number + 1) % max(1, count // 10) == 0:
            sizes.append(resident_mib())
    print("\nMiB resident: " + ", ".join(f"{size:.0f}" for size in sizes), flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--plans", type=int, default=100)
    parser.add_argument("--gops", type=int, nargs="*", default=[60, 250])
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--peers", nargs="*", default=["session", "torchcodec", "decord"])
    parser.add_argument("files", nargs="*")
    options = parser.parse_intermixed_args()
    with tempfile.TemporaryDirectory() as folder:
        files = options.files
        for gop in [] if files else options.gops:
            path = f"{folder}/gop{gop}.mp4"
            encoder = f"bframes=3 b-pyramid=true key-int-max={gop}"
            subprocess.run([options.program, "make", path, str(30 * options.seconds), encoder], check=True)
            measure(options.program, path, options.plans, options.peers)
        for path in files:
            measure(options.program, path, options.plans, options.peers)


if __name__ == "__main__":
    main()
