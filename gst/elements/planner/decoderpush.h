// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "gst/elements/common/elementtools.h"

namespace cps {

// Pushes from `pad` of `element`. If the decoder downstream does not find an output format, it reports only a failed
// negotiation; the error that `element` posts names the reason.
GstFlowReturn push_to_decoder(GstElement *element, GstPad *pad, Owned<GstBuffer> buffer);

// A copy of an access unit without the identity of its frame. Some decoders output a picture only when another one
// follows it; the copy of the last access unit is that other one.
Owned<GstBuffer> nameless_copy(GstBuffer *unit);

} // namespace cps
