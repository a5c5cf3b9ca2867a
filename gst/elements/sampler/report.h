// SPDX-License-Identifier: LGPL-2.1-or-later
// What the sampler says of frames and clips that could not be decoded.
#pragma once

#include "gst/elements/sampler/clipsource.h"

namespace cps {

struct ItemReport {
  GstElement *element;
  guint clip_index;
  bool fails;   // on-error=fail
  bool repeats; // the item before this one has the same frame
};

// Reports an item unless its frame is well. Returns false after posting an error.
bool report_item(const ItemReport &report, const ClipSource::Item &item);

// Warns of a clip that is left out.
void report_lost_clip(const ItemReport &report, const ClipSource::Item &item);

// Posts the error for a plan of which no frame has been decoded.
void post_nothing_decoded(GstElement *element);

} // namespace cps
