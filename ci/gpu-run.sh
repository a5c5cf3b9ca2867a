#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# run PROGRAM [ARG...]: runs a program of an unpacked ci/gpu-bundle.sh, by name or path, or a program of the host, with
# the packed plugins and libraries. Uses only the libraries that the host lacks, because the host's programs need the
# host's.
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

has_library() { [[ " $host_libraries " == *" $1 "* ]]; }

# Creates links in DIR to the libraries that the host lacks.
link_missing() {
  local dir=$1 folder host_libraries library
  host_libraries=$({ ldconfig -p | awk '/=>/ { print $1 }' && for folder in ${LD_LIBRARY_PATH//:/ }; do ls "$folder"; done; } |
    tr '\n' ' ')
  for library in "$top"/lib/*; do
    has_library "$(basename "$library")" || ln -s "$library" "$dir/"
  done
  # nvcodec registers no elements without the decoder's library.
  has_library libnvcuvid.so.1 || ln -s "$top/nvdec-standin/libnvcuvid.so.1" "$dir/"
}

export LD_LIBRARY_PATH=${LD_LIBRARY_PATH-}
if [ ! -e "$top/missing" ]; then
  links=$(mktemp -d "$top/links.XXXXXX")
  link_missing "$links"
  mv -T "$links" "$top/missing" 2>/dev/null || rm -r "$links" # another process has made the links meanwhile
fi
LD_LIBRARY_PATH=$top/build/gst/codecpatch:$top/missing${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export PATH=$top/bin:$PATH PYTHONPATH=$top/python${PYTHONPATH:+:$PYTHONPATH}
export CODECPATCH_LIBRARY=$top/build/gst/codecpatch/libgstcodecpatch-1.0.so.0
export GST_PLUGIN_SYSTEM_PATH_1_0=$top/plugins GST_PLUGIN_PATH_1_0=$top/build/gst/elements
export GST_PLUGIN_SCANNER_1_0=$top/bin/gst-plugin-scanner
export GST_REGISTRY_1_0=${GST_REGISTRY_1_0:-$top/registry.bin} CPS_SHARED_DIR=${CPS_SHARED_DIR:-$top/shared}
program=$1
shift
command -v "$program" >/dev/null || program=$(find "$top/build" -type f -name "$(basename "$program")" -perm -u+x | head -n 1)
exec "$program" "$@"
