// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "gst/elements/common/elementtools.h"

namespace cps {

// Pushes from `pad` of `element`. Where the decoder downstream finds no format for its frames, it reports no more than
// that it could not negotiate; the element's error message says why.
GstFlowReturn push_to_decoder(GstElement *element, GstPad *pad, Owned<GstBuffer> buffer);

} // namespace cps
