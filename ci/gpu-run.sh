#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# run PROGRAM [ARG...]: a program of an unpacked ci/gpu-bundle.sh, by its name or its path, with what is packed beside it.
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export LD_LIBRARY_PATH=$top/build/gst/codecpatch:$top/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} PATH=$top/bin:$PATH
export GST_PLUGIN_SYSTEM_PATH_1_0=$top/plugins GST_PLUGIN_PATH_1_0=$top/build/gst/elements
export GST_PLUGIN_SCANNER_1_0=$top/bin/gst-plugin-scanner
export GST_REGISTRY_1_0=${GST_REGISTRY_1_0:-$top/registry.bin} CPS_SHARED_DIR=${CPS_SHARED_DIR:-$top/shared}
has_nvdec() {
  local folder
  for folder in ${LD_LIBRARY_PATH//:/ }; do
    if [ -e "$folder/libnvcuvid.so.1" ]; then return; fi
  done
  [[ $(ldconfig -p) == *libnvcuvid.so.1* ]]
}
has_nvdec || LD_LIBRARY_PATH+=:$top/nvdec-standin # decodes nothing, see ci/gpu-bundle.sh
program=$1
shift
command -v "$program" >/dev/null || program=$(find "$top/build" -type f -name "$(basename "$program")" -perm -u+x | head -n 1)
exec "$program" "$@"
