// SPDX-License-Identifier: LGPL-2.1-or-later
// Elements that a bin has for one stream only, between READY and PAUSED.
#pragma once

#include "gst/elements/common/elementtools.h"

#include <vector>

namespace cps {

// Takes the element over.
void add_part(GstBin *bin, GstElement *element);

// An element to be added, or one that has been. nullptr after an error message.
GstElement *create_part(GstBin *bin, const char *factory);
GstElement *make_part(GstBin *bin, const char *factory);

void drop_part(GstBin *bin, GstElement *element);

// All that has been added.
void drop_parts(GstBin *bin);

// What is in a bin at the moment, the last added first.
std::vector<Owned<GstElement>> children_of(GstBin *bin);

// Links a pad to an element's only one.
bool link_pad(GstPad *pad, GstElement *to);

} // namespace cps
