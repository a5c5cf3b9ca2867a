# SPDX-License-Identifier: LGPL-2.1-or-later
"""Clips as the inputs of models: what their processors would make of the same pixels, bit for bit.

    options = adapters.qwen_vl_options("qwen2.5")
    inputs = adapters.qwen_vl(codecpatch.read("v.mp4", **options), "qwen2.5")
    model(input_ids=..., **inputs.tensors)

Nothing is resized here: :func:`codecpatch.read` gives frames and patches the size that a model takes. Tensors are
PyTorch's or NumPy's, on the device of the clip's. docs/models.md has a block for each model.
"""

from ._llava import LlavaInputs, llava_onevision2
from ._onevision import OneVisionInputs, onevision_encoder
from ._qwen import QwenInputs, qwen_vl, qwen_vl_options
from ._videos import videomae, vjepa2

__all__ = [
    "LlavaInputs",
    "OneVisionInputs",
    "QwenInputs",
    "llava_onevision2",
    "onevision_encoder",
    "qwen_vl",
    "qwen_vl_options",
    "videomae",
    "vjepa2",
]
