# SPDX-License-Identifier: LGPL-2.1-or-later
"""Tensors of the C library as tensors of PyTorch, or of NumPy if PyTorch is not installed. Nothing is copied.

Neither PyTorch nor NumPy is imported before :func:`framework` is called.
"""

from __future__ import annotations

import ctypes
import functools
import math
import sys
from ctypes import POINTER, c_int32, c_int64, c_uint8, c_uint16, c_uint64, c_void_p
from types import ModuleType
from typing import Any

from . import _library
from .errors import CodecPatchError, ErrorCode

Tensor = Any
"""A ``torch.Tensor``, or a ``numpy.ndarray`` if PyTorch is not installed."""

_CPU = 1
_BFLOAT16 = (4, 16)  # code and bits of DLDataType
_TORCH_TYPES = {(0, 64): "int64", (1, 8): "uint8", (2, 16): "float16", (2, 32): "float32", _BFLOAT16: "bfloat16"}
_NUMPY_TYPES = {(0, 64): "i8", (1, 8): "u1", (2, 16): "f2", (2, 32): "f4", _BFLOAT16: "u2"}


class _DLTensor(ctypes.Structure):
    _fields_ = [
        ("data", c_void_p),
        ("device_type", c_int32),
        ("device_id", c_int32),
        ("ndim", c_int32),
        ("type_code", c_uint8),
        ("type_bits", c_uint8),
        ("type_lanes", c_uint16),
        ("shape", POINTER(c_int64)),
        ("strides", POINTER(c_int64)),
        ("byte_offset", c_uint64),
    ]


class _DLManagedTensor(ctypes.Structure):
    pass


_DELETER = ctypes.CFUNCTYPE(None, POINTER(_DLManagedTensor))
_DLManagedTensor._fields_ = [("tensor", _DLTensor), ("manager", c_void_p), ("deleter", _DELETER)]

_CAPSULE_NAME = ctypes.c_char_p(b"dltensor")  # capsules keep the pointer
_new_capsule = ctypes.pythonapi.PyCapsule_New
_new_capsule.restype, _new_capsule.argtypes = ctypes.py_object, [c_void_p, ctypes.c_char_p, c_void_p]
_capsule_is_valid = ctypes.pythonapi.PyCapsule_IsValid
_capsule_is_valid.restype, _capsule_is_valid.argtypes = ctypes.c_int, [ctypes.py_object, ctypes.c_char_p]


_frameworks = ["torch", "numpy"]


def prefer_numpy() -> None:
    """Makes NumPy the framework, for a program that needs no other, because PyTorch takes long to import."""
    _frameworks[:] = ["numpy", "torch"]


@functools.cache
def framework() -> ModuleType:
    """Returns PyTorch if it is installed, else NumPy; imports it at the first call."""
    for name in _frameworks:
        try:
            __import__(name)
        except ImportError:
            continue
        return sys.modules[name]
    raise CodecPatchError(
        "codecpatch hands out tensors of PyTorch or NumPy, and neither is installed: pip install torch, or numpy.",
        code=ErrorCode.SETUP,
    )


def check_dtype(name: str) -> None:
    """Raises TypeError if the framework has no type for the `output_dtype` `name`. Call before decoding."""
    if name.lower() in ("bf16", "bfloat16") and framework().__name__ == "numpy":
        _numpy_bfloat16()


def take_tensor(address: int) -> Tensor:
    """Returns the tensor of a ``DLManagedTensor *``, and takes over its ownership."""
    if framework().__name__ == "torch":
        return _take_torch(address)
    return _take_array(address)


Kind = tuple[int, int]
"""The code and the bits of a ``DLDataType``."""


def read_tensor(address: int) -> tuple[Kind, tuple[int, ...], Any, str | None]:
    """Returns kind, shape, bytes and GPU, if any, of a ``DLManagedTensor *``, and takes over its ownership.

    Needs no framework, except PyTorch if the tensor is in a GPU's memory.
    """
    lent = _Lent(address)
    if lent.device_type == _CPU:
        return lent.kind, lent.shape, lent.as_bytes(), None
    on_device = _take_torch(lent.give_up())
    tensor = on_device.cpu().contiguous()
    count = size_of(tensor)
    data = (ctypes.c_char * count).from_address(tensor.data_ptr()) if count else b""
    return lent.kind, lent.shape, bytes(data), str(on_device.device)


def size_of(tensor: Tensor) -> int:
    """Returns the size in bytes."""
    return tensor.nbytes if is_array(tensor) else tensor.numel() * tensor.element_size()


