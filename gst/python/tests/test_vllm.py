# SPDX-License-Identifier: LGPL-2.1-or-later
"""codecpatch.vllm with a stub of what it uses of vLLM 0.33; ci/peers-vllm.sh compares it with vLLM's own."""

from __future__ import annotations

import math
import sys
import types
from typing import Any, NamedTuple

import codecpatch
import pytest
from support import array, make_two_tracks, run_python

numpy = pytest.importorskip("numpy")

from codecpatch import vllm as loaders  # noqa: E402


class Source(NamedTuple):
    total_frames_num: int
    original_fps: float
    duration: float


class Target(NamedTuple):
    num_frames: int
    fps: float
    max_duration: float


class Registry:
    def __init__(self) -> None:
        self.name2class: dict[str, Any] = {}

    def register(self, name: str, *, video_processor: Any = None, requires_gpu: bool = False) -> Any:
        def wrap(loader: Any) -> Any:
            self.name2class[name] = loader
            loader.requires_gpu = requires_gpu
            return loader

        return wrap

    def load(self, name: str) -> Any:
        return self.name2class[name]()

    def backend_requires_gpu(self, name: str) -> bool:
        return self.name2class[name].requires_gpu


class VideoLoader:
    @classmethod
    def _prepare_source(cls, source: Source) -> Source:
        return source

    @classmethod
    def create_hf_metadata(cls, source: Source, valid_frame_indices: list[int], video_backend: str) -> dict[str, Any]:
        return {
            **{"total_num_frames": source.total_frames_num, "fps": source.original_fps, "duration": source.duration},
            **{"video_backend": video_backend, "frames_indices": valid_frame_indices},
            "do_sample_frames": len(valid_frame_indices) == source.total_frames_num,
        }


class VideoBackend(VideoLoader):
    _sampling_suffix = ""

    @classmethod
    def compute_frames_index_to_sample(cls, source: Source, target: Target, **kwargs: Any) -> list[int]:
        count = source.total_frames_num if target.num_frames < 0 else min(target.num_frames, source.total_frames_num)
        if target.fps > 0:
            count = max(1, min(count, math.floor(source.duration * target.fps)))
        return numpy.linspace(0, source.total_frames_num - 1, count, dtype=int).tolist()

    @classmethod
    def load_bytes(cls, data: bytes, num_frames: int = -1, fps: float = -1, **kwargs: Any) -> Any:
        raise AssertionError("OpenCV decodes")


class ReversedBackend(VideoBackend):
    """Samples by a rule and with defaults of its own, and changes what the common one returns."""

    _sampling_suffix = "_reversed"

    @classmethod
    def compute_frames_index_to_sample(cls, source: Source, target: Target, step: int = 10, **_: Any) -> list[int]:
        return [*range(source.total_frames_num - 1, -1, -step), 0, 0]

    @classmethod
    def load_bytes(cls, data: bytes, fps: int = 2, *, backend: str = "opencv", **kwargs: Any) -> Any:
        frames, metadata = super().load_bytes(data, fps=fps, backend=backend, **kwargs)
        return frames[::-1], {**metadata, "reversed": True}


class OtherLoader(VideoLoader):
    """Not a VideoBackend: it decodes by itself."""


class GpuBackend(VideoBackend):
    pass


@pytest.fixture
def registry(monkeypatch):
    def limit(width: int, height: int) -> None:
        if width * height > 320 * 240:
            raise ValueError("too large")

    found = Registry()
    found.register("opencv")(VideoBackend)
    found.register("reversed")(ReversedBackend)
    found.register("other")(OtherLoader)
    found.register("gpu", requires_gpu=True)(GpuBackend)
    video, decoders = types.ModuleType("vllm.multimodal.video"), types.ModuleType("vllm.multimodal.video_decoders")
    video.VIDEO_LOADER_REGISTRY, video.VideoBackend = found, VideoBackend
    decoders.VideoSourceMetadata, decoders.VideoTargetMetadata = Source, Target
    decoders.check_frame_pixel_limit = limit
    multimodal = types.ModuleType("vllm.multimodal")
    multimodal.video, multimodal.video_decoders = video, decoders
    for module in (types.ModuleType("vllm"), multimodal, video, decoders):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    loaders.register()
    loaders.register()
    return found


def frames_of(source, indices, **options):
    options = {"output": "frames", "decode_backend": "cpu", **options}
    return array(codecpatch.read(source, frame_indices=indices, **options).frames)


def test_registered_names(registry):
    assert list(registry.name2class) == ["opencv", "reversed", "other", "gpu", "codecpatch", "codecpatch_reversed"]


