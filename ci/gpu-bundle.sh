#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# ci/gpu-bundle.sh OUT.tar.xz [BUILD_DIR]: packs the GPU tests and the GPU benchmark for a host with a GPU but without
# packages: GStreamer, FFmpeg's libraries, a build (made here unless one is given), and the clips of ../shared if they
# exist. On that host:
#
#   mkdir DIR && tar xJf OUT.tar.xz -C DIR && DIR/gpu-test.sh
#   DIR/run gst-launch-1.0 ...                    or any other program in it
#
# The programs use the host's libc, libstdc++ and driver, which must be at least as new as this machine's, on the same
# architecture.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
[ $# -ge 1 ] || die "usage: ci/gpu-bundle.sh OUT.tar.xz [BUILD_DIR]"
out=$1 build=${2-}
if [ -z "$build" ]; then
  install_packages build run test
  build=$root/build
  build_tree "$build" -Dcuda=enabled
fi
build=$(cd "$build" && pwd)
top=$(mktemp -d)
trap 'rm -rf "$top"' EXIT
mkdir -p "$top"/{bin,lib,plugins,build}

plugins=$(pkg-config --variable=pluginsdir gstreamer-1.0)
scanner=$(pkg-config --variable=pluginscannerdir gstreamer-1.0)/gst-plugin-scanner

# The plugins that the GPU tests use, and some for pipelines of the user's own.
for name in app avi coreelements isomp4 jpeg libav matroska mpegtsdemux nvcodec playback typefindfunctions \
  videoconvertscale videofilter videofiltersbad videoparsersbad videorate videotestsrc vpx x264 y4mdec y4menc; do
  cp "$plugins/libgst$name.so" "$top/plugins/"
done
cp "$(command -v gst-launch-1.0)" "$(command -v gst-inspect-1.0)" "$scanner" "$top/bin/"

# From the build: the plugin, the library, and the programs that gpu-tests.txt names. From the simulated driver: only
# the decoder's library, for hosts without one, because nvcodec would not register cudaupload there.
gpu_programs "$build" | tee "$top/gpu-tests.txt" | while IFS=$'\t' read -r _ program _; do echo "$program"; done |
  sort -u >"$top/programs"
(cd "$build" && find . \( -name 'libgstcodecpatch*.so*' -o -path ./tests/benchmarks/bench-cuda \) ! -path '*.p/*' \
  ! -type d) >>"$top/programs"
tar c -C "$build" -T "$top/programs" | tar x -C "$top/build"
rm "$top/programs"
if [ -e "$build/tests/cudasim/libnvcuvid.so.1" ]; then
  mkdir "$top/nvdec-standin"
  cp "$build/tests/cudasim/libnvcuvid.so.1" "$top/nvdec-standin/"
fi
cp "$root/ci/gpu-test.sh" "$root/ci/gpu-run.sh" "$root/ci/gpu-python.py" "$top/"
cp -r "$root/gst/python/src" "$top/python"
rm -rf "$top"/python/*/__pycache__ "$top"/python/*.egg-info
ln -s gpu-run.sh "$top/run"
if [ -d "$root/../shared/golden" ]; then
  mkdir "$top/shared"
  cp -r "$root/../shared/golden" "$root/../shared/videos" "$top/shared/"
fi

# All libraries that these load, except those that must match the host's kernel and driver.
is_elf() { [ "$(head -c 4 "$1" | tr -d "\0")" = $'\177ELF' ]; }
needed() {
  local file
  find "$top" -type f | while read -r file; do
    if is_elf "$file"; then LD_LIBRARY_PATH=$top/build/gst/codecpatch ldd "$file" 2>/dev/null || true; fi
  done | awk '$2 == "=>" && $3 ~ /^\// { print $3 }' | sort -u |
    grep -vE "^$top/|/(libc|libm|libdl|librt|libpthread|libresolv|libutil|libstdc\+\+|libgcc_s|libcuda|ld-linux[^/]*)\.so"
}
needed | xargs -I{} cp -L {} "$top/lib/"

# Libraries that FFmpeg links for encoders and filters, and that no decoder calls, are the largest. A stub with the same
# name and symbols satisfies the loader; each of its functions stops the program.
stub() {
  local library=$1 name
  name=$(basename "$library")
  {
    echo '.text'
    nm -D --defined-only "$library" | awk '{ sub(/@.*/, "", $3) } $2 ~ /^[TWi]$/ && !seen[$3]++ {
      printf ".globl %s\n.type %s,@function\n%s: .byte 0x0f, 0x0b\n", $3, $3, $3 }'
    echo '.data'
    nm -D --defined-only "$library" | awk '{ sub(/@.*/, "", $3) } $2 ~ /^[BDRVGu]$/ && !seen[$3]++ {
      printf ".globl %s\n.type %s,@object\n.size %s,64\n%s: .zero 64\n", $3, $3, $3, $3 }'
    echo '.section .note.GNU-stack,"",@progbits'
  } >"$top/stub.s"
  gcc -shared -nostdlib "-Wl,-soname,$name" -o "$library" "$top/stub.s"
  rm "$top/stub.s"
}
for name in blas codec2 flite gfortran lapack placebo rsvg SvtAv1Enc; do
  for library in "$top/lib/lib$name"*.so*; do
    if [ -e "$library" ]; then stub "$library"; fi
  done
done

tar c -C "$top" . | xz -T0 -6 >"$out"
echo "$out: $(du -h "$out" | cut -f1), $(wc -l <"$top/gpu-tests.txt") tests"
