#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# ci/peers.sh [ENVIRONMENT]: compares codecpatch.adapters with the newest transformers and qwen-vl-utils of PyPI, bit for
# bit, and prints a table; fails if anything differs. Not part of CI, because it downloads 0.3 to 3 GB and because peers
# change. ENVIRONMENT is a folder for the Python environment, which is kept and used again; by default a temporary one.
# The C library is not needed, because frames are made here.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
environment=${1-$work/environment}
export PIP_DISABLE_PIP_VERSION_CHECK=1

# PyTorch for the CPU only, or, if its index is not reachable, PyPI's, which comes with the libraries of CUDA.
install_torch() {
  "$environment/bin/pip" install -q --retries 0 --timeout 10 --index-url https://download.pytorch.org/whl/cpu \
    torch torchvision >"$work/pip.log" 2>&1 && return
  echo "The index of PyTorch for the CPU is not reachable; installing PyPI's PyTorch."
  "$environment/bin/pip" install -q torch torchvision
}

if [ ! -x "$environment/bin/python" ]; then
  say "environment"
  python3 -m venv "$environment"
  install_torch
  "$environment/bin/pip" install -q transformers qwen-vl-utils numpy pillow
fi
say "peers"
PYTHONPATH=$root/gst/python/src PYTHONDONTWRITEBYTECODE=1 HF_HUB_OFFLINE=1 TRANSFORMERS_VERBOSITY=error \
  "$environment/bin/python" -W ignore "$root/ci/peers.py"
