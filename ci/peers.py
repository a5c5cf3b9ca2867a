# SPDX-License-Identifier: LGPL-2.1-or-later
"""Compares codecpatch.adapters with the processors of transformers, and with qwen-vl-utils: see ci/peers.sh."""

from __future__ import annotations

import importlib.metadata
import logging
import math
import random
import sys
import types
from collections.abc import Callable

import codecpatch
import torch
from codecpatch import adapters
from qwen_vl_utils import vision_process
from transformers.models.qwen2_vl.image_processing_qwen2_vl import Qwen2VLImageProcessor
from transformers.models.qwen2_vl.video_processing_qwen2_vl import Qwen2VLVideoProcessor
from transformers.models.qwen3_vl.processing_qwen3_vl import Qwen3VLProcessor
from transformers.models.qwen3_vl.video_processing_qwen3_vl import Qwen3VLVideoProcessor
from transformers.models.videomae.video_processing_videomae import VideoMAEVideoProcessor
from transformers.models.vjepa2.video_processing_vjepa2 import VJEPA2VideoProcessor
from transformers.video_utils import VideoMetadata

torch.manual_seed(1)
random.seed(1)
_table: list[tuple[str, str, int, int]] = []


def compare(peer: str, what: str, cases: list[bool]) -> None:
    _table.append((peer, what, len(cases), sum(cases)))


def same(ours: torch.Tensor, theirs: torch.Tensor) -> bool:
    """The same type, shape and bits."""
    return ours.dtype == theirs.dtype and ours.shape == theirs.shape and torch.equal(ours, theirs)


def noise(*shape: int) -> torch.Tensor:
    return torch.randint(0, 256, shape, dtype=torch.uint8)


def clip_of(frames: torch.Tensor, ids: list[int], total: int, fps: float) -> codecpatch.Clip:
    metadata = {"sampled_frame_ids": ids, "fps": fps, "duration_sec": total / fps, "start": -1, "stop": -1}
    return codecpatch.Clip({"frames": frames}, metadata)


def for_processor(frames: torch.Tensor) -> torch.Tensor:
    return frames.permute(0, 3, 1, 2)


# Frames, height and width in units of 28 or 32 pixels.
SIZES = [(1, 4, 4), (2, 4, 6), (3, 5, 4), (7, 8, 3), (16, 8, 8), (33, 7, 8)]


def videos(unit: int) -> list[codecpatch.Clip]:
    clips = []
    for count, down, across in SIZES:
        total, fps = random.randint(count, 1000), random.choice([25.0, 30.0, 30000 / 1001, 23.976])
        ids = sorted(random.sample(range(total), count))
        clips.append(clip_of(noise(count, unit * down, unit * across, 3), ids, total, fps))
    return clips


def qwen(peer: str, model: str, processor: Callable, unit: int) -> None:
    clips = videos(unit)
    values, grids = [], []
    for given in [*clips, clips]:
        ours = adapters.qwen_vl(given, model)
        theirs = processor(
            videos=[for_processor(clip.frames) for clip in (given if isinstance(given, list) else [given])],
            do_resize=False,
            do_sample_frames=False,
            cap_pixels_per_frame=False,
            return_tensors="pt",
        )
        values.append(same(ours.pixel_values_videos, theirs["pixel_values_videos"]))
        grids.append(same(ours.video_grid_thw, theirs["video_grid_thw"]))
    compare(peer, "pixel_values_videos", values)
    compare(peer, "video_grid_thw", grids)
    ours = adapters.qwen_vl(clips, model)
    theirs = [VideoMetadata(**data) for data in ours.video_metadata]
    if model == "qwen2.5":
        expected = torch.tensor([2 / data.sampled_fps for data in theirs])
        compare(peer, "second_per_grid_ts", [same(ours.second_per_grid_ts, expected)])
    if model == "qwen3":
        cases = []
        for runs, data in zip(ours.prompt_runs, theirs):
            times = Qwen3VLProcessor._calculate_timestamps(None, [*data.frames_indices], data.fps)
            cases.append([text for text, _ in runs] == [f"<{time:.1f} seconds>" for time in times])
        compare(peer, "times in the prompt", cases)


def whole_videos(peer: str, adapter: Callable, processor: Callable, name: str) -> None:
    cases = []
    for count, height, width in [(2, 16, 32), (16, 224, 224), (16, 256, 256), (8, 48, 64)]:
        frames = noise(count, height, width, 3)
        as_they_are = {"do_resize": False, "do_center_crop": False, "do_sample_frames": False}
        theirs = processor(videos=[for_processor(frames)], return_tensors="pt", **as_they_are)
        cases.append(same(adapter(frames), theirs[name]))
    compare(peer, name, cases)


def canvases() -> None:
    """LLaVA-OneVision-2 is not in transformers; its images have the layout of Qwen2-VL's, one frame each."""
    values, grids = [], []
    for count, rows, columns, patch in [(1, 2, 2, 14), (4, 12, 22, 14), (3, 8, 6, 16)]:
        images = noise(count, rows * patch, columns * patch, 3)
        metadata = {"patch_size": patch, "grid_height": rows, "grid_width": columns, "fps": 30.0}
        positions = torch.zeros(count * rows * columns, 3, dtype=torch.int64)
        ours = adapters.llava_onevision2(codecpatch.Clip({"canvases": images, "patch_positions": positions}, metadata))
        processor = Qwen2VLImageProcessor(patch_size=patch, temporal_patch_size=1, merge_size=2)
        theirs = processor(images=list(for_processor(images)), do_resize=False, return_tensors="pt")
        values.append(same(ours.pixel_values, theirs["pixel_values"]))
        grids.append(same(ours.image_grid_thw, theirs["image_grid_thw"]))
    compare("Qwen2VLImageProcessor, temporal_patch_size=1", "pixel_values", values)
    compare("Qwen2VLImageProcessor, temporal_patch_size=1", "image_grid_thw", grids)


