#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# gst-launch.sh [VIDEO [LOCATION]]: the elements in one line. VIDEO is H.264 in MP4; for other formats replace the
# elements whose comments name others. LOCATION is a file name pattern; %05d is the number of the clip.
#
# In a build directory, run this with: meson devenv -C build examples/gst-launch.sh VIDEO
set -euo pipefail
video=${1:-v.mp4}
location=${2:-clip-%05d.safetensors}

line=(
  filesrc "location=$video"
  ! qtdemux                            # or matroskademux, tsdemux, avidemux; none for a raw .h264
  ! h264parse                          # h265parse
  ! frameplanner                       # numbers the frames and plans before decoding
  ! avdec_h264                         # avdec_h265, or any other decoder
  ! uniformsampler sequence-length=16  # keeps the planned frames
  ! patchenergy                        # attaches the energy map of each frame
  ! patchselect k-keep=2048 output-dtype=bf16
  ! tensormetasink "location=$location"
)
exec gst-launch-1.0 "${line[@]}"
