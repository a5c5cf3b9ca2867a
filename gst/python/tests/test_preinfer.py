# SPDX-License-Identifier: LGPL-2.1-or-later
"""codecpatch-preinfer. The reader here knows nothing but the format that docs/preinfer.md describes."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time

import codecpatch
import pytest
from support import SHARED, array, make_clip, make_two_tracks, run_python

numpy = pytest.importorskip("numpy")

from codecpatch import _folders, _grouping, _mp4, _replenishment, preinfer  # noqa: E402

HAS_PILLOW = importlib.util.find_spec("PIL") is not None
needs_pillow = pytest.mark.skipif(not HAS_PILLOW, reason="Pillow is not installed: no JPEG and PNG canvases")
# The call of those who start it.
CALL = (
    *("--grouping_mode", "readiness", "--group_size", "32", "--images_per_group", "4", "--patch", "14"),
    *("--max_pixels", "12000", "--readiness_sum_threshold", "0", "--min_group_frames", "8"),
    *("--max_group_frames", "64", "--avoid_keyframes", "--canvas_format", "npy"),
)


def call(clip, to, *options, expected=0):
    arguments = ["--video", str(clip), "--out_dir", str(to), *CALL, *options]
    try:
        code = preinfer.main(arguments)
    except SystemExit as end:
        code = end.code
    assert code == expected
    return to


def read_folder(folder):
    """Canvases [n, H, W, 3], positions [n, rows, columns, 3], frame ids, and meta.json."""
    meta = json.loads((folder / "meta.json").read_text())
    rows, columns = meta["hb_wb"]
    images = []
    for name in meta["canvas_files"]:
        if name.endswith(".npy"):
            images.append(numpy.load(folder / name))
        else:
            from PIL import Image

            images.append(numpy.asarray(Image.open(folder / name).convert("RGB")))
    positions = numpy.load(folder / "src_patch_position.npy")
    ids = numpy.load(folder / "frame_ids.npy")
    assert positions.dtype == ids.dtype == numpy.int32
    return numpy.stack(images), positions.reshape(len(images), rows, columns, 3), ids, meta


def check_folder(folder, clip, frames, track=0):
    """Checks all that the format promises, and compares each patch with the source."""
    ids = numpy.load(folder / "frame_ids.npy").tolist()
    assert len(ids) == frames
    source = codecpatch.read(
        clip, output="frames", frame_indices=ids, max_pixels=12000, min_pixels=3136, align=28, size_rule="floor",
        resample="area", decode_backend="cpu", video_track=track,
    ).frames
    return check_format(folder, dict(zip(ids, array(source))))


def check_format(folder, by_id, patch=14, max_pixels=12000, images=4):
    """The same with the sampled frames at the size of the canvases, by index."""
    canvases, positions, ids, meta = read_folder(folder)
    rows, columns = meta["hb_wb"]
    height, width = meta["processed_hw"]
    assert (height, width) == (rows * patch, columns * patch) and height * width <= max_pixels
    assert rows % 2 == columns % 2 == 0 and canvases.shape == (meta["total_images"], height, width, 3)
    assert meta["fps"] in (25, pytest.approx(29.97, abs=0.001), 30) and ids.tolist() == sorted(by_id)
    assert ids.tolist() == [each for group in meta["groups"] for each in group["frame_ids"]]
    assert [group["group_idx"] for group in meta["groups"]] == list(range(len(meta["groups"])))
    assert sum(group["images_per_group"] for group in meta["groups"]) == len(canvases)
    first = 0
    for group in meta["groups"]:
        count = group["images_per_group"]
        assert count == min(images, len(group["frame_ids"]))
        blocks = []
        for canvas, where in zip(canvases[first : first + count], positions[first : first + count]):
            for row in range(0, rows, 2):
                for column in range(0, columns, 2):
                    frame, h, w = where[row, column].tolist()
                    assert frame in group["frame_ids"] and h % 2 == w % 2 == 0
                    expected = [[[frame, h, w], [frame, h, w + 1]], [[frame, h + 1, w], [frame, h + 1, w + 1]]]
                    assert where[row : row + 2, column : column + 2].tolist() == expected
                    blocks.append((frame, h, w))
                    shown = canvas[row * patch : (row + 2) * patch, column * patch : (column + 2) * patch]
                    pixels = by_id[frame][h * patch : (h + 2) * patch, w * patch : (w + 2) * patch]
                    assert (shown == pixels).all()
        assert blocks == sorted(set(blocks)) and len(blocks) == count * rows * columns // 4
        assert blocks[: rows * columns // 4] == [
            (group["frame_ids"][0], h, w) for h in range(0, rows, 2) for w in range(0, columns, 2)
        ]
        first += count
    assert first == len(canvases)
    return meta


@pytest.fixture(scope="module")
def long_clip(tmp_path_factory):
    """150 frames, key frames every 30."""
    return make_clip(tmp_path_factory.mktemp("clips") / "long.mp4", frames=150)


@pytest.mark.parametrize(
    "options, frames",
    [
        (["--num_sampled_frames", "48"], 48),
        (["--num_sampled_frames", "48", "--grouping_mode", "fixed", "--group_size", "20"], 48),
        (["--num_sampled_frames", "3"], 3),
        (["--num_sampled_frames", "1"], 1),
        (["--num_sampled_frames", "1000", "--no_avoid_keyframes"], 60),
        (["--frame_sampling_mode", "fps", "--sample_fps", "5"], 10),
    ],
)
def test_folder(clip, tmp_path, options, frames):
    check_folder(call(clip, tmp_path / "deep" / "out", *options), clip, frames)
    assert os.listdir(tmp_path) == ["deep"] and os.listdir(tmp_path / "deep") == ["out"]


def random_frames(random, count, height, width):
    """Frames some parts of which stay as they were, as in a video; sometimes all of them."""
    frames = random.integers(0, 256, (count, height, width, 3), numpy.uint8)
    stays = random.choice([0.0, 0.5, 0.9, 1.0])
    for frame in range(1, count):
        kept = random.random((height // 4, width // 4)) < stays
        kept = kept.repeat(4, axis=0).repeat(4, axis=1)
        frames[frame][kept] = frames[frame - 1][kept]
    return frames


@pytest.mark.slow
@pytest.mark.slow
def test_random_clips(tmp_path, monkeypatch):
    """200 of them, of any size, number of frames and options, without decoding."""
    for seed in range(200):
        random = numpy.random.default_rng(seed)

        def draw(low, high):
            return int(random.integers(low, high + 1))  # noqa: B023

        patch, rows, columns = 2 * draw(1, 3), draw(1, 4), draw(1, 4)
        count, wanted = draw(1, 90), draw(1, 120)
        source = random_frames(random, count, 2 * patch * rows, 2 * patch * columns)
        keys = sorted(random.choice(count, draw(0, count), replace=False).tolist())
        video = preinfer._Video("made", 0, count, 30.0, *source.shape[1:3])
        least = draw(1, 12)
        options = {
            **{"num_sampled_frames": wanted, "group_size": draw(1, 40), "images_per_group": draw(1, 6), "patch": patch},
            **{"min_group_frames": least, "max_group_frames": least + draw(0, 50)},
            **{"grouping_mode": ["fixed", "readiness"][draw(0, 1)], "max_pixels": source[0, ..., 0].size},
        }

        def frames(video, ids, args, at_once):
            for begin in range(0, len(ids), at_once):
                yield source[ids[begin : begin + at_once]]  # noqa: B023

        monkeypatch.setattr(preinfer, "_probe", lambda *_: video)  # noqa: B023
        monkeypatch.setattr(preinfer, "_frames", frames)
        monkeypatch.setattr(_mp4, "key_samples", lambda *_: keys)  # noqa: B023
        words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        out = call("made", tmp_path / str(seed), *words)
        ids = numpy.load(out / "frame_ids.npy").tolist()
        assert len(ids) == min(count, wanted), options
        by_id = {each: source[each] for each in ids}
        check_format(out, by_id, patch, options["max_pixels"], options["images_per_group"])
        for each in json.loads((out / "meta.json").read_text())["groups"]:
            most = options["group_size" if options["grouping_mode"] == "fixed" else "max_group_frames"]
            assert 0 < len(each["frame_ids"]) <= most


def test_tracks(tmp_path):
    path = make_two_tracks(tmp_path / "two.mp4")
    for track, frames, height, width in ((0, 20, 120, 160), (1, 30, 240, 320), (-1, 30, 240, 320)):
        options = ("--num_sampled_frames", "64", "--video-track", str(track))
        meta = check_folder(call(path, tmp_path / f"out{track}", *options), path, frames, track)
        assert meta["orig_hw"] == [height, width] and meta["total_frames"] == frames


@pytest.mark.skipif(not (SHARED / "videos" / "nasa_13013.mp4").exists(), reason="there is no nasa_13013.mp4")
def test_tracks_of_a_real_file(tmp_path):
    path = SHARED / "videos" / "nasa_13013.mp4"
    for track, frames, size in ((0, 325, [180, 320]), (1, 390, [270, 480])):
        options = ("--num_sampled_frames", "40", "--video-track", str(track))
        meta = check_folder(call(path, tmp_path / f"out{track}", *options), path, 40, track)
        assert meta["orig_hw"] == size and meta["total_frames"] == frames


@needs_pillow
def test_png_is_exact(clip, tmp_path):
    folder = call(clip, tmp_path / "out", "--num_sampled_frames", "12", "--canvas_format", "png")
    check_folder(folder, clip, 12)
    assert (folder / "canvas_003.png").exists()


@needs_pillow
def test_jpeg(clip, tmp_path):
    from PIL import Image, JpegImagePlugin

    options = ("--num_sampled_frames", "12", "--canvas_format", "jpg")
    canvases, positions, _, _ = read_folder(call(clip, tmp_path / "jpg", *options))
    exact, same, _, _ = read_folder(call(clip, tmp_path / "npy", *options[:2]))
    assert (positions == same).all() and numpy.abs(canvases.astype(int) - exact).mean() < 8
    assert JpegImagePlugin.get_sampling(Image.open(tmp_path / "jpg" / "canvas_000.jpg")) == 2


def test_readiness(long_clip, tmp_path):
    meta = check_folder(call(long_clip, tmp_path / "out", "--num_sampled_frames", "150"), long_clip, 150)
    lengths = [len(group["frame_ids"]) for group in meta["groups"]]
    assert len(lengths) <= 5 and min(lengths) >= 8 and max(lengths) <= 64


def test_readiness_by_scores():
    scores = numpy.zeros((96, 10), numpy.float32)
    assert _grouping.by_readiness(scores, 4, 32, 8, 64) == [(0, 64), (64, 96)]
    scores[60:90] = numpy.arange(30)[:, None] + 1  # all that changes
    groups = _grouping.by_readiness(scores, 4, 32, 8, 64)
    assert groups[0][0] == 0 and groups[-1][1] == 96 and len(groups) <= 3
    assert all(end == begin for (_, end), (begin, _) in zip(groups, groups[1:]))
    assert 8 <= min(end - begin for begin, end in groups) < 20
    for count in range(1, 80):
        groups = _grouping.by_readiness(numpy.ones((count, 4), numpy.float32), 2, 16, 8, 24)
        assert [frame for begin, end in groups for frame in range(begin, end)] == list(range(count))
        assert all(end - begin <= 24 for begin, end in groups)
        assert len(groups) <= -(-count // 16) and (count < 8 or min(end - begin for begin, end in groups) >= 8)


def test_ranking_is_that_of_the_library(tmp_path):
    """Equal samples, because the video is RGB of the size of the canvases."""
    path = tmp_path / "rgb.avi"
    subprocess.run(
        [
            *("gst-launch-1.0", "-q", "videotestsrc", "num-buffers=12", "pattern=ball", "!"),
            *("video/x-raw,format=BGR,width=168,height=112,framerate=30/1", "!", "avimux", "!"),
            *("filesink", f"location={path}"),
        ],
        check=True, stdin=subprocess.DEVNULL, timeout=60,
    )
    options = {"sequence_length": 12, "decode_backend": "cpu", "min_pixels": 18816, "max_pixels": 18816}
    theirs = codecpatch.read(path, output="canvases", canvases=3, ranking="replenishment", **options)
    frames = array(codecpatch.read(path, output="frames", sequence_length=12, decode_backend="cpu").frames)
    scores = _replenishment.scores(frames, 28)
    ours, positions = _replenishment.packed(frames, theirs.sampled_frame_ids, _replenishment.selected(scores, 3), 14)
    numpy.testing.assert_array_equal(positions, array(theirs.patch_positions))
    numpy.testing.assert_array_equal(ours, array(theirs.canvases))


def slow_scores(frames):
    """Section 8 of docs/spec.md for one place, word by word: the scores of frames 1 to T - 1, before division."""

    def hold(a, end):
        return sum(int(((frames[a] - frames[t]) ** 2).sum()) for t in range(a, end))

    count, result, score = len(frames), {}, -1
    kept = list(range(count))
    while len(kept) > 1:
        gains = []
        for before, frame, after in zip(kept, kept[1:], [*kept[2:], count]):
            gains.append((hold(before, after) - hold(before, frame) - hold(frame, after), -frame))
        gain, frame = min(gains)
        result[-frame] = score = max(gain, score + 1)
        kept.remove(-frame)
    return [result[frame] for frame in range(1, count)]


@pytest.mark.parametrize(
    "count, side, height, width", [(1, 4, 8, 4), (2, 28, 28, 56), (9, 6, 12, 18), (3, 80, 80, 160)]
)
def test_scores_are_those_of_the_specification(count, side, height, width):
    random = numpy.random.default_rng(count)
    frames = random.choice(numpy.array([0, 1, 90, 255], numpy.uint8), (count, height, width, 3))
    frames[count // 2, :, : width // 2] = frames[0, :, : width // 2]  # a tie, and a place that does not change
    found = _replenishment.scores(frames, side)
    assert found.shape == (count, height // side * (width // side)) and found.dtype == numpy.float32
    for place in range(found.shape[1]):
        row, column = divmod(place, width // side)
        block = frames[:, row * side : (row + 1) * side, column * side : (column + 1) * side].astype(numpy.int64)
        expected = numpy.array(slow_scores(block), numpy.float64) / (3 * side * side)
        assert found[1:, place].tolist() == expected.astype(numpy.float32).tolist()


@pytest.mark.parametrize(
    "shape, side", [((2, 8, 8), 3), ((2, 8, 8), 0), ((0, 8, 8), 4), ((1, 8, 9), 4), ((2, 1, 0), 1)]
)
def test_scores_refuse_impossible_sizes(shape, side):
    scores = numpy.empty(1, numpy.float32).ctypes.data
    assert not codecpatch._library.library().cps_replenishment_scores(scores, *shape, side, scores)


def test_key_frames(clip, long_clip, tmp_path):
    assert _mp4.key_samples(clip, 0, 60) == [0, 30]
    assert _mp4.key_samples(clip, 1, 60) is None and _mp4.key_samples(__file__, 0, 60) is None
    broken = tmp_path / "broken.mp4"
    data = clip.read_bytes()
    for end in range(0, len(data), 997):
        broken.write_bytes(data[:end] + data[end + 5 :])
        _mp4.key_samples(broken, 0, 60)
    _, _, ids, _ = read_folder(call(long_clip, tmp_path / "out", "--num_sampled_frames", "150"))
    assert ids.tolist() == list(range(150))
    _, _, ids, _ = read_folder(call(long_clip, tmp_path / "out", "--num_sampled_frames", "6"))
    assert ids.tolist() == [1, 29, 59, 89, 119, 149]  # 0 is a key frame
    # Another container: the same frames, as decoding tells.
    other = tmp_path / "clip.mkv"
    line = ("gst-launch-1.0", "-q", "filesrc", f"location={clip}", "!", "qtdemux", "!", "h264parse", "!", "matroskamux")
    subprocess.run([*line, "!", "filesink", f"location={other}"], check=True, stdin=subprocess.DEVNULL, timeout=60)
    for count in ("3", "31", "60"):
        expected = read_folder(call(clip, tmp_path / "out", "--num_sampled_frames", count))[2].tolist()
        assert read_folder(call(other, tmp_path / "out", "--num_sampled_frames", count))[2].tolist() == expected


@pytest.mark.parametrize(
    "ids, keys, expected",
    [
        ([0, 5, 9], {0, 5}, [1, 6, 9]),
        ([5], {5, 6}, [4]),
        ([5], {4, 5, 6, 7}, [3]),
        ([9], {9}, [8]),
        ([5], set(range(10)), [5]),
        ([0, 1, 2], {0}, [1, 2, 3]),
        (list(range(10)), {0, 5}, list(range(10))),
    ],
)
def test_off_key_frames(ids, keys, expected):
    assert _grouping.off_key_frames(ids, 10, keys.__contains__) == expected
    asked = []

    def read(frames):
        asked.extend(frames)
        return [frame in keys for frame in frames]

    assert _grouping.KeyFrames(read).avoid(ids, 10) == expected
    assert len(asked) == len(set(asked))


@pytest.mark.parametrize(
    "options, code, message",
    [
        (["--patch", "0"], 2, "argument --patch: must be 1 or more"),
        (["--max_pixels", "783"], 2, "do not hold a block of 28x28"),
        (["--num_sampled_frames", "0"], 2, "--num_sampled_frames: must be 1 or more"),
        (["--num_sampled_frames", "many"], 2, "invalid"),
        (["--canvas_format", "gif"], 2, "invalid choice"),
        (["--block_size", "3"], 2, "blocks have 2x2 patches"),
        (["--max_group_frames", "4"], 2, "must not be less than --min_group_frames"),
        (["--sample_fps", "0"], 2, "--sample_fps"),
        (["--thread_count", "-1"], 2, "--thread_count: must be 0 to 1024"),
        (["--unheard_of"], 2, "unrecognized arguments: --unheard_of"),
        (["--video", "/nowhere/at/all.mp4"], 1, "no such file"),
        (["--video", __file__], 1, ""),
        (["--video-track", "5"], 1, "track"),
        (["--out_dir", __file__], 1, "not a folder"),
        (["--out_dir", __file__ + "/below"], 1, "not a folder"),
        (["--out_dir", "/proc/out"], 1, "/proc"),
    ],
)
def test_refusals(clip, tmp_path, capfd, options, code, message):
    call(clip, tmp_path / "above" / "out", *options, expected=code)
    _, told = capfd.readouterr()
    assert message in told and told.count("\n") == 1 and told.startswith("codecpatch-preinfer: ")
    assert os.listdir(tmp_path) == []


def test_notes(clip, tmp_path, capfd):
    options = ("--bitcost_grid", "mb", "--parallel_segments", "3", "--save_mask_video", "--thread_count", "1")
    call(clip, tmp_path / "out", "--num_sampled_frames", "4", *options)
    told = capfd.readouterr().err.splitlines()
    assert [line.split()[1] for line in told] == ["--bitcost_grid", "--save_mask_video", "--parallel_segments"]


def test_existing_folder(clip, tmp_path):
    out = tmp_path / "out"
    out.mkdir(mode=0o700)
    call(clip, out, "--num_sampled_frames", "40")  # as a consumer that makes the folder first
    assert out.stat().st_mode & 0o777 == 0o700
    (out / "note.txt").write_text("keep")
    (out / "canvas_099.npy").write_text("old")
    call(clip, out, "--num_sampled_frames", "2")
    meta = check_folder(out, clip, 2)
    assert sorted(os.listdir(out)) == sorted([*meta["canvas_files"], "meta.json", "frame_ids.npy", "note.txt",
                                              "src_patch_position.npy"])
    before = {name: (out / name).read_bytes() for name in os.listdir(out)}
    call(__file__, out, expected=1)
    assert before == {name: (out / name).read_bytes() for name in os.listdir(out)}
    assert os.listdir(tmp_path) == ["out"]


@pytest.mark.parametrize("after", [0, 2, 4])
def test_full_disk(clip, tmp_path, monkeypatch, capfd, after):
    written = []
    write = preinfer._write_canvas

    def fail(path, *rest):
        if len(written) == after:
            raise OSError(28, "No space left on device")
        written.append(path)
        write(path, *rest)

    monkeypatch.setattr(preinfer, "_write_canvas", fail)
    call(clip, tmp_path / "out", expected=1)
    assert "No space left on device" in capfd.readouterr().err and os.listdir(tmp_path) == []


@pytest.mark.parametrize("number, leaves", [(signal.SIGTERM, 0), (signal.SIGKILL, 1)])
def test_killed(clip, tmp_path, number, leaves):
    code = """
