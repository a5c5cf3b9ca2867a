# SPDX-License-Identifier: LGPL-2.1-or-later
"""iter_clips, where sources have many clips."""

from __future__ import annotations

import gc
import io
import itertools
import os
import pickle
import signal
from pathlib import Path

import codecpatch
import pytest
from codecpatch import CodecPatchError, ErrorCode
from support import checksum
from test_isolation import children, workers
from test_threads import threads_of_ours
from windowed import EACH_FRAME, FRAME, assert_equal, read_windows

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:.*estimate:codecpatch.CodecPatchWarning"),
]


def assert_results(found, expected, *differs):
    assert [type(result) for result in found] == [type(result) for result in expected]
    for one, other in zip(found, expected):
        if isinstance(one, Exception):
            assert str(one) == str(other)
        else:
            assert_equal(one, other, *differs)


@pytest.mark.parametrize("isolate", [False, True])
def test_all_clips_of_all_sources(clip, data, isolate):
    sources = [
        clip,
        (clip, {"window": None, "hop": None}),
        "/no/such/file.mp4",
        (data, {"hop": None}),
        (clip, {"window": None, "hop": None, "clip_length": 2}),
        (clip, {"window": 0}),
        (clip, {"output": "frames", "k_keep": None, "width": 112, "height": 84}),
        data,
    ]
    common = {"window": 1, "hop": 0.4, "sequence_length": 3, "k_keep": 7}
    expected = []
    for item in sources:
        source, own = item if isinstance(item, tuple) else (item, {})
        try:
            expected += read_windows(source, **{**common, **own})
        except (CodecPatchError, ValueError) as error:
            expected.append(error)
    found = list(codecpatch.iter_clips(sources, workers=2, isolate=isolate, **common))
    assert len(found) == 5 + 1 + 1 + 2 + 2 + 1 + 5 + 5
    assert_results(found, expected, "source")
    places = [getattr(result, "path", getattr(result, "source", None)) for result in found]
    names = [*[str(clip)] * 6, "/no/such/file.mp4", *["<bytes 3>"] * 2, *[str(clip)] * 2, None, *[str(clip)] * 5]
    assert places == [*names, *["<bytes 7>"] * 5]
    assert not threads_of_ours() and not children()


def test_names_of_sources_without_windows(data):
    """They are what they were."""
    found = codecpatch.iter_clips([data, io.BytesIO(data)], workers=1, k_keep=1)
    assert [result.source for result in found] == ["<bytes>", "<file object>"]


def test_names_of_file_objects(data):
    found = codecpatch.iter_clips([io.BytesIO(data), io.BytesIO(data)], workers=2, k_keep=1, window=1)
    assert [result.source for result in found] == ["<file object 0>"] * 2 + ["<file object 1>"] * 2


@pytest.mark.parametrize("isolate", [False, True])
def test_errors_in_the_middle(clip, damaged, isolate):
    """End their source: what was before them comes, and the other sources do."""
    options = {"window": 0.2, "sequence_length": 2, "k_keep": 3}
    before = []
    with codecpatch.open(damaged, **options) as session, pytest.raises(CodecPatchError) as caught:
        before.extend(session)
    assert before
    expected = [*before, caught.value, *read_windows(clip, **options), *before, caught.value]
    found = list(codecpatch.iter_clips([damaged, clip, damaged], workers=2, isolate=isolate, **options))
    assert_results(found, expected)


SUBSTITUTES = {"window": 0.2, "sequence_length": 2, "k_keep": 3, "on_error": "substitute"}


def test_each_warning_comes_once(damaged):
    """From processes, too."""
    told = []
    for isolate in (False, True):
        with pytest.warns(codecpatch.CodecPatchWarning) as caught:
            found = list(codecpatch.iter_clips([damaged], isolate=isolate, **SUBSTITUTES))
        assert all(isinstance(result, codecpatch.Clip) for result in found)
        told.append([str(warning.message) for warning in caught])
    assert told[0] == told[1]


@pytest.mark.parametrize("isolate", [False, True])
def test_warnings_that_are_errors(clip, damaged, isolate):
    """They end their source, and its worker reads the next one."""
    options = {**SUBSTITUTES, "isolate": isolate}
    found = list(codecpatch.iter_clips([damaged, clip], workers=1, **options))
    last = next(number for number, result in enumerate(found) if isinstance(result, Exception))
    assert isinstance(found[last], codecpatch.CodecPatchWarning)
    assert [result.source for result in found[:last]] == [str(damaged)] * last
    assert [result.start for result in found[last + 1 :]] == [number / 5 for number in range(10)]


class Watched(codecpatch.parallel._Results):
    """Keeps the most that has waited."""

    most = 0

    def add(self, result, is_last=False):
        super().add(result, is_last)
        Watched.most = max(Watched.most, len(self._waiting))


@pytest.fixture
def watched(monkeypatch):
    monkeypatch.setattr(codecpatch.parallel, "_Results", Watched)
    monkeypatch.setattr(Watched, "most", 0)
    return Watched


