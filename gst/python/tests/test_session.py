# SPDX-License-Identifier: LGPL-2.1-or-later
"""The native API: a session, its clips, and what options do."""

from __future__ import annotations

import copy
import pickle
import threading
import warnings
from decimal import Decimal
from fractions import Fraction

import codecpatch
import numpy
import pytest
from codecpatch import CodecPatchError, CodecPatchWarning, ErrorCode
from support import TENSORS, array, assert_same, dtype_name, make_clip, run_line

NAMES = [
    *("Clip", "CodecPatchError", "CodecPatchWarning", "ErrorCode", "PackedClips", "PaddedClips", "Session"),
    *("Dataset", "FrameBatch", "Video", "collate_frames", "collate_packed", "collate_padded", "iter_clips", "open", "read"),
]


@pytest.mark.parametrize("name", NAMES)
def test_name(name):
    assert getattr(codecpatch, name) and name in codecpatch.__all__


# --- Results ---


def test_result_is_that_of_the_line(clip, line):
    result = codecpatch.read(clip, k_keep=100)
    assert_same(result.tensors, line.tensors)
    for key, text in line.metadata.items():
        if key not in ("source", "on_error", "apply_rotation"):  # whose defaults differ
            value = result.metadata[key]
            assert str(value).lower().replace("'", '"').replace("none", "null") == text, key
    assert result.metadata["source"] == str(clip)


def test_frames_are_those_of_the_line(clip, tmp_path):
    expected = run_line(clip, tmp_path / "frames.safetensors", "framestack", sampler=("sequence-length=5",))
    result = codecpatch.read(clip, output="frames", sequence_length=5)
    assert result.frames.shape == (5, 240, 320, 3)
    assert_same(result.tensors, expected.tensors)


def test_attributes(clip):
    result = codecpatch.read(clip, sequence_length=4, k_keep=7, output_dtype="u8")
    assert [tuple(result.tensors[name].shape) for name in TENSORS] == [(7, 3, 14, 14), (7, 6), (7,)]
    assert [dtype_name(result.tensors[name]) for name in TENSORS] == ["uint8", "int64", "float32"]
    assert (result.patches is result.tensors["patches"]) and (result.meta_fields is result.tensors["meta_fields"])
    assert result.meta_scores is result.tensors["meta_scores"]
    assert result.sampled_frame_ids == [0, 19, 39, 59]
    assert [round(pts / 1e6) for pts in result.pts_ns] == [0, 633, 1300, 1967]
    assert result.is_i == [True, False, False, False]
    assert result.frame_status == ["ok"] * 4
    assert (result.fps, result.duration_sec) == (30, 2) and isinstance(result.fps, float)
    assert (result.width, result.height, result.clip_index, result.source) == (320, 240, 0, str(clip))
    assert result.metadata["k_keep"] == 7 and result.metadata["static_fallback"] is False
    assert "7, 3, 14, 14" in repr(result)
    with pytest.raises(AttributeError, match='output="frames"'):
        result.frames


def test_session_is_an_iterator_and_a_context(clip):
    with codecpatch.open(clip, k_keep=5) as session:
        assert iter(session) is session and not session.closed
        clips = list(session)
        assert [len(found.patches) for found in clips] == [5]
        assert session.next() is None
        with pytest.raises(StopIteration):
            next(session)
        assert session.get("k-keep") == session.get("k_keep") == "5"
        assert session.get("no-such-thing") is None
        assert session.resolved_decode_backend in ("cpu", "gpu") and session.resolved_process_backend in ("cpu", "gpu")
    assert session.closed and session.get("k-keep") is None
    session.close()
    with pytest.raises(CodecPatchError, match="closed") as caught:
        session.next()
    assert caught.value.code == ErrorCode.CLOSED and caught.value.path == str(clip)


def test_no_patches(clip):
    result = codecpatch.read(clip, k_keep=0)
    assert [tuple(result.tensors[name].shape) for name in TENSORS] == [(0, 3, 14, 14), (0, 6), (0,)]
    assert [dtype_name(tensor) for tensor in result.tensors.values()] == ["bfloat16", "int64", "float32"]


def test_clips_pickle(clip):
    result = codecpatch.read(clip, k_keep=5, output_dtype="f32")
    again = pickle.loads(pickle.dumps(result))
    assert_same(again.tensors, result.tensors)
    assert again.metadata == result.metadata


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, pickle.dumps])
def test_sessions_do_not_copy(clip, copied):
    """Both would free the same."""
    with codecpatch.open(clip, k_keep=5) as session:
        with pytest.raises(TypeError, match="neither copied nor pickled"):
            copied(session)
        assert len(session.next().patches) == 5


