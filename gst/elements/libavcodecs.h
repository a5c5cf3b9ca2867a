// SPDX-License-Identifier: LGPL-2.1-or-later
// Streams that only a decoder of gst-libav takes, by the name of that decoder.
#pragma once

#include "gst/elements/private.h"

namespace cps {

// What avdec_<name> takes. nullptr where there is none. gst-libav has no caps of its own for some codecs, all of which
// are "unknown/unknown" to it: the caps then have the name in a field.
Owned<GstCaps> caps_of_libav_decoder(const char *name);

// Do the caps name their decoder, and is it this one?
bool name_decoder(const GstCaps *caps);
bool name_decoder(const GstCaps *caps, GstElementFactory *factory);

} // namespace cps
