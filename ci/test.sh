#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# ci/test.sh: installs what is missing, makes a new build with warnings as errors, and runs every test and check, in
# about fifteen minutes on two cores. The additional checks of ci/full.sh take hours. Exits non-zero if any step fails;
# the other steps still run. Prints the counts of tests at the end.
set -euo pipefail
exec </dev/null
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

build=$root/build-ci
without_cuda=$root/build-ci-without-cuda # beside the other, so that its relative paths are the same
work=$(mktemp -d)
# shellcheck disable=SC2046 # several numbers
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$work"' EXIT
installed=$work/usr
failed=()
counts=

own_gstreamer "$work"

# Only the oldest and the newest GPU, because no line of the kernels is for a single GPU, and no machine code runs here.
compile() {
  rm -rf "$build"
  build_tree "$build" -Dwerror=true -Dtests=enabled -Dexamples=enabled -Dbenchmarks=enabled --prefix="$installed" \
    --libdir=lib -Dgpu_architectures=75,90
}

run_tests() {
  meson test -C "$build" --no-rebuild --print-errorlogs --num-processes "$jobs" | tee "$work/tests.log"
}

# Prints the sum of the summaries of `meson test` and pytest: passed, failed, skipped.
count_tests() {
  awk -F': *' '
    / in [0-9.]+s/ {
      n = split($0, word, /[ ,]+/)
      for (i = 1; i < n; i++) {
        if (word[i + 1] == "passed") passed += word[i]
        if (word[i + 1] ~ /^(failed|errors?)$/) failed += word[i]
        if (word[i + 1] == "skipped") skipped += word[i]
      }
    }
    $1 ~ /^(Ok|Expected Fail) *$/ { passed += $2 }
    $1 ~ /^(Fail|Unexpected Pass|Timeout) *$/ { failed += $2 }
    $1 ~ /^Skipped *$/ { skipped += $2 }
    END { printf "%d passed, %d failed%s\n", passed, failed, skipped ? ", " skipped " skipped" : "" }' "$@"
}

# The same elements, built without CUDA: system memory only. It begins with the objects of the other build, which Ninja
# compiles again where command or sources differ.
check_without_cuda() {
  rm -rf "$without_cuda"
  meson setup "$without_cuda" "$root" -Dcuda=disabled -Dwerror=true -Dtests=enabled -Dexamples=disabled \
    -Dbenchmarks=disabled >"$work/no-cuda.log" || { cat "$work/no-cuda.log" && false; }
  (cd "$build" && find gst kernels tests/elements -name '*.o' -o -name '*.gch') >"$work/objects"
  (cd "$build" && xargs cp -a --parents -t "$without_cuda" .ninja_log .ninja_deps) <"$work/objects"
  ninja -C "$without_cuda" -j "$jobs" gst/elements/libgstcodecpatch.so tests/elements/elements-negotiation \
    tests/elements/elements-patchselect tests/elements/elements-framestack tests/elements/elements-tensorclip
  meson test -C "$without_cuda" --no-rebuild --print-errorlogs elements-negotiation elements-patchselect \
    elements-framestack elements-tensorclip
}

