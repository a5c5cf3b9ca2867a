# SPDX-License-Identifier: LGPL-2.1-or-later
"""Clip.best(): equal to a read with a smaller k_keep."""

from __future__ import annotations

import pickle

import codecpatch
import numpy
import pytest
from codecpatch import Clip
from support import TENSORS, array, assert_same, run_python

ALL = 5 * 6 * 10  # the patches of the clip
MIN_SCORE = 2087.5  # which about half of the patches reach
OPTIONS = {
    "ranking": "replenishment",
    "sequence_length": 5,
    "input_size": 112,
    "process_backend": "cpu",
    "decode_backend": "cpu",
}


def read(clip, **options):
    return codecpatch.read(clip, **{**OPTIONS, **options})


@pytest.fixture(scope="module")
def whole(clip):
    return read(clip, k_keep=ALL)


def assert_same_clip(clip, expected):
    assert_same(clip.tensors, expected.tensors)
    for tensor, like in zip(clip.tensors.values(), expected.tensors.values()):
        assert type(tensor) is type(like) and tensor.dtype == like.dtype and tensor.shape == like.shape
    assert clip.metadata == expected.metadata


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        {"output_dtype": "u8"},
        {"output_dtype": "bf16", "selection_unit": "block2x2"},
        {"output_dtype": "f32", "frame_indices": [40, 0, 0, 41, 59]},
        {"output_dtype": "f16", "selection_unit": "block2x2", "min_score": MIN_SCORE},
    ],
    ids=["patch", "block2x2", "repeated frames", "min_score"],
)
def test_equals_a_read(clip, options):
    whole = read(clip, k_keep=ALL, **options)
    assert ("min_score" in options) == (len(whole.patches) < ALL)
    budgets = range(0, ALL + 1, 4)
    assert len(budgets) > 50
    for k in budgets:
        assert_same_clip(whole.best(k), read(clip, k_keep=k, **options))


