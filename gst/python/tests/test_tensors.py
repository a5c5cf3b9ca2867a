# SPDX-License-Identifier: LGPL-2.1-or-later
"""Tensors: PyTorch's, NumPy's, neither, and who frees the memory.

Each in a process of its own, for what has been imported counts.
"""

from __future__ import annotations

import pytest
from support import run_python

# Keeps a module from being imported, as if it were not installed.
WITHOUT = "import sys; sys.modules[{!r}] = None; "
NO_TORCH = WITHOUT.format("torch")
NO_NUMPY = WITHOUT.format("numpy")
NO_ML_DTYPES = WITHOUT.format("ml_dtypes")
# Where it is not installed, a type of the same name and size will do.
ML_DTYPES = """
try:
    import ml_dtypes
except ImportError:
    import sys, types, numpy
    ml_dtypes = sys.modules["ml_dtypes"] = types.ModuleType("ml_dtypes")
    ml_dtypes.bfloat16 = numpy.dtype([("bfloat16", "u2")])
"""


def test_torch(clip):
    pytest.importorskip("torch")
    printed = run_python(
        """
import sys, codecpatch
assert "torch" not in sys.modules
result = codecpatch.read(sys.argv[1], k_keep=5)
import torch
for name, dtype in (("patches", torch.bfloat16), ("meta_fields", torch.int64), ("meta_scores", torch.float32)):
    tensor = result.tensors[name]
    assert isinstance(tensor, torch.Tensor) and tensor.dtype == dtype and tensor.is_contiguous()
    assert tensor.device.type in ("cpu", "cuda")
frames = codecpatch.read(sys.argv[1], output="frames", sequence_length=2).frames
assert frames.dtype == torch.uint8 and frames.shape == (2, 240, 320, 3)
print("ok")
""",
        clip,
    )
    assert printed == "ok\n"


def test_numpy(clip):
    printed = run_python(
        NO_TORCH
        + NO_ML_DTYPES
        + """
import gc, numpy, codecpatch
from codecpatch.compat import *
for dtype, expected in (("u8", "uint8"), ("f16", "float16"), ("f32", "float32")):
    clip = codecpatch.read(sys.argv[1], k_keep=5, output_dtype=dtype, process_backend="cpu")
    assert type(clip.patches) is numpy.ndarray and clip.patches.dtype == expected, clip.patches.dtype
    assert clip.patches.flags.writeable and clip.patches.flags.c_contiguous and not clip.patches.flags.owndata
    assert clip.meta_fields.dtype == "int64" and clip.meta_scores.dtype == "float32"
frames = decode_only(DecodeConfig(sys.argv[1], 2, "cpu"))
assert frames.frames.shape == (2, 240, 320, 3) and frames.asnumpy() is frames.frames
empty = codecpatch.read(sys.argv[1], k_keep=0, output_dtype="f16", process_backend="cpu")
assert empty.patches.shape == (0, 3, 14, 14) and empty.patches.dtype == "float16"
session = patch_stream(PatchStreamConfig(sys.argv[1], k_keep=9, output_dtype="f32", process_backend="cpu"))
patches, metadata = session.next_n(2)
assert patches.base is not None and type(metadata[0]["score"]) is float and type(metadata[0]["is_i"]) is bool
assert session.next_n_tensors(0)[0].shape == (0, 3, 14, 14)
session.close()
assert session.next_n(1)[0].dtype == "float32"
packed = codecpatch.collate_packed([clip, clip])
assert packed.patches.shape == (10, 3, 14, 14) and packed.cu_seqlens.tolist() == [0, 5, 10]
assert packed.cu_seqlens.dtype == "int32"
other = codecpatch.read(sys.argv[1], k_keep=2, output_dtype="f32", process_backend="cpu")
padded = codecpatch.collate_padded([clip, other])
assert padded.mask.dtype == bool and padded.mask.sum(1).tolist() == [5, 2] and not padded.patches[1, 2:].any()
assert codecpatch.collate_packed([]).cu_seqlens.tolist() == [0]
# A slice keeps the memory of the whole.
part, copy = clip.patches[3], clip.patches[3].copy()
del clip, padded
gc.collect()
codecpatch.read(sys.argv[1], k_keep=5, output_dtype="f32", process_backend="cpu")
assert (part == copy).all()
print("ok")
""",
        clip,
    )
    assert printed == "ok\n"


