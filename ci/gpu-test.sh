#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# ci/gpu-test.sh [--no-sanitizer] [BUILD_DIR]: on a machine with an NVIDIA GPU, runs every GPU test, the kernels under
# compute-sanitizer if it is installed, and the GPU benchmark; prints a table at the end. In a checkout it uses the
# build in BUILD_DIR or makes one; in an unpacked ci/gpu-bundle.sh it uses the packed build. Fails if a test fails, or
# if there is no GPU.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
sanitizer=$(command -v compute-sanitizer || true)
if [ "${1-}" = --no-sanitizer ]; then
  sanitizer=
  shift
fi

if [ -e "$here/gpu-tests.txt" ]; then
  build=$here/build
  programs=$(cat "$here/gpu-tests.txt")
  start=("$here/run") python=("$here/run" python3)
else
  . "$here/common.sh"
  build=${1-}
  if [ -z "$build" ]; then
    install_packages build run test
    build=$root/build
    build_tree "$build" -Dcuda=enabled
  fi
  build=$(cd "$build" && pwd)
  programs=$(gpu_programs "$build")
  export GST_PLUGIN_PATH_1_0=$build/gst/elements CPS_SHARED_DIR=${CPS_SHARED_DIR:-$root/../shared}
  start=() python=(env "PYTHONPATH=$root/gst/python/src"
    "CODECPATCH_LIBRARY=$build/gst/codecpatch/libgstcodecpatch-1.0.so.0" python3)
fi
export CK_FORK=no # a child process could not use the driver that its parent has loaded
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export GST_REGISTRY_1_0=$work/registry.bin

nvidia-smi --query-gpu=name,driver_version --format=csv,noheader 2>/dev/null || echo "nvidia-smi: no driver"
failures=0 passes=0
: >"$work/table"

# row NAME COMMAND...: runs the command, and records its result. Exit code 77 means skipped.
row() {
  local name=$1 log=$work/log code=0 result begin=$SECONDS
  shift
  timeout --kill-after 10 600 "$@" >"$log" 2>&1 </dev/null || code=$?
  case $code in
    0)
      result=passed passes=$((passes + 1))
      if grep -q '^skipped:' "$log"; then result="passed, but $(grep -m 1 '^skipped:' "$log")"; fi
      ;;
    77) result="skipped: $(tail -n 1 "$log" | sed 's/^skipped: //')" ;;
    *)
      result="FAILED ($code)" failures=$((failures + 1))
      printf '\n== %s\n' "$name"
      tail -n 60 "$log"
      ;;
  esac
  printf '%-44s %4d s  %s\n' "$name" $((SECONDS - begin)) "$result" | tee -a "$work/table"
}

# CPS_ALL: every configuration of every golden clip. Not for the synthetic streams, because each of them opens a decoder
# for every number of frames.
while IFS=$'\t' read -r name program variant; do
  if [ "$name" = gpu-synthetic ]; then unset CPS_ALL; else export CPS_ALL=1; fi
  # shellcheck disable=SC2086 # words
  row "$name" env $variant "${start[@]}" "$build/$program"
done <<<"$programs"

row python "${python[@]}" "$here/gpu-python.py"
cp "$work/log" "$work/python"

# Only kernels and copies, because whole pipelines would take hours under compute-sanitizer.
if [ -n "$sanitizer" ]; then
  for tool in memcheck racecheck; do
    for name in gpu-memory gpu-energy gpu-clip; do
      program=$(awk -F'\t' -v name="$name" '$1 == name { print $2 }' <<<"$programs")
      row "$name, $tool" "${start[@]}" "$sanitizer" --tool "$tool" --error-exitcode 9 --target-processes all \
        "$build/$program"
    done
  done
else
  echo "compute-sanitizer is not installed: left out"
fi

row benchmark "${start[@]}" "$build/tests/benchmarks/bench-cuda"
printf '\n== benchmark\n'
cat "$work/log"
printf '\n== python\n'
cat "$work/python"
printf '\n== results\n'
cat "$work/table"
if [ "$passes" -eq 0 ] && [ "$failures" -eq 0 ]; then
  echo "Nothing ran: there is no GPU here."
  exit 1
fi
echo "$passes passed, $failures failed"
[ "$failures" -eq 0 ]
