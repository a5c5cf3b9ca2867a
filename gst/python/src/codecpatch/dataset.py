# SPDX-License-Identifier: LGPL-2.1-or-later
"""A map-style data set of videos, as PyTorch's data loaders read it. Does not need PyTorch."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from typing import Any

from ._sources import Source
from .clip import Clip
from .errors import CodecPatchError
from .session import checked_options, read


class Dataset:
    """The clip of each source, by its index: ``dataset[i]`` is ``codecpatch.read(sources[i], **options)``.

    >>> dataset = codecpatch.Dataset(paths, output="frames", sequence_length=16, height=224, width=224)
    >>> loader = torch.utils.data.DataLoader(
    ...     dataset, batch_size=8, num_workers=4, multiprocessing_context="spawn", collate_fn=codecpatch.collate_frames)

    Options decide what a clip has: patches, canvases or frames. The functions that join clips are
    :func:`collate_packed` and :func:`collate_padded` for patches, :func:`collate_frames` for frames.

    Nothing is read, and no library is loaded, before an item is. A data set can be pickled if its sources can: paths,
    URIs, bytes, and a :class:`Video` of these, which takes its index along, so that no worker indexes it again.

    Args:
        sources: sources as for :class:`codecpatch.Session`.
        errors: what becomes of a source that cannot be read: ``"raise"`` raises its CodecPatchError; ``"return"``
            returns it as the item, so that one damaged file does not end an epoch. A ValueError, for an invalid option
            or one that does not fit the video, is always raised.
        options: those of :class:`codecpatch.Session`, for all sources. An item is one clip, so ``window`` and
            ``clip_length`` are refused: :func:`codecpatch.iter_clips` has them.

    Raises:
        ValueError: the name or the value of an option is invalid.
    """

    def __init__(self, sources: Iterable[Source], *, errors: str = "raise", **options: Any) -> None:
        if errors not in ("raise", "return"):
            raise ValueError(f'errors must be "raise" or "return", not {errors!r}')
        if isinstance(sources, (str, bytes)) or hasattr(sources, "__fspath__"):
            raise TypeError("sources is a list of sources, not one source")
        for name in ("window", "hop", "clip_length"):
            if options.get(name) is not None:
                raise ValueError(f"an item of a Dataset is one clip, so it has no {name}: use codecpatch.iter_clips()")
        options = {**options, "frame_indices": _kept(options.get("frame_indices"))}
        checked_options(**options)
        self.sources = list(sources)
        self.errors = errors
        self.options = options

    def __len__(self) -> int:
        """The number of sources."""
        return len(self.sources)

    def __getitem__(self, index: int) -> Clip | CodecPatchError:
        """Reads the clip of a source. IndexError if there is no such source."""
        source = self.sources[operator.index(index)]
        try:
            return read(source, **self.options)
        except CodecPatchError as error:
            if self.errors == "raise":
                raise
            # Without the traceback, which would keep the frames of the calls alive as long as the item.
            return error.with_traceback(None)

    def __repr__(self) -> str:
        return f"<codecpatch.Dataset: {len(self)} sources>"


def _kept(indices: Iterable[int] | None) -> list[int] | None:
    """Returns a list, because each item reads the indices again."""
    return None if indices is None else list(indices)
