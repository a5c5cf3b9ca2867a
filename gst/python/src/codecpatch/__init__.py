# SPDX-License-Identifier: LGPL-2.1-or-later
"""The most informative patches of uniformly sampled video frames, as tensors.

    clip = codecpatch.read("v.mp4", sequence_length=16, k_keep=2048)
    clip.patches, clip.meta_fields, clip.meta_scores

    video = codecpatch.Video("v.mp4")
    len(video), video[10:20:2], video.frames_at(1.5)

Importing this package loads no library and starts nothing; the first session of a process does. ``codecpatch.adapters``
makes clips the inputs of models. ``codecpatch.compat`` has the API of codec-patch-stream, which this package replaces.
"""

from ._version import VERSION as __version__
from .batch import FrameBatch, PackedClips, PaddedClips, collate_frames, collate_packed, collate_padded
from .clip import Clip
from .dataset import Dataset
from .errors import CodecPatchError, CodecPatchWarning, ErrorCode
from .parallel import iter_clips
from .session import Session, open, read
from .video import Video

__all__ = [
    "Clip",
    "CodecPatchError",
    "CodecPatchWarning",
    "Dataset",
    "ErrorCode",
    "FrameBatch",
    "PackedClips",
    "PaddedClips",
    "Session",
    "Video",
    "__version__",
    "collate_frames",
    "collate_packed",
    "collate_padded",
    "iter_clips",
    "open",
    "read",
]
