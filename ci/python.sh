#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# ci/python.sh BUILD_DIR: installs the Python package into fresh environments and runs its tests there, against the library
# and the plugin of BUILD_DIR: all tests with Debian's Python, PyTorch and NumPy; the quick tests with the newest other
# Python of this machine, 3.10 or later, and PyPI's NumPy, if both are available.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
[ -e "${1-}/gst/codecpatch" ] || die "usage: ci/python.sh BUILD_DIR (a compiled meson build directory)"
build=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

export CODECPATCH_LIBRARY=$build/gst/codecpatch/libgstcodecpatch-1.0.so.0 GST_PLUGIN_PATH_1_0=$build/gst/elements
export GST_REGISTRY=$work/registry.bin CPS_SHARED_DIR=${CPS_SHARED_DIR:-$root/../shared}
export PYTHONDONTWRITEBYTECODE=1 PIP_DISABLE_PIP_VERSION_CHECK=1

# A copy, because setuptools leaves files in the folder that it builds.
cp -r "$root/gst/python" "$work/package"

version_of() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null; }

# run_tests ENVIRONMENT [PYTEST_ARGUMENT...]
run_tests() {
  local python=$1/bin/python
  shift
  "$python" -c 'import codecpatch, sys; print("Python", sys.version.split()[0], codecpatch.__file__)'
  "$python" -m pytest -q -p no:cacheprovider -c "$root/gst/python/pyproject.toml" "$@" "$root/gst/python/tests"
}

# Prints every other Python that starts, newest first. Also searches pyenv's folders, because pyenv's commands start
# only selected versions.
other_pythons() {
  local python version
  for python in python3.{14,13,12,11,10} python3 "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.*/bin/python3; do
    if command -v "$python" >/dev/null && version=$(version_of "$python"); then
      case $version in 3.[0-9] | "$system_version") ;; *) printf '%s %s\n' "$version" "$(command -v "$python")" ;; esac
    fi
  done | sort -s -t. -k2,2nr | cut -d' ' -f2
}

# Debian's Python, without the network.
test_system() {
  run_tests "$work/system"

  # The examples, on two small clips.
  mkdir "$work/videos"
  make_clip "$work/videos/a.mp4"
  cp "$work/videos/a.mp4" "$work/videos/b.mp4"
  "$work/system/bin/python" "$root/examples/python/dataloader.py" "$work/videos" --epochs 1 --workers 1
  "$work/system/bin/python" "$root/examples/python/windows.py" "$work/videos/a.mp4" --window 0.5 --hop 0.25
  "$work/system/bin/python" "$root/examples/python/camera.py" "$work/videos/a.mp4" --window 1 --hop 0.5 --clips 3
  "$work/system/bin/python" "$root/examples/python/benchmark_codec_apis.py" "$work/videos" --repeats 1 --warm-up 0 \
    --apis decode_only patch_stream decord torchcodec --decode-backends cpu --process-backends cpu \
    >"$work/benchmark.txt" || { cat "$work/benchmark.txt" && false; }
  grep -A8 -i '^summary' "$work/benchmark.txt" || tail -n 8 "$work/benchmark.txt"
}

test_other() {
  local python
  while read -r python; do
    rm -rf "$work/other"
    if "$python" -m venv "$work/other" &&
      timeout 120 "$work/other/bin/pip" install -q "$work/package" numpy ml_dtypes pytest >"$work/pip.log" 2>&1; then
      run_tests "$work/other" -m "not slow"
      return
    fi
    echo "$python: left out, because pip could not install NumPy and pytest: $(tail -n 1 "$work/pip.log" 2>/dev/null)"
  done < <(other_pythons)
  echo "No other Python was tested."
}

[ -x "$debian_python" ] || die "there is no $debian_python; apt-get install python3 python3-venv."
system_version=$(version_of "$debian_python")
"$debian_python" -m venv --system-site-packages "$work/system"
"$work/system/bin/pip" install -q --no-index --no-build-isolation "$work/package"
# In parallel, because most of these tests wait. Both in the background, because `set -e` applies there.
status=0
test_system &
system=$!
test_other >"$work/other.log" 2>&1 &
other=$!
wait "$system" || status=1
wait "$other" || status=1
cat "$work/other.log"
exit "$status"
