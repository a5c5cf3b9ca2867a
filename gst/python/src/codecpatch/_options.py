# SPDX-License-Identifier: LGPL-2.1-or-later
"""Options of sessions: conversion of Python values to texts for the C library, and alternative spellings."""

from __future__ import annotations

import ctypes
import math
import operator
from collections.abc import Iterable, Mapping
from fractions import Fraction
from numbers import Rational, Real
from typing import Any

from . import _library

_DTYPES = {
    "bf16": "bf16",
    "bfloat16": "bf16",
    "f16": "f16",
    "fp16": "f16",
    "float16": "f16",
    "f32": "f32",
    "fp32": "f32",
    "float32": "f32",
    "u8": "u8",
    "uint8": "u8",
}
_UNITS = {"patch": "patch", "patches": "patch", "block": "block2x2", "block2x2": "block2x2", "block_2x2": "block2x2"}


def _same(*names: str) -> dict[str, str]:
    return {name: name for name in names}


_SPELLINGS: dict[str, Mapping[str, str]] = {
    "output_dtype": _DTYPES,
    "selection_unit": _UNITS,
    "ranking": _same("energy", "replenishment"),
    "energy_mode": _same("motion-residual", "frame-difference"),
    "resample": _same("bilinear", "area", "bicubic"),
    "size_rule": _same("round", "floor"),
    "output": _same("patches", "frames", "canvases"),
    "output_layout": _same("patches", "canvas"),
    "decode_backend": _same("auto", "cpu", "gpu"),
    "process_backend": _same("auto", "cpu", "gpu"),
    "decode_thread_type": _same("auto", "frame", "slice"),
    "uniform_strategy": _same("auto", "seek", "skip", "stream"),
    "on_error": _same("substitute", "fail"),
}
_SECONDS = ("timeout", "stall_timeout")
_NOT_NEGATIVE = ("decode_device_id", "process_device_id")
_POSITIVE = ("sequence_length", "clip_length")


def checked(options: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the options that are set, in the spelling of the C library.

    ValueError if a value is invalid for every source. The C library checks the rest.
    """
    result = {}
    for name, value in options.items():
        if value is None:
            continue
        if name in _SPELLINGS:
            value = _spelt(name, value)
        elif name in _SECONDS:
            value = _limit(name, value)
        elif name in _NOT_NEGATIVE and operator.index(value) < 0:
            raise ValueError(f"{name} must be 0 or more, not {value}")
        elif name in _POSITIVE and operator.index(value) <= 0:
            raise ValueError(f"{name} must be more than 0, not {value}")
        result[name] = value
    return _with_layout(result)


def _with_layout(options: dict[str, Any]) -> dict[str, Any]:
    """Replaces the output ``canvases``, because canvases are a layout of patches for the C library."""
    if options.get("output") == "canvases":
        if options.setdefault("output_layout", "canvas") != "canvas":
            raise ValueError('output="canvases" does not go with output_layout="patches"')
        options["output"] = "patches"
        options.setdefault("selection_unit", "block2x2")
    canvases = operator.index(options.get("canvases", 0))
    if options.get("output_layout") == "canvas":
        if canvases <= 0:
            raise ValueError('output="canvases" needs a number of canvases: set canvases to 1 or more')
    elif canvases != 0:
        raise ValueError('canvases goes with output="canvases" only')
    return options


def plan_options(
    frame_indices: Iterable[int] | None,
    start: float | None,
    stop: float | None,
    fps: float | Fraction | None,
    window: float | Fraction | None,
    hop: float | Fraction | None,
) -> dict[str, Any]:
    """Converts the arguments for a sampling plan to options of uniformsampler."""
    options: dict[str, Any] = {
        "start": _nanoseconds("start", start),
        "stop": _nanoseconds("stop", stop),
        "window": _length("window", window),
        "hop": _length("hop", hop),
    }
    if hop is not None and window is None:
        raise ValueError("hop needs window: it is the time from the start of a window to that of the next one")
    if frame_indices is not None and window is not None:
        raise ValueError("frame_indices and window exclude each other; clip_length cuts frame_indices into clips")
    if frame_indices is not None:
        ids = [operator.index(index) for index in frame_indices]
        if not ids or min(ids) < 0:
            raise ValueError("frame_indices must be a list of one index or more, none of them negative")
        options["frame_ids"] = ids
    if fps is not None:
        options["sample_fps"] = _rate(fps)
    return options


def texts_of(options: Mapping[str, Any]) -> dict[str, str]:
    """Returns the options with their values as text, the form in which they are passed on."""
    return {name: _text(value) for name, value in options.items()}


def to_c(options: Mapping[str, Any]) -> Any:
    """Returns the options as for cps_session_open_path(): an array of names and values in turn, ending with NULL."""
    texts = [text for name, value in texts_of(options).items() for text in (name, value)]
    return (ctypes.c_char_p * (len(texts) + 1))(*map(_library.to_text, texts), None)


def _spelt(name: str, value: Any) -> str:
    spellings = _SPELLINGS[name]
    key = str(value).strip().lower()
    # str(torch.float16) is "torch.float16".
    key = key.removeprefix("torch.") if name == "output_dtype" else key
    if key not in spellings:
        raise ValueError(f"{name} must be one of {', '.join(spellings)}, not {value!r}")
    return spellings[key]


def _limit(name: str, seconds: Any) -> float:
    limit = float(seconds)
    if not 0 <= limit <= 1e9:
        raise ValueError(f"{name} is a time in seconds, 0 (no limit) to 1e9, not {seconds}")
    return limit


def _nanoseconds(name: str, seconds: float | None) -> int | None:
    if seconds is None:
        return None
    if not math.isfinite(seconds) or seconds < 0:
        raise ValueError(f"{name} is a time in seconds, 0 or more, not {seconds}")
    return round(_fraction(seconds) * 1_000_000_000)


def _length(name: str, seconds: float | Fraction | None) -> int | None:
    if seconds is None:
        return None
    # Not what rounds to 0, because 0 turns windows off.
    nanoseconds = _nanoseconds(name, seconds) if math.isfinite(seconds) and seconds > 0 else 0
    if not nanoseconds:
        raise ValueError(f"{name} is a length in seconds, more than 0, not {seconds}")
    return nanoseconds


def _rate(fps: float | Fraction) -> Fraction:
    if not math.isfinite(fps) or fps <= 0:
        raise ValueError(f"fps is a rate in frames a second, more than 0, not {fps}")
    rate = _fraction(fps).limit_denominator(100_000)  # numerator and denominator must fit in 31 bits
    if not 0 < rate.numerator < 2**31:
        raise ValueError(f"fps is out of range: {fps}")
    return rate


def _fraction(number: Any) -> Fraction:
    """Returns a number of any type by its decimals: 29.97 is 2997/100, also as NumPy's float32."""
    if isinstance(number, Rational):
        return Fraction(int(number.numerator), int(number.denominator))  # because NumPy's integers would overflow
    return Fraction(str(number))


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Fraction):
        return f"{value.numerator}/{value.denominator}"
    if isinstance(value, Real):
        return repr(int(value)) if hasattr(value, "__index__") else repr(float(value))
    if isinstance(value, Iterable):
        return "<" + ", ".join(_text(item) for item in value) + ">"
    return str(value)
