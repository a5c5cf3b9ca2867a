# SPDX-License-Identifier: LGPL-2.1-or-later
"""Canvases, read as docs/formats.md describes them."""

from __future__ import annotations

import codecpatch
import numpy
import pytest
from codecpatch import collate_packed, collate_padded
from support import array, dtype_name

SIZES = {"min_pixels": 20000, "max_pixels": 20000, "resample": "area", "size_rule": "floor"}
OPTIONS = {"sequence_length": 5, "decode_backend": "cpu", **SIZES}


def read(clip, **options):
    return codecpatch.read(clip, **{**OPTIONS, **options})


def patches_of_canvases(clip):
    """The place, the RGB pixels [P, P, 3] and the score of each patch, row by row of each canvas."""
    canvases, positions, scores = map(array, (clip.canvases, clip.patch_positions, clip.meta_scores))
    count, height, width, channels = canvases.shape
    rows, columns = clip.metadata["grid_height"], clip.metadata["grid_width"]
    side = clip.metadata["patch_size"]
    assert (height, width, channels) == (rows * side, columns * side, 3)
    assert positions.shape == (count * rows * columns, 3) and scores.shape == (count * rows * columns,)
    for index, (position, score) in enumerate(zip(positions.tolist(), scores.tolist())):
        canvas, row, column = index // (rows * columns), index // columns % rows, index % columns
        top, left = row * side, column * side
        yield tuple(position), canvases[canvas, top : top + side, left : left + side], score


@pytest.mark.parametrize("ranking", ["energy", "replenishment"])
@pytest.mark.parametrize("canvases, expected", [(1, 1), (3, 3), (5, 5), (9, 5)])
def test_against_patches_and_frames(clip, ranking, canvases, expected):
    packed = read(clip, output="canvases", canvases=canvases, ranking=ranking)
    assert dtype_name(packed.canvases) == "uint8" and dtype_name(packed.patch_positions) == "int64"
    assert len(packed.canvases) == expected and tuple(packed.tensors) == ("canvases", "patch_positions", "meta_scores")
    rows, columns = packed.metadata["grid_height"], packed.metadata["grid_width"]

    budget = expected * rows * columns
    patches = read(clip, k_keep=budget, selection_unit="block2x2", output_dtype="u8", ranking=ranking)
    fields, pixels, scores = map(array, (patches.meta_fields, patches.patches, patches.meta_scores))
    selected = {
        (t, h, w): (pixels[index], scores[index]) for index, (_, t, _, _, h, w) in enumerate(fields.tolist())
    }
    frames = array(
        codecpatch.read(
            clip, output="frames", sequence_length=5, decode_backend="cpu", align=2 * packed.metadata["patch_size"], **SIZES
        ).frames
    )
    assert frames.shape[1:] == packed.canvases.shape[1:]
    whole = dict(zip(packed.sampled_frame_ids, frames))

    side, seen = packed.metadata["patch_size"], set()
    for (t, h, w), patch, score in patches_of_canvases(packed):
        seen.add((t, h, w))
        expected_pixels, expected_score = selected[t, h, w]
        numpy.testing.assert_array_equal(patch, expected_pixels.transpose(1, 2, 0))
        assert score == expected_score
        numpy.testing.assert_array_equal(patch, whole[t][h * side : (h + 1) * side, w * side : (w + 1) * side])
    assert seen == set(selected) and len(seen) == budget

    positions = array(packed.patch_positions).reshape(expected, rows, columns, 3)
    blocks = [
        tuple(positions[canvas, row, column].tolist())
        for canvas in range(expected)
        for row in range(0, rows, 2)
        for column in range(0, columns, 2)
    ]
    assert blocks == sorted(set(blocks))
    if ranking == "replenishment":
        first = [[[packed.sampled_frame_ids[0], row, column] for column in range(columns)] for row in range(rows)]
        assert positions[0].tolist() == first
        numpy.testing.assert_array_equal(array(packed.canvases)[0], frames[0])


def test_metadata(clip):
    packed = read(clip, output="canvases", canvases=2, k_keep=7)
    assert packed.metadata["output_layout"] == "canvas" and packed.metadata["canvases"] == 2
    assert packed.metadata["selection_unit"] == "block2x2" and packed.metadata["k_keep"] == 7
    assert len(packed.canvases) == 2
    patches = read(clip, k_keep=7)
    assert patches.metadata["output_layout"] == "patches" and patches.metadata["canvases"] == 0


def test_spellings(clip):
    expected = read(clip, output="canvases", canvases=2)
    for options in (
        {"output": "CANVASES", "output_layout": "canvas"},
        {"output_layout": "canvas", "selection_unit": "block"},
        {"output": "canvases", "selection_unit": "block_2x2", "output_dtype": "f32"},
    ):
        assert (array(read(clip, canvases=2, **options).canvases) == array(expected.canvases)).all()


def test_other_processes(clip):
    [packed] = codecpatch.iter_clips([clip], isolate=True, output="canvases", canvases=2, **OPTIONS)
    assert (array(packed.canvases) == array(read(clip, output="canvases", canvases=2).canvases)).all()


@pytest.mark.parametrize(
    "options, message",
    [
        ({"output": "canvases"}, "set canvases to 1 or more"),
        ({"output": "canvases", "canvases": 0}, "set canvases to 1 or more"),
        ({"output": "canvases", "canvases": -1}, "set canvases to 1 or more"),
        ({"output_layout": "canvas"}, "set canvases to 1 or more"),
        ({"canvases": 2}, 'goes with output="canvases"'),
        ({"output": "frames", "canvases": 2}, 'goes with output="canvases"'),
        ({"output": "canvases", "canvases": 2, "output_layout": "patches"}, "does not go with output_layout"),
        ({"output": "canvases", "canvases": 2, "selection_unit": "patch"}, "set selection-unit=block2x2"),
        ({"output": "canvases", "canvases": 2, "min_score": 1.0}, "min-score does not go with"),
        ({"output": "canvases", "canvases": 2, "scale": 0.5}, "scale, mean and std do not go with"),
        ({"output": "canvases", "canvases": 2, "output_layout": "tiles"}, "output_layout must be one of"),
        ({"output": "canvas", "canvases": 2}, "output must be one of"),
    ],
)
def test_refusals(clip, options, message):
    with pytest.raises(ValueError, match=message):
        read(clip, **options)


def test_what_needs_patches(clip):
    packed = read(clip, output="canvases", canvases=2, ranking="replenishment")
    with pytest.raises(ValueError, match="this clip has canvases"):
        packed.best(40)
    for collate in (collate_packed, collate_padded):
        with pytest.raises(ValueError, match="a clip has canvases"):
            collate([packed])
    with pytest.raises(AttributeError, match="no patches, only canvases, patch_positions, meta_scores"):
        packed.patches
    with pytest.raises(AttributeError, match="no canvases, only patches"):
        read(clip, k_keep=4).canvases
