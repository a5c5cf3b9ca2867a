# SPDX-License-Identifier: LGPL-2.1-or-later
"""For ci/peers-video.sh: peers-video.py --gi PYTHON [--jobs N] [--videos N] [--rounds N] [FILE...]

How frames are compared, exactly and without a conversion of colours in common: ffmpeg writes the luma of all frames. A
reading by codecpatch without an index, which decodes everything, gives the luma and the RGB of each frame, both of the
same buffer (peers-video-frames.py). Its luma must equal ffmpeg's, byte for byte; then each frame of a Video must equal
the RGB of the frame that ffmpeg and ffprobe say. torchcodec converts colours otherwise, so that its frames are compared
by their times, and by their distance in RGB.

Fails if anything differs, except what the table explains.
"""

from __future__ import annotations

import argparse
import bisect
import concurrent.futures
import contextlib
import fractions
import hashlib
import json
import multiprocessing
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import codecpatch
import numpy

HERE = Path(__file__).resolve().parent
SHARED = Path(os.environ["CPS_SHARED_DIR"])
TICK = 2e-6  # seconds: ffprobe's rates of time and GStreamer's nanoseconds round
FAR = 16  # mean levels of RGB between two converters of one frame

# (name, end of a file's name in ../shared, or the options of ffmpeg that make it, what is known to differ and why)
MOVING = "testsrc2=size=320x176:rate=25:duration=4"
TABLE = [
    ("H.264 in MP4", "shaka-player__test_test_assets_small.mp4", ""),
    ("H.264 in MP4, B frames", "nasa_13013.mp4", ""),
    ("H.264 in MOV", "test_video_66x50.mov", ""),
    ("H.264 in Matroska", "video_h264_anim.mkv", ""),
    ("H.264 in Matroska, open GOPs", ("mkv", "libx264", "-x264-params", "open-gop=1:keyint=24:min-keyint=24:bframes=3"), ""),
    ("H.264 in TS", "test-no-audio-segment.ts", ""),
    ("H.264 in FLV", "srs-bench_avatar.flv", ""),
    ("H.264 in AVI", ("avi", "libx264", "-bf", "0", "-g", "30"), ""),
    ("H.264, raw", "res_CI_MW_D.264", "torchcodec does not read raw streams; ours have no times and no rate"),
    ("H.264, an edit list", "mov-1elist-ends-last-bframe.mp4", ""),
    ("H.264, an edit list of mediabunny", "mediabunny__test_public_edts.mp4", ""),
    ("H.264, two edit lists", "mov-2elist-elist1-ends-bframe.mp4", ""),
    ("H.264, fragments", "mp4_fragmented_captions.mp4", ""),
    ("H.264, rotated by 90 degrees", "testdata_color_matrix_90_deg_clockwise.mp4", ""),
    ("H.264, rotated by 270 degrees", "testdata_color_matrix_270_deg_clockwise.mp4", ""),
    ("H.264, variable rate", ("mkv", "libx264", "-vf", "select='not(mod(n,7))+gt(mod(n,11),4)'", "-g", "20"), ""),
    ("H.264, variable rate, MP4", ("mp4", "libx264", "-vf", "select='not(mod(n,5))+gt(mod(n,13),6)'", "-g", "20"), ""),
    ("H.264, interlaced", ("ts", "libx264", "-flags", "+ildct+ilme", "-x264-params", "tff=1:keyint=24"), ""),
    ("H.264, 10 bits", "torchcodec__test_resources_h264_10bits.mp4", ""),
    ("H.265 in MP4", "mp4_h265_bframes.mp4", ""),
    ("H.265, 10 bits", "h265_10bits.mp4", ""),
    ("H.265, an edit list", "ed_hevc.mp4", ""),
    ("H.265 in TS", "ts_sample_h265_rps_pred.ts", ""),
    ("H.265, open GOPs", ("mkv", "libx265", "-x265-params", "keyint=24:open-gop=1:bframes=3:log-level=none"), ""),
    ("VP8 in WebM", "internal_video_thumbnail_testdata_small.webm", ""),
    ("VP8 in Ogg", "video_vp8_videotest.mp4", ""),
    ("VP9 in WebM", "jcodec__src_test_resources_out9_sm.webm", ""),
    ("VP9 in MP4", "stream_offline_vp9.mp4", ""),
    ("VP9, shown twice", "vp90-2-10-show-existing-frame.mp4", ""),
    ("AV1 in MP4", "mp4_sample_with_av1c.mp4", ""),
    ("AV1 in Matroska", "torchcodec__test_resources_av1_video.mkv", ""),
    ("MPEG-1 in PS", "pygame__examples_data_blue.mpg", ""),
    ("MPEG-2 in TS", ("ts", "mpeg2video", "-g", "12", "-bf", "2"), ""),
    ("MPEG-2 in PS", ("vob", "mpeg2video", "-g", "12", "-bf", "2", "-f", "vob"), ""),
    ("MPEG-4 in AVI", "src_test_assets_media_avi_sample.avi", ""),
    ("MPEG-4 in MP4, B frames", ("mp4", "mpeg4", "-g", "30", "-bf", "2"), ""),
    ("MJPEG in AVI", ("avi", "mjpeg", "-pix_fmt", "yuvj420p"), ""),
    ("MJPEG in MOV", ("mov", "mjpeg", "-pix_fmt", "yuvj420p"), ""),
    ("Theora in Ogg", "tests_files_theora-vorbis.ogg", ""),
    ("WMV 3 in ASF", "test-documents_testWMV.wmv", ""),
    ("H.263 in 3GP", "isoparser_src_test_resources_MOV00006.3gp", ""),
    ("ProRes in MOV", ("mov", "prores_ks", "-t", "1"), ""),
]


