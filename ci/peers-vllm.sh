#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# ci/peers-vllm.sh BUILD_DIR [VIDEO...]: compares codecpatch.vllm with vLLM's own loaders, which decode with OpenCV, and
# prints a table; fails if numbers, indices or metadata differ. Not part of CI, because it downloads vLLM (340 MB), of
# which it imports the loaders only: no GPU and no server are needed. Needs Debian's python3-torch.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
[ -e "${1-}/gst/codecpatch" ] || die "usage: ci/peers-vllm.sh BUILD_DIR [VIDEO...] (a compiled meson build directory)"
build=$(cd "$1" && pwd)
shift
export CODECPATCH_LIBRARY=$build/gst/codecpatch/libgstcodecpatch-1.0.so.0 GST_PLUGIN_PATH_1_0=$build/gst/elements
export PIP_DISABLE_PIP_VERSION_CHECK=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$debian_python" -m venv --system-site-packages "$work/peer"
"$work/peer/bin/pip" install -q 'opencv-python-headless<4.12' regex # newer ones need NumPy 2
"$work/peer/bin/pip" download -q --no-deps --only-binary :all: -d "$work" vllm==0.33.0
"$work/peer/bin/python" -m zipfile -e "$work"/vllm-*.whl "$work/wheel"
rm "$work"/vllm-*.whl
if [ $# = 0 ]; then
  make_clip "$work/made.mp4"
  ffmpeg -v error -i "$work/made.mp4" -c copy "$work/made.mkv" </dev/null
  ffmpeg -v error -i "$work/made.mp4" -c copy "$work/made.ts" </dev/null
  ffmpeg -v error -i "$work/made.mp4" -c copy "$work/made.h264" </dev/null
  shared=${CPS_SHARED_DIR:-$root/../shared}/videos
  set -- "$work"/made.*
  # No damaged file, because OpenCV gives the frames after a lost one other numbers.
  for name in demo bt709_full_range h265_10bits nasa_13013; do
    if [ -e "$shared/$name.mp4" ]; then set -- "$@" "$shared/$name.mp4"; fi
  done
fi
PYTHONPATH=$root/gst/python/src PYTHONDONTWRITEBYTECODE=1 \
  "$work/peer/bin/python" -W ignore "$root/ci/peers-vllm.py" "$work/wheel/vllm" "$@"
