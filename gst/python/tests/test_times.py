# SPDX-License-Identifier: LGPL-2.1-or-later
"""One time line: counts, frames and times by the word of a full decode with FFmpeg, whatever the container has of them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import codecpatch
import numpy
import pytest
from codecpatch import CodecPatchError

NS = 1_000_000_000


def ffmpeg(*arguments: str | Path) -> None:
    command = ["ffmpeg", "-hide_banner", "-loglevel", "error", "-nostdin", "-y", *map(str, arguments)]
    subprocess.run(command, check=True, timeout=100)


def decoded_times(path: Path) -> list[float]:
    """When FFmpeg shows each frame, in seconds."""
    command = ["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "frame=best_effort_timestamp_time"]
    out = subprocess.run([*command, "-of", "json", str(path)], check=True, capture_output=True, timeout=100).stdout
    return [float(frame.get("best_effort_timestamp_time", "nan")) for frame in json.loads(out)["frames"]]


def decoded_frames(path: Path, width: int, height: int) -> numpy.ndarray:
    """The luma of each frame that FFmpeg shows."""
    command = ["ffmpeg", "-loglevel", "error", "-nostdin", "-i", str(path), "-map", "0:v:0", "-vsync", "0", "-pix_fmt"]
    out = subprocess.run([*command, "gray", "-f", "rawvideo", "-"], check=True, capture_output=True, timeout=100).stdout
    return numpy.frombuffer(out, "u1").reshape(-1, height, width)


def source(rate: str, seconds: float = 4) -> list[str]:
    return ["-f", "lavfi", "-i", f"testsrc=size=160x96:rate={rate}:duration={seconds}", "-pix_fmt", "yuv420p"]


def tone(seconds: float) -> list[str]:
    return ["-f", "lavfi", "-i", f"sine=duration={seconds}"]


X264 = ["-c:v", "libx264", "-preset", "veryfast", "-g", "25", "-bf", "2"]
# Containers, and what makes one of them: each rounds time in its own way, and some stamp only a part of the pictures.
CONTAINERS = {
    "mp4": X264,
    "mov": [*X264, "-video_track_timescale", "600"],
    "fragmented.mp4": [*X264, "-movflags", "frag_keyframe+empty_moov"],
    "mkv": X264,
    "ts": X264,
    "flv": X264,
    "avi": X264,
    "mpg": ["-c:v", "mpeg2video", "-b:v", "2M", "-bf", "2"],
    "vob": ["-c:v", "mpeg2video", "-b:v", "2M", "-bf", "2"],
    "webm": ["-c:v", "libvpx", "-b:v", "500k"],
    "mpeg4.avi": ["-c:v", "mpeg4", "-bf", "2"],
    "raw.avi": ["-c:v", "rawvideo"],
    "raw.nut": ["-c:v", "rawvideo"],
    "raw.mkv": ["-c:v", "rawvideo", "-allow_raw_vfw", "1"],
    "ogv": ["-c:v", "libtheora", "-b:v", "500k"],
}


@pytest.mark.slow
@pytest.mark.parametrize("rate", ["24000/1001", "25", "30000/1001", "60"])
@pytest.mark.parametrize("container", CONTAINERS)
def test_same_content_has_the_same_frames_at_a_rate(container, rate, tmp_path):
    if container in ("mpg", "vob", "ogv") and rate == "60":
        pytest.skip("enough")
    path = tmp_path / f"clip.{container}"
    ffmpeg(*source(rate), *CONTAINERS[container], path)
    number, per = (*map(int, rate.split("/")), 1)[:2]
    total = len(decoded_times(path))
    for fps in (1, 2, 5):
        clip = codecpatch.read(path, sample_fps=fps, k_keep=16)
        # i / fps < total * per / number - a quarter of a frame
        expected = -(-fps * per * (4 * total - 1) // (4 * number))
        assert len(clip.sampled_frame_ids) == expected, (container, rate, fps)
        assert clip.sampled_frame_ids == sorted(set(clip.sampled_frame_ids))
        nearest = [-(-(2 * i * number - fps * per) // (2 * fps * per)) for i in range(expected)]
        assert max(abs(a - b) for a, b in zip(clip.sampled_frame_ids, nearest)) <= 1  # of a rounded tie, either


@pytest.mark.parametrize("container", ["avi", "mkv", "mp4"])
def test_frames_that_were_dropped(container, tmp_path):
    """A camera that lost frames: time goes on, numbers do not."""
    path = tmp_path / f"clip.{container}"
    keep = "select='lt(n,30)+gt(n,80)*mod(n,3)'"
    ffmpeg(*source("30", 6), "-vf", keep, "-vsync", "0", *X264, path)
    clip = codecpatch.read(path, sample_fps=2, k_keep=16)
    assert clip.sampled_frame_ids == sorted(clip.sampled_frame_ids)
    times = [t / NS for t in clip.pts_ns]
    assert times == sorted(times)
    assert len(times) in (12, 13)  # the average interval, of which a quarter is left, has the gap in it
    assert max(abs(t - i / 2) for i, t in enumerate(times) if not 1 < i / 2 < 2.7) < 0.05
    codecpatch.read(path, k_keep=16, on_error="fail")  # it is whole


@pytest.mark.parametrize("audio", [False, True])
def test_video_that_begins_late(audio, tmp_path):
    """Behind an empty edit: it is whole, and a section of it is what is shown then."""
    path, film = tmp_path / "late.mp4", tmp_path / "film.mp4"
    ffmpeg(*source("30", 4), *X264, film)
    sound = [*tone(8), "-map", "0:v", "-map", "1:a", "-c:a", "aac"] if audio else []
    ffmpeg("-itsoffset", "4", "-i", film, *sound, "-c:v", "copy", path)
    clip = codecpatch.read(path, start=5, stop=6, sample_fps=2, k_keep=16, on_error="fail")
    assert [round(t / NS, 3) for t in clip.pts_ns] == [5.0, 5.5]
    assert clip.sampled_frame_ids == [30, 45]
    whole = codecpatch.read(path, sequence_length=8, k_keep=16, on_error="fail")
    assert whole.pts_ns[0] == 4 * NS and whole.duration_sec == pytest.approx(4)


# --- Edit lists ---


def boxes(data: bytes, begin: int, end: int):
    while begin + 8 <= end:
        size = int.from_bytes(data[begin : begin + 4], "big")
        yield data[begin + 4 : begin + 8], begin, begin + size
        begin += size


def edit(path: Path, to: Path, entries: list[tuple[int, int]], track: int = 0) -> Path:
    """Writes the file with another edit list: durations in the movie's time scale, times in the track's."""

    def rebuild(data: bytes, tracks: list[int]) -> bytes:
        out = b""
        for kind, begin, end in boxes(data, 0, len(data)):
            content = data[begin + 8 : end]
            if kind == b"moov":
                content = rebuild(content, tracks)
            elif kind == b"trak":
                tracks.append(1)
                if len(tracks) - 1 == track:
                    parts = [content[b:e] for k, b, e in boxes(content, 0, len(content)) if k != b"edts"]
                    table = b"".join(d.to_bytes(4, "big") + t.to_bytes(4, "big", signed=True) + b"\0\1\0\0" for d, t in entries)
                    table = (16 + len(table)).to_bytes(4, "big") + b"elst\0\0\0\0" + len(entries).to_bytes(4, "big") + table
                    parts.insert(1, (8 + len(table)).to_bytes(4, "big") + b"edts" + table)
                    content = b"".join(parts)
            out += (len(content) + 8).to_bytes(4, "big") + kind + content
        return out

    to.write_bytes(rebuild(path.read_bytes(), []))  # the header is at the end, so that nothing else moves
    return to


TRACK = 15360  # the time scale that 30 frames a second get: 512 a frame
EDITS = {
    "all": [(4000, 1024)],
    "the beginning": [(3000, TRACK)],
    "from a B frame on": [(2000, TRACK + 1024 + 512)],
    "both ends": [(1500, TRACK + 1024 + 512 * 7)],
    "three in a row": [(500, 1024), (500, 1024 + TRACK // 2), (1000, 1024 + TRACK)],
    "two with a hole": [(750, 1024), (1000, 1024 + 2 * TRACK)],
    "later": [(2000, -1), (1000, 1024 + TRACK)],
    "the last frame only": [(100, 1024 + 512 * 119)],
}


@pytest.fixture(scope="module")
def film(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    ffmpeg(*source("30", 4), *X264, path)
    return path


@pytest.mark.parametrize("edits", EDITS)
def test_edit_lists(edits, film, tmp_path):
    path = edit(film, tmp_path / "edited.mp4", EDITS[edits])
    times = decoded_times(path)
    luma = decoded_frames(path, 160, 96)
    assert len(times) == len(luma)
    clip = codecpatch.read(path, output="frames", sequence_length=16, on_error="fail")
    count = len(luma)
    assert clip.sampled_frame_ids == [i * (count - 1) // 15 for i in range(16)], count
    for at, (index, frame) in enumerate(zip(clip.sampled_frame_ids, numpy.asarray(clip.frames))):
        gray = frame @ numpy.array([0.299, 0.587, 0.114])
        off = [abs(gray - 255 / 219 * (y.astype(float) - 16)).mean() for y in luma]
        assert off[index] <= min(off) + 0.2, (at, index)
    begin = 2 if edits == "later" else 0
    assert begin <= clip.pts_ns[0] / NS < begin + 1 / 30
    since = [(t - clip.pts_ns[0]) / NS for t in clip.pts_ns]
    assert since == pytest.approx([times[i] - times[0] for i in clip.sampled_frame_ids], abs=0.02)


def test_edit_lists_that_ffmpeg_takes_otherwise(film, tmp_path):
    """By ISO/IEC 14496-12, 8.6.6: FFmpeg shows nothing of the first, and takes the pause for frames from -1 on."""
    path = edit(film, tmp_path / "open.mp4", [(0, 1024)])
    assert codecpatch.read(path, k_keep=16, on_error="fail").sampled_frame_ids[-1] == 119
    path = edit(film, tmp_path / "pause.mp4", [(1000, 1024), (1500, -1), (1000, 1024 + TRACK)])
    clip = codecpatch.read(path, k_keep=16, sequence_length=60, on_error="fail")
    assert clip.sampled_frame_ids == list(range(60))
    assert [round(t / NS, 2) for t in clip.pts_ns[28:32]] == [0.93, 0.97, 2.5, 2.53]


def test_last_frames_without_an_edit_list(film, tmp_path):
    """Composition times are later than decode times, by which durations go."""
    data = film.read_bytes()
    path = tmp_path / "bare.mp4"
    path.write_bytes(data.replace(b"edts", b"free"))
    clip = codecpatch.read(path, frame_ids=[0, 118, 119], k_keep=16, on_error="fail")
    assert [round(t / NS * 30) for t in clip.pts_ns] == [2, 120, 121]
    with pytest.raises(ValueError, match="0 to 119"):
        codecpatch.read(path, frame_ids=[120], k_keep=16)


@pytest.mark.parametrize("edits", ["from a B frame on", "three in a row", "later"])
def test_sections_of_edited_files(edits, film, tmp_path):
    path = edit(film, tmp_path / "edited.mp4", EDITS[edits])
    whole = codecpatch.read(path, frame_ids=list(range(len(decoded_times(path)))), k_keep=16)
    at = 2.5 if edits == "later" else 0.5
    section = codecpatch.read(path, start=at, stop=at + 0.4, sequence_length=5, k_keep=16)
    inside = [i for i, t in zip(whole.sampled_frame_ids, whole.pts_ns) if at * NS <= t < (at + 0.4) * NS]
    assert section.sampled_frame_ids == [inside[i * (len(inside) - 1) // 4] for i in range(5)]


# --- Whole or not ---


def test_truncated(film, tmp_path):
    path = tmp_path / "cut.mp4"
    fast = tmp_path / "fast.mp4"
    ffmpeg("-i", film, "-c", "copy", "-movflags", "faststart", fast)
    path.write_bytes(fast.read_bytes()[: fast.stat().st_size // 2])
    with pytest.raises(CodecPatchError, match=r"truncated: its pictures end at [0-9.]+ of 4\.[01] seconds"):
        codecpatch.read(path, on_error="fail")
    with pytest.warns(codecpatch.CodecPatchWarning, match="truncated"):
        clip = codecpatch.read(path, on_error="substitute", k_keep=16)
    assert clip.sampled_frame_ids[-1] < 100


def test_fragments_of_something_longer(film, tmp_path):
    """The header of a segment of a stream tells of the whole stream: the segment is whole."""
    path = tmp_path / "part.mp4"
    ffmpeg("-i", film, "-c", "copy", "-movflags", "frag_keyframe+empty_moov", path)
    data = bytearray(path.read_bytes())
    at = data.index(b"mvhd") + 20
    data[at : at + 4] = (3_900_000).to_bytes(4, "big")
    path.write_bytes(data)
    assert codecpatch.read(path, on_error="fail", k_keep=16).sampled_frame_ids[-1] == 119


def test_time_that_goes_back(film, tmp_path):
    """Numbers tell the frames apart, times do not: sampling by time is refused with the reason."""
    path = tmp_path / "twice.mkv"
    part = tmp_path / "part.mkv"
    ffmpeg("-i", film, "-c", "copy", part)
    data = part.read_bytes()
    cluster, cues, segment = data.index(bytes.fromhex("1F43B675")), data.rindex(bytes.fromhex("1C53BB6B")), data.index(bytes.fromhex("18538067"))
    data = data[: segment + 4] + b"\x01" + 7 * b"\xff" + data[segment + 12 : cues]  # of unknown size
    path.write_bytes(data + data[cluster:])
    assert len(codecpatch.read(path, sequence_length=4, k_keep=16).sampled_frame_ids) == 4
    with pytest.raises(ValueError, match="cannot be sampled by time, because its time stamps go back"):
        codecpatch.read(path, sample_fps=1, k_keep=16)
