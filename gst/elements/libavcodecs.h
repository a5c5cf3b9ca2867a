// SPDX-License-Identifier: LGPL-2.1-or-later
// Streams that only a decoder of gst-libav takes, by the name of that decoder.
#pragma once

#include "gst/elements/private.h"

namespace cps {

// What avdec_<name> takes. nullptr where there is none. gst-libav has no caps for some codecs: it calls them all
// "unknown/unknown", which its decoders then refuse, for that is no video. Caps of ours name the decoder of these.
Owned<GstCaps> caps_of_libav_decoder(const char *name);

bool name_decoder(const GstCaps *caps);

// The decoder that the caps name. nullptr where they name none, or one that is not there.
Owned<GstElementFactory> named_decoder(const GstCaps *caps);

// Has the decoder accept such caps.
void accept_named_caps(GstElement *decoder);

} // namespace cps