def files_of_table(folder: Path) -> list[tuple[str, Path, str]]:
    """Returns (name, path, known) of all files of the table that are there or can be made."""
    places = [*(SHARED / "corpus" / "files").glob("*"), *(SHARED / "videos").glob("*")]
    result = []
    for number, (name, source, known) in enumerate(TABLE):
        if isinstance(source, str):
            path = next((place for place in sorted(places) if place.name.endswith(source)), None)
        else:
            extension, encoder, *options = source
            path = folder / f"made-{number}.{extension}"
            line = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", MOVING, "-fps_mode", "passthrough", "-pix_fmt", "yuv420p"]
            subprocess.run([*line, "-c:v", encoder, *options, "-y", path], check=True, stdin=subprocess.DEVNULL)
        if path is None:
            print(f"left out, because there is no file *{source}: {name}")
        else:
            result.append((name, path, known))
    return result


# --- References ---


class Ffmpeg:
    """What ffmpeg and ffprobe say of the first video track."""

    def __init__(self, path: Path, folder: Path) -> None:
        facts = "stream=index,width,height,avg_frame_rate,time_base,duration:stream_side_data=rotation"
        # The largest, as ffmpeg itself and torchcodec choose.
        tracks = self.probe(path, "v", facts)["streams"]
        stream = max(tracks, key=lambda track: track["width"] * track["height"])
        told = self.probe(path, str(stream["index"]), "frame=key_frame,best_effort_timestamp")
        base = fractions.Fraction(stream["time_base"])
        self.width, self.height = stream["width"], stream["height"]
        sides = [side["rotation"] for side in stream.get("side_data_list", []) if "rotation" in side]
        self.rotation = round(-sides[0]) % 360 if sides else 0
        if self.rotation in (90, 270):
            self.width, self.height = self.height, self.width
        numerator, denominator = map(int, stream["avg_frame_rate"].split("/"))
        self.fps = numerator / denominator if denominator else 0.0
        self.duration = float(stream["duration"]) if "duration" in stream else None
        self.keys = [index for index, frame in enumerate(told["frames"]) if frame["key_frame"]]
        stamps = [frame.get("best_effort_timestamp") for frame in told["frames"]]
        self.times = None if None in stamps else [float(stamp * base) for stamp in stamps]
        luma = folder / "ffmpeg.luma"
        line = ["ffmpeg", "-v", "error", "-noautorotate", "-i", path, "-map", f"0:{stream['index']}"]
        line += ["-fps_mode", "passthrough"]
        subprocess.run([*line, "-vf", "extractplanes=y", "-f", "rawvideo", "-y", luma], check=True, stdin=subprocess.DEVNULL)
        self.count = len(stamps)
        self.luma = numpy.memmap(luma, "u1", "r").reshape(self.count, -1)

    @staticmethod
    def probe(path: Path, streams: str, entries: str) -> dict:
        line = ["ffprobe", "-v", "error", "-select_streams", streams, "-of", "json", "-show_entries", entries, path]
        return json.loads(subprocess.run(line, check=True, capture_output=True).stdout)


