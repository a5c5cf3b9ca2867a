# SPDX-License-Identifier: LGPL-2.1-or-later
"""Pictures of clips, drawn by the C library (docs/pictures.md), and sheets of them."""

from __future__ import annotations

import ctypes
import json
import math
import struct
import sys
import zlib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from . import _library, _tensors
from .errors import CodecPatchError, ErrorCode

if TYPE_CHECKING:
    from .clip import Clip

MODES = {"sparse": 0, "hold": 1, "mosaic": 2, "scores": 3}  # CpsPictureMode
BACKGROUND = (0x30, 0x30, 0x30)
DIM = 25

_TYPES = {"uint8": b"U8", "float16": b"F16", "bfloat16": b"BF16", "float32": b"F32", "int64": b"I64"}
_METADATA = ("sampled_frame_ids", "grid_height", "grid_width", "scale", "mean", "std")
_GAP = 4  # pixels between the pictures of a sheet
_SHEET_SIDE = 1600  # pixels; larger sheets are made smaller for notebooks


class Pictures:
    """The pictures of a clip. Close it, or use it in a ``with`` statement."""

    def __init__(self, clip: Clip, mode: str, background: Sequence[int] = BACKGROUND, dim: int = DIM) -> None:
        if mode not in MODES:
            raise ValueError(f"mode must be one of {', '.join(MODES)}, not {mode!r}")
        if len(background) != 3 or not all(0 <= value <= 255 for value in background):
            raise ValueError(f"background must be red, green and blue, each 0 to 255, not {background!r}")
        if not 0 <= dim <= 100:
            raise ValueError(f"dim must be 0 to 100 percent, not {dim!r}")
        self._numpy = _import_numpy()
        self._library = _library.library()
        self._tensors: list[Any] = []  # whose memory is drawn from
        self._address = self._library.cps_pictures_new(MODES[mode])
        try:
            red, green, blue = (int(value) for value in background)
            self._library.cps_pictures_set_background(self._address, 0xFF << 24 | red << 16 | green << 8 | blue)
            self._library.cps_pictures_set_dim(self._address, int(dim))
            self._add(clip)
            self._check(self._library.cps_pictures_arrange, clip.source)
        except BaseException:
            self.close()
            raise
        self.width = self._library.cps_pictures_get_width(self._address)
        self.height = self._library.cps_pictures_get_height(self._address)

    def __len__(self) -> int:
        return self._library.cps_pictures_get_count(self._address)

    def draw(self, index: int) -> Any:
        """Returns a new array ``[height, width, 3]`` of uint8."""
        rgba = self._numpy.empty((self.height, self.width, 4), "u1")
        self._library.cps_pictures_draw(self._address, index, rgba.ctypes.data, 4 * self.width)
        return rgba[:, :, :3]

    def close(self) -> None:
        self._library.cps_pictures_free(self._address)
        self._address = None

    def __enter__(self) -> Pictures:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _add(self, clip: Clip) -> None:
        for name, tensor in clip.tensors.items():
            dtype = _TYPES.get(str(tensor.dtype).removeprefix("torch."))
            if dtype is None:
                raise ValueError(f"{name} are of type {tensor.dtype}, which is not drawn: use one of {', '.join(_TYPES)}")
            address, kept = _in_memory(tensor)
            self._tensors.append(kept)
            dims = (ctypes.c_int64 * tensor.ndim)(*tensor.shape)
            self._check(
                self._library.cps_pictures_add_tensor,
                clip.source,
                *(_library.to_text(name), dtype, ctypes.byref(dims), tensor.ndim, address),
            )
        for key in _METADATA:
            if key in clip.metadata:
                text = json.dumps(clip.metadata[key]).encode()
                self._library.cps_pictures_add_metadata(self._address, key.encode(), text)

    def _check(self, function: Any, source: str, *arguments: Any) -> None:
        _, error = _library.call(function, self._address, *arguments)
        _library.check(error, source)


def images(clip: Clip, mode: str, frame: int | None, background: Sequence[int], dim: int) -> Any:
    """Implements ``Clip.to_image()``."""
    with Pictures(clip, mode, background, dim) as pictures:
        numpy = _import_numpy()
        if frame is not None:
            index = frame + len(pictures) if frame < 0 else frame
            if not 0 <= index < len(pictures):
                raise IndexError(f'there are {len(pictures)} pictures with mode="{mode}", and none has number {frame}')
            return numpy.ascontiguousarray(pictures.draw(index))
        out = numpy.empty((len(pictures), pictures.height, pictures.width, 3), "u1")
        for index in range(len(pictures)):
            out[index] = pictures.draw(index)
        return out


def sheet(pictures: Iterable[Any], count: int, step: int = 1) -> Any:
    """Returns pictures of one size, row by row, on one white sheet, with every `step`-th pixel of their sides."""
    numpy = _import_numpy()
    columns = max(math.isqrt(max(count - 1, 0)) + 1, 1)
    out = None
    for index, picture in enumerate(pictures):
        small = picture[::step, ::step]
        height, width = small.shape[0] + _GAP, small.shape[1] + _GAP
        if out is None:
            rows = -(-count // columns)
            out = numpy.full((rows * height - _GAP, min(columns, count) * width - _GAP, 3), 255, "u1")
        top, left = index // columns * height, index % columns * width
        out[top : top + small.shape[0], left : left + small.shape[1]] = small
    return numpy.full((1, 1, 3), 255, "u1") if out is None else out


def png(image: Any) -> bytes:
    """Encodes an array ``[H, W, 3]`` of uint8. Pillow may be missing where a notebook displays a clip."""
    height, width, _ = image.shape

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + row.tobytes() for row in image)  # each with the filter "none"
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def notebook_png(clip: Clip) -> bytes | None:
    """Returns a sheet of the clip as PNG; None if it cannot be drawn, so that the notebook displays its text."""
    try:
        with Pictures(clip, "sparse") as pictures:
            count = len(pictures)
            columns = math.isqrt(max(count - 1, 0)) + 1
            step = -(-columns * max(pictures.width, pictures.height) // _SHEET_SIDE)
            return png(sheet((pictures.draw(index) for index in range(count)), count, step))
    except (CodecPatchError, MemoryError, ValueError):
        return None


def show(clip: Clip, mode: str, frame: int | None, background: Sequence[int], dim: int) -> Any:
    """Implements ``Clip.show()``."""
    try:
        from PIL import Image
    except ImportError:
        raise CodecPatchError(
            "show() needs Pillow: pip install pillow. to_image() returns the same as arrays, without Pillow.",
            code=ErrorCode.SETUP,
        ) from None
    drawn = images(clip, mode, frame, background, dim)
    image = Image.fromarray(sheet(drawn, len(drawn)) if drawn.ndim == 4 else drawn)
    if "ipykernel" not in sys.modules:  # a notebook displays what a cell returns
        image.show()
    return image


def _in_memory(tensor: Any) -> tuple[int, Any]:
    """Returns the address of the tensor's elements, contiguous and on the CPU, and the object that owns them."""
    if _tensors.is_array(tensor):
        kept = _import_numpy().ascontiguousarray(tensor)
        return kept.ctypes.data, kept
    kept = tensor.detach().cpu().contiguous()
    return kept.data_ptr(), kept


def _import_numpy() -> Any:
    try:
        import numpy
    except ImportError:
        raise CodecPatchError("Pictures need NumPy: pip install numpy.", code=ErrorCode.SETUP) from None
    return numpy
