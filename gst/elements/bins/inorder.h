// SPDX-License-Identifier: LGPL-2.1-or-later
// Decoders that output one frame per picture, in the same order, but lose the picture's identity.
#pragma once

#include <gst/gst.h>

namespace cps {

// True for a format with such a decoder. libavcodec's decoders for GIF and QuickTime RLE draw each picture over the
// previous one, and avdec_gif and avdec_qtrle then attribute every frame to the first picture.
bool loses_identities(const GstCaps *caps);

// Gives each output frame of `decoder` the identity (CpsFrameMeta) of the corresponding input picture.
void keep_identities(GstElement *decoder);

} // namespace cps
