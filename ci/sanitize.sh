#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# ci/sanitize.sh address|leak|thread [--build DIR]: builds everything with a sanitizer of gcc, and runs the tests. Fails
# on any report that ci/*.supp does not suppress; reports stay in DIR/reports-MODE. Prints a table at the end.
#
# - address: AddressSanitizer and UndefinedBehaviorSanitizer; all tests, and those of Python
# - leak: LeakSanitizer in the build of `address`; all tests, then the pipelines again with GStreamer's tracer of
#   objects that are alive at the end
# - thread: ThreadSanitizer; the tests of library, elements and pipelines
set -euo pipefail
exec </dev/null
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

mode=${1-}
case $mode in
address | leak) build=$root/build-address ;;
thread) build=$root/build-thread ;;
*) die "usage: ci/sanitize.sh address|leak|thread [--build DIR]" ;;
esac
[ "${2-}" != --build ] || build=$3

mkdir -p "$build"
build=$(cd "$build" && pwd)
reports=$build/reports-$mode
rm -rf "$reports"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=()
suites=(lib kernels elements pipelines golden cuda matrix)
[ "$mode" != thread ] || suites=(lib elements pipelines)
around=() # additional environment of the tests
own_gstreamer "$work"
# No fork for the registry, because the plugin scanner lacks the sanitizer's runtime. No slices, because GLib's slices
# hide freed memory.
export GST_REGISTRY_FORK=no G_SLICE=always-malloc CK_TIMEOUT_MULTIPLIER=10

# Prints the ninja targets of the programs of the suites, and of the plugin.
targets() {
  echo gst/elements/libgstcodecpatch.so
  meson introspect --tests "$build" | python3 -c '
import json, os, sys
build, *suites = sys.argv[1:]
for test in json.load(sys.stdin):
    if {s.split(":")[-1] for s in test["suite"]} & set(suites):
        print(os.path.relpath(test["cmd"][0], build))' "$build" "${suites[@]}" | sort -u
}

compile() {
  # __bfin, because GStreamer's headers use unaligned reads for most processors, but not for a Blackfin.
  local sanitizers=address,undefined flags="-fno-sanitize-recover=all -D__bfin" options=() programs=()
  # ThreadSanitizer does not know the fibers of tests/cudasim, on which all kernels run here.
  [ "$mode" != thread ] || { sanitizers=thread && options=(-Dcuda=disabled); }
  [ -e "$build/build.ninja" ] || meson setup "$build" "$root" -Dbuildtype=debugoptimized -Doptimization=1 \
    -Db_lundef=false -Dcpp_args="$flags" -Dc_args="$flags" -Dtests=enabled -Dexamples=disabled \
    -Dbenchmarks=disabled -Dgpu_architectures=75 "-Db_sanitize=$sanitizers" "${options[@]}"
  [ "$mode" != thread ] || mapfile -t programs < <(targets)
  ninja -C "$build" -j "$jobs" "${programs[@]}"
  [ "$mode" = thread ] || return 0
  read -ra flags <<<"$(pkg-config --cflags --libs gstreamer-1.0)"
  c++ -std=c++17 -shared -fPIC -O1 -g -Wall -Wextra -o "$build/tsan-glib.so" "$root/ci/tsan-glib.cpp" \
    -Wl,--no-as-needed "${flags[@]}"
}

# runtime NAME: prints a library of the compiler, for uninstrumented programs that load instrumented libraries.
runtime() { realpath "$(c++ -print-file-name="lib$1.so")"; }

# Sets the sanitizers' folder for reports and their suppressions. UndefinedBehaviorSanitizer reports to the tests'
# output.
report_to() {
  mkdir -p "$1"
  local all="log_path=$1/report:allocator_may_return_null=1"
  export ASAN_OPTIONS=$all:detect_leaks=0:abort_on_error=1 UBSAN_OPTIONS=print_stacktrace=1
  # The slow unwinder, because fast stacks end in the first library without frame pointers, and suppressions do not see
  # the frames above. Thread-local memory is not intercepted, because for plugins LeakSanitizer sometimes reads unmapped
  # memory and dies ("Tracer caught signal 11").
  [ "$mode" != leak ] || ASAN_OPTIONS=$all:detect_leaks=1:fast_unwind_on_malloc=0:intercept_tls_get_addr=0
  export LSAN_OPTIONS=print_suppressions=1:suppressions=$root/ci/lsan.supp
  # Accesses by uninstrumented libraries are ignored, because their synchronisation is not visible. Check forks.
  TSAN_OPTIONS=$all:print_suppressions=1:suppressions=$root/ci/tsan.supp
  export TSAN_OPTIONS+=:ignore_noninstrumented_modules=1:die_after_fork=0
}

