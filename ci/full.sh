#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# ci/full.sh: the checks that ci/test.sh omits because they take hours. Run it after ci/test.sh, from time to time.
# Exits non-zero if any step fails; the other steps still run.
#
# - the tests compiled with -O3 and without the precompiled header, for warnings that only the optimiser finds, and for
#   missing includes that the precompiled header hides; the kernels for every GPU
# - all tests again, with CPS_ALL: every number of frames of every stream of tests/matrix, with every strategy; every
#   configuration of the golden clips on the stand-in for the CUDA driver
# - complete lint: clang-tidy also for the tests, and with its analyzer for the rest; cppcheck with GStreamer's headers
# - all real files of ../shared/corpus, if it exists
# - damaged files, and libFuzzer's targets
# - tests under sanitizers: all tests for memory, undefined behaviour and leaks; lib, elements and pipelines for threads
# - ci/mutations.py: makes single rules wrong; a test must fail for each
set -euo pipefail
exec </dev/null
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

build=$root/build-full
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=()
own_gstreamer "$work"

compile() {
  rm -rf "$build"
  build_tree "$build" -Dwerror=true -Dtests=enabled -Dexamples=enabled -Dbenchmarks=enabled -Dtest_optimization=3 \
    -Db_pch=false
}

run_tests() {
  CPS_ALL=1 meson test -C "$build" --no-rebuild --print-errorlogs --num-processes "$jobs" --timeout-multiplier 10
}

install_packages build run test
step build compile
[ ${#failed[@]} -eq 0 ] || die "the build failed, and so nothing else could run."
step tests run_tests
step lint "$root/ci/lint.sh" "$build"
step "real files" "$root/ci/corpus.sh" "$build"
step mutants "$root/ci/mutants.sh" "$build" 20000
step fuzz "$root/ci/fuzz.sh" all 60
for sanitizer in address leak thread; do
  step "sanitizer: $sanitizer" "$root/ci/sanitize.sh" "$sanitizer"
done
step mutations "$root/ci/mutations.py"

say "done in $SECONDS s"
[ ${#failed[@]} -eq 0 ] || printf 'FAILED: %s\n' "${failed[@]}"
[ ${#failed[@]} -eq 0 ]
