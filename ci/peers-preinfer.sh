#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# ci/peers-preinfer.sh [BUILD_DIR] [VIDEO...]: compares codecpatch-preinfer with cv-preinfer of codec-video-prep 0.2.5,
# which it installs into a fresh environment: sampled frames, quality of the selection, time and memory. Not part of CI.
# Without BUILD_DIR it takes the library and the plugin of the environment (CODECPATCH_LIBRARY, GST_PLUGIN_PATH_1_0).
# Needs Python 3.11 and ffprobe, which cv-preinfer starts.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
if [ -d "${1-}" ]; then
  build=$(cd "$1" && pwd)
  shift
  export CODECPATCH_LIBRARY=$build/gst/codecpatch/libgstcodecpatch-1.0.so.0 GST_PLUGIN_PATH_1_0=$build/gst/elements
fi
[ -n "${CODECPATCH_LIBRARY-}" ] || die "usage: ci/peers-preinfer.sh BUILD_DIR [VIDEO...]"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python=$(command -v /usr/bin/python3.11 || command -v python3.11) || die "codec-video-prep needs python3.11."
"$python" -m venv "$work/peer"
"$work/peer/bin/pip" install -q --disable-pip-version-check codec-video-prep==0.2.5 'numpy<2'
# Installed, too, because a package that is not is compiled at each start; a copy, because setuptools writes there.
cp -r "$root/gst/python" "$work/package"
"$work/peer/bin/pip" install -q --disable-pip-version-check --no-deps "$work/package"

raw=video/x-raw,format=I420,width=640,height=360,framerate=30/1
# generate NAME FRAMES SIZE PATTERN ENCODER...
generate() {
  local name=$1 frames=$2 width=${3%x*} height=${3#*x} pattern=$4
  shift 4
  gst-launch-1.0 -q videotestsrc num-buffers="$frames" pattern="$pattern" kx2=12 ky2=12 kt=3 \
    ! "video/x-raw,format=I420,width=$width,height=$height,framerate=30/1" \
    ! "$@" ! mp4mux ! filesink location="$work/$name" </dev/null
}
generate generated-h264.mp4 600 1280x720 zone-plate x264enc key-int-max=48 bframes=2 speed-preset=veryfast ! h264parse
generate generated-h265.mp4 300 640x360 ball x265enc key-int-max=30 option-string=open-gop=0 speed-preset=ultrafast \
  ! h265parse
# Most frames black: cv-preinfer leaves them out, and fills up with black canvases.
gst-launch-1.0 -q videotestsrc num-buffers=40 pattern=black ! "$raw" ! concat name=dark \
  ! x264enc key-int-max=48 ! h264parse ! mp4mux ! filesink location="$work/generated-dark.mp4" \
  videotestsrc num-buffers=3 pattern=zone-plate kx2=12 ky2=12 kt=30 ! "$raw" ! dark. </dev/null
if [ $# = 0 ]; then
  shared=${CPS_SHARED_DIR:-$root/../shared}/videos
  set -- "$shared"/{demo,bt709_full_range,h265_10bits,nasa_13013}.mp4 "$work"/generated-*.mp4
fi
OPENBLAS_NUM_THREADS=1 "$work/peer/bin/python" -B "$root/ci/peers-preinfer.py" "$work/peer/bin" "$work" "$@"
