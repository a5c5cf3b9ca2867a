#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# ci/corpus.sh BUILD_DIR [--part N] [--launch N] [--jobs N] [--out RESULT.jsonl]: compares real files with full decodes
# by PyAV: all of ../shared/corpus (about half an hour), or N small files of all kinds. --launch: also runs N of them
# with gst-launch-1.0.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
[ -e "${1-}/gst/codecpatch" ] || die "usage: ci/corpus.sh BUILD_DIR [options] (a compiled meson build directory)"
build=$(cd "$1" && pwd)
shift
shared=${CPS_SHARED_DIR:-$root/../shared}
[ -e "$shared/corpus/expect.json" ] || { say "skipped: there is no $shared/corpus" && exit 0; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$debian_python" -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check 'av==18.*' numpy || "$work/venv/bin/pip" install -q av numpy
export CODECPATCH_LIBRARY=$build/gst/codecpatch/libgstcodecpatch-1.0.so.0 GST_PLUGIN_PATH_1_0=$build/gst/elements
export LD_LIBRARY_PATH=$build/gst/codecpatch PYTHONPATH=$root/gst/python/src PYTHONDONTWRITEBYTECODE=1
export GST_REGISTRY=$work/registry.bin TMPDIR=$work
gst-inspect-1.0 patchstreambin >/dev/null # writes the registry once, before many processes read it
"$work/venv/bin/python" "$root/ci/corpus.py" "$shared" --jobs "$jobs" "$@"