class FakeReader:
    """decord's VideoReader of a video that is nothing but a number of frames and a rate."""

    total, fps, asked = 0, 0.0, []

    def __init__(self, path: str) -> None:
        pass

    def __len__(self) -> int:
        return FakeReader.total

    def get_avg_fps(self) -> float:
        return FakeReader.fps

    def get_batch(self, ids: list[int]) -> types.SimpleNamespace:
        FakeReader.asked = ids
        return types.SimpleNamespace(asnumpy=lambda: torch.zeros(1, 2, 2, 3, dtype=torch.uint8).numpy())


def sampling() -> None:
    """The frames that qwen-vl-utils takes."""
    sys.modules["decord"] = types.SimpleNamespace(VideoReader=FakeReader)
    frames = []
    for _ in range(2000):
        FakeReader.total = random.choice([random.randint(4, 100), random.randint(4, 50000)])
        FakeReader.fps = random.choice([24.0, 25.0, 30.0, 30000 / 1001, 23.976, 60.0, 7.5])
        rate, most = random.choice([0.5, 1.0, 4.0]), random.randint(4, 100)
        more = random.choice([{}, {}, {"fps": rate}, {"max_frames": most}, {"nframes": 4}])
        vision_process._read_video_decord({"video": "v.mp4", **more})
        ours = adapters.qwen_vl_options("qwen2", total_frames=FakeReader.total, video_fps=FakeReader.fps, **more)
        frames.append(ours["frame_indices"] == FakeReader.asked)
    compare("qwen-vl-utils, decord's reader", "frame indices", frames)


def target(height: int, width: int, unit: int, least: int, most: int) -> tuple[int, int]:
    """The size of frames by size_rule="floor", section 2 of docs/spec.md."""
    sides = [max(unit, round(side / unit) * unit) for side in (height, width)]
    if math.prod(sides) > most:
        scale = math.sqrt(height * width / most)
        return tuple(max(unit, math.floor(side / scale / unit) * unit) for side in (height, width))
    if math.prod(sides) < least:
        scale = math.sqrt(least / (height * width))
        return tuple(math.ceil(side * scale / unit) * unit for side in (height, width))
    return tuple(sides)


def sizes() -> None:
    """The size that qwen-vl-utils gives to frames."""
    for model, patch in (("qwen2.5", 14), ("qwen3", 16)):
        cases = []
        for _ in range(60):
            height, width = random.randint(100, 1100), random.randint(100, 2000)
            count, total, fps = random.choice([(4, 60, 30.0), (12, 180, 30.0), (400, 6000, 30.0), (768, 18000, 30.0)])
            more = random.choice([{}, {"max_pixels": 300000}, {"min_pixels": 50000}, {"total_pixels": 10**7}])
            read = (torch.zeros(1, 3, height, width, dtype=torch.uint8).expand(count, -1, -1, -1), {}, 2.0)
            vision_process.VIDEO_READER_BACKENDS["torchvision"] = lambda _: read
            shapes: list[list[int]] = []

            def resize(video: torch.Tensor, size: list[int], **_: object) -> torch.Tensor:
                shapes.append(size)
                return video[:, :, :1, :1]

            vision_process.transforms.functional.resize = resize
            vision_process.fetch_video({"video": "v.mp4", **more}, image_patch_size=patch)
            ours = adapters.qwen_vl_options(model, total_frames=total, video_fps=fps, **more)
            assert len(ours["frame_indices"]) == count
            ours_is = target(height, width, ours["align"], ours["min_pixels"], ours["max_pixels"])
            cases.append(list(ours_is) == shapes[0])
        compare(f"qwen-vl-utils, patches of {patch}", "size of frames", cases)


def main() -> int:
    logging.disable(logging.WARNING)
    vision_process.get_video_reader_backend = lambda: "torchvision"
    qwen("Qwen2VLVideoProcessor, Qwen2-VL", "qwen2", Qwen2VLVideoProcessor(), 28)
    qwen("Qwen2VLVideoProcessor, Qwen2.5-VL", "qwen2.5", Qwen2VLVideoProcessor(), 28)
    qwen("Qwen3VLVideoProcessor", "qwen3", Qwen3VLVideoProcessor(), 32)
    canvases()
    whole_videos("VideoMAEVideoProcessor", adapters.videomae, VideoMAEVideoProcessor(), "pixel_values")
    whole_videos("VJEPA2VideoProcessor", adapters.vjepa2, VJEPA2VideoProcessor(), "pixel_values_videos")
    sampling()
    sizes()
    packages = ("torch", "torchvision", "transformers", "qwen-vl-utils")
    print(", ".join(f"{name} {importlib.metadata.version(name)}" for name in packages))
    print("\n| peer | result | cases | equal, bit for bit |\n|---|---|---|---|")
    for peer, what, cases, equal in _table:
        print(f"| {peer} | {what} | {cases} | {'all' if cases == equal else equal} |")
    return 0 if all(cases == equal for _, _, cases, equal in _table) else 1


if __name__ == "__main__":
    sys.exit(main())
