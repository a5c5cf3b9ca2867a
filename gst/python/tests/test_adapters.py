# SPDX-License-Identifier: LGPL-2.1-or-later
"""Adapters: beside slow references, here and in the shared folder, where there is one."""

from __future__ import annotations

import importlib.util
import itertools
import math

import codecpatch
import numpy
import pytest
from codecpatch import _tensors, adapters
from codecpatch.adapters import _pixels
from support import SHARED, array, run_python

CLIP = ((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711))
HALF = ((0.5,) * 3, (0.5,) * 3)
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def shared_layouts():
    path = SHARED / "oracle" / "layouts.py"
    if not path.exists():
        return None
    spec = importlib.util.spec_from_file_location("layouts", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


LAYOUTS = shared_layouts()
needs_layouts = pytest.mark.skipif(LAYOUTS is None, reason="there is no shared folder")
rng = numpy.random.default_rng(7)


# --- The references ---


def normal(code: int, channel: int, statistics) -> numpy.float32:
    mean, std = (numpy.float32(numpy.float64(numpy.float32(values[channel])) * 255) for values in statistics)
    return (numpy.float32(code) - mean) / std


def table(statistics) -> numpy.ndarray:
    """[channel, code]"""
    return numpy.float32([[normal(code, channel, statistics) for code in range(256)] for channel in range(3)])


def slow_videos(frames: numpy.ndarray, statistics) -> numpy.ndarray:
    codes = table(statistics)
    return numpy.stack([codes[channel][frames[..., channel]] for channel in range(3)], 1)[None]


def slow_blocks(rows: int, columns: int):
    """Row and column of each patch, in block order."""
    for down, across, row, column in itertools.product(range(rows // 2), range(columns // 2), range(2), range(2)):
        yield 2 * down + row, 2 * across + column


def slow_qwen(frames: numpy.ndarray, patch: int, statistics) -> numpy.ndarray:
    if len(frames) % 2:
        frames = numpy.concatenate([frames, frames[-1:]])
    video = slow_videos(frames, statistics)[0]
    rows, columns = frames.shape[1] // patch, frames.shape[2] // patch
    return numpy.stack(
        [
            video[t : t + 2, :, y * patch : (y + 1) * patch, x * patch : (x + 1) * patch].swapaxes(0, 1).ravel()
            for t in range(0, len(frames), 2)
            for y, x in slow_blocks(rows, columns)
        ]
    )


def slow_canvases(canvases: numpy.ndarray, positions: numpy.ndarray, patch: int):
    video = slow_videos(canvases, CLIP)[0]
    rows, columns = canvases.shape[1] // patch, canvases.shape[2] // patch
    places = [(n, y, x) for n in range(len(canvases)) for y, x in slow_blocks(rows, columns)]
    values = [video[n, :, y * patch : (y + 1) * patch, x * patch : (x + 1) * patch].ravel() for n, y, x in places]
    return numpy.stack(values), numpy.stack([positions[(n * rows + y) * columns + x] for n, y, x in places])


def slow_packed(patches: numpy.ndarray, side: int) -> numpy.ndarray:
    codes, size = table(CLIP), patches.shape[-1]
    out = numpy.empty((1, 3, len(patches) // side**2, side * size, side * size), "f4")
    for k, c in itertools.product(range(len(patches)), range(3)):
        y, x = k // side % side * size, k % side * size
        out[0, c, k // side**2, y : y + size, x : x + size] = codes[c][patches[k, c]]
    return out


# --- Clips made by hand ---


def tensor(values: numpy.ndarray):
    return values if _tensors.framework().__name__ == "numpy" else _tensors.framework().from_numpy(values)


def noise(*shape: int) -> numpy.ndarray:
    return rng.integers(0, 256, shape, dtype=numpy.uint8)


def frames_clip(frames: numpy.ndarray, ids: list[int] | None = None, **metadata) -> codecpatch.Clip:
    ids = list(range(len(frames))) if ids is None else ids
    common = {"sampled_frame_ids": ids, "fps": 30, "duration_sec": 4.0, "start": -1, "stop": -1}
    return codecpatch.Clip({"frames": tensor(frames)}, {**common, **metadata})


def canvases_clip(count: int, rows: int, columns: int, patch: int, **metadata) -> codecpatch.Clip:
    """Canvases of whole blocks in ascending order, of frames from 3 on, several frames a canvas."""
    blocks = rows * columns // 4
    places = numpy.sort(rng.choice(blocks * (count + 2), blocks * count, replace=False))
    positions = numpy.empty((count, rows, columns, 3), numpy.int64)
    for index, place in enumerate(places):
        canvas, slot = divmod(index, blocks)
        frame, block = divmod(int(place), blocks)
        for row, column in itertools.product(range(2), range(2)):
            at = [2 * (slot // (columns // 2)) + row, 2 * (slot % (columns // 2)) + column]
            source = [2 * (block // (columns // 2)) + row, 2 * (block % (columns // 2)) + column]
            positions[canvas, at[0], at[1]] = [3 + 10 * frame, *source]
    tensors = {
        "canvases": tensor(noise(count, rows * patch, columns * patch, 3)),
        "patch_positions": tensor(positions.reshape(-1, 3)),
    }
    common = {"patch_size": patch, "grid_height": rows, "grid_width": columns, "fps": 29.97}
    return codecpatch.Clip(tensors, {**common, **metadata})


def patches_clip(frames: int, rows: int, columns: int, kept: int, size: int) -> codecpatch.Clip:
    places = numpy.sort(rng.choice(frames * rows * columns, kept, replace=False))
    fields = numpy.zeros((kept, 6), numpy.int64)
    fields[:, 0], fields[:, 3] = places // (rows * columns), places
    fields[:, 1] = 5 * fields[:, 0]
    fields[:, 4], fields[:, 5] = places // columns % rows, places % columns
    tensors = {"patches": tensor(noise(kept, 3, size, size)), "meta_fields": tensor(fields)}
    metadata = {"grid_height": rows, "grid_width": columns, "sampled_frame_ids": [5 * i for i in range(frames)]}
    return codecpatch.Clip(tensors, metadata)


def same(found, expected: numpy.ndarray) -> None:
    """The same type, shape, values."""
    assert (array(found).dtype, array(found).shape) == (expected.dtype, expected.shape)
    assert type(found) is type(tensor(expected))
    numpy.testing.assert_array_equal(array(found), expected)


# --- LLaVA-OneVision-2 ---

GRIDS = [(1, 2, 2, 1), (2, 4, 6, 3), (3, 12, 22, 14), (4, 6, 4, 16)]


@pytest.mark.parametrize("count, rows, columns, patch", GRIDS)
def test_canvases(count, rows, columns, patch):
    clip = canvases_clip(count, rows, columns, patch)
    inputs = adapters.llava_onevision2(clip)
    values, positions = slow_canvases(array(clip.canvases), array(clip.patch_positions), patch)
    same(inputs.pixel_values, values)
    same(inputs.patch_positions, positions)
    same(inputs.image_grid_thw, numpy.int64([[1, rows, columns]] * count))
    assert list(inputs.tensors) == ["pixel_values", "image_grid_thw", "patch_positions"]
    frames = positions[:, 0].tolist()
    expected = [(f"<{frame / 29.97:.1f} seconds>", len(list(run)) // 4) for frame, run in itertools.groupby(frames)]
    assert inputs.prompt_runs == [expected]
    assert sum(number for _, number in expected) * 4 == len(values)


@needs_layouts
@pytest.mark.parametrize("count, rows, columns, patch", GRIDS)
def test_canvases_of_the_shared_oracle(count, rows, columns, patch):
    clip = canvases_clip(count, rows, columns, patch)
    inputs = adapters.llava_onevision2(clip)
    oracle = LAYOUTS.model_inputs(array(clip.canvases), array(clip.patch_positions), patch)
    for name, expected in oracle.items():
        same(inputs.tensors[name], expected)
    assert inputs.prompt_runs == [LAYOUTS.prompt_runs(oracle["patch_positions"], 29.97)]


def test_canvases_of_several_clips():
    clips = [canvases_clip(2, 4, 6, 2), canvases_clip(1, 2, 8, 2, fps=25)]
    inputs, parts = adapters.llava_onevision2(clips), [adapters.llava_onevision2(clip) for clip in clips]
    for name, found in inputs.tensors.items():
        same(found, numpy.concatenate([array(part.tensors[name]) for part in parts]))
    assert inputs.prompt_runs == [part.prompt_runs[0] for part in parts]


def test_canvases_without_patches_are_left_out():
    clip = canvases_clip(3, 4, 4, 2)
    positions = array(clip.patch_positions)  # not a copy
    positions.reshape(3, 16, 3)[1] = -1
    inputs = adapters.llava_onevision2(clip)
    assert array(inputs.image_grid_thw).tolist() == [[1, 4, 4]] * 2
    assert (array(inputs.patch_positions) >= 0).all()
    positions[0] = -1
    with pytest.raises(ValueError, match="partly empty"):
        adapters.llava_onevision2(clip)
    positions[:] = -1
    assert array(adapters.llava_onevision2(clip).pixel_values).shape == (0, 12)


def test_canvases_that_do_not_fit():
    for metadata, match in [
        ({"grid_height": 3}, "must be even"),
        ({"grid_height": 6}, "do not have the shape"),
        ({"patch_size": 3}, "do not have the shape"),
        ({"fps": 0}, "frame rate of the clip is unknown"),
    ]:
        with pytest.raises(ValueError, match=match):
            adapters.llava_onevision2(canvases_clip(2, 4, 4, 2, **metadata))
    assert adapters.llava_onevision2(canvases_clip(2, 4, 4, 2, fps=0), fps=10).prompt_runs[0][0][0] == "<0.3 seconds>"
    with pytest.raises(ValueError, match='output="canvases" is needed, but this one has only frames'):
        adapters.llava_onevision2(frames_clip(noise(2, 4, 4, 3)))
    with pytest.raises(ValueError, match="no clip"):
        adapters.llava_onevision2([])


# --- OneVision-Encoder ---


@pytest.mark.parametrize("frames, rows, columns, packed, size, side", [(64, 4, 4, 3, 2, 4), (8, 16, 16, 2, 1, 16)])
def test_packed_patches(frames, rows, columns, packed, size, side):
    clip = patches_clip(frames, rows, columns, packed * side**2, size)
    inputs = adapters.onevision_encoder(clip)
    same(inputs.pixel_values, slow_packed(array(clip.patches), side))
    fields = array(clip.meta_fields)
    times = numpy.int64([position * 63 // (frames - 1) for position in fields[:, 0].tolist()])
    same(inputs.visible_indices, (times * side**2 + fields[:, 4] * side + fields[:, 5])[None])
    same(inputs.patch_positions, numpy.stack([times, fields[:, 4], fields[:, 5]], 1)[None])
    assert list(inputs.tensors) == ["pixel_values", "visible_indices"]
    if LAYOUTS:
        same(inputs.pixel_values, LAYOUTS.ov_encoder_video(array(clip.patches), side))


def test_packed_patches_of_another_grid():
    clip = patches_clip(32, 12, 22, 512, 2)
    inputs = adapters.onevision_encoder(clip)
    assert inputs.visible_indices is None and list(inputs.tensors) == ["pixel_values", "patch_positions"]
    same(inputs.pixel_values, slow_packed(array(clip.patches), 16))
    assert array(inputs.patch_positions)[0, :, 1:].tolist() == array(clip.meta_fields)[:, 4:].tolist()
    same(adapters.onevision_encoder(clip, 8).pixel_values, slow_packed(array(clip.patches), 8))
    assert adapters.onevision_encoder(patches_clip(4, 4, 4, 16, 2), 2).visible_indices is None


def test_patches_that_do_not_fit():
    with pytest.raises(ValueError, match="divisible by 16"):
        adapters.onevision_encoder(patches_clip(4, 12, 22, 255, 2))
    with pytest.raises(ValueError, match="no patches"):
        adapters.onevision_encoder(patches_clip(4, 16, 16, 0, 2))
    with pytest.raises(ValueError, match="64 times, but the clip has 65"):
        adapters.onevision_encoder(patches_clip(65, 2, 2, 4, 2))
    with pytest.raises(ValueError, match='output="patches" is needed'):
        adapters.onevision_encoder(frames_clip(noise(2, 4, 4, 3)))
    clip = patches_clip(4, 2, 2, 4, 2)
    with pytest.raises(ValueError, match="must be uint8, not float32"):
        scaled = {**clip.tensors, "patches": tensor(numpy.zeros((4, 3, 2, 2), "f4"))}
        adapters.onevision_encoder(codecpatch.Clip(scaled, clip.metadata))


# --- Qwen ---

SIZES = [(1, 1, 1), (2, 2, 3), (5, 3, 1), (8, 2, 2)]


@pytest.mark.parametrize("count, down, across", SIZES)
@pytest.mark.parametrize("model, patch, statistics", [("qwen2", 14, CLIP), ("qwen2.5", 14, CLIP), ("qwen3", 16, HALF)])
def test_qwen(model, patch, statistics, count, down, across):
    frames = noise(count, 2 * patch * down, 2 * patch * across, 3)
    inputs = adapters.qwen_vl(frames_clip(frames), model)
    same(inputs.pixel_values_videos, slow_qwen(frames, patch, statistics))
    same(inputs.video_grid_thw, numpy.int64([[(count + 1) // 2, 2 * down, 2 * across]]))
    assert ("second_per_grid_ts" in inputs.tensors) == (model == "qwen2.5")
    assert sum(number for _, number in inputs.prompt_runs[0]) == (count + 1) // 2 * down * across
    same(adapters.qwen_vl(tensor(frames), model).pixel_values_videos, array(inputs.pixel_values_videos))
    if LAYOUTS:
        mean, std = map(numpy.float32, statistics)
        rows, grid = LAYOUTS.qwen_rows(frames, patch, mean=mean, std=std)
        same(inputs.pixel_values_videos, rows)
        same(inputs.video_grid_thw, grid[None])


def test_qwen_of_several_videos():
    videos = [frames_clip(noise(3, 32, 64, 3)), tensor(noise(2, 64, 32, 3))]
    inputs, parts = adapters.qwen_vl(videos), [adapters.qwen_vl(video) for video in videos]
    for name, found in inputs.tensors.items():
        same(found, numpy.concatenate([array(part.tensors[name]) for part in parts]))
    assert inputs.video_metadata == [part.video_metadata[0] for part in parts]


def test_times_of_qwen():
    ids = [0, 30, 59, 89, 119]
    clip = frames_clip(noise(5, 28, 28, 3), ids)
    inputs = adapters.qwen_vl(clip, "qwen2.5")
    assert array(inputs.second_per_grid_ts).tolist() == [numpy.float32(2 / (5 / 120 * 30))]
    data = inputs.video_metadata[0]
    assert (data["fps"], data["frames_indices"], data["total_num_frames"], data["duration"]) == (30, ids, 120, 4)
    section = frames_clip(noise(4, 28, 28, 3), [30, 40, 50, 59], start=1_000_000_000, stop=2_000_000_000)
    assert array(adapters.qwen_vl(section, "qwen2.5").second_per_grid_ts).tolist() == [0.5]
    part = frames_clip(noise(4, 28, 28, 3), [40, 50, 60, 70], clip_length=4)
    assert array(adapters.qwen_vl(part, "qwen2.5").second_per_grid_ts).tolist() == [numpy.float32(2 / 3)]
    runs = adapters.qwen_vl(frames_clip(noise(5, 32, 64, 3), ids)).prompt_runs[0]
    assert runs == [("<0.5 seconds>", 2), ("<2.5 seconds>", 2), ("<4.0 seconds>", 2)]
    plain = adapters.qwen_vl(tensor(noise(4, 28, 28, 3)), "qwen2.5", fps=4)
    assert array(plain.second_per_grid_ts).tolist() == [0.5]


def test_frames_that_do_not_fit_qwen():
    for frames, match in [
        (noise(2, 28, 30, 3), "divisible by 28, not 28x30"),
        (noise(2, 28, 28, 4), r"shape \[any, any, any, 3\]"),
        (noise(0, 28, 28, 3), "shape"),
        (noise(2, 28, 28, 3).astype("f4"), "must be uint8, not float32"),
    ]:
        with pytest.raises(ValueError, match=match):
            adapters.qwen_vl(frames_clip(frames), "qwen2")
    with pytest.raises(ValueError, match="one of qwen2, qwen2.5, qwen3"):
        adapters.qwen_vl(frames_clip(noise(2, 28, 28, 3)), "qwen1")
    with pytest.raises(ValueError, match="frame rate of the clip is unknown"):
        adapters.qwen_vl(frames_clip(noise(2, 28, 28, 3), fps=0), "qwen2.5")
    with pytest.raises(ValueError, match='output="frames" is needed, but this one has only patches'):
        adapters.qwen_vl(patches_clip(4, 2, 2, 4, 2))
    with pytest.raises(ValueError, match="not str"):
        adapters.qwen_vl(["v.mp4"])


def test_options_of_qwen():
    known = {"total_frames": 300, "video_fps": 30.0}
    options = adapters.qwen_vl_options("qwen2.5", **known)
    ids = options.pop("frame_indices")
    assert len(ids) == 20 and (ids[0], ids[1], ids[-1]) == (0, 16, 299)
    assert options == {
        "output": "frames",
        "resample": "bicubic",
        "size_rule": "floor",
        "align": 28,
        "min_pixels": 128 * 28**2,
        "max_pixels": 768 * 28**2,
    }
    assert adapters.qwen_vl_options("qwen3")["align"] == 32
    assert adapters.qwen_vl_options()["fps"] == 2.0 and adapters.qwen_vl_options(max_frames=9)["max_frames"] == 8
    assert adapters.qwen_vl_options(nframes=7)["sequence_length"] == 8

    def count(**more):
        return len(adapters.qwen_vl_options(**{**known, **more})["frame_indices"])

    assert (count(total_frames=5), count(total_frames=40), count(total_frames=60)) == (4, 4, 4)
    assert (count(fps=0.7), count(nframes=9), count(max_frames=7), count(total_frames=10**6)) == (6, 8, 6, 768)
    assert count(total_frames=20, min_frames=5) == 6
    long = adapters.qwen_vl_options("qwen2", total_frames=10**6, video_fps=30.0)
    assert long["max_pixels"] == int(128000 * 28**2 * 0.9 / 768 * 2)
    assert adapters.qwen_vl_options("qwen2", max_pixels=200000, **known)["max_pixels"] == 200000
    assert adapters.qwen_vl_options("qwen2", total_pixels=1, **known)["max_pixels"] == int(128 * 28**2 * 1.05)
    for wrong, match in [
        ({"nframes": 4, "fps": 1.0}, "exclude each other"),
        ({"total_frames": 5}, "go together"),
        ({"total_frames": 1, "video_fps": 30.0}, "from 2 to 1"),
        ({"total_frames": 0, "video_fps": 30.0}, "more than 0"),
        ({"nframes": 1}, "2 or more"),
        ({"max_pixels": 100}, "is more than max_pixels"),
    ]:
        with pytest.raises(ValueError, match=match):
            adapters.qwen_vl_options(**wrong)


# --- VideoMAE and V-JEPA 2 ---


@pytest.mark.parametrize("adapter, statistics", [(adapters.videomae, HALF), (adapters.vjepa2, IMAGENET)])
def test_videos(adapter, statistics):
    for shape in [(2, 16, 16, 3), (16, 32, 48, 3)]:
        frames = noise(*shape)
        same(adapter(frames_clip(frames)), slow_videos(frames, statistics))
        same(adapter([tensor(frames), frames_clip(frames)]), numpy.repeat(slow_videos(frames, statistics), 2, 0))
    if LAYOUTS:
        mean, std = map(numpy.float32, statistics)
        same(adapter(tensor(frames)), LAYOUTS.normalise(frames, mean, std).transpose(0, 3, 1, 2)[None])
    with pytest.raises(ValueError, match="must be even, not 3"):
        adapter(tensor(noise(3, 16, 16, 3)))
    with pytest.raises(ValueError, match="divisible by 16, not 16x24"):
        adapter(tensor(noise(2, 16, 24, 3)))
    with pytest.raises(ValueError, match="must be alike"):
        adapter([tensor(noise(2, 16, 16, 3)), tensor(noise(4, 16, 16, 3))])
    with pytest.raises(ValueError, match='output="frames" is needed'):
        adapter(patches_clip(4, 2, 2, 4, 2))


@needs_layouts
def test_tubelets_of_the_shared_oracle():
    frames = noise(4, 32, 48, 3)
    video = array(adapters.videomae(tensor(frames)))[0]
    tubelets = video.reshape(2, 2, 3, 2, 16, 3, 16).transpose(0, 3, 5, 1, 4, 6, 2).reshape(12, -1)
    numpy.testing.assert_array_equal(tubelets, LAYOUTS.tubelet_rows(frames))


# --- All of them ---


def test_without_the_other_framework(monkeypatch):
    """PyTorch's tensors without NumPy, as on a GPU; and NumPy's arrays without PyTorch."""
    frames = frames_clip(noise(5, 64, 32, 3))
    canvases, patches = canvases_clip(3, 4, 6, 2), patches_clip(9, 4, 4, 32, 3)

    def results(change=lambda value: value):
        def changed(clip):
            return codecpatch.Clip({name: change(value) for name, value in clip.tensors.items()}, clip.metadata)

        tensors = [
            adapters.qwen_vl(changed(frames)).pixel_values_videos,
            adapters.videomae(changed(frames).frames[:4]),
            adapters.vjepa2(changed(frames).frames[:4]),
            *adapters.llava_onevision2(changed(canvases))[:3],
            *adapters.onevision_encoder(changed(patches)),
        ]
        return [array(value) for value in tensors]

    expected = results()
    for found, wanted in zip(results(array), expected):
        numpy.testing.assert_array_equal(found, wanted)
    if _tensors.framework().__name__ == "torch":
        monkeypatch.setattr(_pixels, "to_work", lambda value: value)
        monkeypatch.setattr(_pixels, "_AT_ONCE", 2)
        for found, wanted in zip(results(), expected):
            numpy.testing.assert_array_equal(found, wanted)


def test_inputs_are_not_written_to():
    frames = noise(2, 32, 32, 3)
    clip = frames_clip(frames.copy())
    adapters.qwen_vl(clip), adapters.videomae(clip)
    numpy.testing.assert_array_equal(array(clip.frames), frames)


def test_importing_starts_nothing():
    code = "import codecpatch.adapters, sys; print([name for name in ('torch', 'numpy') if name in sys.modules])"
    assert run_python(code).strip() == "[]"


def test_files(clip):
    probe = codecpatch.read(clip, output="frames", sequence_length=1)
    total = round(probe.duration_sec * probe.fps)
    assert total == 60
    options = adapters.qwen_vl_options("qwen2.5", total_frames=total, video_fps=probe.fps)
    read = codecpatch.read(clip, **options)
    assert read.sampled_frame_ids == [0, 20, 39, 59]
    inputs = adapters.qwen_vl(read, "qwen2.5")
    _, rows, columns = array(inputs.video_grid_thw)[0].tolist()
    assert rows % 2 == columns % 2 == 0 and 128 <= rows * columns // 4 <= 768
    assert math.isclose(rows / columns, 240 / 320, rel_tol=0.1)
    same(inputs.pixel_values_videos, slow_qwen(array(read.frames), 14, CLIP))
    assert array(inputs.second_per_grid_ts).tolist() == [1.0]

    read = codecpatch.read(clip, output="frames", sequence_length=16, width=224, height=224)
    same(adapters.videomae(read), slow_videos(array(read.frames), HALF))
    read = codecpatch.read(clip, sequence_length=16, k_keep=512, output_dtype="u8")
    packed = adapters.onevision_encoder(read)
    same(packed.pixel_values, slow_packed(array(read.patches), 16))
    with pytest.raises(ValueError, match='output="canvases" is needed, but this one has only patches'):
        adapters.llava_onevision2(read)


def test_canvases_of_files(clip):
    read = codecpatch.read(clip, output="canvases", canvases=3, sequence_length=8)
    inputs = adapters.llava_onevision2(read)
    values, positions = slow_canvases(array(read.canvases), array(read.patch_positions), 14)
    same(inputs.pixel_values, values)
    same(inputs.patch_positions, positions)
