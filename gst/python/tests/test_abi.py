# SPDX-License-Identifier: LGPL-2.1-or-later
"""What ctypes is told of the C library, against the C headers. An installed package has none: these are skipped."""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from codecpatch import _library, _pictures, _tensors
from codecpatch.errors import ErrorCode

HEADERS = Path(__file__).resolve().parents[2] / "codecpatch"

# C types that are passed by value.
VALUES = {
    "void": None,
    "gint": ctypes.c_int,
    "gboolean": ctypes.c_int,
    "guint": ctypes.c_uint,
    "gsize": ctypes.c_size_t,
    "gssize": ctypes.c_ssize_t,
    "gint64": ctypes.c_int64,
    "CpsPictureMode": ctypes.c_int,
    "GDestroyNotify": _library.RELEASE_FUNC,
    "CpsReadFunc": _library.READ_FUNC,
    "CpsSeekFunc": _library.SEEK_FUNC,
    "CpsClipMetadataFunc": _library.METADATA_FUNC,
}
POINTERS = {"gchar*": [ctypes.c_char_p, ctypes.c_void_p], "gchar**": [_library._OPTIONS], "GError**": [_library._ERROR],
            "gsize*": [ctypes.POINTER(ctypes.c_size_t)]}


def read_headers() -> str:
    """The text of all public headers, without comments, on one line."""
    if not HEADERS.exists():
        pytest.skip(f"there is no {HEADERS}")
    text = "\n".join(path.read_text() for path in sorted(HEADERS.glob("cps*.h")))
    return re.sub(r"\s+", " ", re.sub(r"/\*.*?\*/|//[^\n]*", " ", text, flags=re.DOTALL))


def types_of(parameters: str) -> list[str]:
    """The types of a parameter list, without their names."""
    if parameters.strip() in ("", "void"):
        return []
    return [re.sub(r"\w+$", "", parameter.strip()).strip() for parameter in parameters.split(",")]


def prototypes(text: str) -> dict[str, tuple[str, list[str]]]:
    """Result and parameters of every exported function, by its name."""
    found = re.findall(r"CPS_API ([\w ]+?[ *]+)(cps_\w+)\(([^()]*)\);", text)
    return {name: (result.strip(), types_of(parameters)) for result, name, parameters in found}


def function_types(text: str) -> dict[str, tuple[str, list[str]]]:
    found = re.findall(r"typedef ([\w ]+?[ *]+)\(\*(\w+)\)\(([^()]*)\);", text)
    return {name: (result.strip(), types_of(parameters)) for result, name, parameters in found}


def is_passed(c_type: str, as_type: Any) -> bool:
    """Whether ctypes passes an argument of a C type right."""
    bare = re.sub(r"\b(const|struct)\b|\s", "", c_type)
    if bare in POINTERS:
        return as_type in POINTERS[bare]
    if bare.endswith("*") or bare in ("gpointer", "gconstpointer"):
        return as_type is ctypes.c_void_p
    return bare in VALUES and as_type is VALUES[bare]


def is_returned(c_type: str, as_type: Any) -> bool:
    """Whether ctypes returns a result of a C type right: text that the caller owns must keep its address."""
    if c_type.replace(" ", "") == "gchar*":
        return as_type is ctypes.c_void_p
    if c_type.replace(" ", "") == "constgchar*":
        return as_type is ctypes.c_char_p
    return is_passed(c_type, as_type)


def check(name: str, prototype: tuple[str, list[str]], result: Any, arguments: Any) -> None:
    c_result, c_arguments = prototype
    assert is_returned(c_result, result), f"{name} returns {c_result}, not {result}"
    assert len(arguments) == len(c_arguments), f"{name} takes {c_arguments}"
    for position, (c_type, as_type) in enumerate(zip(c_arguments, arguments, strict=True)):
        assert is_passed(c_type, as_type), f"{name}: argument {position} is {c_type}, not {as_type}"


def test_functions_are_those_of_the_headers():
    known = prototypes(read_headers())
    assert len(known) > len(_library._FUNCTIONS)  # none has slipped through the pattern in silence
    for name, (result, arguments) in _library._FUNCTIONS.items():
        assert name in known, f"no header has {name}"
        check(name, known[name], result, arguments)


