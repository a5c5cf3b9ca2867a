#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# ci/mutants.sh BUILD [COUNT [FIRST]]: reads damaged files of every format that the tests can make, each in a process of
# its own (tests/fuzz/mutants.cpp). The default of COUNT is 1000.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

[ $# -ge 1 ] || die "usage: ci/mutants.sh BUILD [COUNT [FIRST]]"
build=$1
count=${2:-1000}
first=${3:-0}
seeds=$(mktemp -d)
mkdir "$seeds/files"
trap 'rm -rf "$seeds"' EXIT

# seed NAME OPTIONS...: makes a file with 0.6 s of video, and with audio if OPTIONS say so.
seed() {
  local name=$1
  shift
  ffmpeg -nostdin -v error -y -f lavfi -i testsrc2=rate=25:size=128x96:duration=0.6 "$@" "$seeds/files/$name" 2>/dev/null ||
    echo "no $name: ffmpeg does not make it"
}

sound=(-f lavfi -i sine=duration=0.6)
seed h264.mp4 "${sound[@]}" -c:v libx264 -preset veryfast -g 8 -c:a aac
seed fragments.mp4 -c:v libx264 -preset veryfast -g 8 -movflags frag_keyframe+empty_moov
seed h265.mp4 -c:v libx265 -preset ultrafast -x265-params log-level=none -tag:v hvc1
seed av1.mp4 -c:v libaom-av1 -usage realtime -cpu-used 8
seed prores.mov -c:v prores_ks
seed qtrle.mov -c:v qtrle
seed h264.mkv "${sound[@]}" -c:v libx264 -preset veryfast -bf 3 -c:a aac
seed ffv1.mkv -c:v ffv1
seed mjpeg.mkv -c:v mjpeg
seed vp8.webm "${sound[@]}" -c:v libvpx -deadline realtime -c:a libopus
seed vp9.webm -c:v libvpx-vp9 -deadline realtime
seed av1.webm -c:v libaom-av1 -usage realtime -cpu-used 8
seed h264.ts "${sound[@]}" -c:v libx264 -preset veryfast -x264-params open-gop=1:keyint=8 -c:a aac
seed h265.ts -c:v libx265 -preset ultrafast -x265-params log-level=none
seed mpeg2.ts -c:v mpeg2video -bf 2
seed mpeg2.mpg -c:v mpeg2video -bf 2
seed mpeg1.mpg -c:v mpeg1video
seed mpeg4.avi "${sound[@]}" -c:v mpeg4 -bf 2 -c:a libmp3lame
seed msmpeg4.avi -c:v msmpeg4
seed cinepak.avi -c:v cinepak
seed rgb555.avi -c:v rawvideo -pix_fmt rgb555le
seed h264.flv "${sound[@]}" -c:v libx264 -preset veryfast -c:a aac
seed flv1.flv -c:v flv
seed theora.ogg "${sound[@]}" -c:v libtheora -c:a libvorbis
seed wmv2.wmv -c:v wmv2
seed rv10.rm -c:v rv10
seed mpeg2.mxf -c:v mpeg2video
seed h263.3gp -c:v h263 -s 176x144
seed clip.gif
seed clip.apng -c:v apng
seed vp8.ivf -c:v libvpx -deadline realtime
seed av1.ivf -c:v libaom-av1 -usage realtime -cpu-used 8
seed clip.mjpeg -c:v mjpeg
seed clip.jpg -frames:v 1
seed clip.png -frames:v 1
seed clip.webp -frames:v 1 -c:v libwebp
seed raw.h264 -c:v libx264 -preset veryfast
seed raw.h265 -c:v libx265 -preset ultrafast -x265-params log-level=none
seed raw.m4v -c:v mpeg4
seed clip.y4m -pix_fmt yuv420p
seed clip.nut -c:v mpeg4
seed clip.dv -c:v dvvideo -s 720x576 -pix_fmt yuv420p
seed roq.roq -c:v roqvideo -r 30
seed swf.swf -c:v flv
seed smjpeg.smjpeg -c:v mjpeg -f smjpeg
seed mpeg2.vob -c:v mpeg2video
echo "$(find "$seeds/files" -type f | wc -l) seeds"

own_gstreamer "$seeds"
export GST_PLUGIN_PATH=$build/gst/elements GST_DEBUG=0
"$build/tests/fuzz/fuzz-mutants" "$seeds/files" --count "$count" --first "$first" --jobs "$jobs" 2>"$build/mutants.log"
