// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * SECTION:element-uniformdecodebin
 * @title: uniformdecodebin
 *
 * Reads a video and outputs evenly sampled frames of it: source, parser, frameplanner, decoder and uniformsampler in
 * one element. It links only the video, so that its frames are found exactly. Of several tracks it selects the best or
 * the one of #CpsStreamBin:video-track.
 *
 * The frames are in the memory of the #CpsStreamBin:process-backend: system memory, or CUDA memory on
 * #CpsStreamBin:process-device-id.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 uniformdecodebin uri=file:///v.mp4 sequence-length=8 ! videoconvert ! pngenc
 *     ! multifilesink location=frame-%d.png
 * ]|
 *
 * Since: 0.1
 */
#include "gst/elements/bins/uniformdecodebin.h"

struct _CpsUniformDecodeBin {
  CpsStreamBin parent;
};

G_DEFINE_FINAL_TYPE(CpsUniformDecodeBin, cps_uniform_decode_bin, CPS_TYPE_STREAM_BIN)
GST_ELEMENT_REGISTER_DEFINE(uniformdecodebin, "uniformdecodebin", GST_RANK_NONE, CPS_TYPE_UNIFORM_DECODE_BIN)

static void cps_uniform_decode_bin_init(CpsUniformDecodeBin *) {}

static void cps_uniform_decode_bin_class_init(CpsUniformDecodeBinClass *klass) {
  const cps::Owned<GstCaps> caps(gst_caps_from_string("video/x-raw(ANY)"));
  cps::setup_stream_bin(CPS_STREAM_BIN_CLASS(klass), caps.get(), {});
  gst_element_class_set_static_metadata(GST_ELEMENT_CLASS(klass), "Uniform decoder", "Source/Bin/Decoder/Video",
                                        "Reads a video and puts out evenly sampled frames of it",
                                        "The codecpatch developers");
}
