# SPDX-License-Identifier: LGPL-2.1-or-later
"""codecpatch.compat: every name of the original, its defaults, spellings and semantics."""

from __future__ import annotations

import dataclasses
import inspect
import io

import codecpatch
import numpy
import pytest
from codecpatch import CodecPatchError, CodecPatchWarning, ErrorCode, compat
from codecpatch.compat import (
    DecodeConfig,
    DecodedFrames,
    PatchStreamConfig,
    PatchStreamResult,
    decode_only,
    patch_stream,
)
from support import array, assert_same, dtype_name, run_python

NAMES = [
    *("DecodeConfig", "DecodedFrames", "PatchStreamConfig", "PatchStreamResult", "PatchStreamSession"),
    *("decode_only", "patch_stream"),
]
DECODE_FIELDS = {
    "sequence_length": 16,
    "decode_backend": "auto",
    "decode_device_id": 0,
    "uniform_strategy": "auto",
    "nvdec_session_pool_size": None,
    "uniform_auto_ratio": None,
    "decode_threads": None,
    "decode_thread_type": None,
    "reader_cache_size": None,
    "nvdec_reuse_open_decoder": None,
}
PATCH_FIELDS = {
    "sequence_length": 16,
    "uniform_strategy": "auto",
    "input_size": 224,
    "min_pixels": None,
    "max_pixels": None,
    "patch_size": 14,
    "k_keep": 2048,
    "selection_unit": "patch",
    "static_fallback": False,
    "static_abs_thresh": 2.0,
    "static_rel_thresh": 0.15,
    "static_uniform_frames": 4,
    "energy_pct": 95.0,
    "output_dtype": "bfloat16",
    "decode_backend": "auto",
    "process_backend": "auto",
    "decode_device_id": 0,
    "process_device_id": 0,
    "prefetch_depth": 3,
    "nvdec_session_pool_size": None,
    "uniform_auto_ratio": None,
    "decode_threads": None,
    "decode_thread_type": None,
    "reader_cache_size": None,
    "nvdec_reuse_open_decoder": None,
}
EXTRAS = {
    "on_error": "fail",
    "frame_indices": None,
    "start": None,
    "stop": None,
    "fps": None,
    "max_frames": None,
    "color_matrix": None,
    "apply_rotation": None,
}
KEYS = ["seq_pos", "frame_id", "is_i", "patch_linear_idx", "patch_h_idx", "patch_w_idx", "score"]


@pytest.fixture
def session(clip):
    with patch_stream(PatchStreamConfig(clip, k_keep=100)) as opened:
        yield opened


# --- Names ---


@pytest.mark.parametrize("name", NAMES)
def test_name(name):
    assert getattr(compat, name) and name in compat.__all__