import sys, time
from codecpatch import preinfer
write = preinfer._write_canvas
def slowly(*arguments):
    write(*arguments)
    print("written", flush=True)
    time.sleep(60)
preinfer._write_canvas = slowly
preinfer.run()
"""
    arguments = ["--video", str(clip), "--out_dir", str(tmp_path / "out"), *CALL]
    process = subprocess.Popen([sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "written\n"
    process.send_signal(number)
    assert process.wait(30) in (128 + number, -number)
    time.sleep(0.05)
    names = os.listdir(tmp_path)
    assert "out" not in names and len(names) == leaves
    process.stdout.close()
    call(clip, tmp_path / "out", "--num_sampled_frames", "4")
    assert os.listdir(tmp_path) == ["out"]


def test_folders_of_others_stay(tmp_path):
    """What another process still writes, what belongs to another folder, and what another machine has left."""
    with _folders.written_whole(str(tmp_path / "out")) as first:
        with _folders.written_whole(str(tmp_path / "out")) as second:
            assert os.path.isdir(first) and os.path.isdir(second) and first != second
        assert os.path.isdir(first) and not os.path.exists(second)
    foreign = [".out.0123-abcdefgh.part", ".other.part", ".out.part", ".out"]
    own = f".other.{_folders._boot_id()}-abcdefgh.part"
    for name in (*foreign, own):
        (tmp_path / name).mkdir()
    (tmp_path / own.replace("other", "out")).write_text("a file")
    (tmp_path / own.replace("other", "out").replace("abc", "xyz")).symlink_to(tmp_path / ".out")
    with _folders.written_whole(str(tmp_path / "out")):
        pass
    assert len(os.listdir(tmp_path)) == len(foreign) + 4
    with _folders.written_whole(str(tmp_path / "other")):
        pass
    assert own not in os.listdir(tmp_path)


def test_as_a_program(clip, tmp_path):
    arguments = ["--video", str(clip), "--out_dir", str(tmp_path / "out"), *CALL]
    done = subprocess.run(
        [sys.executable, "-m", "codecpatch.preinfer", *arguments], capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0 and done.stderr == "" and json.loads(done.stdout)["total_images"] == 8
    check_folder(tmp_path / "out", clip, 60)


def test_without_pillow(clip, tmp_path):
    told = run_python(
        "import sys, importlib.util; find = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *_: None if name == 'PIL' else find(name, *_)\n"
        "from codecpatch import preinfer; preinfer.run()",
        *("--video", clip, "--out_dir", tmp_path / "out", *CALL, "--canvas_format", "jpg"),
        fails=True,
    )
    assert told == "codecpatch-preinfer: Pillow must be installed: pip install codecpatch[preinfer].\n"
    assert os.listdir(tmp_path) == []
