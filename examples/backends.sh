#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# backends.sh [VIDEO [FOLDER]]: decodes and processes on the CPU and on the GPU, in all four combinations, and writes a
# file for each into FOLDER. Skips combinations that this machine does not support, and prints the error of
# gst-launch-1.0.
#
# In a build directory, run this with: meson devenv -C build examples/backends.sh VIDEO
set -euo pipefail
video=$(realpath "${1:-v.mp4}")
folder=${2:-.}
uri=$(python3 -c 'import pathlib, sys; print(pathlib.Path(sys.argv[1]).as_uri())' "$video")
said=$(mktemp)
trap 'rm -f "$said"' EXIT

done=0
for decode in cpu gpu; do
  for process in cpu gpu; do
    name=$decode-$process
    # With process-backend=gpu the tensors are in GPU memory; tensormetasink reads them back to write them.
    if gst-launch-1.0 patchstreambin "uri=$uri" decode-backend="$decode" process-backend="$process" \
      sequence-length=16 k-keep=2048 output-dtype=bf16 \
      ! tensormetasink "location=$folder/$name.safetensors" >"$said" 2>&1; then
      echo "$name: wrote $folder/$name.safetensors"
      done=$((done + 1))
    else
      echo "$name: skipped: $(grep -m 1 '^ERROR' "$said" || cat "$said")"
    fi
  done
done
[ "$done" -gt 0 ]
