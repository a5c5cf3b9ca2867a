#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# ./quickstart.sh [VIDEO]
#
# Installs what is missing (Debian 12, as root or with sudo), builds into build/, and extracts the patch tensors of VIDEO,
# or of a short clip that it makes. Writes NAME.safetensors into the current directory. Run it again as often as you
# like: what is there is not done again. CODECPATCH_BUILD_DIR names another build directory.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/ci/common.sh"

case ${1-} in
-h | --help)
  sed -n '2,/^set -/{/^set -/d;/SPDX/d;s/^# \{0,1\}//;p;}' "${BASH_SOURCE[0]}"
  exit
  ;;
-*) die "there is no option $1; usage: ./quickstart.sh [VIDEO]" ;;
esac
[ $# -le 1 ] || die "one video at a time; usage: ./quickstart.sh [VIDEO]"
[ $# -eq 0 ] || { [ -f "$1" ] && [ -r "$1" ]; } || die "there is no readable file \"$1\"."
[ -w . ] || die "the tensors are written to the current directory, and $PWD is not writable."

build=${CODECPATCH_BUILD_DIR:-$root/build}
install_packages build run
say "build"
build_tree "$build"

if [ $# -eq 1 ]; then
  video=$1
else
  video=$build/moving.mp4
  say "make $video"
  make_clip "$video"
fi
name=$(basename "$video")
output=${name%.*}.safetensors

say "extract the tensors of $video"
GST_PLUGIN_PATH=$build/gst/elements "$build/examples/extract" --output="${output//%/%%}" "$video" ||
  die "no tensors were written; the message above says why."