# The installed files must be enough to inspect the plugin, and to compile, link and run an application.
check_install() {
  meson install -C "$build" --no-rebuild --quiet
  local plugins=$installed/lib/gstreamer-1.0 element flags
  export PKG_CONFIG_PATH=$installed/lib/pkgconfig LD_LIBRARY_PATH=$installed/lib GST_PLUGIN_PATH=$plugins
  for element in frameplanner uniformsampler patchenergy patchselect framestack patchrender tensormetasink \
    uniformdecodebin patchstreambin; do
    gst-inspect-1.0 "$element" >"$work/$element.txt"
    grep -q "$plugins/libgstcodecpatch.so" "$work/$element.txt"
    echo "$element: $(awk '/Long-name/ { $1 = ""; print }' "$work/$element.txt")"
  done
  (cd "$root/gst/codecpatch" && ls -- *.h) | grep -E '^(cps|codecpatch)[a-z-]*\.h$' >"$work/headers"
  (cd "$installed/include/gstreamer-1.0/gst/codecpatch" && ls -- *.h) | diff "$work/headers" -

  printf '#include <gst/codecpatch/codecpatch.h>\nint main(void) { return cps_clip_get_type() == 0; }\n' >"$work/tiny.c"
  printf '#include <gst/codecpatch/codecpatch.h>\nint main() { return cps_plan_get_type() == 0; }\n' >"$work/tiny.cpp"
  read -ra flags <<<"$(pkg-config --cflags --libs gstreamer-codecpatch-1.0)"
  cc -std=c11 -Wall -Wextra -Werror -o "$work/tiny-c" "$work/tiny.c" "${flags[@]}"
  c++ -std=c++17 -Wall -Wextra -Werror -o "$work/tiny-cpp" "$work/tiny.cpp" "${flags[@]}"
  "$work/tiny-c"
  "$work/tiny-cpp"

  cc -std=c11 -o "$work/extract" "$root/examples/extract.c" "${flags[@]}"
  make_clip "$work/clip.mp4"
  "$work/extract" --output="$work/installed.safetensors" "$work/clip.mp4" >"$work/extract.txt"
  grep -q '^selected  *2048 of' "$work/extract.txt"
  bash "$root/examples/gst-launch.sh" "$work/clip.mp4" "$work/line-%05d.safetensors" >"$work/line.txt"
  cmp "$work/installed.safetensors" "$work/line-00000.safetensors"
  local example
  for example in session embed; do
    cc -std=c11 -o "$work/$example" "$root/examples/$example.c" "${flags[@]}"
    "$work/$example" "$work/clip.mp4" >"$work/$example.txt"
    grep -q '^  patches .*\[2048, 3, 14, 14\]' "$work/$example.txt"
  done
  mkdir "$work/camera"
  WINDOW=1 bash "$root/examples/camera.sh" test "$work/camera" 2 >"$work/camera.txt"
  [ -s "$work/camera/clip-00001.safetensors" ]
  bash "$root/examples/backends.sh" "$work/clip.mp4" "$work" >"$work/backends.txt"
  grep -q '^cpu-cpu: wrote' "$work/backends.txt"
  echo "compiled, linked and ran against $installed"
}

# `meson devenv` must find the plugin of the build directory.
check_devenv() {
  meson devenv -C "$build" gst-inspect-1.0 patchselect | grep -F "$build/gst/elements/libgstcodecpatch.so"
}

# The properties in docs/elements.md must be those of the elements.
check_documents() {
  "$debian_python" "$root/ci/elements-doc.py" "$build" --check
}

check_quickstart() {
  cd "$work"
  CODECPATCH_BUILD_DIR=$build "$root/quickstart.sh" >quickstart.txt || { cat quickstart.txt && false; }
  [ -s moving.safetensors ]
  grep -E '^(selected|wrote)' quickstart.txt
  if "$root/quickstart.sh" no-such-file 2>message.txt; then
    return 1
  fi
  grep -q 'no-such-file' message.txt
}

# Real files, if there are any in ../shared.
check_corpus() {
  "$root/ci/corpus.sh" "$build" --part 60 --launch 10
}

# begin NAME COMMAND...: runs the command in parallel with the next steps, because many of them wait or have one
# process.
# finish NAME: waits for it, prints its output, and counts as a step.
declare -A background
begin() {
  local name=$1
  shift
  "$@" >"$work/$name.log" 2>&1 &
  background[$name]=$!
}

finish() {
  local status=0
  wait "${background[$1]}" || status=$?
  step "$1" report "$1" "$status"
}

report() {
  cat "$work/$1.log"
  [ "$2" -eq 0 ]
}

install_packages build run test
step build compile
[ ${#failed[@]} -eq 0 ] || die "the build failed, and so nothing else could run."
begin lint nice -n 19 "$root/ci/lint.sh" "$build" --quick
begin python "$root/ci/python.sh" "$build"
step tests run_tests
case $(count_tests "$work/tests.log") in "0 passed"*) failed+=("tests: none ran") ;; esac
step "without CUDA" check_without_cuda
step "real files" check_corpus
step mutants "$root/ci/mutants.sh" "$build" 300
step devenv check_devenv
step documents check_documents
step install check_install
step quickstart check_quickstart
finish python
finish lint
counts=$(count_tests "$work/tests.log" "$work/python.log")

say "done in $SECONDS s"
[ ${#failed[@]} -eq 0 ] || printf 'FAILED: %s\n' "${failed[@]}"
grep -q 'cuda / ' "$work/tests.log" || echo "The CUDA stages were not built, and so not tested: see 'CUDA' in the summary of meson."
echo "$counts"
[ ${#failed[@]} -eq 0 ]
