#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# camera.sh [URI|test [FOLDER [CLIPS]]]: writes every 8 s of a camera as a clip into FOLDER, and keeps the newest 100. URI
# is rtsp://...; `test` makes pictures that need no camera. Without CLIPS it runs until it is interrupted. Where the
# camera fails, it is opened again each second.
#
# In a build directory, run this with: meson devenv -C build examples/camera.sh rtsp://CAMERA/STREAM
set -euo pipefail
uri=${1:-test}
folder=${2:-.}
clips=${3:-}
window=${WINDOW:-8} # seconds

sampling=(sequence-length=16 "window=${window}000000000")
line=(patchstreambin "uri=$uri" "${sampling[@]}" k-keep=2048)
if [ "$uri" = test ]; then
  line=(
    videotestsrc is-live=true pattern=ball
    ! 'video/x-raw,format=I420,width=640,height=360,framerate=25/1'
    ! uniformsampler "${sampling[@]}"
    ! patchenergy
    ! patchselect k-keep=2048
  )
fi
[ -z "$clips" ] || line+=(! identity "eos-after=$((clips + 1))") # it counts the buffer that it refuses
line+=(! tensormetasink "location=$folder/clip-%05d.safetensors" max-files=100)
exec gst-launch-1.0 -e "${line[@]}"
