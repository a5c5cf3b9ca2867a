// SPDX-License-Identifier: LGPL-2.1-or-later
// How much memory a clip may take, and whether it will: asked before anything is decoded, and once more before anything
// is allocated.
#pragma once

#include "gst/elements/common/elementerror.h"
#include "gst/elements/common/elementtools.h"

#include <initializer_list>

namespace cps {

constexpr guint64 kMaxMemory = guint64{4} << 30; // the default

// The property max-memory of patchselect and framestack.
GParamSpec *max_memory_spec();

// The product, or G_MAXUINT64 where that has no room for it.
guint64 product(std::initializer_list<guint64> factors);
guint64 sum(guint64 a, guint64 b);

// False with `error` filled in where a clip of `length` frames needs more than max-memory among the `options` allows.
bool fits_memory(const GstStructure *options, guint64 bytes, guint length, ElementError &error);

// A query of frameplanner's, which knows the length of the sequence before a decoder has seen any of it: is there room?
bool has_room(GstPad *srcpad, guint length);
// 0 where it is another query.
guint room_query_length(GstQuery *query);
void refuse_room(GstQuery *query);

} // namespace cps