# Scans all plugins, for each registry that tests use. Otherwise tests that fork would scan before the fork, and their
# children would inherit state of other threads.
scan_plugins() {
  report_to "$work/scan"
  meson introspect --tests "$build" | ASAN_OPTIONS=detect_leaks=0 LD_PRELOAD=$preloaded "$debian_python" -c '
import json, os, subprocess, sys
done = set()
for test in json.load(sys.stdin):
    env = {**os.environ, **test["env"]}
    registry = env.get("GST_REGISTRY_1_0", env["GST_REGISTRY"])
    if env.get("CK_FORK") != "no" and registry not in done:
        done.add(registry)
        subprocess.run(["gst-inspect-1.0"], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        print(registry)'
}

# The first lines of findings, and of failures of a sanitizer. The warning is no finding, because tests request more
# memory than the machine has.
no_findings='WARNING: AddressSanitizer failed to allocate'
findings='(ERROR|WARNING): [A-Za-z]+Sanitizer|Sanitizer has encountered|runtime error: |object-alive, type-name=\(string\)[A-Z]'

# add_row NAME PASSED: adds the counts of $reports/NAME to the table.
add_row() {
  local found
  found=$(cat "$reports/$1"/* /dev/null | grep -v "$no_findings" | grep -cE "$findings" || true)
  cat "$reports/$1"/* /dev/null | awk -v OFS='|' -v name="$1" -v passed="$2" -v found="$found" '
    /Suppressions used:/ { listed = 1 } # by LeakSanitizer: count, bytes, name
    /^-+$/ { listed = 0 }
    listed && $1 ~ /^[0-9]+$/ { suppressed += $1 }
    /of parsebin, type-name=/ { suppressed++ }
    /ThreadSanitizer: Matched [0-9]+ suppressions/ { suppressed += $3 }
    END { print name, passed, found, suppressed + 0 }' >>"$work/table"
  [ "$found" -eq 0 ]
}

# run_tests NAME SUITE [VARIABLE=VALUE...]: runs a suite with reports in $reports/NAME.
run_tests() {
  local name=$1 suite=$2
  shift 2
  report_to "$reports/$name"
  env "${around[@]}" "$@" meson test -C "$build" --no-rebuild --suite "$suite" --num-processes "$jobs" \
    --timeout-multiplier 10 --print-errorlogs | tee "$reports/$name/log"
}

passed_in() { awk '$1 == "Ok:" { print $2 }' "$reports/$1/log"; }

run_suites() {
  local suite status=0
  for suite in "${suites[@]}"; do
    run_tests "$suite" "$suite" || status=1
    add_row "$suite" "$(passed_in "$suite")" || status=1
  done
  return $status
}

# The pipelines with GStreamer's tracer of objects, which tells when Check ends GStreamer at the end of each test's process.
# Its warning fails tests, and that is not looked at.
run_objects() {
  local file
  local held='Gst(ParsePad|ProxyPad|Pad|Event|Caps|TagList|Stream|DateTime|Buffer|Memory|MemIndex|CapsFilter|[A-Za-z0-9]+Parse)'
  mode=objects
  run_tests objects pipelines GST_TRACERS=leaks GST_DEBUG=GST_TRACER:7 GST_DEBUG_NO_COLOR=1 \
    "GST_DEBUG_FILE=$reports/objects/%p" || true
  # parsebin (1.22) that is stopped early leaves pads that it has not shown, with what they hold; so it does in pipelines
  # without any of our elements, once in some hundred times.
  for file in "$reports"/objects/[0-9]*; do
    ! grep -q "<'':parsepad" "$file" || sed -i -E "s/object-alive(, type-name=\(string\)$held,)/of parsebin\1/" "$file"
  done
  add_row objects "$(passed_in objects)"
}

# run_python [TEST...]: the package, with Debian's Python. The runtime has to come first, and libstdc++ before the first
# exception. A limit of memory is less than the terabytes that a sanitizer maps.
run_python() {
  local status=0
  report_to "$reports/python"
  CODECPATCH_LIBRARY=$build/gst/codecpatch/libgstcodecpatch-1.0.so.0 GST_PLUGIN_PATH_1_0=$build/gst/elements \
    CPS_SHARED_DIR=${CPS_SHARED_DIR:-$root/../shared} PYTHONPATH=$root/gst/python/src PYTHONDONTWRITEBYTECODE=1 \
    LD_PRELOAD=$preloaded "$debian_python" -m pytest -q -p no:cacheprovider -c "$root/gst/python/pyproject.toml" \
    -k "not (test_isolation and test_memory) and not test_no_growth" "${@/#/$root/gst/python/tests/}" | tee "$reports/python/log" || status=$?
  add_row python "$(sed -nE 's/^([0-9]+ failed, )?([0-9]+) passed.*/\2/p' "$reports/python/log")" && [ $status -eq 0 ]
}

install_packages build run test
step build compile
[ ${#failed[@]} -eq 0 ] || die "the build failed, and so nothing else could run."
preloaded="$(runtime asan) $(runtime stdc++)"
[ "$mode" != thread ] || preloaded="$(runtime tsan) $build/tsan-glib.so $(runtime stdc++)"
step plugins scan_plugins
case $mode in
address)
  step tests run_suites
  step python run_python
  ;;
leak)
  step tests run_suites
  step objects run_objects
  ;;
thread)
  around=("LD_PRELOAD=$build/tsan-glib.so")
  step tests run_suites
  step python run_python test_threads.py
  ;;
esac

say "done in $SECONDS s"
[ ${#failed[@]} -eq 0 ] || printf 'FAILED: %s\n' "${failed[@]}"
{ echo "suite|tests|reports in our code|suppressed" && cat "$work/table"; } | column -t -s'|'
[ ${#failed[@]} -eq 0 ]
