# SPDX-License-Identifier: LGPL-2.1-or-later
"""codecpatch-preinfer: canvases of a video as files, with the command line and the folder of cv-preinfer.

docs/preinfer.md describes both. Also ``python -m codecpatch.preinfer``.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import importlib.util
import json
import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, NoReturn

from . import _folders, _mp4, _tensors
from ._version import VERSION
from .errors import CodecPatchError
from .session import Session, read

PROGRAM = "codecpatch-preinfer"
_AT_ONCE = 8  # frames of a clip where frames are collected
_LEAST_PIXELS = 56 * 56  # of a canvas, unless max_pixels is less
_CPU = {"decode_backend": "cpu", "process_backend": "cpu", "on_error": "substitute"}

# Of cv-preinfer, about its decoder and its scores.
_IGNORED = {
    **{"block_size": 2, "thread_type": "slice", "disable_target_only": False},
    **{"bitcost_grid": "adaptive", "readiness_sum_threshold": 0.0, "readiness_sum_threshold_mode": "legacy"},
    **{"readiness_norm_sum_threshold": 2250000.0, "iframe_score_clip_mode": "none"},
    **{"iframe_score_clip_percentile": 95.0, "save_mask_video": False, "parallel_decode_cv_reader": False},
    **{"decode_backend": "cv_reader_pixels", "parallel_segments": 0, "threads_per_segment": 4},
    **{"segment_guard_frames": 30},
}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{PROGRAM}: {message}\n")


class _Failure(Exception):
    """What ends the program: a sentence."""


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog=PROGRAM, description=__doc__, allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {VERSION}")
    add = parser.add_argument
    add("--video", required=True, help="the file to read")
    add("--out_dir", required=True, help="the folder to write")
    add("--video-track", "--video_track", type=int, default=0, help="which track of video, from 0; -1: the best one")
    add("--frame_sampling_mode", default="uniform_count", choices=["uniform_count", "fps", "pkt_peak"])
    add("--num_sampled_frames", type=_positive, default=1024, help="frames to sample, at most all of them")
    add("--sample_fps", type=_rate, default=4.0, help="frames per second, with --frame_sampling_mode fps")
    add("--avoid_keyframes", action="store_true", default=True, help="moves samples off key frames: the default")
    add("--no_avoid_keyframes", action="store_true")
    add("--grouping_mode", default="readiness", choices=["fixed", "readiness"])
    add("--group_size", type=_positive, default=32, help="frames of a group; with readiness, on average at least")
    add("--min_group_frames", type=_positive, default=8)
    add("--max_group_frames", type=_positive, default=64)
    add("--images_per_group", type=_positive, default=4, help="canvases of a group")
    add("--patch", type=_positive, default=14, help="side of a patch in pixels")
    add("--max_pixels", type=_positive, default=153664, help="the largest area of a canvas")
    add("--canvas_format", default="jpg", choices=["jpg", "png", "npy"])
    add("--thread_count", type=_threads, default=2, help="threads of the decoder; 0: as many as it takes by itself")
    ignored = parser.add_argument_group("without effect here")
    for name, value in _IGNORED.items():
        if value is False:
            ignored.add_argument(f"--{name}", action="store_true")
        else:
            ignored.add_argument(f"--{name}", type=type(value), default=value)
    return parser


def _positive(text: str) -> int:
    value = int(text)
    if value <= 0:
        raise argparse.ArgumentTypeError(f"must be 1 or more, not {value}")
    return value


def _threads(text: str) -> int:
    value = int(text)
    if not 0 <= value <= 1024:
        raise argparse.ArgumentTypeError(f"must be 0 to 1024, not {value}")
    return value


def _rate(text: str) -> float:
    value = float(text)
    if not 0 < value < 1e6:
        raise argparse.ArgumentTypeError(f"must be a rate, more than 0, not {text}")
    return value


def _checked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = _parser()
    args = parser.parse_args(arguments)
    if args.block_size != 2:
        parser.error(f"argument --block_size: blocks have 2x2 patches, not {args.block_size}x{args.block_size}.")
    if args.max_group_frames < args.min_group_frames:
        parser.error("argument --max_group_frames: must not be less than --min_group_frames.")
    if args.max_pixels < 4 * args.patch**2:
        parser.error(
            f"argument --max_pixels: {args.max_pixels} pixels do not hold a block of {2 * args.patch}x{2 * args.patch}."
        )
    if args.video_track < -1:
        parser.error(f"argument --video-track: must be -1 or more, not {args.video_track}.")
    args.avoid_keyframes = not args.no_avoid_keyframes
    for name, default in _IGNORED.items():
        if getattr(args, name) != default:
            _note(f"--{name} has no effect.")
    if args.frame_sampling_mode == "pkt_peak":
        _note("--frame_sampling_mode pkt_peak samples as fps does.")
    return args


def _note(text: str) -> None:
    print(f"{PROGRAM}: {text}", file=sys.stderr)


class _Video(NamedTuple):
    path: str
    track: int
    frames: int
    fps: float
    height: int
    width: int


def _probe(path: str, track: int) -> _Video:
    """Counts frames, which decodes one of them only."""
    if not os.path.exists(path):
        raise _Failure(f"{path}: there is no such file.")
    small = {"output": "frames", "width": 16, "height": 16, "decode_threads": 1}
    clip = read(path, frame_indices=[0], video_track=track, **small, **_CPU)
    if clip.fps <= 0:
        raise _Failure(f"{path}: the frame rate is unknown.")
    return _Video(path, track, max(1, round(clip.duration_sec * clip.fps)), clip.fps, clip.height, clip.width)


def _sampled(video: _Video, args: argparse.Namespace) -> list[int]:
    from . import _grouping

    if args.frame_sampling_mode == "uniform_count":
        ids = _grouping.evenly(video.frames, args.num_sampled_frames)
    else:
        ids = _grouping.at_rate(video.frames, video.fps, args.sample_fps)
    if not args.avoid_keyframes:
        return ids
    listed = _mp4.key_samples(video.path, video.track, video.frames)
    if listed is not None:
        return _grouping.off_key_frames(ids, video.frames, frozenset(listed).__contains__)

    def are_keys(asked: Sequence[int]) -> list[bool]:
        # With frame 0, which is one, because the first frame of a clip without a key frame counts as one.
        small = {"output": "frames", "width": 16, "height": 16, "decode_threads": args.thread_count}
        clip = read(video.path, frame_indices=[0, *asked], video_track=video.track, **small, **_CPU)
        return clip.is_i[1:]

    return _grouping.KeyFrames(are_keys).avoid(ids, video.frames)


def _frames(video: _Video, ids: list[int], args: argparse.Namespace, at_once: int) -> Iterator[Any]:
    """Yields the frames at the size of the canvases, this many at once: ``[T, H, W, 3]`` uint8."""
    import numpy

    # Few threads, because each keeps a frame of the video in memory.
    threads = {"decode_threads": args.thread_count}
    size = {"min_pixels": min(_LEAST_PIXELS, args.max_pixels), "max_pixels": args.max_pixels, "align": 2 * args.patch}
    options = {"output": "frames", "clip_length": at_once, "size_rule": "floor", "resample": "area", **size, **threads}
    with Session(video.path, frame_indices=ids, video_track=video.track, **options, **_CPU) as session:
        for clip in session:
            yield numpy.asarray(clip.frames)


def _groups(video: _Video, ids: list[int], args: argparse.Namespace) -> Iterator[tuple[int, int, Any]]:
    """Yields first frame, end and frames of each group."""
    from . import _grouping

    if args.grouping_mode == "fixed":
        clips = _frames(video, ids, args, args.group_size)
        for (begin, end), frames in zip(_grouping.fixed(len(ids), args.group_size), clips):
            yield begin, end, frames
        return
    collected = _grouping.Collected(len(ids), 2 * args.patch, args.max_group_frames)
    for frames in _frames(video, ids, args, _AT_ONCE):
        collected.add(frames)
    limits = args.min_group_frames, args.max_group_frames
    for begin, end in _grouping.by_readiness(collected.scores, args.images_per_group, args.group_size, *limits):
        yield begin, end, collected.frames[begin:end]


def _write_canvas(path: str, canvas: Any, kind: str) -> None:
    if kind == "npy":
        import numpy

        numpy.save(path, canvas, allow_pickle=False)
        return
    from PIL import Image

    options = {"quality": 95, "subsampling": "4:2:0"} if kind == "jpg" else {"compress_level": 3}
    Image.fromarray(canvas).save(path, **options)


def _write(folder: str, video: _Video, args: argparse.Namespace) -> dict[str, Any]:
    """Writes all files. Returns what meta.json has."""
    import numpy

    from . import _replenishment

    ids = _sampled(video, args)
    groups: list[dict[str, Any]] = []
    files: list[str] = []
    places: list[Any] = []
    height = width = 0
    for begin, end, frames in _groups(video, ids, args):
        height, width = frames.shape[1:3]
        scores = _replenishment.scores(frames, 2 * args.patch)
        chosen = _replenishment.selected(scores, args.images_per_group)
        canvases, positions = _replenishment.packed(frames, ids[begin:end], chosen, args.patch)
        groups.append(
            {
                **{"group_idx": len(groups), "frame_ids": ids[begin:end], "images_per_group": len(canvases)},
                **{"num_canvases": len(canvases), "global_img_offset": len(files), "group_frame_count": end - begin},
                **{"group_start_idx": begin, "group_end_idx": end},
            }
        )
        places.append(positions)
        for canvas in canvases:
            files.append(f"canvas_{len(files):03d}.{args.canvas_format}")
            _write_canvas(os.path.join(folder, files[-1]), canvas, args.canvas_format)
    numpy.save(os.path.join(folder, "src_patch_position.npy"), numpy.concatenate(places), allow_pickle=False)
    numpy.save(os.path.join(folder, "frame_ids.npy"), numpy.array(ids, numpy.int32), allow_pickle=False)
    grid = [height // args.patch, width // args.patch]
    meta = {
        **{"tool": f"{PROGRAM} {VERSION}", "video": video.path, "video_track": video.track, "fps": video.fps},
        **{"total_frames": video.frames, "orig_hw": [video.height, video.width], "processed_hw": [height, width]},
        **{"patch": args.patch, "block_size": 2, "hb_wb": grid, "S_full": grid[0] * grid[1]},
        **{"frame_sampling_mode": args.frame_sampling_mode, "avoid_keyframes": args.avoid_keyframes},
        **{"sampled_frames": len(ids), "seq_len": len(ids), "grouping_mode": args.grouping_mode},
        **{"group_size": args.group_size, "images_per_group": args.images_per_group},
        **{"min_group_frames": args.min_group_frames, "max_group_frames": args.max_group_frames},
        **{"num_groups": len(groups), "total_images": len(files), "total_patches": len(files) * grid[0] * grid[1]},
        **{"canvas_files": files, "groups": groups},
    }
    with open(os.path.join(folder, "meta.json"), "w", encoding="utf-8") as file:
        json.dump(meta, file, ensure_ascii=False, indent=2)
    return meta


def _import(kind: str) -> None:
    """Imports what is needed later. Errors are raised there, once more."""
    with contextlib.suppress(Exception):
        importlib.import_module("._grouping", __package__)
        if kind != "npy":
            from PIL import Image

            Image.preinit()


def _make(args: argparse.Namespace) -> None:
    needed = {"numpy": "numpy"} if args.canvas_format == "npy" else {"numpy": "numpy", "PIL": "Pillow"}
    missing = [name for module, name in needed.items() if importlib.util.find_spec(module) is None]
    if missing:
        raise _Failure(f"{' and '.join(missing)} must be installed: pip install codecpatch[preinfer].")
    begun = time.perf_counter()
    # Meanwhile, because GStreamer takes as long to start as these take to import.
    threading.Thread(target=_import, args=(args.canvas_format,)).start()
    video = _probe(args.video, args.video_track)
    with _folders.written_whole(args.out_dir) as folder:
        meta = _write(folder, video, args)
    print(
        json.dumps(
            {
                **{"out_dir": args.out_dir, "meta_path": os.path.join(args.out_dir, "meta.json")},
                **{"sampled_frames": meta["sampled_frames"], "total_images": meta["total_images"]},
                "seconds": round(time.perf_counter() - begun, 3),
            },
            indent=2,
        )
    )


def _ended(number: int, frame: object) -> NoReturn:
    sys.exit(128 + number)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the program with these arguments. Returns its exit code, or raises SystemExit for wrong options."""
    args = _checked(arguments)
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_, **__: _note(str(message))
        try:
            _make(args)
        except (_Failure, CodecPatchError, OSError, ValueError, MemoryError) as error:
            text = " ".join(str(error).split()) or "there is not enough memory."
            _note(text)
            return 1
    return 0


def run() -> NoReturn:
    """The console script."""
    # Products of small matrices gain nothing from threads, and lose much where other programs run.
    for name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    _tensors.prefer_numpy()
    signal.signal(signal.SIGTERM, _ended)
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)


if __name__ == "__main__":
    run()