def test_bfloat16_of_ml_dtypes(clip):
    printed = run_python(
        NO_TORCH
        + ML_DTYPES
        + """
import numpy, codecpatch
bits = codecpatch.read(sys.argv[1], k_keep=5, process_backend="cpu").patches
assert bits.dtype == ml_dtypes.bfloat16 and bits.shape == (5, 3, 14, 14)
values = codecpatch.read(sys.argv[1], k_keep=5, output_dtype="f32", process_backend="cpu").patches
halved = bits.view("u2").astype("u4") << 16
numpy.testing.assert_allclose(halved.view("f4"), values, rtol=1 / 256)
assert codecpatch.read(sys.argv[1], k_keep=0, process_backend="cpu").patches.dtype == ml_dtypes.bfloat16
print("ok")
""",
        clip,
    )
    assert printed == "ok\n"


def test_no_bfloat16(clip):
    """Before anything is opened, and naming what to set. Frames do without."""
    printed = run_python(
        NO_TORCH
        + NO_ML_DTYPES
        + """
import codecpatch
from codecpatch.compat import *
for attempt in (
    lambda: codecpatch.open("/no/such/file"),
    lambda: codecpatch.open("/no/such/file", output_dtype="BF16"),
    lambda: patch_stream(PatchStreamConfig("/no/such/file")),
):
    try:
        attempt()
    except TypeError as error:
        assert "output_dtype" in str(error) and "ml_dtypes" in str(error)
    else:
        raise AssertionError
codecpatch.read(sys.argv[1], output="frames", process_backend="cpu")
print("ok")
""",
        clip,
    )
    assert printed == "ok\n"


def test_neither(clip):
    message = run_python(
        NO_TORCH + NO_NUMPY + "import codecpatch; codecpatch.read(sys.argv[1])", clip, fails=True
    )
    assert "CodecPatchError" in message and "neither is installed" in message


# A tensor as the C library lends it, of which we know when it is freed.
LENT = """
import ctypes
from codecpatch import _tensors
deleted = []

@_tensors._DELETER
def delete(managed):
    deleted.append(managed.contents.manager)

def lend(device=1, code=2, bits=32):
    global data, shape, managed
    data = (ctypes.c_float * 6)(*range(6))
    shape = (ctypes.c_int64 * 2)(2, 3)
    tensor = _tensors._DLTensor(ctypes.addressof(data), device, 0, 2, code, bits, 1, shape, None, 0)
    managed = _tensors._DLManagedTensor(tensor, 77, delete)
    return ctypes.addressof(managed)
"""


def test_nothing_is_copied_and_all_is_freed_once():
    printed = run_python(
        NO_TORCH
        + LENT
        + """
import gc
array = _tensors.take_tensor(lend())
assert array.tolist() == [[0, 1, 2], [3, 4, 5]]
data[0] = 9
assert array[0, 0] == 9 and array.ctypes.data == ctypes.addressof(data)
row = array[1]
del array
gc.collect()
assert deleted == []
del row
gc.collect()
assert deleted == [77]
print("ok")
"""
    )
    assert printed == "ok\n"


def test_cuda_takes_torch():
    """NumPy has no way to a GPU's memory; the tensor is freed all the same."""
    printed = run_python(
        NO_TORCH
        + LENT
        + """
try:
    _tensors.take_tensor(lend(device=2))
except _tensors.CodecPatchError as error:
    assert "PyTorch" in str(error) and "process_backend" in str(error)
else:
    raise AssertionError
assert deleted == [77]
print("ok")
"""
    )
    assert printed == "ok\n"


def test_torch_takes_it_without_a_copy():
    pytest.importorskip("torch")
    printed = run_python(
        LENT
        + """
import gc
tensor = _tensors.take_tensor(lend())
data[0] = 9
assert tensor[0, 0] == 9 and tensor.data_ptr() == ctypes.addressof(data)
row = tensor[1]
del tensor
gc.collect()
assert deleted == []
del row
gc.collect()
assert deleted == [77]
try:
    _tensors.take_tensor(lend(code=77))
except Exception:
    pass
else:
    raise AssertionError
assert deleted == [77, 77]
print("ok")
"""
    )
    assert printed == "ok\n"