@pytest.mark.parametrize("has, k", [(100, 99), (100, 100), (100, 7), (40, 3), (5, 0), (5, -2), (0, 0)])
def test_of_a_part(clip, has, k):
    """The best of the best are the best."""
    part = read(clip, k_keep=has)
    assert_same_clip(part.best(k), read(clip, k_keep=k))
    assert_same_clip(part.best(max(k, has // 2)).best(k), read(clip, k_keep=k))


@pytest.mark.parametrize("unit", ["patch", "block2x2"])
@pytest.mark.parametrize("k_keep, k", [(ALL, ALL + 1), (ALL + 1, ALL + 2), (2**31 - 1, ALL)])
def test_more_than_there_are(clip, unit, k_keep, k):
    assert_same_clip(
        read(clip, selection_unit=unit, k_keep=k_keep).best(k), read(clip, selection_unit=unit, k_keep=k)
    )


@pytest.mark.parametrize("unit", ["patch", "block2x2"])
def test_fewer_than_k_keep(clip, unit):
    """With min_score, a clip of fewer patches than its k_keep has all of them."""
    options = {"selection_unit": unit, "min_score": MIN_SCORE}
    whole = read(clip, k_keep=ALL, **options)
    has = len(whole.patches)
    assert 60 < has < ALL - 60
    for k in (has - 4, has, has + 4, ALL, ALL + 1):
        assert_same_clip(whole.best(k), read(clip, k_keep=k, **options))
    with pytest.raises(ValueError, match=f"only the best {has - 4} of {ALL}"):
        whole.best(has - 4).best(has)


@pytest.mark.parametrize("k", [numpy.int64(9), numpy.uint8(9), True])
def test_kinds_of_numbers(whole, k):
    assert len(whole.best(k).patches) == int(k) and type(whole.best(k).metadata["k_keep"]) is int


@pytest.mark.parametrize(
    "options, k, error, message",
    [
        ({"ranking": "energy"}, 10, ValueError, 'needs a clip of ranking="replenishment".*k_keep=10'),
        ({"k_keep": 50}, 51, ValueError, f"the best 50 of {ALL} patches.*k_keep=51"),
        ({"k_keep": 0}, 1, ValueError, f"the best 0 of {ALL} patches"),
        ({"k_keep": -1}, 1, ValueError, "the best 0"),
        ({"selection_unit": "block2x2", "k_keep": 40}, 18, ValueError, "divisible by 4, not 18"),
        ({"k_keep": 50}, 9.0, TypeError, "float"),
        ({"ranking": None, "output": "frames", "input_size": None}, 9, AttributeError, "no meta_scores"),
    ],
)
def test_refusals(clip, options, k, error, message):
    result = read(clip, **options)
    with pytest.raises(error, match=message):
        result.best(k)


def test_the_copy_shares_nothing(clip):
    result = read(clip, k_keep=20)
    best, before = result.best(20), read(clip, k_keep=20)
    for tensor in best.tensors.values():
        tensor[:] = 7
    best.metadata["sampled_frame_ids"].append(7)
    assert_same_clip(result, before)


def test_pickled_clips(clip, whole):
    assert_same_clip(pickle.loads(pickle.dumps(whole)).best(33), read(clip, k_keep=33))


def test_clips_of_other_processes(clip):
    [result] = codecpatch.iter_clips([clip], isolate=True, k_keep=ALL, **OPTIONS)
    assert_same_clip(result.best(33), read(clip, k_keep=33))


def test_cuda(clip, whole):
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("there is no GPU")
    there = Clip({name: tensor.cuda() for name, tensor in whole.tensors.items()}, whole.metadata)
    best = there.best(33)
    assert all(tensor.is_cuda for tensor in best.tensors.values())
    assert_same(best.tensors, read(clip, k_keep=33).tensors)


# Of what a video rarely has. Positions and scores of the units, and the units in the order of their rank.
ORDERS = [
    ("ties", [0, 0, 1, 1, 2], [5, 5, 7, 7, 7], [0, 1, 2, 3, 4]),
    ("frame 0 first", [0, 0, 1, 2], [0, 1, 9, 10], [1, 0, 3, 2]),
    ("no frame 0", [1, 2, 2], [1, 2, 1], [1, 0, 2]),
    ("fractions", [0, 1, 1, 1], [0.25, 2**24, 2**24 + 2, 1e-30], [0, 2, 1, 3]),
]


@pytest.mark.parametrize("unit, patches", [("patch", 1), ("block2x2", 4)])
@pytest.mark.parametrize("positions, scores, order", [row[1:] for row in ORDERS], ids=[row[0] for row in ORDERS])
def test_order(unit, patches, positions, scores, order):
    rows = len(scores) * patches
    fields = numpy.zeros((rows, 6), "i8")
    fields[:, 0], fields[:, 3] = numpy.repeat(positions, patches), numpy.arange(rows)
    tensors = {
        "patches": numpy.arange(rows, dtype="f2").reshape(rows, 1, 1, 1),
        "meta_fields": fields,
        "meta_scores": numpy.repeat(numpy.array(scores, "f4"), patches),
    }
    metadata = {"ranking": "replenishment", "selection_unit": unit, "k_keep": rows}
    metadata.update(sampled_frame_ids=[0, 1, 2], grid_height=4, grid_width=4)
    for count in range(len(scores) + 1):
        best = Clip(tensors, metadata).best(count * patches)
        expected = [unit * patches + patch for unit in sorted(order[:count]) for patch in range(patches)]
        assert best.meta_fields[:, 3].tolist() == best.patches.ravel().tolist() == expected
        assert isinstance(best.patches, numpy.ndarray) and best.patches.base is None


def test_numpy(clip):
    """Without PyTorch, also bfloat16."""
    printed = run_python(
        """
import sys; sys.modules["torch"] = None
import numpy
try:
    import ml_dtypes
except ImportError:  # a type of the same name and size will do
    import types
    ml_dtypes = sys.modules["ml_dtypes"] = types.ModuleType("ml_dtypes")
    ml_dtypes.bfloat16 = numpy.dtype([("bfloat16", "u2")])
import codecpatch
for dtype in ("bf16", "f16", "f32", "u8"):
    def read(k):
        return codecpatch.read(
            sys.argv[1], k_keep=k, output_dtype=dtype, ranking="replenishment", sequence_length=5, input_size=112
        )
    whole = read(300)
    for k in (0, 1, 100, 300):
        best, expected = whole.best(k), read(k)
        assert best.metadata == expected.metadata
        for name, tensor in best.tensors.items():
            assert type(tensor) is numpy.ndarray and tensor.dtype == expected.tensors[name].dtype
            assert tensor.shape == expected.tensors[name].shape and tensor.flags.owndata and tensor.flags.writeable
            assert tensor.tobytes() == expected.tensors[name].tobytes()
print("ok")
""",
        clip,
    )
    assert printed == "ok\n"


def test_all_tensors_are_there(whole):
    assert tuple(whole.best(3).tensors) == TENSORS and array(whole.best(3).patches).shape == (3, 3, 14, 14)
