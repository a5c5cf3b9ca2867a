// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "gst/elements/common/elementtools.h"

namespace cps {

// Pushes from `pad` of `element`. If the decoder downstream does not find an output format, it reports only a failed
// negotiation; the error that `element` posts names the reason.
GstFlowReturn push_to_decoder(GstElement *element, GstPad *pad, Owned<GstBuffer> buffer);

} // namespace cps
