// SPDX-License-Identifier: LGPL-2.1-or-later
// What is between the sampler of a bin and what reads its frames where those are in a format that is not read there.
#pragma once

#include "gst/elements/common/elementtools.h"

#include <gst/video/video.h>

#include <functional>

namespace cps {

// The format that loses nothing of `format` but alpha, of those that `is_read` says yes to: as many bits and as much
// chroma or more, as few of both as that allows. UNKNOWN where there is none.
GstVideoFormat readable_format(GstVideoFormat format, const std::function<bool(GstVideoFormat)> &is_read);

// Puts a videoconvert behind `sampler` as soon as caps come to it that what follows does not take, and never otherwise.
// Both ends of the sampler are linked; `srcpad` is the bin's ghost pad, whose target the sampler may be.
void bridge_formats(GstBin *bin, GstElement *sampler, GstPad *srcpad);

} // namespace cps
