// SPDX-License-Identifier: LGPL-2.1-or-later
// What a pad is fed by.
#pragma once

#include <gst/gst.h>

#include <string>

namespace cps {

// Can all of the stream be read ahead of its consumers and then once more? False with half a sentence in `reason` where
// it cannot: the input does not seek, seeks slowly, is live, or feeds another branch, which would wait for us for ever.
bool can_read_twice(GstPad *sinkpad, std::string &reason);

// How long the container says that its only stream is; GST_CLOCK_TIME_NONE without a container, or where it has more
// streams, whose lengths it does not tell apart.
GstClockTime declared_duration(GstPad *sinkpad);

} // namespace cps
