# SPDX-License-Identifier: LGPL-2.1-or-later
"""Pictures of clips against a drawing of their own, from docs/pictures.md and docs/formats.md."""

from __future__ import annotations

import math
import pickle
import struct
import sys
import types
import zlib

import codecpatch
import numpy
import pytest
from support import array, launch, run_python

# Keeps a module from being imported, as if it were not installed.
WITHOUT = "import sys; sys.modules[{!r}] = None; "

BACKGROUND = (48, 48, 48)
LEGEND = 20
VIRIDIS = [(68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37)]
CLIP = {"scale": 1 / 255, "mean": [0.48145466, 0.4578275, 0.40821073], "std": [0.26862954, 0.26130258, 0.27577711]}
SMALL = {"sequence_length": 5, "input_size": 64, "patch_size": 8, "decode_backend": "cpu", "process_backend": "cpu"}

# Names of clips, and how they are read.
CLIPS = {
    "u8": {"k_keep": 120, "output_dtype": "u8"},
    "f16": {"k_keep": 120, "output_dtype": "f16"},
    "bf16": {"k_keep": 120, "output_dtype": "bf16"},
    "f32": {"k_keep": 120, "output_dtype": "f32"},
    "f16, normalised": {"k_keep": 120, "output_dtype": "f16", **CLIP},
    "bf16, normalised": {"k_keep": 120, "output_dtype": "bf16", **CLIP},
    "f32, normalised": {"k_keep": 120, "output_dtype": "f32", **CLIP},
    "f32, mean only": {"k_keep": 120, "output_dtype": "f32", "mean": [10, 20, 30]},
    "odd patches": {"k_keep": 77, "output_dtype": "u8", "patch_size": 7},
    "blocks": {"k_keep": 100, "output_dtype": "u8", "selection_unit": "block2x2"},
    "replenishment": {"k_keep": 120, "output_dtype": "u8", "ranking": "replenishment"},
    "fewer than a frame": {"k_keep": 10, "output_dtype": "u8", "ranking": "replenishment"},
    "one patch": {"k_keep": 1, "output_dtype": "u8"},
    "no patch": {"k_keep": 0, "output_dtype": "u8"},
    "every patch": {"k_keep": 100000, "output_dtype": "u8"},
    "repeated frames": {"k_keep": 200, "output_dtype": "u8", "frame_ids": [0, 7, 7, 0, 40, 7]},
    "canvases": {"output": "canvases", "canvases": 2},
    "a canvas": {"output": "canvases", "canvases": 1, "ranking": "replenishment"},
    "canvases of repeated frames": {"output": "canvases", "canvases": 3, "frame_ids": [0, 7, 7, 0, 40, 7]},
    "frames": {"output": "frames"},
}


def read(clip, name):
    options = {**SMALL, **CLIPS[name]}
    if "frame_ids" in options:
        del options["sequence_length"]
    if options.get("output") == "frames":
        options = {key: options[key] for key in ("output", "sequence_length", "decode_backend", "process_backend")}
    return codecpatch.read(clip, **options)


# --- The drawing to compare with ---


def rgb(values, metadata):
    """The values of an array [..., 3] as bytes."""
    if values.dtype == "u2":  # the bits of bfloat16
        values = (values.astype("u4") << 16).view("f4")
    mean, std = (numpy.array(metadata.get(key) or [default] * 3, "f8") for key, default in (("mean", 0), ("std", 1)))
    return numpy.rint(numpy.clip((values.astype("f8") * std + mean) / metadata.get("scale", 1), 0, 255)).astype("u1")


