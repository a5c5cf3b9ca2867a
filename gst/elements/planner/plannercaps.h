// SPDX-License-Identifier: LGPL-2.1-or-later
// The streams that frameplanner indexes.
#pragma once

// One access unit per buffer: the format of the parser's output if there is a parser, else that of the demuxer's.
#define PLANNER_CAPS                                                                                                   \
  "video/x-h264, stream-format=(string){ avc, avc3, byte-stream }, alignment=(string)au; "                             \
  "video/x-h265, stream-format=(string){ hvc1, hev1, byte-stream }, alignment=(string)au; "                            \
  "video/x-av1, stream-format=(string)obu-stream, alignment=(string){ tu, frame }; "                                   \
  "video/x-vp8; video/x-vp9; "                                                                                         \
  "video/mpeg, mpegversion=(int){ 1, 2 }, systemstream=(boolean)false, parsed=(boolean)true; "                         \
  "video/mpeg, mpegversion=(int)4, systemstream=(boolean)false; "                                                      \
  "video/x-4xm; video/x-aasc; video/x-amv; video/x-apple-intermediate-codec; video/x-apple-video; video/x-asus; "      \
  "video/x-ati-vcr; video/x-camstudio; video/x-camtasia; video/x-cavs; video/x-cineform; video/x-cinepak; "            \
  "video/x-cirrus-logic-accupak; video/x-compressed-yuv; video/x-divx; video/x-dnxhd; "                                \
  "video/x-dv, systemstream=(boolean)false; video/x-ffv; video/x-flash-screen; video/x-flash-screen2; "                \
  "video/x-flash-video; video/x-fraps; video/x-gst-av-8bps; video/x-gst-av-avs; video/x-gst-av-ffvhuff; "              \
  "video/x-gst-av-flic; video/x-gst-av-idcinvideo; video/x-gst-av-interplayvideo; video/x-gst-av-mdec; "               \
  "video/x-gst-av-mmvideo; video/x-gst-av-qpeg; video/x-gst-av-roqvideo; video/x-gst-av-vmdvideo; "                    \
  "video/x-gst-av-vqavideo; video/x-gst-av-wnv1; video/x-gst-av-xl; video/x-h261; video/x-h263; video/x-h266; "        \
  "video/x-huffyuv; video/x-indeo; video/x-intel-h263; video/x-kmvc; video/x-lagarith; video/x-loco; "                 \
  "video/x-mimic; video/x-mjpeg-b; video/x-msmpeg; video/x-msvideocodec; video/x-mszh; video/x-nuv; "                  \
  "video/x-pn-realvideo; video/x-prores; video/x-qdrw; video/x-rle; video/x-smc; video/x-speedhq; video/x-svq; "       \
  "video/x-theora; video/x-truemotion; video/x-tscc; video/x-ultimotion; video/x-vmnc; video/x-vp3; video/x-vp5; "     \
  "video/x-vp6; video/x-vp6-alpha; video/x-vp6-flash; video/x-wmv; video/x-xan; video/x-xvid; video/x-zlib; "          \
  "video/x-zmbv; "                                                                                                     \
  "video/sp5x; "                                                                                                       \
  "video/x-raw; "                                                                                                      \
  "image/gst-libav-gif; image/jp2; image/jpeg; image/png; image/x-j2c; image/x-jpc; "                                  \
  "video/x-cps-libav"