def test_callbacks_are_those_of_the_headers():
    known = function_types(read_headers()) | {"GDestroyNotify": ("void", ["gpointer"])}
    callbacks = {name: as_type for name, as_type in VALUES.items() if name in known}
    assert len(callbacks) == 4
    for name, as_type in callbacks.items():
        check(name, known[name], as_type._restype_, as_type._argtypes_)


@pytest.mark.parametrize(
    ("c_type", "as_type"),
    [
        ("CpsSession *", ctypes.c_int),
        ("gsize", ctypes.c_int),
        ("guint", ctypes.c_void_p),
        ("GError **", ctypes.c_void_p),
        ("CpsReadFunc", _library.SEEK_FUNC),
        ("gint128", ctypes.c_int),
    ],
)
def test_differences_are_seen(c_type, as_type):
    assert not is_passed(c_type, as_type)


def test_text_that_is_the_callers_keeps_its_address():
    assert not is_returned("gchar *", ctypes.c_char_p) and not is_returned("const gchar *", ctypes.c_void_p)


def test_error_codes_are_those_of_the_header():
    codes = re.findall(r"CPS_SESSION_ERROR_(\w+) = (\d+)", read_headers())
    known = {name: int(number) for name, number in codes}
    assert known and {code.name: code.value for code in ErrorCode if code < 100} == known


def test_picture_modes_are_those_of_the_header():
    modes = re.findall(r"CPS_PICTURE_MODE_(\w+) = (\d+)", read_headers())
    assert modes and {name.lower(): int(number) for name, number in modes} == _pictures.MODES


def test_picture_defaults_are_those_of_the_header():
    argb, dim = (re.search(rf"#define CPS_PICTURE_{name} (\w+)", read_headers()) for name in ("BACKGROUND", "DIM"))
    red, green, blue = _pictures.BACKGROUND
    assert argb and int(argb[1], 16) == 0xFF << 24 | red << 16 | green << 8 | blue
    assert dim and int(dim[1]) == _pictures.DIM


# The fields of our structures, and what they are in dlpackabi.h.
DLPACK_FIELDS = {
    _tensors._DLTensor: (
        "DLTensor",
        {
            "data": "data",
            "device_type": "device.device_type",
            "device_id": "device.device_id",
            "ndim": "ndim",
            "type_code": "dtype.code",
            "type_bits": "dtype.bits",
            "type_lanes": "dtype.lanes",
            "shape": "shape",
            "strides": "strides",
            "byte_offset": "byte_offset",
        },
    ),
    _tensors._DLManagedTensor: (
        "DLManagedTensor",
        {"tensor": "dl_tensor", "manager": "manager_ctx", "deleter": "deleter"},
    ),
}


def test_dlpack_structures_are_those_of_the_header(tmp_path):
    header = HEADERS / "dlpackabi.h"
    compiler = shutil.which(os.environ.get("CXX", "c++"))
    if not header.exists():
        pytest.skip(f"there is no {header}")
    if compiler is None:
        pytest.skip("there is no C++ compiler")
    expected, lines = [], []
    for structure, (c_name, fields) in DLPACK_FIELDS.items():
        assert [name for name, _ in structure._fields_] == list(fields)
        expected.append(ctypes.sizeof(structure))
        lines.append(f"sizeof({c_name})")
        for name, c_field in fields.items():
            field = getattr(structure, name)
            expected += [field.offset, field.size]
            lines += [f"offsetof({c_name}, {c_field})", f"sizeof(static_cast<{c_name} *>(nullptr)->{c_field})"]
    expected += [_tensors._CPU, _tensors._BFLOAT16[0]]
    lines += ["kDLCPU", "kDLBfloat"]
    program = tmp_path / "layout.cpp"
    program.write_text(
        f'#include "{header}"\n#include <cstdio>\nint main() {{\n'
        + "".join(f'  std::printf("%zu\\n", static_cast<size_t>({line}));\n' for line in lines)
        + "}\n"
    )
    subprocess.run([compiler, "-std=c++17", "-o", tmp_path / "layout", program], check=True, timeout=100)
    printed = subprocess.run([tmp_path / "layout"], check=True, timeout=100, capture_output=True, text=True).stdout
    assert list(zip(lines, map(int, printed.split()), strict=True)) == list(zip(lines, expected, strict=True))
