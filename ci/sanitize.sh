#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# ci/sanitize.sh address|leak|thread [--build DIR]: builds everything with a sanitizer, by gcc, and runs the tests on it. Any
# report that ci/*.supp does not know fails; they stay in DIR/reports-MODE. Ends with a table.
#
# - address: AddressSanitizer and UndefinedBehaviorSanitizer; all tests, and those of Python
# - leak: LeakSanitizer in the build of `address`; all tests, then the pipelines once more with GStreamer's tracer of
#   objects that are alive in the end
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
around=() # what the tests' environment has besides
own_gstreamer "$work"
# The helper process that looks at plugins lacks the runtime that ours need. GLib's slices hide what is freed.
export GST_REGISTRY_FORK=no G_SLICE=always-malloc CK_TIMEOUT_MULTIPLIER=10

# What the tests of the suites run, as targets of ninja, and the plugin.
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
  # GStreamer's headers read unaligned where the processor may, but not, they think, a Blackfin.
  local sanitizers=address,undefined flags="-fno-sanitize-recover=all -D__bfin" options=() programs=()
  # ThreadSanitizer would have to be told of the fibers of tests/cudasim, which are all that runs kernels here.
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

# runtime NAME: a library of the compiler, for programs that are not compiled with it and load what is.
runtime() { realpath "$(c++ -print-file-name="lib$1.so")"; }

# Tells the sanitizers where reports go, and what is none. UndefinedBehaviorSanitizer's go into the tests' own output.
report_to() {
  mkdir -p "$1"
  local all="log_path=$1/report:allocator_may_return_null=1"
  export ASAN_OPTIONS=$all:detect_leaks=0:abort_on_error=1 UBSAN_OPTIONS=print_stacktrace=1
  # Without frame pointers, stacks end in the first library that has none, and suppressions see nothing of the others. With
  # thread-local memory of plugins, LeakSanitizer reads what is not there now and then, and dies ("Tracer caught signal 11").
  [ "$mode" != leak ] || ASAN_OPTIONS=$all:detect_leaks=1:fast_unwind_on_malloc=0:intercept_tls_get_addr=0
  export LSAN_OPTIONS=print_suppressions=1:suppressions=$root/ci/lsan.supp
  # Accesses by libraries do not count, for how they keep theirs in order is not known. Check forks.
  TSAN_OPTIONS=$all:print_suppressions=1:suppressions=$root/ci/tsan.supp
  export TSAN_OPTIONS+=:ignore_noninstrumented_modules=1:die_after_fork=0
}

# Looks at all plugins, for each registry that tests use. Those that fork would do it before, and have in their children
# what threads of others have left.
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

# The first lines of what is found, and of a sanitizer's own failure. Tests ask for more memory than there is.
no_findings='WARNING: AddressSanitizer failed to allocate'
findings='(ERROR|WARNING): [A-Za-z]+Sanitizer|Sanitizer has encountered|runtime error: |object-alive, type-name=\(string\)[A-Z]'

# add_row NAME PASSED: what lies in $reports/NAME.
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

# run_tests NAME SUITE [VARIABLE=VALUE...]: with reports in $reports/NAME.
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