def rows_of(clip):
    """For each patch: the positions of its frame, its row, its column, its pixels [P, P, 3] and its score."""
    metadata, ids = clip.metadata, clip.sampled_frame_ids
    if "frames" in clip.tensors:
        return [([t], 0, 0, frame, None) for t, frame in enumerate(array(clip.frames))]
    scores = array(clip.meta_scores).tolist()
    if "patches" in clip.tensors:
        pixels = rgb(array(clip.patches).transpose(0, 2, 3, 1), metadata)
        fields = array(clip.meta_fields).tolist()
        return [([field[0]], field[4], field[5], patch, score) for field, patch, score in zip(fields, pixels, scores)]
    canvases, rows = array(clip.canvases), []
    side, height, width = metadata["patch_size"], metadata["grid_height"], metadata["grid_width"]
    for index, (frame, row, column) in enumerate(array(clip.patch_positions).tolist()):
        canvas, y, x = index // (height * width), index // width % height * side, index % width * side
        positions = [position for position, is_frame in enumerate(ids) if is_frame == frame]
        rows.append((positions, row, column, canvases[canvas, y : y + side, x : x + side], scores[index]))
    return rows


def heat(level):
    part = min(level * 4 // 255, 3)
    rest = level * 4 - part * 255
    return [(a * (255 - rest) + b * rest + 127) // 255 for a, b in zip(VIRIDIS[part], VIRIDIS[part + 1])]


def levels_of(rows):
    scores = [score for *_, score in rows]
    low, high = min(scores), max(scores)
    return [round((score - low) / (high - low) * 255) if high > low else 255 for score in scores]


def grid_of(clip):
    if "frames" in clip.tensors:
        return 1, 1, *clip.frames.shape[1:3]
    side = clip.metadata["patch_size"]
    return clip.metadata["grid_height"], clip.metadata["grid_width"], side, side


def draw_mosaic(clip, rows):
    if "canvases" in clip.tensors:
        return array(clip.canvases)
    _, _, high, wide = grid_of(clip)
    columns = max(math.ceil(math.sqrt(len(rows))), 1)
    lines = max(math.ceil(len(rows) / columns), 1)
    picture = numpy.full((1, lines * high, columns * wide, 3), BACKGROUND, "u1")
    for index, (_, _, _, pixels, _) in enumerate(rows):
        y, x = index // columns * high, index % columns * wide
        picture[0, y : y + high, x : x + wide] = pixels
    return picture


def draw(clip, mode, dim=25):
    """Without the text of the legend."""
    rows = rows_of(clip)
    if mode == "mosaic":
        return draw_mosaic(clip, rows)
    lines, columns, high, wide = grid_of(clip)
    levels = levels_of(rows) if mode == "scores" and rows else []
    shape = (lines * high, columns * wide, 3)
    held, known = numpy.full(shape, BACKGROUND, "u1"), numpy.zeros(shape[:2], bool)
    pictures = []
    for position in range(len(clip.sampled_frame_ids)):
        now = numpy.zeros(shape[:2], bool)
        colours = numpy.zeros(shape, "u1")
        for index, (positions, row, column, pixels, _) in enumerate(rows):
            if position in positions:
                place = slice(row * high, row * high + high), slice(column * wide, column * wide + wide)
                held[place], known[place], now[place] = pixels, True, True
                if levels:
                    colours[place] = heat(levels[index])
        picture = held.copy()
        if mode != "hold":
            dimmed = (held.astype(int) * dim + 50) // 100 if dim else numpy.full(shape, BACKGROUND)
            picture = numpy.where((known & ~now)[:, :, None], dimmed, picture).astype("u1")
        if mode == "scores":
            picture = numpy.where(now[:, :, None], colours, picture)
            picture = numpy.concatenate([picture, legend_bar(shape[1])])
        pictures.append(picture)
    return numpy.array(pictures)


def legend_bar(width):
    legend = numpy.zeros((LEGEND, width, 3), "u1")
    legend[2:10] = [heat(255 * x // (width - 1)) for x in range(width)]
    return legend


def assert_drawn(pictures, expected, mode):
    assert pictures.dtype == "uint8" and pictures.shape == expected.shape
    if mode == "scores":  # the kernels' tests know the digits
        text = pictures[:, -8:-1]
        assert ((text == 0).all(axis=3) | (text == 255).all(axis=3)).all()
        pictures, expected = pictures[:, :-8], expected[:, :-8]
    numpy.testing.assert_array_equal(pictures, expected)


# --- The tests ---


@pytest.mark.parametrize("mode", ["sparse", "hold", "mosaic", "scores"])
@pytest.mark.parametrize("name", CLIPS)
def test_golden(clip, name, mode):
    result = read(clip, name)
    if name == "frames" and mode == "scores":
        with pytest.raises(ValueError, match="Whole frames have no scores"):
            result.to_image(mode)
        return
    pictures = result.to_image(mode)
    assert_drawn(pictures, draw(result, mode), mode)
    if mode == "sparse":
        for dim in (0, 70, 100):
            assert_drawn(result.to_image(mode, dim=dim), draw(result, mode, dim), mode)
        numpy.testing.assert_array_equal(result.to_image(mode, dim=100), result.to_image("hold"))
    for index in (0, len(pictures) - 1):
        numpy.testing.assert_array_equal(result.to_image(mode, index), pictures[index])
    numpy.testing.assert_array_equal(result.to_image(mode, -1), pictures[-1])


# All types show the pixels that were selected.
@pytest.mark.parametrize("name", ["f16", "bf16", "f32", "f16, normalised", "bf16, normalised", "f32, normalised"])
def test_types_look_alike(clip, name):
    expected = read(clip, "u8").to_image("hold").astype(int)
    difference = numpy.abs(read(clip, name).to_image("hold").astype(int) - expected)
    assert difference.max() <= 1 and difference.mean() < 0.1


# What is held of all patches is the frame itself, at target size.
def test_every_patch_is_the_frame(clip):
    result = read(clip, "every patch")
    height, width = result.metadata["target_height"], result.metadata["target_width"]
    frames = codecpatch.read(clip, output="frames", sequence_length=5, decode_backend="cpu", width=width, height=height)
    numpy.testing.assert_array_equal(result.to_image("hold"), array(frames.frames))
    numpy.testing.assert_array_equal(result.to_image("sparse"), array(frames.frames))


@pytest.mark.parametrize("mode", ["sparse", "hold", "mosaic", "scores"])
@pytest.mark.parametrize("layout", ["patches", "canvas"])
def test_element_draws_the_same(clip, tmp_path, mode, layout):
    options = {"output": "canvases", "canvases": 2} if layout == "canvas" else {"k_keep": 60, "output_dtype": "f16", **CLIP}
    result = codecpatch.read(clip, sequence_length=4, decode_backend="cpu", **options)
    size = ["output-layout=canvas", "selection-unit=block2x2", "canvases=2"]
    if layout == "patches":
        mean, std = (f"{key}=<{', '.join(map(str, CLIP[key]))}>" for key in ("mean", "std"))
        size = ["k-keep=60", "output-dtype=f16", f"scale={CLIP['scale']!r}", mean, std]
    launch(
        *("patchstreambin", f"uri={clip.as_uri()}", "sequence-length=4", *size, "!"),
        *("patchrender", f"mode={mode}", "background-color=0xff0a141e", "dim=40", "!"),
        *("filesink", f"location={tmp_path / 'pictures.raw'}"),
    )
    expected = result.to_image(mode, background=(10, 20, 30), dim=40)
    raw = numpy.frombuffer((tmp_path / "pictures.raw").read_bytes(), "u1").reshape(*expected.shape[:3], 4)
    numpy.testing.assert_array_equal(raw[..., :3], expected)
    assert (raw[..., 3] == 255).all()


def test_video_file(clip, tmp_path):
    result = codecpatch.read(clip, sequence_length=6, decode_backend="cpu")
    launch(
        *("patchstreambin", f"uri={clip.as_uri()}", "sequence-length=6", "!", "patchrender", "mode=hold", "!"),
        *("videoconvert", "!", "x264enc", "!", "mp4mux", "!", "filesink", f"location={tmp_path / 'sel.mp4'}"),
    )
    video = codecpatch.read(tmp_path / "sel.mp4", output="frames", frame_ids=list(range(6)))
    assert [round(pts / 1e6) for pts in video.pts_ns] == [round(pts / 1e6) for pts in result.pts_ns]
    expected = result.to_image("hold")
    assert array(video.frames).shape == expected.shape
    assert numpy.abs(array(video.frames).astype(int) - expected).mean() < 8


def test_png_files(clip, tmp_path):
    launch(
        *("patchstreambin", f"uri={clip.as_uri()}", "sequence-length=3", "!", "patchrender", "!", "pngenc", "!"),
        *("multifilesink", f"location={tmp_path / '%03d.png'}"),
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["000.png", "001.png", "002.png"]


def decode_png(data):
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, at = [], 8
    while at < len(data):
        (size,) = struct.unpack(">I", data[at : at + 4])
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + size]
        assert struct.unpack(">I", data[at + 8 + size : at + 12 + size]) == (zlib.crc32(kind + body),)
        chunks.append((kind, body))
        at += 12 + size
    assert [kind for kind, _ in chunks] == [b"IHDR", b"IDAT", b"IEND"]
    width, height, *rest = struct.unpack(">IIBBBBB", chunks[0][1])
    assert rest == [8, 2, 0, 0, 0]
    rows = numpy.frombuffer(zlib.decompress(chunks[1][1]), "u1").reshape(height, 1 + 3 * width)
    assert (rows[:, 0] == 0).all()
    return rows[:, 1:].reshape(height, width, 3)


def sheet_of(pictures, columns):
    _, height, width, _ = pictures.shape
    lines = math.ceil(len(pictures) / columns)
    sheet = numpy.full((lines * (height + 4) - 4, columns * (width + 4) - 4, 3), 255, "u1")
    for index, picture in enumerate(pictures):
        y, x = index // columns * (height + 4), index % columns * (width + 4)
        sheet[y : y + height, x : x + width] = picture
    return sheet


@pytest.mark.parametrize("length, columns", [(1, 1), (2, 2), (4, 2), (5, 3)])
def test_notebook(clip, length, columns):
    result = codecpatch.read(clip, sequence_length=length, k_keep=50, input_size=64, patch_size=8)
    sheet = sheet_of(result.to_image(), columns)
    numpy.testing.assert_array_equal(decode_png(result._repr_png_()), sheet)


def test_large_frames_are_small_in_notebooks(clip):
    frames = codecpatch.read(clip, output="frames", sequence_length=3, width=1300, height=40)
    expected = sheet_of(frames.to_image()[:, ::2, ::2], 2)
    numpy.testing.assert_array_equal(decode_png(frames._repr_png_()), expected)


# A clip that has been sent to another process, where nothing has run, and where nothing else is installed.
def test_elsewhere(clip, tmp_path):
    result = read(clip, "bf16")
    (tmp_path / "clip").write_bytes(pickle.dumps(result))
    printed = run_python(
        WITHOUT.format("PIL")
        + """
import pickle, zlib, codecpatch
clip = pickle.load(open(sys.argv[1], "rb"))
print(zlib.crc32(clip.to_image("hold").tobytes()), zlib.crc32(clip._repr_png_()))
try:
    clip.show()
except codecpatch.CodecPatchError as error:
    print(error.code.name, error)
""",
        tmp_path / "clip",
    )
    first, second = printed.splitlines()
    assert first == f"{zlib.crc32(result.to_image('hold').tobytes())} {zlib.crc32(result._repr_png_())}"
    assert second.startswith("SETUP show() needs Pillow")


@pytest.mark.slow
def test_notebooks_without_the_library(clip, tmp_path):
    (tmp_path / "clip").write_bytes(pickle.dumps(read(clip, "u8")))
    printed = run_python(
        "import pickle, sys; clip = pickle.load(open(sys.argv[1], 'rb')); print(clip._repr_png_(), repr(clip)[:17])",
        tmp_path / "clip",
        CODECPATCH_LIBRARY="/no/such/library",
    )
    assert printed == "None <codecpatch.Clip \n"


@pytest.mark.slow
def test_notebooks_without_numpy(clip, tmp_path):
    pytest.importorskip("torch")
    printed = run_python(
        WITHOUT.format("numpy")
        + """
import codecpatch
clip = codecpatch.read(sys.argv[1], sequence_length=2)
print(clip._repr_png_())
try:
    clip.to_image()
except codecpatch.CodecPatchError as error:
    print(error.code.name, error)
""",
        clip,
    )
    assert printed.splitlines() == ["None", "SETUP Pictures need NumPy: pip install numpy."]


class FakeImage:
    def __init__(self, pixels):
        self.pixels, self.opened = pixels, 0

    def show(self):
        self.opened += 1


@pytest.mark.parametrize("notebook", [False, True])
def test_show(clip, monkeypatch, notebook):
    image = types.ModuleType("PIL.Image")
    image.fromarray = FakeImage
    pillow = types.ModuleType("PIL")
    pillow.Image = image
    monkeypatch.setitem(sys.modules, "PIL", pillow)
    monkeypatch.setitem(sys.modules, "PIL.Image", image)
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    if notebook:
        monkeypatch.setitem(sys.modules, "ipykernel", types.ModuleType("ipykernel"))
    result = read(clip, "u8")
    shown = result.show("hold")
    assert shown.opened == (0 if notebook else 1)
    numpy.testing.assert_array_equal(shown.pixels, sheet_of(result.to_image("hold"), 3))
    numpy.testing.assert_array_equal(result.show("hold", 2).pixels, result.to_image("hold", 2))


def test_pillow(clip, monkeypatch):
    image = pytest.importorskip("PIL.Image")
    monkeypatch.setattr(image.Image, "show", lambda self: None)
    shown = read(clip, "u8").show("mosaic", 0)
    numpy.testing.assert_array_equal(numpy.asarray(shown), read(clip, "u8").to_image("mosaic", 0))


@pytest.mark.parametrize(
    "arguments, error, message",
    [
        ({"mode": "heat"}, ValueError, "mode must be one of sparse, hold, mosaic, scores, not 'heat'"),
        ({"dim": 101}, ValueError, "dim must be 0 to 100 percent"),
        ({"dim": -1}, ValueError, "dim must be 0 to 100 percent"),
        ({"background": (1, 2)}, ValueError, "background must be red, green and blue"),
        ({"background": (1, 2, 256)}, ValueError, "background must be red, green and blue"),
        ({"frame": 5}, IndexError, 'there are 5 pictures with mode="sparse", and none has number 5'),
        ({"frame": -6}, IndexError, "none has number -6"),
        ({"mode": "mosaic", "frame": 1}, IndexError, "there are 1 pictures"),
    ],
)
def test_arguments(clip, arguments, error, message):
    with pytest.raises(error, match=message):
        read(clip, "u8").to_image(**arguments)


def changed(clip, tensors=None, metadata=None):
    """The clip, as numpy arrays, with other tensors and metadata; None for those to leave out."""
    arrays = {name: array(tensor) for name, tensor in clip.tensors.items()} | (tensors or {})
    texts = clip.metadata | (metadata or {})
    return codecpatch.Clip(*({key: value for key, value in d.items() if value is not None} for d in (arrays, texts)))


def field(clip, row, column, value):
    fields = array(clip.meta_fields).copy()
    fields[row, column] = value
    return {"meta_fields": fields}


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda clip: {"tensors": {"patches": None}}, 'There is no tensor "patches", "canvases" or "frames"'),
        (lambda clip: {"tensors": {"meta_fields": None}}, r'no tensor "meta_fields" of shape \[120, 6\] and type I64'),
        (lambda clip: {"tensors": {"meta_scores": None}}, r'no tensor "meta_scores" of shape \[120\] and type F32'),
        (lambda clip: {"tensors": {"meta_scores": numpy.zeros(119, "f4")}}, r'no tensor "meta_scores" of shape \[120\]'),
        (lambda clip: {"tensors": {"meta_fields": numpy.zeros((120, 6), "f4")}}, 'no tensor "meta_fields"'),
        (lambda clip: {"tensors": {"patches": array(clip.patches)[:, :, :5]}}, "not of square patches"),
        (lambda clip: {"tensors": {"patches": array(clip.patches).astype("i8")}}, "not of square patches"),
        (lambda clip: {"tensors": {"patches": array(clip.patches)[:, :2]}}, 'no tensor "patches"'),
        (lambda clip: {"tensors": field(clip, 3, 0, 5)}, "Row 3 of meta_fields names position 5 of 5"),
        (lambda clip: {"tensors": field(clip, 0, 0, -1)}, "Row 0 of meta_fields names position -1"),
        (lambda clip: {"tensors": field(clip, 119, 4, 100)}, "Row 119 of meta_fields names a place outside of the grid"),
        (lambda clip: {"tensors": field(clip, 9, 5, -1)}, "Row 9 of meta_fields names a place outside of the grid"),
        (lambda clip: {"metadata": {"grid_width": None}}, "no grid_height and grid_width"),
        (lambda clip: {"metadata": {"grid_height": 0}}, "no grid_height and grid_width"),
        (lambda clip: {"metadata": {"grid_height": 1 << 40}}, "no grid_height and grid_width"),
        (lambda clip: {"metadata": {"sampled_frame_ids": []}}, "no sampled_frame_ids"),
        (lambda clip: {"metadata": {"std": [1, 2]}}, '"std" is not one number, or three'),
    ],
)
def test_tensors_that_do_not_fit(clip, change, message):
    result = read(clip, "u8")
    with pytest.raises(codecpatch.CodecPatchError, match=message) as caught:
        changed(result, **change(result)).to_image("scores")
    assert caught.value.code == codecpatch.ErrorCode.FAILED
    assert changed(result, **change(result))._repr_png_() is None or "scores" in message


@pytest.mark.parametrize(
    "change, message",
    [
        ({"metadata": {"scale": 0}}, "because scale=0 has made all pixels equal"),
        ({"metadata": {"grid_width": 60000}}, "A picture would have 480000x.* pixels; its sides can have 65535"),
        ({"tensors": {"meta_scores": numpy.zeros(120)}}, "meta_scores are of type float64, which is not drawn"),
    ],
)
def test_clips_that_are_not_drawn(clip, change, message):
    with pytest.raises(ValueError, match=message):
        changed(read(clip, "u8"), **change).to_image("hold")


def test_canvases_that_do_not_fit(clip):
    result = read(clip, "canvases")
    positions = array(result.patch_positions).copy()
    positions[7, 0] = 999
    for change, message in (
        ({"tensors": {"patch_positions": positions}}, "Row 7 of patch_positions names frame 999, which was not sampled"),
        ({"metadata": {"grid_width": 3}}, "The size of the canvases is not that of the grid"),
        ({"tensors": {"patch_positions": positions[1:]}}, 'There is no tensor "patch_positions" of shape'),
    ):
        with pytest.raises(codecpatch.CodecPatchError, match=message):
            changed(result, **change).to_image("hold")


# Tensors that are not contiguous are drawn, too, and nothing is written to them.
def test_views(clip):
    result = read(clip, "u8")
    reversed_rows = {name: array(tensor)[::-1].copy()[::-1] for name, tensor in result.tensors.items()}
    for tensor in reversed_rows.values():
        tensor.flags.writeable = False
    numpy.testing.assert_array_equal(changed(result, reversed_rows).to_image("sparse"), result.to_image("sparse"))
