#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# ci/fuzz.sh TARGET|all SECONDS [--build DIR] [--corpus DIR]: runs libFuzzer targets (tests/fuzz) under ASan and UBSan, each
# for SECONDS, as many at a time as there are processors. Failing inputs are kept in the build directory. Without
# TARGET, prints the targets.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

build=$root/build-fuzz
corpora=
arguments=()
while [ $# -gt 0 ]; do
  case $1 in
  --build) build=$2 && shift ;;
  --corpus) corpora=$2 && shift ;;
  *) arguments+=("$1") ;;
  esac
  shift
done

# Compiles all code that works without a pipeline, instrumented.
compile() {
  local output
  [ -e "$build/build.ninja" ] || output=$(CC=clang-14 CXX=clang++-14 meson setup "$build" "$root" -Dfuzzers=enabled \
    -Dtests=disabled -Dexamples=disabled -Dbenchmarks=disabled -Dcuda=disabled -Davformat=disabled \
    -Dbuildtype=debugoptimized -Db_sanitize=address,undefined -Db_lundef=false \
    -Dcpp_args='-fsanitize=fuzzer-no-link -fno-sanitize-recover=all' 2>&1) ||
    { echo "$output" && return 1; }
  mapfile -t targets < <(ninja -C "$build" -t targets all | sed -n 's|^tests/fuzz/fuzz-\([a-z0-9]*\): .*|\1|p' | sort)
  ninja -C "$build" -j "$jobs" --quiet "${targets[@]/#/tests/fuzz/fuzz-}"
}

# fuzz TARGET: the last line has the result.
fuzz() {
  local corpus=${corpora:-$build/corpora}/$1 log=$build/fuzz-$1.log
  export LSAN_OPTIONS=suppressions=$root/ci/lsan.supp:print_suppressions=0
  # Names in texts and of tensors become quarks, whose tables GLib never frees. GLib has no frame pointers, so the fast unwinder would
  # not find the caller that suppressions name.
  [[ $1 != texts && $1 != safetensors ]] || export ASAN_OPTIONS=fast_unwind_on_malloc=0
  mkdir -p "$corpus"
  env -u GST_PLUGIN_SYSTEM_PATH_1_0 -u GST_REGISTRY_1_0 "$root/tests/fuzz/seeds.py" "$1" "$corpus"
  if (cd "$build" && "tests/fuzz/fuzz-$1" -max_total_time="$seconds" -max_len=65536 -timeout=10 -rss_limit_mb=2048 \
    -print_final_stats=1 -artifact_prefix="$build/fuzz-$1-" "$corpus") >"$log" 2>&1; then
    awk -v name="$1" '/stat::number_of_executed_units/ { runs = $2 } / cov: / { for (i = 1; i < NF; i++) if ($i == "cov:") cov = $(i + 1) }
      END { printf "%-12s %10d runs, %5d edges\n", name, runs, cov }' "$log"
  else
    tail -n 40 "$log"
    echo "$1 FAILED: see $log"
    return 1
  fi
}

install_packages build fuzz
compile
if [ ${#arguments[@]} -ne 2 ]; then
  printf '%s\n' "${targets[@]}"
  exit 2
fi
seconds=${arguments[1]}
[ "${arguments[0]}" = all ] || targets=("${arguments[0]}")
export -f fuzz
export build corpora root seconds
# The targets need no plugins.
export GST_PLUGIN_SYSTEM_PATH_1_0='' GST_REGISTRY_1_0=$build/fuzz.bin GST_REGISTRY_FORK=no
printf '%s\n' "${targets[@]}" | xargs -P "$jobs" -I{} bash -c 'fuzz {}'