# --- Plans ---


@pytest.mark.parametrize("indices", [[3, 3, 1], (59,), range(0, 60, 20), numpy.array([5, 6])])
def test_frame_indices(clip, indices):
    assert codecpatch.read(clip, frame_indices=indices).sampled_frame_ids == [int(index) for index in indices]


@pytest.mark.parametrize(
    "plan, expected",
    [
        ({"start": 1, "sequence_length": 3}, [30, 44, 59]),
        ({"stop": 0.5, "sequence_length": 2}, [0, 14]),
        ({"start": 0.5, "stop": 1.5, "sequence_length": 2}, [15, 44]),
        ({"fps": 2}, [0, 15, 30, 45]),
        ({"fps": 0.5}, [0]),
        ({"fps": Fraction(3, 2), "start": 1.0}, [30, 50]),
        ({"fps": 30.0, "max_frames": 2}, [0, 59]),
    ],
)
def test_plans(clip, plan, expected):
    assert codecpatch.read(clip, **plan).sampled_frame_ids == expected


def test_rates_keep_their_decimals(clip):
    for rate in (29.97, numpy.float32(29.97), numpy.float64(29.97), Decimal("29.97"), Fraction(2997, 100)):
        assert codecpatch.read(clip, fps=rate, max_frames=2, k_keep=1).metadata["sample_fps"] == "2997/100"


@pytest.mark.parametrize("second", [1, True, Decimal("1"), Fraction(1), numpy.int8(1), numpy.float32(1)])
def test_kinds_of_times(clip, second):
    plan = {"start": second, "stop": second + second, "sequence_length": 2, "k_keep": 1}
    assert codecpatch.read(clip, **plan).sampled_frame_ids == [30, 59]


@pytest.mark.parametrize(
    "options, message",
    [
        ({"sequence_length": 0}, "sequence_length must be more than 0"),
        ({"sequence_length": -1}, "sequence_length"),
        ({"frame_indices": []}, "frame_indices"),
        ({"frame_indices": [0, -1]}, "frame_indices"),
        ({"frame_indices": [60]}, "60"),
        ({"start": -1}, "start"),
        ({"stop": float("nan")}, "stop"),
        ({"start": float("inf")}, "start"),
        ({"fps": 0}, "fps"),
        ({"fps": -2.5}, "fps"),
        ({"fps": 1e300}, "fps"),
        ({"output_dtype": "f64"}, "output_dtype must be one of .*bf16"),
        ({"selection_unit": "pair"}, "selection_unit must be one of .*block2x2"),
        ({"decode_backend": "tpu"}, "decode_backend must be one of auto, cpu, gpu"),
        ({"process_backend": "tpu"}, "process_backend must be one of"),
        ({"uniform_strategy": "jump"}, "uniform_strategy must be one of auto, seek, skip, stream"),
        ({"decode_thread_type": "both"}, "decode_thread_type"),
        ({"decode_device_id": -1}, "decode_device_id"),
        ({"process_device_id": -1}, "process_device_id"),
        ({"on_error": "panic"}, "on_error"),
        ({"output": "sound"}, "output must be one of patches, frames"),
        ({"no_such_option": 1}, "no-such-option"),
        ({"k_keep": "many"}, "k-keep"),
        ({"k_keep": 3, "output": "frames"}, "k-keep"),
        ({"max_frames": -1}, "max-frames"),
    ],
)
def test_bad_options(clip, options, message):
    with pytest.raises(ValueError, match=message):
        codecpatch.read(clip, **options)


def test_options_are_checked_before_the_source():
    with pytest.raises(ValueError, match="sequence_length"):
        codecpatch.open("/no/such/file", sequence_length=0)


@pytest.mark.parametrize(
    "options",
    [
        {"output_dtype": "BFloat16", "selection_unit": "Block_2x2", "k_keep": numpy.int64(8), "scale": 0.5},
        {"mean": [0.5, 0.5, 0.5], "std": (0.25, 0.25, 0.25), "scale": 1 / 255, "output_dtype": "f32"},
        {"static_fallback": True, "apply_rotation": False, "decode_threads": 1, "decode_thread_type": "slice"},
        {"ranking": "replenishment", "min_score": 25.5, "process_backend": "cpu"},
        {"k_keep": None, "fps": None, "start": None, "output": None},
    ],
)
def test_kinds_of_values(clip, options):
    metadata = codecpatch.read(clip, **options).metadata
    for name in ("scale", "std", "mean", "static_fallback", "ranking", "min_score"):
        if name in options:
            assert metadata[name] == pytest.approx(options[name] if name != "std" else list(options[name]))


