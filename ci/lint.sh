#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# ci/lint.sh BUILD_DIR [--quick]: formatting and static checks of every source file; any finding fails. BUILD_DIR must
# be configured and compiled, because the checks cover the files of its compile_commands.json. --quick omits the slowest
# checks:
#
# - clang-tidy skips tests, and does not analyse paths through functions (clang-analyzer-*)
# - cppcheck reads only codecpatch's headers, so it misses findings that depend on members of GStreamer's structures
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
[ -e "${1-}/compile_commands.json" ] || die "usage: ci/lint.sh BUILD_DIR (a meson build directory)"
build=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tidied=. # below the root
cppcheck_options=()
tidy_options=
quick=
if [ "${2-}" = --quick ]; then
  quick=yes
  tidied='gst kernels examples'
  tidy_options='--checks=-clang-analyzer-*'
  # The library file describes GStreamer's macros. The two suppressed checks have false positives in macros.
  cppcheck_options=("--library=$root/ci/gstreamer.cfg" --suppress=unusedStructMember --suppress=clarifyCalculation)
fi
cd "$root"
failed=()

# step NAME COMMAND...: continues after a failure, so that one run shows all findings.
step() {
  local name=$1 started=$SECONDS
  shift
  say "$name"
  "$@" || failed+=("$name")
  echo "$name: $((SECONDS - started)) s"
}

# Prints the files of the tree with these endings, in a checkout or in an unpacked archive. Skips build directories.
sources() {
  local endings=() ending
  for ending in "$@"; do endings+=(-o -name "*.$ending"); done
  find . -name 'build*' -prune -o -path ./.git -prune -o -type f \( "${endings[@]:1}" \) -print0 | sort -z
}

format() {
  sources c cpp cu cuh h | xargs -0 clang-format-14 --dry-run -Werror
}

# Prints codecpatch's own sources that the build compiles in these folders, NUL-terminated.
compiled() {
  python3 - "$build" "$root" "$@" <<'PY'
import json, os, sys
build, root, *folders = sys.argv[1:]
tops = [os.path.normpath(os.path.join(root, folder)) + "/" for folder in folders]
with open(build + "/compile_commands.json") as commands:
    names = {os.path.realpath(os.path.join(c["directory"], c["file"])) for c in json.load(commands)}
for name in sorted(names):
    if name.startswith(tuple(tops)):
        print(name, end="\0")
PY
}

# Writes the commands of the build without the precompiled header, because only the compiler that made it can read it.
without_precompiled() {
  sed -E 's/ -fpch-preprocess//g; s/ -include precompiled\.h//g' "$build/compile_commands.json" \
    >"$work/compile_commands.json"
}

# PyPI's clang-tidy skips system headers, which are two thirds of the work. Debian's version 14 if PyPI is not
# reachable.
tidy_command() {
  if python3 -m venv "$work/tidy" && timeout 120 "$work/tidy/bin/pip" install -q clang-tidy==23.1.4 >"$work/pip.log" 2>&1; then
    echo "$work/tidy/bin/clang-tidy"
  else
    command -v clang-tidy-14
  fi
}

# One process per file; prints its output when it ends, so that outputs do not mix.
# shellcheck disable=SC2016 # expands in the inner shell
tidy() {
  local command
  without_precompiled
  command=$(tidy_command)
  "$command" --version | grep version
  # shellcheck disable=SC2086 # several words
  compiled $tidied | xargs -0 -n 1 -P "$jobs" bash -c '
    out=$("$0" -p "$1" --quiet "$2" "$3" 2>&1) && exit
    grep -v "warnings generated" <<<"$out" || true
    exit 1' "$command" "$work" "${tidy_options:---checks=}"
}

# cppcheck 2.10 reads -I.. of a build directory directly below the source as -I/, and would not find codecpatch's
# headers. Tests are excluded, because cppcheck has false positives for their macros and for calls with side effects,
# and needs minutes for them. The kernel images are excluded as well.
check() {
  python3 - "$build" "$root" "$work/cppcheck.json" "$quick" <<'PY'
import json, os, re, sys
build, root, out_name, quick = sys.argv[1:]
with open(build + "/compile_commands.json") as commands:
    kept = json.load(commands)
for c in kept:
    c["file"] = os.path.realpath(os.path.join(c["directory"], c["file"]))
    c["command"] = c["command"].replace(" -I.. ", " -I%s " % root)
    if quick:
        c["command"] = re.sub(r" -(I|isystem) ?/usr/\S+", "", c["command"])
with open(out_name, "w") as out:
    left_out = (root + "/tests/", root + "/gst/cuda/fatbins.cpp")
    json.dump([c for c in kept if c["file"].startswith(root + "/") and not c["file"].startswith(left_out)], out)
PY
  cppcheck --project="$work/cppcheck.json" -j "$jobs" --quiet --error-exitcode=1 \
    --enable=warning,performance,portability,style --inline-suppr --suppressions-list=.cppcheck-suppressions \
    --std=c++17 --std=c11 --library=gtk "${cppcheck_options[@]}" "-D__$(uname -m)__" \
    --template='{file}:{line}: {severity}: {message} [{id}]'
}

scripts() {
  { sources sh; printf '%s\0' .ci/run; } | xargs -0 shellcheck -x
}

python() {
  sources py | xargs -0 "$debian_python" -m pyflakes
}

# Every source file must name its licence at its beginning.
licences() {
  local unnamed
  unnamed=$(sources c cpp cu cuh h py sh | xargs -0 grep -L 'SPDX-License-Identifier: LGPL-2.1-or-later' || true)
  [ -z "$unnamed" ] || { printf 'no SPDX-License-Identifier: %s\n' "$unnamed" && return 1; }
}

# Limits the length of files, because a longer file has more than one subject.
sizes() {
  local long
  long=$(sources c cpp cu cuh h py | xargs -0 wc -l | awk '$1 > 600 && $2 != "total" { print $2 ": " $1 " lines" }')
  [ -z "$long" ] || { printf '%s\n' "$long" && return 1; }
}

# The fuzz targets, which only ci/fuzz.sh builds.
fuzz_targets() {
  local flags
  read -ra flags <<<"$(pkg-config --cflags gstreamer-video-1.0 gio-2.0)"
  find tests/fuzz -name '*.cpp' -print0 | xargs -0 -n 1 -P "$jobs" g++ -std=c++17 -fsyntax-only -DFUZZ_CAPS='""' -I. \
    -I"$build" "${flags[@]/#-I/-isystem}"
}

step licences licences
step sizes sizes
step clang-format format
step shellcheck scripts
step pyflakes python
step includes python3 ci/includes.py
step fuzz-targets fuzz_targets
step cppcheck check
step clang-tidy tidy

[ ${#failed[@]} -eq 0 ] || die "findings in: ${failed[*]}"