class Ours:
    """All frames of a reading without an index: luma, and hashes of RGB."""

    def __init__(self, python: str, path: Path, count: int, height: int, width: int, folder: Path) -> None:
        luma = folder / "ours.luma"
        line = [python, HERE / "peers-video-frames.py", *map(str, (path, count, height, width, luma))]
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        done = subprocess.run(line, capture_output=True, text=True, env=environment, timeout=300)
        if done.returncode:
            raise RuntimeError(f"the reading without an index fails: {done.stderr[-300:]}")
        self.hashes = done.stdout.split()
        self.luma = numpy.memmap(luma, "u1", "r").reshape(len(self.hashes), -1)


class Torchcodec:
    def __init__(self, path: Path) -> None:
        from torchcodec.decoders import VideoDecoder

        self.decoder = VideoDecoder(str(path), seek_mode="exact", num_ffmpeg_threads=1)
        self.count = len(self.decoder)
        height, width = self.decoder.metadata.height, self.decoder.metadata.width
        self.chunk = max(1, (100 << 20) // (3 * height * width))  # frames in memory

    def frames(self, numbers: list, at_times: bool = False):
        """Yields (time, RGB as [3, H, W]) of each number."""
        get = self.decoder.get_frames_played_at if at_times else self.decoder.get_frames_at
        for begin in range(0, len(numbers), self.chunk):
            batch = get(numbers[begin : begin + self.chunk])
            yield from zip(batch.pts_seconds.tolist(), batch.data)


# --- Comparison ---


def hash_of(frame) -> str:
    return hashlib.blake2b(numpy.ascontiguousarray(frame).tobytes(), digest_size=16).hexdigest()


def luma_difference(ours: numpy.ndarray, theirs: numpy.ndarray) -> str:
    """"exact", or how many frames differ, and by how much."""
    if ours.shape != theirs.shape:
        return f"SHAPE {ours.shape} and {theirs.shape}"
    worst = [int(numpy.abs(one.astype("i2") - other).max()) for one, other in zip(ours, theirs)]
    return "exact" if not any(worst) else f"{sum(map(bool, worst))} frames, by {max(worst)} at most"


def requests(rng: random.Random, times: list[float], rounds: int):
    """Yields ("list" | "slice" | "time", the request, the frames that it asks for)."""
    count = len(times)
    for _ in range(rounds):
        numbers = [rng.randrange(-count, count) for _ in range(rng.randint(1, 4))]
        yield "list", numbers, [number % count for number in numbers]
    for _ in range(rounds):
        start, step = rng.randrange(count), rng.choice((1, 1, 2, 5, -1, -3))
        stop = start + step * rng.randint(1, 4)
        part = slice(start, stop if stop >= 0 else None, step)
        yield "slice", part, list(range(count))[part]
    for _ in range(rounds if None not in times else 0):
        numbers = [rng.randrange(count) for _ in range(rng.randint(1, 3))]
        ends = [*times[1:], times[-1] + 1e-3]  # of the last frame only the beginning, because ends are estimates
        # Inside of the interval of a frame, because clocks of different rates round differently at its limits.
        asked = [times[number] + rng.uniform(0.02, 0.98) * (ends[number] - times[number]) for number in numbers]
        yield "time", asked, [bisect.bisect_right(times, time) - 1 for time in asked]


def far_from(ours: list[float], theirs: list[float]) -> str:
    """Compares times, apart from where they begin."""
    if None in ours:
        return "0: we know none" + ("" if theirs else ", nor do they")
    if not theirs:
        return "0: they know none"
    if len(ours) != len(theirs):
        return f"{len(theirs)} FRAMES"
    offset = theirs[0] - ours[0]
    far = sum(abs(b - a - offset) > TICK for a, b in zip(ours, theirs))
    return f"{far or 0}" + (f", begins {offset:+.3f} s" if abs(offset) > TICK else "")


def facts_that_differ(video, ffmpeg: Ffmpeg) -> list[str]:
    interval = 1 / video.fps if video.fps else 0.04
    pairs = {
        "frames": (len(video), ffmpeg.count, 0),
        "fps": (video.fps, ffmpeg.fps, 1e-3 * ffmpeg.fps),
        "duration": (video.duration_sec, ffmpeg.duration, 1.01 * interval),
        "width": (video.width, ffmpeg.width, 0),
        "height": (video.height, ffmpeg.height, 0),
        "rotation": (video.rotation, ffmpeg.rotation, 0),
    }
    told = {name: pair for name, pair in pairs.items() if pair[1] is not None}
    differ = [f"{name} {a or 0:g} and {b:g}" for name, (a, b, within) in told.items() if abs((a or 0) - b) > within]
    if video.key_frames != ffmpeg.keys:
        ours, theirs = set(video.key_frames), set(ffmpeg.keys)
        more, less = sorted(ours - theirs), sorted(theirs - ours)
        differ.append(f"key frames: only ours {more[:5]}, only ffprobe's {less[:5]}")
    return differ


def compare(path: Path, python: str, rounds: int) -> dict:
    with tempfile.TemporaryDirectory() as folder, codecpatch.Video(path, decode_backend="cpu") as video:
        ffmpeg = Ffmpeg(path, Path(folder))
        height, width = video[0].shape[:2]
        ours = Ours(python, path, len(video), height, width, Path(folder))
        row = {"codec": (video.codec or "").removeprefix("video/")}
        row["luma"] = luma_difference(ours.luma, ffmpeg.luma)
        row["facts"] = facts_that_differ(video, ffmpeg)
        times = video.pts_seconds
        row["pts"] = far_from(times, ffmpeg.times or [])
        bad, asked = {"list": 0, "slice": 0, "time": 0}, []
        rng = random.Random(path.name)
        reference = times
        if ffmpeg.times and len(ffmpeg.times) == len(times):
            reference = [time - ffmpeg.times[0] + times[0] for time in ffmpeg.times]
        for kind, request, frames in requests(rng, reference, rounds):
            got = video.frames_at(request) if kind == "time" else video[request]
            bad[kind] += [hash_of(frame) for frame in got] != [ours.hashes[frame] for frame in frames]
            asked.append((kind, request, frames))
        row["bad"] = bad
        row["frames"] = [len(video), ffmpeg.count]
        try:
            row["torchcodec"] = compare_torchcodec(video, Torchcodec(path), asked)
        except Exception as error:  # noqa: BLE001 (it is told)
            row["torchcodec"] = {"error": f"{type(error).__name__}: {str(error).strip().splitlines()[-1][:120]}"}
        return row


def compare_torchcodec(video, peer: Torchcodec, asked: list) -> dict:
    times = video.pts_seconds
    row = {"frames": peer.count, "far": 0.0}
    every = list(range(peer.count))
    peer_times, peer_hashes = [], []
    ours = iter(video)
    for time, frame in peer.frames(every):
        peer_times.append(time)
        peer_hashes.append(hash_of(frame))
        other = next(ours, None)
        if other is not None and tuple(other.shape[:2]) == tuple(frame.shape[1:]):
            distance = numpy.abs(numpy.asarray(other).astype("i2") - frame.permute(1, 2, 0).numpy()).mean()
            row["far"] = max(row["far"], float(distance))
    row["pts"] = far_from(times, peer_times)
    offset = peer_times[0] - (times[0] or 0)
    row["bad"] = {"list": 0, "slice": 0, "time": 0}
    for kind in row["bad"]:
        # All requests of a kind in one call, which is much faster.
        which = [(number, frame) for number, (other, _, frames) in enumerate(asked) if other == kind for frame in frames]
        numbers = [frame for _, frame in which]
        if kind == "time":
            numbers = [time + offset for other, request, _ in asked if other == kind for time in request]
        wrong = set()
        for (request, frame), (time, picture) in zip(which, peer.frames(numbers, kind == "time")):
            if abs(time - peer_times[frame]) > TICK or hash_of(picture) != peer_hashes[frame]:
                wrong.add(request)
        row["bad"][kind] = len(wrong)
    return row


def in_process(path: Path, options: argparse.Namespace) -> dict:
    """Compares one file in a process of its own, because a decoder may crash or hang."""
    context = multiprocessing.get_context("forkserver")
    receive, send = context.Pipe(duplex=False)
    process = context.Process(target=send_result, args=(send, path, options.gi, options.rounds))
    process.start()
    send.close()
    try:
        if not receive.poll(options.timeout):
            return {"failed": f"took more than {options.timeout:g} s"}
        return receive.recv()
    except EOFError:
        process.join()
        return {"failed": f"the process ended with {process.exitcode}"}
    finally:
        process.kill()
        process.join()


def send_result(send, path: Path, python: str, rounds: int) -> None:
    try:
        send.send(compare(path, python, rounds))
    except Exception as error:  # noqa: BLE001 (it is told)
        send.send({"failed": f"{type(error).__name__}: {str(error).strip()[-300:]}"})


# --- Table ---


HEAD = ["file", "codec", "frames, ffmpeg's", "luma", "lists", "slices", "times", "pts"]
HEAD += ["torchcodec: frames", "lists", "slices", "times", "pts", "levels", "facts that differ from ffprobe's"]


def triple(bad: dict) -> list[str]:
    return [str(bad[kind]) for kind in ("list", "slice", "time")]


def findings(row: dict) -> list[str]:
    """What differs."""
    found = [*row["facts"]]
    if row["luma"] != "exact":
        found.append(f"luma differs from ffmpeg's: {row['luma']}")
    found += [f"{count} {kind}s have other frames" for kind, count in row["bad"].items() if count]
    if not row["pts"].startswith("0"):
        found.append(f"pts and ffprobe's: {row['pts']}")
    peer = row["torchcodec"]
    if "error" in peer:
        return [*found, f"torchcodec: {peer['error']}"]
    if not peer["pts"].startswith("0"):
        found.append(f"pts and torchcodec's: {peer['pts']}")
    found += [f"torchcodec has other frames for {count} {kind}s" for kind, count in peer["bad"].items() if count]
    if peer["far"] > FAR:
        found.append(f"torchcodec's pictures are {peer['far']:.1f} levels away")
    return found


def print_row(cells: list[str]) -> None:
    print("| " + " | ".join(cells) + " |", flush=True)


def print_result(row: dict) -> None:
    peer = row["torchcodec"]
    theirs = [peer["error"][:30], "", "", "", "", ""] if "error" in peer else [
        *(str(peer["frames"]), *triple(peer["bad"]), peer["pts"], f"{peer['far']:.1f}")
    ]
    frames = "{} / {}".format(*row["frames"])
    ours = [row["name"], row["codec"], frames, row["luma"], *triple(row["bad"]), row["pts"]]
    print_row([*ours, *theirs, "; ".join(row["facts"])])


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--gi", required=True)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--videos", type=int, help="only the first so many")
    parser.add_argument("--skip", type=int, default=0, help="not the first so many")
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--timeout", type=float, default=600, help="seconds for a file")
    parser.add_argument("files", nargs="*", type=Path)
    options = parser.parse_intermixed_args()
    multiprocessing.set_forkserver_preload(["torchcodec.decoders"])  # importing it takes seconds
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        files = [(path.name[-40:], path, "") for path in options.files] or files_of_table(folder)[options.skip :][: options.videos]
        print(f"{len(files)} files, {options.rounds} lists, slices, times each: how many of them have other frames\n")
        print_row(HEAD)
        print("|" + "---|" * len(HEAD), flush=True)
        pool = stack.enter_context(concurrent.futures.ThreadPoolExecutor(options.jobs))
        running = [(name, known, pool.submit(in_process, path, options)) for name, path, known in files]
        told, bad = [], 0
        for name, known, future in running:
            row = {"name": name, **future.result()}
            if "failed" in row:
                found = [row["failed"]]
                print_row([name, found[0]])
            else:
                found = findings(row)
                print_result(row)
            bad += bool(found) and not known
            if found:
                told.append(f"- {name}: {'; '.join(found)}{f' (known: {known})' if known else ''}")
    print("\nFindings:\n" + "\n".join(told or ["none"]))
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())