def tensor_of(buffer: Any, offset: int, kind: Kind, shape: tuple[int, ...], device: str | None) -> Tensor:
    """Returns the tensor at `offset` of a buffer, to which it holds a reference; or a copy on a GPU."""
    numpy_type, count = _NUMPY_TYPES[kind], math.prod(shape)
    if framework().__name__ == "torch":
        tensor = _torch_of(buffer, offset, kind, count).reshape(shape)
        return tensor.to(device) if device else tensor
    import numpy

    dtype = _numpy_bfloat16() if kind == _BFLOAT16 else numpy_type
    if count == 0:
        return numpy.empty(shape, dtype)
    return numpy.frombuffer(buffer, numpy_type, count, offset).view(dtype).reshape(shape)


def _torch_of(buffer: Any, offset: int, kind: Kind, count: int) -> Tensor:
    torch = framework()
    dtype = getattr(torch, _TORCH_TYPES[kind])
    return torch.frombuffer(buffer, dtype=dtype, count=count, offset=offset) if count else torch.empty(0, dtype=dtype)


def is_array(tensor: Tensor) -> bool:
    """True if the tensor is NumPy's, false if it is PyTorch's."""
    return type(tensor).__module__.partition(".")[0] == "numpy"


def empty_like(tensor: Tensor) -> Tensor:
    """Returns a tensor with no rows, and with the type, the device and the other dimensions of `tensor`."""
    shape = (0, *tensor.shape[1:])
    if is_array(tensor):
        import numpy

        return numpy.empty(shape, tensor.dtype)
    return tensor.new_empty(shape)


def copy_rows(tensor: Tensor, rows: list[int]) -> Tensor:
    """Returns a copy of these rows, on the device of `tensor`."""
    if is_array(tensor):
        import numpy

        return tensor[numpy.array(rows, "int64")]
    import torch

    return tensor[torch.tensor(rows, dtype=torch.int64, device=tensor.device)]


def _take_torch(address: int) -> Tensor:
    capsule = None
    try:
        capsule = _new_capsule(address, _CAPSULE_NAME, None)
        return framework().utils.dlpack.from_dlpack(capsule)
    finally:
        # from_dlpack() renames the capsule once it owns the tensor.
        if capsule is None or _capsule_is_valid(capsule, _CAPSULE_NAME):
            _Lent(address)  # whose end frees the tensor


class _Lent:
    """Keeps memory of the C library as long as an array uses it, because NumPy holds a reference to this object."""

    def __init__(self, address: int) -> None:
        # Everything that __del__ needs, because this object may outlive the globals of the module.
        self._managed = ctypes.cast(address, POINTER(_DLManagedTensor))
        self._is_forked = _library.is_forked
        tensor = self._managed.contents.tensor
        self.address = address
        self.kind = (tensor.type_code, tensor.type_bits)
        self.shape = tuple(tensor.shape[: tensor.ndim])
        self.device_type = tensor.device_type
        self._data = (tensor.data or 0) + tensor.byte_offset

    def as_bytes(self) -> Any:
        """Returns the contiguous bytes, which are valid as long as this object exists."""
        size = math.prod(self.shape) * self.kind[1] // 8
        if size == 0:
            return b""
        data = (ctypes.c_char * size).from_address(self._data)
        data.owner = self
        return memoryview(data).cast("B")

    def give_up(self) -> int:
        """Returns the tensor, and gives up its ownership."""
        self._is_forked = lambda: True  # so that __del__ does nothing
        return self.address

    @property
    def __array_interface__(self) -> dict[str, Any]:
        order = "<" if sys.byteorder == "little" else ">"
        return {
            "version": 3,
            "shape": self.shape,
            "typestr": order + _NUMPY_TYPES[self.kind],
            "data": (self._data, False),
        }

    def __del__(self) -> None:
        # Not freed in a forked child, because the deleter may wait for threads of the parent.
        if not self._is_forked():
            self._managed.contents.deleter(self._managed)


def _take_array(address: int) -> Tensor:
    import numpy

    lent = _Lent(address)
    if lent.device_type != _CPU:
        raise CodecPatchError(
            "The tensors are in the GPU's memory, which NumPy cannot reach: install PyTorch, or set "
            'process_backend="cpu".',
            code=ErrorCode.SETUP,
        )
    dtype = _numpy_bfloat16() if lent.kind == _BFLOAT16 else None
    if 0 in lent.shape:
        return numpy.empty(lent.shape, dtype or _NUMPY_TYPES[lent.kind])
    array = numpy.asarray(lent)
    return array.view(dtype) if dtype else array


def _numpy_bfloat16() -> Any:
    try:
        import ml_dtypes
    except ImportError:
        raise TypeError(
            "NumPy has no bfloat16: pip install ml_dtypes, or set output_dtype to float16, float32 or uint8."
        ) from None
    import numpy

    return numpy.dtype(ml_dtypes.bfloat16)

