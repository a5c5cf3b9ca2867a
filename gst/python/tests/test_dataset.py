# SPDX-License-Identifier: LGPL-2.1-or-later
"""Data sets, and batches of frames."""

from __future__ import annotations

import os
import pickle

import codecpatch
import numpy
import pytest
from codecpatch import CodecPatchError, Dataset, ErrorCode, Video, collate_frames
from support import array, assert_same, dtype_name, run_python
from test_processes import run

FRAMES = {"output": "frames", "sequence_length": 3, "height": 48, "width": 64}


def test_clips(clip, data):
    options = {"sequence_length": 4, "k_keep": 7}
    with Video(clip) as video:
        dataset = Dataset([clip, data, video], **options)
        assert len(dataset) == 3 and repr(dataset) == "<codecpatch.Dataset: 3 sources>"
        for index in (0, 1, 2, -1, numpy.int64(1)):
            assert_same(dataset[index].tensors, codecpatch.read(clip, **options).tensors)
        with pytest.raises(IndexError):
            dataset[3]


def test_frames(clip):
    dataset = Dataset((path for path in [clip]), frame_indices=iter([5, 1]), output="frames")
    for _ in range(2):  # nothing is used up
        assert_same(dataset[0].tensors, codecpatch.read(clip, output="frames", frame_indices=[5, 1]).tensors)


def test_errors(clip, tmp_path):
    sources = [clip, tmp_path / "none.mp4"]
    dataset = Dataset(sources, errors="return", k_keep=3)
    assert dataset[0].patches.shape[0] == 3
    error = dataset[1]
    assert isinstance(error, CodecPatchError) and error.code == ErrorCode.SOURCE and error.__traceback__ is None
    assert pickle.loads(pickle.dumps(error)).path == str(sources[1])
    with pytest.raises(CodecPatchError, match=r"none\.mp4"):
        Dataset(sources)[1]
    for errors in ("raise", "return"):
        with pytest.raises(ValueError):
            Dataset(sources, frame_indices=[60], errors=errors)[0]  # does not fit the video


@pytest.mark.parametrize(
    "options", [{"errors": "ignore"}, {"window": 1}, {"clip_length": 2}, {"timeout": -1}]
)
def test_invalid_options(clip, options):
    with pytest.raises(ValueError):
        Dataset([clip], **options)


@pytest.mark.parametrize("sources", ["clip.mp4", b"data", os.fspath("x")])
def test_one_source(sources):
    with pytest.raises(TypeError, match="a list"):
        Dataset(sources)


def test_pickle(clip, data):
    copy = pickle.loads(pickle.dumps(Dataset([clip, data, Video(clip)], k_keep=5, errors="return")))
    assert copy.errors == "return"
    for index in range(3):
        assert_same(copy[index].tensors, codecpatch.read(clip, k_keep=5).tensors)
    with pytest.raises(TypeError):
        pickle.dumps(Dataset([clip.open("rb")]))


def test_no_torch_at_import():
    code = "import codecpatch, sys; codecpatch.Dataset(['x']); print('torch' in sys.modules, 'numpy' in sys.modules)"
    assert run_python(code).split() == ["False", "False"]


@pytest.mark.slow
@pytest.mark.slow
@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_data_loader(method, clip, tmp_path):
    """Torch's own: workers that start afresh, and a file that is not there."""
    pytest.importorskip("torch")
    printed = run(
        """
from torch.utils.data import DataLoader
videos = [sys.argv[2], sys.argv[3], codecpatch.Video(sys.argv[2])]
dataset = codecpatch.Dataset(videos, errors="return", output="frames", sequence_length=3, height=48, width=64)
loader = DataLoader(dataset, batch_size=3, num_workers=2, multiprocessing_context=sys.argv[1],
                    collate_fn=workers.collate_good)
for batch, errors in loader:
    print(list(batch.frames.shape), int(batch.frames.sum()), errors)
""",
        method,
        clip,
        tmp_path / "none.mp4",
    )
    total = int(array(codecpatch.read(clip, **FRAMES).frames).astype("i8").sum())
    assert printed.strip() == f"[2, 3, 48, 64, 3] {2 * total} [{str(tmp_path / 'none.mp4')!r}]"


# --- Batches of frames ---


def test_batch_of_frames(clip):
    clips = [codecpatch.read(clip, **{**FRAMES, "sequence_length": count}) for count in (2, 5)]
    batch = collate_frames(clips)
    assert tuple(batch.frames.shape) == (2, 5, 48, 64, 3) and dtype_name(batch.frames) == "uint8"
    assert batch.mask.tolist() == [[True, True, False, False, False], [True] * 5] and dtype_name(batch.mask) == "bool"
    for row, one in enumerate(clips):
        count = len(one.frames)
        assert (array(batch.frames)[row, :count] == array(one.frames)).all()
        assert not array(batch.frames)[row, count:].any()
    before = array(clips[0].frames).copy()
    batch.frames[:] = 7
    assert (array(clips[0].frames) == before).all()


def test_batch_of_tensors(clip):
    with Video(clip, size=(48, 64), layout="NCHW") as video:
        batch = collate_frames([video[:2], video[5:9]])
        assert tuple(batch.frames.shape) == (2, 4, 3, 48, 64)
        assert (array(batch.frames)[1, 3] == array(video[8])).all()


def test_batches_that_cannot_be(clip):
    frames = codecpatch.read(clip, **FRAMES)
    empty = collate_frames([])
    assert tuple(empty.frames.shape) == (0, 0, 0, 0, 3) and tuple(empty.mask.shape) == (0, 0)
    with pytest.raises(ValueError, match="frames are"):
        collate_frames([frames, codecpatch.read(clip, **{**FRAMES, "width": 32})])
    for wrong in (CodecPatchError("no"), frames.frames[0], 5):
        with pytest.raises(TypeError):
            collate_frames([frames, wrong])
    with pytest.raises(AttributeError, match="frames"):
        collate_frames([codecpatch.read(clip, k_keep=1)])
