// SPDX-License-Identifier: LGPL-2.1-or-later
// Decoders that put out one frame for each picture, in the same order, but lose which picture it is of.
#pragma once

#include <gst/gst.h>

namespace cps {

// Does a decoder of this format? libavcodec's of GIF and QuickTime RLE draw each picture into the one before it, and
// avdec_gif and avdec_qtrle take all for the first.
bool loses_identities(const GstCaps *caps);

// Gives each frame that comes out of `decoder` the identity (CpsFrameMeta) of the picture that went in.
void keep_identities(GstElement *decoder);

} // namespace cps
