# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# What quickstart.sh and ci/test.sh share: messages, the packages of ci/packages.txt, and the build. To be sourced by
# bash with `set -euo pipefail` in force.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
jobs=$(nproc)
# shellcheck disable=SC2034 # where this is sourced
debian_python=/usr/bin/python3 # another on PATH lacks Debian's packages

say() { printf '\n== %s\n' "$*"; }
die() {
  printf 'error: %s\n' "$1" >&2
  shift
  [ $# -eq 0 ] || printf '       %s\n' "$@" >&2
  exit 1
}

# What the shell's children have used of the processors so far, in seconds; to the variable `used`.
count_used() {
  # shellcheck disable=SC2154 # where this is sourced
  times >"$work/times" # a pipe would have another shell tell its own
  used=$(awk -F'[ms ]+' 'NR == 2 { printf "%d", 60 * $1 + $2 + 60 * $3 + $4 }' "$work/times")
}

# step NAME COMMAND...: says how it went, how long it took, and how long processors were busy with it, which tells more
# where others are busy, too. One that failed is added to the array `failed`, and keeps no other from running. The folder
# $work is there.
step() {
  local name=$1 started=$SECONDS status=0 used before
  count_used
  before=$used
  shift
  say "$name"
  # A subshell of its own, so that -e holds in it: functions called in a condition run without.
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

# own_gstreamer FOLDER: neither another copy of the plugin nor the user's registry decides from now on.
own_gstreamer() {
  unset GST_PLUGIN_PATH GST_PLUGIN_PATH_1_0 GST_PLUGIN_SYSTEM_PATH GST_PLUGIN_SYSTEM_PATH_1_0
  export GST_REGISTRY=$1/registry.bin LC_ALL=C.UTF-8
}

# Packages that the given parts (build, run, test) need, one a line.
packages_of() {
  local part
  for part in "$@"; do
    awk -v part="$part" '$1 == part { print $2 }' "$root/ci/packages.txt"
  done
}

# Of these, the ones that are not installed. pkg-config is provided by pkgconf, so the provided names count, too.
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

# Installs what the given parts need and this machine lacks; asks for nothing and touches nothing where all is there.
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
  # Where the package lists are those of an old image, what they name may be gone from the mirror: fetch them first.
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

# build_tree DIR [OPTION...]: configures DIR, or brings it up to date, and compiles.
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

# gpu_programs BUILD_DIR: the tests of the suite `gpu`, one a line: name, program under BUILD_DIR, and what tells its variant
# in the environment, with tabs between.
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