@pytest.mark.parametrize("config, expected", [(DecodeConfig, DECODE_FIELDS), (PatchStreamConfig, PATCH_FIELDS)])
def test_fields(config, expected):
    """In the original's order, for positional arguments; what is ours by keyword alone."""
    parameters = inspect.signature(config).parameters
    positional = [p.name for p in parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert positional == ["video_path", *expected]
    assert {name: getattr(config("v"), name) for name in expected} == expected
    assert {p.name: p.default for p in parameters.values() if p.kind is p.KEYWORD_ONLY} == EXTRAS
    with pytest.raises(dataclasses.FrozenInstanceError):
        config("v").sequence_length = 3
    assert config("v") == config(video_path="v") and hash(config("v")) == hash(config("v"))
    assert dataclasses.replace(config("v"), sequence_length=3).sequence_length == 3


@pytest.mark.parametrize("config", [DecodeConfig, PatchStreamConfig])
@pytest.mark.parametrize("old, new", [("backend", "decode_backend"), ("device_id", "decode_device_id")])
def test_removed_fields(config, old, new):
    with pytest.raises(TypeError, match=f"{old} .*{new}"):
        config("v", **{old: 0})


def test_unknown_field():
    with pytest.raises(TypeError, match="no_such_field"):
        DecodeConfig("v", no_such_field=1)


def test_subclasses(clip):
    """Fields of their own mean nothing to us. What decodes takes what it needs of either configuration."""

    @dataclasses.dataclass(frozen=True)
    class Own(PatchStreamConfig):
        note: str = ""

    mine = dataclasses.make_dataclass("Mine", [("count", int, 3)], bases=(PatchStreamConfig,), frozen=True)
    assert len(patch_stream(Own(clip, k_keep=3, note="x"))) == len(patch_stream(mine(clip, k_keep=3))) == 3
    assert decode_only(Own(clip, 4, k_keep=3)).frames.shape == (4, 240, 320, 3)


# --- patch_stream ---


def test_result_is_that_of_the_line(session, line):
    fields, scores = session.metadata_tensors
    assert_same({"patches": session.patches, "meta_fields": fields, "meta_scores": scores}, line.tensors)


def test_iteration(session, line):
    assert len(session) == 100 and iter(session) is session
    taken = list(session)
    assert len(taken) == 100 and len(session) == 100
    for row, (patch, metadata) in enumerate(taken):
        assert patch.shape == (3, 14, 14)
        numpy.testing.assert_array_equal(array(patch), line.tensors["patches"][row])
        assert list(metadata) == KEYS
        assert [metadata[key] for key in KEYS[:6]] == line.tensors["meta_fields"][row].tolist()
        assert metadata["score"] == line.tensors["meta_scores"][row]
        assert [type(value) for value in metadata.values()] == [int, int, bool, int, int, int, float]
    with pytest.raises(StopIteration):
        next(session)
    session.reset()
    assert next(session)[1] == session.metadata[0] and session.next()[1] == session.metadata[1]


def test_metadata(session):
    rows = session.metadata
    assert len(rows) == 100 and rows[0]["is_i"] in (True, False)
    rows[0]["score"] = -1  # is the caller's own
    assert session.metadata[0]["score"] != -1


def test_next_n(session):
    patches, metadata = session.next_n(30)
    assert patches.shape == (30, 3, 14, 14) and metadata == session.metadata[:30]
    session.patches[29] = 7  # views
    assert (array(patches[29]) == array(session.patches[29])).all()
    assert next(session)[1] == session.metadata[30]
    patches, metadata = session.next_n(1000)
    assert len(patches) == 69 and metadata == session.metadata[31:]


def test_next_n_tensors(session):
    session.next_n(10)
    patches, fields, scores = session.next_n_tensors(5)
    assert (patches.shape, fields.shape, scores.shape) == ((5, 3, 14, 14), (5, 6), (5,))
    for whole, part in zip((session.patches, *session.metadata_tensors), (patches, fields, scores)):
        part[:] = 3
        assert (array(whole)[10:15] == array(part)).all()
    assert len(session.next_n_tensors(99)[0]) == 85


@pytest.mark.parametrize("dtype", ["bf16", "f16", "f32", "u8"])
@pytest.mark.parametrize("state", ["nothing asked", "less", "exhausted", "closed"])
def test_empties(clip, dtype, state):
    session = patch_stream(PatchStreamConfig(clip, k_keep=4, output_dtype=dtype))
    like = (session.patches, *session.metadata_tensors)
    count = {"nothing asked": 0, "less": -5}.get(state, 3)
    if state == "exhausted":
        session.next_n(4)
    if state == "closed":
        session.close()
    for empty, whole in zip(session.next_n_tensors(count), like):
        assert empty.shape == (0, *whole.shape[1:]) and empty.dtype == whole.dtype
        assert getattr(empty, "device", None) == getattr(whole, "device", None)
    patches, metadata = session.next_n(count)
    assert patches.shape == (0, 3, 14, 14) and patches.dtype == like[0].dtype and metadata == []


def test_properties(session):
    assert session.sampled_frame_ids == [i * 59 // 15 for i in range(16)]
    assert (session.fps, session.duration_sec) == (30.0, 2.0)


def test_collect_all(session):
    session.next_n(50)
    result = session.collect_all()
    assert isinstance(result, PatchStreamResult) and len(result.patches) == 100
    assert result.metadata == session.metadata and result.metadata_tensors[0] is session.metadata_tensors[0]
    assert (result.sampled_frame_ids, result.fps) == (session.sampled_frame_ids, 30.0) and result.duration_sec == 2.0


def test_closed(clip, line):
    session = patch_stream(PatchStreamConfig(clip, k_keep=100))
    kept, (patch, _), (view, _) = session.collect_all(), session.next(), session.next_n(3)
    session.close()
    session.close()
    session.reset()
    assert len(session) == 0 and session.patches is None and session.metadata_tensors == (None, None)
    assert (session.metadata, session.sampled_frame_ids) == ([], [])
    assert (session.fps, session.duration_sec) == (0.0, 0.0)
    with pytest.raises(StopIteration):
        next(session)
    assert session.collect_all().patches is None
    for tensor, rows in ((kept.patches, slice(None)), (patch, 0), (view, slice(1, 4))):
        numpy.testing.assert_array_equal(array(tensor), line.tensors["patches"][rows])


def test_with(clip):
    with patch_stream(PatchStreamConfig(clip, k_keep=5)) as session:
        assert len(session) == 5
    assert len(session) == 0


def test_no_patches(clip):
    session = patch_stream(PatchStreamConfig(clip, k_keep=0))
    assert len(session) == 0 and session.patches.shape == (0, 3, 14, 14) and list(session) == []


# --- Spellings and values ---


@pytest.mark.parametrize(
    "spelling, expected",
    [
        *((s, "bfloat16") for s in ("bf16", "bfloat16", "BF16", "BFloat16")),
        *((s, "float16") for s in ("fp16", "float16", "f16", "FP16")),
        *((s, "float32") for s in ("fp32", "float32", "f32", "Float32")),
        *((s, "uint8") for s in ("u8", "uint8", "UINT8")),
    ],
)
def test_dtypes(clip, spelling, expected):
    assert dtype_name(patch_stream(PatchStreamConfig(clip, k_keep=4, output_dtype=spelling)).patches) == expected


@pytest.mark.parametrize("unit", ["patch", "patches", "block", "block2x2", "block_2x2", "Block2x2"])
def test_units(clip, unit):
    fields, _ = patch_stream(PatchStreamConfig(clip, k_keep=4, selection_unit=unit)).metadata_tensors
    rows = sorted({(int(row[0]), int(row[4]) // 2, int(row[5]) // 2) for row in fields})
    assert (len(rows) == 1) == unit.lower().startswith("block") or unit.lower().startswith("patch")


def test_options_arrive(clip):
    """Each field is that option of a session."""
    values = {
        "sequence_length": 5,
        "uniform_strategy": "skip",
        "input_size": 112,
        "min_pixels": 9000,
        "max_pixels": 12000,
        "patch_size": 8,
        "k_keep": 12,
        "selection_unit": "block2x2",
        "static_fallback": True,
        "static_abs_thresh": 3.5,
        "static_rel_thresh": 0.25,
        "static_uniform_frames": 2,
        "energy_pct": 80.0,
        "output_dtype": "f16",
        "decode_backend": "cpu",
        "process_backend": "cpu",
        "decode_threads": 1,
        "decode_thread_type": "slice",
    }
    session = patch_stream(PatchStreamConfig(clip, **values))
    expected = codecpatch.read(clip, **values)
    assert_same({"patches": session.patches}, {"patches": expected.patches})
    for key, value in values.items():
        assert expected.metadata.get(key, value) == value
    assert session._clip.metadata == expected.metadata


@pytest.mark.parametrize("name", ["min_pixels", "max_pixels", "decode_threads"])
@pytest.mark.parametrize("value", [None, 0, -1])
def test_nothing_is_the_default(clip, line, name, value):
    session = patch_stream(PatchStreamConfig(clip, k_keep=100, **{name: value}))
    assert_same({"patches": session.patches}, {"patches": line.tensors["patches"]})


@pytest.mark.parametrize(
    "plan, expected",
    [({"frame_indices": [5, 2]}, [5, 2]), ({"start": 1.0, "sequence_length": 2}, [30, 59]), ({"fps": 1}, [0, 30])],
)
def test_other_plans(clip, plan, expected):
    assert patch_stream(PatchStreamConfig(clip, **plan)).sampled_frame_ids == expected
    assert decode_only(DecodeConfig(clip, **plan)).sampled_frame_ids == expected


def test_sources(clip, data):
    for source in (clip, str(clip), clip.as_uri(), data, io.BytesIO(data)):
        assert len(patch_stream(PatchStreamConfig(source, k_keep=3))) == 3


# --- decode_only ---


def test_decode_only(clip):
    decoded = decode_only(DecodeConfig(clip, 5))
    expected = codecpatch.read(clip, output="frames", sequence_length=5)
    assert isinstance(decoded, DecodedFrames) and decoded.frames.shape == (5, 240, 320, 3)
    assert dtype_name(decoded.frames) == "uint8"
    assert_same({"frames": decoded.frames}, expected.tensors)
    assert isinstance(decoded.asnumpy(), numpy.ndarray)
    numpy.testing.assert_array_equal(decoded.asnumpy(), array(decoded.frames))
    assert decoded.sampled_frame_ids == [0, 14, 29, 44, 59]
    assert (decoded.fps, decoded.duration_sec, decoded.width, decoded.height) == (30.0, 2.0, 320, 240)


# --- Errors ---


@pytest.mark.parametrize(
    "values, message",
    [
        ({"sequence_length": 0}, "sequence_length"),
        ({"sequence_length": -3}, "sequence_length"),
        ({"decode_backend": "cuda"}, "decode_backend must be one of auto, cpu, gpu"),
        ({"decode_device_id": -1}, "decode_device_id"),
        ({"uniform_strategy": "fast"}, "uniform_strategy must be one of auto, seek, skip, stream"),
        ({"decode_thread_type": "x"}, "decode_thread_type"),
        ({"on_error": "x"}, "on_error"),
    ],
)
def test_bad_values_of_both(values, message):
    """Before anything is opened."""
    for function, config in ((decode_only, DecodeConfig), (patch_stream, PatchStreamConfig)):
        with pytest.raises(ValueError, match=message):
            function(config("/no/such/file.mp4", **values))


@pytest.mark.parametrize(
    "values, message",
    [
        ({"process_backend": "cuda"}, "process_backend must be one of auto, cpu, gpu"),
        ({"process_device_id": -1}, "process_device_id"),
        ({"output_dtype": "int4"}, "output_dtype must be one of"),
        ({"selection_unit": "row"}, "selection_unit must be one of"),
    ],
)
def test_bad_values_of_patches(values, message):
    with pytest.raises(ValueError, match=message):
        patch_stream(PatchStreamConfig("/no/such/file.mp4", **values))


@pytest.mark.parametrize("values", [{"patch_size": 0}, {"patch_size": -14}, {"input_size": 0}])
def test_sizes_that_cannot_be(clip, values):
    with pytest.raises((ValueError, CodecPatchError)):
        patch_stream(PatchStreamConfig(clip, **values))


@pytest.mark.parametrize("function, config", [(decode_only, DecodeConfig), (patch_stream, PatchStreamConfig)])
def test_errors_come_at_once(function, config, damaged, tmp_path):
    with pytest.raises(CodecPatchError) as caught:
        function(config("/no/such/file.mp4"))
    assert isinstance(caught.value, RuntimeError)
    assert caught.value.path == "/no/such/file.mp4" and caught.value.path in caught.value.message
    with pytest.raises(CodecPatchError, match="could not be decoded") as caught:
        function(config(damaged))
    assert caught.value.code == ErrorCode.STREAM
    with pytest.warns(CodecPatchWarning):
        function(config(damaged, on_error="substitute"))


def test_fields_without_a_meaning(clip):
    """One warning a process, whatever is set and however often; none for the defaults."""
    printed = run_python(
        """
import sys, warnings
from codecpatch.compat import *
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    patch_stream(PatchStreamConfig(sys.argv[1], prefetch_depth=3, nvdec_session_pool_size=None))
    print(len(caught))
    for _ in range(2):
        patch_stream(PatchStreamConfig(sys.argv[1], prefetch_depth=5))
        decode_only(DecodeConfig(sys.argv[1], reader_cache_size=4, nvdec_reuse_open_decoder=True))
        patch_stream(PatchStreamConfig(sys.argv[1], uniform_auto_ratio=4, nvdec_session_pool_size=2))
    print(len(caught), caught[0].category.__name__, "prefetch_depth" in str(caught[0].message), caught[0].filename)
""",
        clip,
    )
    assert printed.split() == ["0", "1", "CodecPatchWarning", "True", "<string>"]
