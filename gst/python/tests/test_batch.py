# SPDX-License-Identifier: LGPL-2.1-or-later
"""collate_packed and collate_padded."""

from __future__ import annotations

import codecpatch
import pytest
from codecpatch import collate_packed, collate_padded
from codecpatch.compat import PatchStreamConfig, patch_stream
from support import array, dtype_name

NAMES = ("patches", "meta_fields", "meta_scores")
COUNTS = [5, 0, 9]


@pytest.fixture(scope="module")
def clips(clip):
    return [codecpatch.read(clip, k_keep=count) for count in COUNTS]


def test_packed(clips):
    packed = collate_packed(clips)
    assert packed.cu_seqlens.tolist() == [0, 5, 5, 14] and dtype_name(packed.cu_seqlens) == "int32"
    assert [tuple(part.shape) for part in packed[:3]] == [(14, 3, 14, 14), (14, 6), (14,)]
    for name in NAMES:
        assert getattr(packed, name).dtype == clips[0].tensors[name].dtype
        for clip, begin, end in zip(clips, packed.cu_seqlens.tolist(), packed.cu_seqlens.tolist()[1:]):
            assert (array(getattr(packed, name))[begin:end] == array(clip.tensors[name])).all()


def test_padded(clips):
    padded = collate_padded(clips)
    assert padded.mask.tolist() == [[row < count for row in range(9)] for count in COUNTS]
    assert dtype_name(padded.mask) == "bool"
    assert [tuple(part.shape) for part in padded[:3]] == [(3, 9, 3, 14, 14), (3, 9, 6), (3, 9)]
    for name in NAMES:
        assert getattr(padded, name).dtype == clips[0].tensors[name].dtype
        for row, (clip, count) in enumerate(zip(clips, COUNTS)):
            assert (array(getattr(padded, name))[row, :count] == array(clip.tensors[name])).all()
            assert not array(getattr(padded, name))[row, count:].any()


def test_copies(clips):
    for collate in (collate_packed, collate_padded):
        before = array(clips[0].meta_scores).copy()
        collate(clips[:1]).meta_scores[:] = 7
        assert (array(clips[0].meta_scores) == before).all()


def test_no_clips():
    packed, padded = collate_packed([]), collate_padded([])
    assert packed.cu_seqlens.tolist() == [0] and dtype_name(packed.cu_seqlens) == "int32"
    assert [len(part) for part in packed[:3]] == [0, 0, 0] and packed.meta_fields.shape[1:] == (6,)
    assert padded.mask.shape == (0, 0) and dtype_name(padded.mask) == "bool"
    assert [tuple(part.shape[:2]) for part in padded[:3]] == [(0, 0), (0, 0), (0, 0)]


def test_empty_clips(clips):
    packed, padded = collate_packed([clips[1]] * 2), collate_padded([clips[1]] * 2)
    assert packed.cu_seqlens.tolist() == [0, 0, 0] and packed.patches.shape == (0, 3, 14, 14)
    assert padded.mask.shape == (2, 0) and padded.patches.shape == (2, 0, 3, 14, 14)


def test_of_compat(clip, clips):
    session = patch_stream(PatchStreamConfig(clip, k_keep=5))
    for collate in (collate_packed, collate_padded):
        expected = collate([clips[0], clips[0]])
        for ours, theirs in zip(collate([session, session.collect_all()]), expected):
            assert (array(ours) == array(theirs)).all()


@pytest.mark.parametrize("options", [{"output_dtype": "f32"}, {"patch_size": 16}])
def test_clips_of_several_kinds(clip, clips, options):
    for collate in (collate_packed, collate_padded):
        with pytest.raises(ValueError, match="patches are"):
            collate([clips[0], codecpatch.read(clip, k_keep=4, **options)])


def test_a_clip_of_frames(clip):
    with pytest.raises(AttributeError, match="patches"):
        collate_packed([codecpatch.read(clip, output="frames")])
