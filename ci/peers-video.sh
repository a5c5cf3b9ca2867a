#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# ci/peers-video.sh BUILD_DIR [--environment FOLDER] [--videos N] [--rounds N] [FILE...]: compares codecpatch.Video with a
# full decode by ffmpeg, with ffprobe, and with torchcodec in exact mode: frames of random lists, slices and times, and
# the facts that it tells. Not part of CI, because it downloads PyTorch and torchcodec, 0.3 to 3 GB, and because peers
# change. FOLDER is a Python environment that is made if it is not there, and used again; by default a temporary one.
# Without FILE it takes the table of ci/peers-video.py: files of ../shared, as far as they are there, and files that it
# makes with ffmpeg; or the first N of them. Needs ffmpeg,
# ffprobe, python3-gi and gir1.2-gst-plugins-base-1.0 of Debian.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
[ -e "${1-}/gst/codecpatch" ] || die "usage: ci/peers-video.sh BUILD_DIR [options] [FILE...] (a compiled meson build directory)"
build=$(cd "$1" && pwd)
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
environment=$work/environment
if [ "${1-}" = --environment ]; then
  environment=$2
  shift 2
fi
export PIP_DISABLE_PIP_VERSION_CHECK=1
if [ ! -x "$environment/bin/python" ]; then
  say "environment"
  "$debian_python" -m venv "$environment"
  "$environment/bin/pip" install -q torch torchcodec numpy
fi
own_gstreamer "$work"
export CODECPATCH_LIBRARY=$build/gst/codecpatch/libgstcodecpatch-1.0.so.0 GST_PLUGIN_PATH_1_0=$build/gst/elements
export LD_LIBRARY_PATH=$build/gst/codecpatch PYTHONPATH=$root/gst/python/src PYTHONDONTWRITEBYTECODE=1
export OMP_NUM_THREADS=1 TMPDIR=$work CPS_SHARED_DIR=${CPS_SHARED_DIR:-$root/../shared}
gst-inspect-1.0 uniformdecodebin >/dev/null # writes the registry once, before several processes read it
say "peers"
"$environment/bin/python" "$root/ci/peers-video.py" --gi "$debian_python" --jobs "$jobs" "$@"
