// SPDX-License-Identifier: LGPL-2.1-or-later
// Limits the memory of a clip. Checked before decoding, and again before allocation.
#pragma once

#include "gst/elements/common/elementerror.h"
#include "gst/elements/common/elementtools.h"

#include <initializer_list>

namespace cps {

constexpr guint64 kMaxMemory = guint64{4} << 30; // the default

// The property max-memory of patchselect and framestack.
GParamSpec *max_memory_spec();

// The product, or G_MAXUINT64 on overflow.
guint64 product(std::initializer_list<guint64> factors);
guint64 sum(guint64 a, guint64 b);

// False with `error` set if a clip of `length` frames needs more than the option max-memory allows.
bool fits_memory(const GstStructure *options, guint64 bytes, guint length, ElementError &error);

// Query from frameplanner, which knows the sequence length before any frame is decoded: true if downstream has room for
// the clip.
bool has_room(GstPad *srcpad, guint length);
// 0 for any other query.
guint room_query_length(GstQuery *query);
void refuse_room(GstQuery *query);

} // namespace cps