# --- Errors and warnings ---


def test_missing_file():
    with pytest.raises(CodecPatchError, match="/no/such/file.mp4: ") as caught:
        codecpatch.open("/no/such/file.mp4")
    assert isinstance(caught.value, RuntimeError)
    assert (caught.value.path, caught.value.code) == ("/no/such/file.mp4", ErrorCode.SOURCE)
    assert caught.value.message == str(caught.value)


def test_no_video(tmp_path):
    text = tmp_path / "text.mp4"
    text.write_text("no video at all\n" * 100)
    with pytest.raises(CodecPatchError) as caught:
        codecpatch.read(text)
    assert (caught.value.path, caught.value.code) == (str(text), ErrorCode.STREAM)


def test_missing_backend(clip):
    """Where there is a GPU, it works; elsewhere it is an error that says so, and never a silent fallback."""
    try:
        result = codecpatch.read(clip, decode_backend="gpu", k_keep=5)
    except CodecPatchError as error:
        assert error.code in (ErrorCode.BACKEND, ErrorCode.SETUP)
    else:
        assert "cuda" in str(getattr(result.patches, "device", ""))


@pytest.mark.parametrize("options", [{}, {"on_error": None}])
def test_damage_raises_by_default(damaged, options):
    with pytest.raises(CodecPatchError, match="could not be decoded") as caught:
        codecpatch.read(damaged, **options)
    assert caught.value.code == ErrorCode.STREAM


def test_damage_may_be_passed_over(damaged):
    with pytest.warns(CodecPatchWarning, match="stands in") as caught:
        result = codecpatch.read(damaged, on_error="substitute")
    assert "substituted" in result.frame_status
    assert caught[0].filename == __file__


def test_no_warning_without_a_reason(clip):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        codecpatch.read(clip)


@pytest.mark.parametrize(
    "error", [CodecPatchError("no", "v.mp4", ErrorCode.STREAM), CodecPatchError("no"), CodecPatchError(message="no")]
)
def test_errors_pickle(error):
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.message, again.path, again.code) == ("no", "no", error.path, error.code)


def test_codes_of_newer_libraries():
    assert CodecPatchError("no", None, 77).code == ErrorCode.FAILED


# --- Closing ---


def test_tensors_outlive_the_session(clip, line):
    session = codecpatch.open(clip, k_keep=100)
    result = session.next()
    session.close()
    del session
    for _ in range(3):
        codecpatch.read(clip, k_keep=100, start=0.5)  # would take what was free
    assert_same(result.tensors, line.tensors)


def test_tensors_are_writable_and_nobody_elses(clip):
    first, second = (codecpatch.read(clip, k_keep=5, output_dtype="f32") for _ in range(2))
    before = array(second.patches).copy()
    first.patches[:] = 0
    numpy.testing.assert_array_equal(array(second.patches), before)
    assert array(first.patches).max() == 0


def test_tensors_may_be_freed_on_any_thread(clip):
    kept = [codecpatch.read(clip, k_keep=5)]
    thread = threading.Thread(target=kept.clear)
    thread.start()
    thread.join()


def test_closing_wakes_who_reads():
    """A file whose reading does not end before the session is closed."""
    reading, go_on = threading.Event(), threading.Event()

    class Stuck:
        def read(self, size):
            reading.set()
            go_on.wait(60)
            return b""

        def seek(self, offset, whence=0):
            return offset if whence == 0 else 1 << 20

    outcome = []

    def read():
        try:
            outcome.append(session.next())
        except CodecPatchError as error:
            outcome.append(error)

    session = codecpatch.open(Stuck())
    thread = threading.Thread(target=read)
    thread.start()
    reading.wait(60)
    threading.Timer(0.2, go_on.set).start()  # close() waits for read() to return
    session.close()
    thread.join(60)
    assert not thread.is_alive()
    assert isinstance(outcome[0], CodecPatchError) and outcome[0].code == ErrorCode.CLOSED


def test_a_longer_clip_than_the_pool(tmp_path):
    """Clips that are kept starve nobody."""
    path = make_clip(tmp_path / "many.mp4", frames=40, size="160x120")
    kept = [codecpatch.read(path, output="frames", sequence_length=40) for _ in range(5)]
    for result in kept[1:]:
        assert_same(result.tensors, kept[0].tensors)
