#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# ci/soak.sh BUILD_DIR [CHECK...] [-- OPTION...]: long checks of live sources and of windows, to be run by hand. Each
# prints a line of figures, and fails if memory grows or clips are late. Without CHECK, runs all:
#
# rtsp   a server of the distribution on loopback, which is killed at a fifth of the time and started again 15 s later
# udp    the same for an MPEG transport stream that ffmpeg sends
# hls    ffmpeg and an HTTP server; not killed, because HLS is not opened again
# speed  two hours of stream time of a stream without an index, as fast as the machine allows
#
# Options: --seconds N for live checks (300), --hours N of stream time (2), --late N: the milliseconds after one frame
# interval within which a clip must come once its last frame is decoded (100).
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
[ -e "${1-}/gst/elements" ] || die "usage: ci/soak.sh BUILD_DIR [rtsp|udp|hls|speed]... [-- OPTION...]"
build=$(cd "$1" && pwd)
shift
checks=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do
  checks+=("$1")
  shift
done
[ $# -eq 0 ] || shift
[ ${#checks[@]} -gt 0 ] || checks=(rtsp udp hls speed)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
own_gstreamer "$work"
export GST_PLUGIN_PATH=$build/gst/elements LD_LIBRARY_PATH=$build/gst/codecpatch${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
install_packages run soak

failed=()
for check in "${checks[@]}"; do
  "$debian_python" "$root/ci/soak.py" "$check" --folder "$work" "$@" || failed+=("$check")
done
[ ${#failed[@]} -eq 0 ] || die "failed: ${failed[*]}"
