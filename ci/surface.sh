#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# ci/surface.sh BUILD_DIR [OTHER_BUILD_DIR]: prints the public interface of a compiled tree, one fact per line: the
# installed headers, the exported symbols of the library and the plugin, and the elements with their pads, properties
# and signals. With another build directory: prints the difference; exits with 1 if there is one.
set -euo pipefail
[ -e "${1-}/gst/codecpatch" ] || { echo "usage: ci/surface.sh BUILD_DIR [OTHER_BUILD_DIR]" >&2 && exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

headers() {
  DESTDIR=$work/installed meson install -C "$1" --no-rebuild --quiet --tags devel
  # Without comments, because they are not part of the interface.
  find "$work/installed" -name '*.h' | sort | while read -r header; do
    echo "header ${header##*/} $(gcc -fpreprocessed -dD -E -P "$header" 2>/dev/null | tr -d '[:space:]' | sha256sum | cut -c1-16)"
  done
  rm -rf "$work/installed"
}

symbols() {
  local file
  for file in "$1"/gst/codecpatch/libgstcodecpatch-1.0.so.0 "$1"/gst/elements/libgstcodecpatch.so; do
    # Without weak symbols, because those are template instances of the standard library.
    nm -D --defined-only "$file" | awk -v file="${file##*/}" '$2 !~ /[WVu]/ { print "symbol", file, $3 }' | sort
  done
}

elements() {
  local element
  export GST_REGISTRY=$work/registry-$2 GST_PLUGIN_PATH=$1/gst/elements LD_LIBRARY_PATH=$1/gst/codecpatch
  for element in $(gst-inspect-1.0 codecpatch | sed -nE 's/^  ([a-z0-9]+): .*/\1/p' | sort); do
    gst-inspect-1.0 "$element" | sed -nE '/^Pad Templates:/,$p' | sed -E 's/ +$//' | sed "s/^/element $element: /"
  done
}

surface() {
  headers "$1"
  symbols "$1"
  elements "$1" "$2"
}

first=$(realpath "$1")
if [ $# -eq 1 ]; then
  surface "$first" first
else
  second=$(realpath "$2")
  (surface "$second" second) >"$work/second"
  (surface "$first" first) >"$work/first"
  diff "$work/second" "$work/first"
fi
