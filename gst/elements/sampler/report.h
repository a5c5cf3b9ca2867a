// SPDX-License-Identifier: LGPL-2.1-or-later
// What the sampler says of frames and clips that could not be decoded.
#pragma once

#include "gst/elements/sampler/sequence.h"

namespace cps {

struct ItemContext {
  GstElement *element;
  const CpsPlan &plan;
  guint first_index; // clip_index of the plan's first clip
  bool fails;        // on-error=fail
};

// Reports an item unless its frame is well. Returns false after posting an error.
bool report_item(const ItemContext &context, const Sequence::Item &item);

// Reports a clip of which no frame has been decoded. Returns true if the next clip is due, and false after posting an
// error.
bool report_lost_clip(const ItemContext &context, const Sequence::Item &item);

// Posts the error for a plan of which no frame has been decoded.
void post_nothing_decoded(GstElement *element);

} // namespace cps