@pytest.mark.parametrize("isolate", [False, True])
@pytest.mark.parametrize("limit, value, most", [("_WAITING_CLIPS", 3, 3), ("_WAITING_LIMIT", 1, 1)])
def test_no_more_waits_than_the_limit(clip, monkeypatch, watched, isolate, limit, value, most):
    monkeypatch.setattr(codecpatch.parallel, limit, value)
    options = {"window": FRAME, "sequence_length": 1, "k_keep": 1}
    found = list(codecpatch.iter_clips([clip] * 2, workers=2, isolate=isolate, **options))
    assert [result.sampled_frame_ids[0] for result in found] == [*range(60)] * 2
    assert 1 <= watched.most <= most  # the second source waits for the first


def test_clips_without_patches_have_a_limit(clip, monkeypatch, watched):
    monkeypatch.setattr(codecpatch.parallel, "_WAITING_CLIPS", 5)
    found = list(codecpatch.iter_clips([clip] * 2, workers=2, window=FRAME, sequence_length=1, k_keep=0))
    assert len(found) == 120 and watched.most <= 5


def test_sources_are_taken_as_they_are_needed(clip, monkeypatch):
    monkeypatch.setattr(codecpatch.parallel, "_WAITING_COUNT", 0)
    taken = 0

    def sources():
        nonlocal taken
        for taken in itertools.count(1):
            yield clip

    iterator = codecpatch.iter_clips(sources(), workers=2, k_keep=1, window=0.5, sequence_length=1)
    for number in range(1, 13):
        next(iterator)
        assert taken <= 4 + number // 4 + 1
    iterator.close()
    assert not threads_of_ours()


@pytest.mark.parametrize("isolate", [False, True])
def test_leaving_in_the_middle(clip, monkeypatch, isolate):
    """Wakes the workers that wait for room, and closes their sessions."""
    monkeypatch.setattr(codecpatch.parallel, "_WAITING_CLIPS", 1)
    options = {"window": FRAME, "sequence_length": 1, "k_keep": 1}
    iterator = codecpatch.iter_clips([clip] * 3, workers=3, isolate=isolate, **options)
    assert [next(iterator).clip_index for _ in range(3)] == [0, 1, 2]
    iterator.close()
    assert not threads_of_ours() and not children()


def test_clips_come_from_iter_clips_while_the_rest_is_missing(gate):
    iterator = codecpatch.iter_clips([gate], **EACH_FRAME)
    found = [next(iterator) for _ in range(5)]
    assert not gate.open.is_set()
    gate.open.set()
    found += iterator
    assert [result.sampled_frame_ids for result in found] == [[number] for number in range(60)]


def test_workers_that_die_in_the_middle(clip, monkeypatch):
    """The clips before are there, and the next source is read."""
    monkeypatch.setattr(codecpatch.parallel, "_WAITING_CLIPS", 1)
    options = {"window": FRAME, "sequence_length": 1, "k_keep": 1}
    iterator = codecpatch.iter_clips([clip, clip], workers=1, isolate=True, **options)
    found = [next(iterator)]
    (worker,) = workers()
    os.kill(worker, signal.SIGKILL)
    found += iterator
    last = next(number for number, result in enumerate(found) if isinstance(result, Exception))
    assert found[last].code == ErrorCode.CRASHED and "SIGKILL" in str(found[last]) and last < 10
    assert [result.clip_index for result in found if isinstance(result, codecpatch.Clip)] == [*range(last), *range(60)]


def test_workers_read_one_source_after_the_other(clip, damaged):
    """Whether they have read all of it or not."""
    seen = set()
    options = {"window": 0.2, "sequence_length": 2, "k_keep": 3, "isolate": True}
    for _ in codecpatch.iter_clips([clip, damaged, clip], workers=1, **options):
        seen |= set(workers())
    assert len(seen) == 1


def test_kept_clips_of_processes_need_no_file_descriptors(clip):
    def descriptors():
        return len(os.listdir("/proc/self/fd"))

    def mappings():
        return Path("/proc/self/maps").read_text().count("memfd:codecpatch")

    gc.collect()
    before, others = descriptors(), mappings()
    kept = list(codecpatch.iter_clips([clip], isolate=True, window=FRAME, sequence_length=1, k_keep=1))
    assert len(kept) == 60 and descriptors() <= before and mappings() == others + 60
    del kept[10:]
    gc.collect()
    assert mappings() == others + 10
    assert checksum(kept[9]) == checksum(codecpatch.read(clip, frame_indices=[9], k_keep=1))


def test_clips_of_processes_are_the_callers(clip):
    one, other, *_ = codecpatch.iter_clips([clip], isolate=True, window=0.5, k_keep=4)
    before = checksum(other)
    one.patches[:] = 0
    assert checksum(other) == before
    assert_equal(pickle.loads(pickle.dumps(other)), other)
