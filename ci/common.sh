# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# Common functions of quickstart.sh and ci/*.sh: messages, the packages of ci/packages.txt, and the build. To be sourced
# by bash after `set -euo pipefail`.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
jobs=$(nproc)
# shellcheck disable=SC2034 # used by the scripts that source this one
debian_python=/usr/bin/python3 # because another Python on PATH would lack Debian's packages

say() { printf '\n== %s\n' "$*"; }
die() {
  printf 'error: %s\n' "$1" >&2
  shift
  [ $# -eq 0 ] || printf '       %s\n' "$@" >&2
  exit 1
}

# Sets the variable `used` to the CPU time of the shell's children so far, in seconds.
count_used() {
  # shellcheck disable=SC2154 # set by the scripts that source this one
  times >"$work/times" # not a pipe, because `times` would report the pipe's own subshell
  used=$(awk -F'[ms ]+' 'NR == 2 { printf "%d", 60 * $1 + $2 + 60 * $3 + $4 }' "$work/times")
}

# step NAME COMMAND...: runs the command; prints its result, its wall time, and its CPU time, which says more on a busy
# machine. Adds a failed step to the array `failed`; the other steps still run. Needs the folder $work.
step() {
  local name=$1 started=$SECONDS status=0 used before
  count_used
  before=$used
  shift
  say "$name"
  # In a subshell, so that -e applies, because functions that are called in a condition run without -e.
  set +e
  (
    set -e
    "$@"
  )
  status=$?
  set -e
  [ $status -eq 0 ] || failed+=("$name")
  count_used
  echo "$name: $([ $status -eq 0 ] && echo ok || echo FAILED), $((SECONDS - started)) s, of processors $((used - before)) s"
}

# own_gstreamer FOLDER: ignores other copies of the plugin and the user's registry from now on.
own_gstreamer() {
  unset GST_PLUGIN_PATH GST_PLUGIN_PATH_1_0 GST_PLUGIN_SYSTEM_PATH GST_PLUGIN_SYSTEM_PATH_1_0
  export GST_REGISTRY=$1/registry.bin LC_ALL=C.UTF-8
}

# Prints the packages that the given parts (build, run, test) need, one per line.
packages_of() {
  local part
  for part in "$@"; do
    awk -v part="$part" '$1 == part { print $2 }' "$root/ci/packages.txt"
  done
}

# Prints the packages of the given parts that are not installed. Provided names count, because pkgconf provides
# pkg-config.
missing_packages() {
  local installed package
  installed=$(dpkg-query -W -f '${db:Status-Abbrev}|${Package}|${Provides}\n' |
    awk -F'|' '$1 ~ /^.i/ { print $2; n = split($3, provided, /, */); for (i = 1; i <= n; i++) { sub(/ .*/, "", provided[i]); print provided[i] } }')
  packages_of "$@" | while read -r package; do
    grep -qxF -- "$package" <<<"$installed" || echo "$package"
  done
}

# Runs a command as root. With sudo and a terminal, sudo may ask for the password.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif [ -t 0 ]; then
    sudo "$@"
  else
    sudo -n "$@"
  fi
}

apt_get() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -y -q -o Dpkg::Use-Pty=0 "$@" </dev/null
}

# Installs the packages of the given parts that this machine lacks. Does nothing if none is missing.
install_packages() {
  command -v dpkg-query >/dev/null || die "this script installs Debian packages, and there is no dpkg here." \
    "Install the equivalents of ci/packages.txt, then: meson setup build && ninja -C build"
  local missing
  mapfile -t missing < <(missing_packages "$@")
  [ ${#missing[@]} -gt 0 ] || return 0
  say "install ${missing[*]}"
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || die "packages are missing, and there is no sudo to install them with." \
      "As root: apt-get install --no-install-recommends ${missing[*]}"
    [ -t 0 ] || sudo -n true 2>/dev/null || die "packages are missing, and sudo wants a password that nobody can type." \
      "As root: apt-get install --no-install-recommends ${missing[*]}"
  fi
  # The package lists of an old image may name packages that the mirror no longer has, so update them first.
  apt_get update || die "apt-get update failed: is the network up, and are the sources in /etc/apt right?"
  apt_get install --no-install-recommends "${missing[@]}" || die "apt-get could not install: ${missing[*]}" \
    "This needs a Debian 12 machine, or newer, that reaches its package mirror."
}

check_meson() {
  local have
  command -v meson >/dev/null || die "meson is not on PATH."
  have=$(meson --version)
  [ "$(printf '1.0.1\n%s\n' "$have" | sort -V | head -n 1)" = 1.0.1 ] ||
    die "meson is $have ($(command -v meson)); 1.0.1 or newer is needed."
}

# build_tree DIR [OPTION...]: configures or updates DIR, and compiles.
build_tree() {
  local dir=$1
  shift
  check_meson
  if [ -e "$dir/build.ninja" ]; then
    [ $# -eq 0 ] || meson configure "$dir" "$@"
  else
    meson setup "$dir" "$root" "$@" || die "meson could not configure; the lines above say what is missing."
  fi
  ninja -C "$dir" -j "$jobs" || die "the build failed; the first 'error:' above is the one to look at."
}

# make_clip FILE: four seconds of H.264 in MP4, moving rings, a key frame every two seconds.
make_clip() {
  gst-launch-1.0 -q videotestsrc num-buffers=120 pattern=zone-plate kx2=12 ky2=12 kt=20 ! \
    video/x-raw,format=I420,width=640,height=360,framerate=30/1 ! x264enc key-int-max=60 ! h264parse ! mp4mux ! \
    filesink "location=$1" </dev/null || die "gst-launch-1.0 could not make $1; is x264enc there (gst-inspect-1.0 x264enc)?"
}

# gpu_programs BUILD_DIR: prints the tests of the suite `gpu`, one per line, separated by tabs: name, program under
# BUILD_DIR, and the environment variables that select the variant.
gpu_programs() {
  meson introspect --tests "$1" | python3 -c '
import json, os, sys
build = os.path.realpath(sys.argv[1])
for test in json.load(sys.stdin):
    if any(suite.endswith(":gpu") or suite == "gpu" for suite in test["suite"]):
        variant = [f"{k}={v}" for k, v in test["env"].items() if k in ("CPS_ONLY_NVIDIA", "CPS_UPLOAD")]
        print(test["name"], os.path.relpath(test["cmd"][0], build), " ".join(variant), sep="\t")
' "$1"
}
