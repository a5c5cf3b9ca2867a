#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What windows cost: one session of all windows of a file, and a session for each window.

    windows.py FILE [--window 10] [--hop 10] [--length 4] [--rounds 3]

Both read the same clips; the rounds alternate, and the figures are medians. Then the growth of resident memory from a
session with windows of ten times that length to one with windows of this length, after a session of each has run.
"""

import argparse
import statistics
import time

import codecpatch


def resident_kib() -> int:
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


def read_windows(path: str, window: float, hop: float, options: dict) -> list:
    sections = []
    with codecpatch.open(path, window=window, hop=hop, **options) as session:
        for clip in session:
            sections.append((clip.start, clip.stop))
    return sections


def timed(read) -> tuple:
    wall, cpu = time.perf_counter(), time.process_time()
    result = read()
    return time.perf_counter() - wall, time.process_time() - cpu, result


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("file")
    parser.add_argument("--window", type=float, default=10)
    parser.add_argument("--hop", type=float)
    parser.add_argument("--length", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    path, window, hop = arguments.file, arguments.window, arguments.hop or arguments.window
    options = {"sequence_length": arguments.length, "k_keep": 256}

    def alone() -> None:
        for start, stop in sections:
            codecpatch.read(path, start=start, stop=stop, **options)

    sections = read_windows(path, window, hop, options)
    together_times, alone_times = [], []
    for _ in range(arguments.rounds):
        together_times.append(timed(lambda: read_windows(path, window, hop, options))[:2])
        alone_times.append(timed(alone)[:2])
    for name, column in (("wall", 0), ("CPU", 1)):
        together = statistics.median(times[column] for times in together_times)
        single = statistics.median(times[column] for times in alone_times)
        print(
            f"{name}: {len(sections)} windows {together:.2f} s, as many sessions {single:.2f} s: {single / together:.2f}"
        )

    memory = []
    for factor in (10, 1, 10, 1):
        read_windows(path, window * factor, hop * factor, options)
        memory.append(resident_kib())
    print(f"memory: {memory[2]} KiB after windows of {10 * window} s, {memory[3] - memory[2]:+d} KiB after all of {window} s")


if __name__ == "__main__":
    main()
