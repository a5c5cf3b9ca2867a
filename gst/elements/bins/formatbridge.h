// SPDX-License-Identifier: LGPL-2.1-or-later
// Converts between a bin's sampler and the next stage if that stage does not accept the format of the frames.
#pragma once

#include "gst/elements/common/elementtools.h"

#include <gst/video/video.h>

#include <functional>

namespace cps {

// Among the formats that `is_read` accepts, returns the smallest one that loses nothing of `format` but alpha: it has
// at least as many bits and at least as much chroma. UNKNOWN if there is none.
GstVideoFormat readable_format(GstVideoFormat format, const std::function<bool(GstVideoFormat)> &is_read);

// Inserts a videoconvert after `sampler` once the sampler receives caps that the next element does not accept, and
// never otherwise. Both pads of the sampler are linked; `srcpad` is the bin's ghost pad, and its target may be the
// sampler's pad.
void bridge_formats(GstBin *bin, GstElement *sampler, GstPad *srcpad);

} // namespace cps
