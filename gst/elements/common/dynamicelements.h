// SPDX-License-Identifier: LGPL-2.1-or-later
// Elements that a bin adds for one stream, between READY and PAUSED.
#pragma once

#include "gst/elements/common/elementtools.h"

#include <vector>

namespace cps {

// Takes ownership of the element.
void add_part(GstBin *bin, GstElement *element);

// create_part() returns an element to be added, make_part() one that has been added. Both return nullptr after posting
// an error.
GstElement *create_part(GstBin *bin, const char *factory);
GstElement *make_part(GstBin *bin, const char *factory);

void drop_part(GstBin *bin, GstElement *element);

// Removes it from the bin, unlinked and in the state in which it is.
Owned<GstElement> take_part(GstBin *bin, GstElement *element);

// Removes all elements added by these functions.
void drop_parts(GstBin *bin);

// The current children of a bin, the last added first.
std::vector<Owned<GstElement>> children_of(GstBin *bin);

// Links a pad to the only sink pad of an element.
bool link_pad(GstPad *pad, GstElement *to);

} // namespace cps
