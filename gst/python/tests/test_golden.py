# SPDX-License-Identifier: LGPL-2.1-or-later
"""Real videos, against the results of the reference implementation in ../shared."""

from __future__ import annotations

import json

import codecpatch
import numpy
import pytest
from codecpatch.compat import DecodeConfig, PatchStreamConfig, decode_only, patch_stream
from support import SHARED, array

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (SHARED / "golden").exists(), reason=f"there is no {SHARED / 'golden'}"),
]

# One with every configuration; of the others, which the C tests go through, the default.
CASES = [
    *[("demo", name) for name in ("default", "block2x2", "static_fallback", "n8_input448_p16", "n64")],
    *[(video, "default") for video in ("bt709_full_range", "h265_10bits", "nasa_13013")],
]


@pytest.mark.parametrize("video, name", CASES)
def test_oracle(video, name):
    path = SHARED / "videos" / f"{video}.mp4"
    expected = json.loads((SHARED / "golden" / f"{video}.y.json").read_text())[name]
    # The reference took the first track, which is not the best one of nasa_13013.
    result = codecpatch.read(path, output_dtype="fp32", decode_backend="cpu", video_track=0, **expected["config"])
    assert result.sampled_frame_ids == expected["sampled_frame_ids"]

    fields, scores = array(result.meta_fields), array(result.meta_scores)
    ours = {row[3]: (row, score) for row, score in zip(fields.tolist(), scores.tolist())}
    theirs = {row[3]: (row, score) for row, score in zip(expected["fields"], expected["scores"])}
    both = ours.keys() & theirs.keys()
    assert len(both) / len(ours.keys() | theirs.keys()) >= 0.998
    assert all(ours[index][0] == theirs[index][0] for index in both)
    assert max(abs(ours[index][1] - theirs[index][1]) for index in both) < 1e-3

    rows = {index: row for row, index in enumerate(fields[:, 3].tolist())}
    for patch in expected.get("pixels", ()):
        values = array(result.patches[rows[patch["index"]]]).ravel()
        assert numpy.abs(values - numpy.array(patch["rgb"])).max() <= 1 / 64


def test_decode_only():
    """The patches of frames that are not scaled are cut out of them."""
    path = SHARED / "videos" / "demo.mp4"
    frames = decode_only(DecodeConfig(path, 2, "cpu"))
    assert frames.frames.shape == (2, 1080, 1920, 3) and frames.sampled_frame_ids == [0, 114]
    assert (frames.width, frames.height) == (1920, 1080)
    result = codecpatch.read(
        path,
        **dict(sequence_length=2, input_size=1440, output_dtype="u8", patch_size=12, k_keep=50),
        **dict(min_pixels=1080 * 1920, max_pixels=1080 * 1920, decode_backend="cpu"),
    )
    assert (result.metadata["target_width"], result.metadata["target_height"]) == (1920, 1080)
    pictures = array(frames.frames)
    for patch, (position, _, _, _, row, column) in zip(array(result.patches), result.meta_fields.tolist()):
        cut = pictures[position, row * 12 : row * 12 + 12, column * 12 : column * 12 + 12]
        numpy.testing.assert_array_equal(patch, cut.transpose(2, 0, 1))


def test_damaged_file():
    with pytest.raises(codecpatch.CodecPatchError, match="corrupted.mp4.*could not be decoded"):
        patch_stream(PatchStreamConfig(SHARED / "videos" / "corrupted.mp4", decode_backend="cpu"))