@pytest.mark.parametrize(
    ("options", "indices"),
    [
        ({}, list(range(60))),
        ({"num_frames": 4}, [0, 19, 39, 59]),
        ({"num_frames": 32, "fps": 2}, [0, 19, 39, 59]),
        ({"num_frames": 1000, "backend": "torchcodec", "max_duration": 5}, list(range(60))),
        ({"num_frames": 1, "frame_recovery": True, "decode_threads": 1}, [0]),
    ],
)
def test_frames_and_metadata(registry, data, options, indices):
    frames, metadata = registry.load("codecpatch").load_bytes(data, **options)
    assert isinstance(frames, numpy.ndarray) and frames.dtype == numpy.uint8
    numpy.testing.assert_array_equal(frames, frames_of(data, indices))
    assert metadata == {
        **{"total_num_frames": 60, "fps": 30.0, "duration": 2.0, "video_backend": "codecpatch"},
        **{"frames_indices": indices, "do_sample_frames": len(indices) == 60},
    }


@pytest.mark.parametrize(
    ("fps", "rate"), [(29.99999999747899, 30.0), (29.97002997, 30000 / 1001), (27.3456789, 27.3456789), (0.0, 0.0)]
)
def test_rates(fps, rate):
    assert loaders._rate_of(fps) == rate


def test_other_ways_of_sampling(registry, data):
    frames, metadata = registry.load("codecpatch_reversed").load_bytes(data, num_frames=2, step=30)
    numpy.testing.assert_array_equal(frames, frames_of(data, [59, 29, 0]))
    assert metadata["reversed"] and metadata["frames_indices"] == [0, 29, 59]
    assert metadata["video_backend"] == "codecpatch_reversed"


def test_frames_that_cannot_be_decoded(registry, damaged):
    data = damaged.read_bytes()
    with pytest.warns(codecpatch.CodecPatchWarning):
        options = {"output": "frames", "decode_backend": "cpu", "on_error": "substitute"}
        whole = codecpatch.read(data, frame_indices=range(60), **options)
    good = [index for index, status in enumerate(whole.frame_status) if status in ("ok", "damaged")]
    with pytest.warns(codecpatch.CodecPatchWarning):
        frames, metadata = registry.load("codecpatch").load_bytes(data)
    assert metadata["frames_indices"] == good and 0 < len(good) < 60 and metadata["total_num_frames"] == 60
    numpy.testing.assert_array_equal(frames, array(whole.frames)[good])
    with pytest.warns(codecpatch.CodecPatchWarning):
        frames, metadata = registry.load("codecpatch").load_bytes(data, frame_recovery=True)
    assert metadata["frames_indices"] == list(range(60))
    numpy.testing.assert_array_equal(frames, array(whole.frames))


def test_tracks(registry, tmp_path):
    data = make_two_tracks(tmp_path / "two.mp4").read_bytes()
    for track, total, shape in ((0, 20, (120, 160)), (1, 30, (240, 320)), (-1, 30, (240, 320))):
        frames, metadata = registry.load("codecpatch").load_bytes(data, num_frames=3, video_track=track)
        assert metadata["total_num_frames"] == total and frames.shape[1:3] == shape
        numpy.testing.assert_array_equal(frames, frames_of(data, metadata["frames_indices"], video_track=track))
    assert registry.load("codecpatch").load_bytes(data, num_frames=1)[0].shape[1:3] == (120, 160)


def test_bad_input(registry, monkeypatch, tmp_path, data):
    for bad in (b"", b"no video", data[:3000]):
        with pytest.raises(ValueError):
            registry.load("codecpatch").load_bytes(bad)
    monkeypatch.setattr(sys.modules["vllm.multimodal.video_decoders"], "check_frame_pixel_limit", lambda *_: 1 / 0)
    loaders.register()
    with pytest.raises(ZeroDivisionError):
        registry.load("codecpatch").load_bytes(data)


def test_vllm_of_another_kind(monkeypatch, caplog):
    for name in ("vllm", "vllm.multimodal", "vllm.multimodal.video", "vllm.multimodal.video_decoders"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    loaders.register()
    monkeypatch.setitem(sys.modules, "vllm", None)
    monkeypatch.delitem(sys.modules, "vllm.multimodal")
    loaders.register()
    assert [record.levelname for record in caplog.records] == ["WARNING"] * 2


def test_importing_does_not_import_vllm():
    assert run_python("import codecpatch.vllm, sys; print('vllm' in sys.modules)") == "False\n"
