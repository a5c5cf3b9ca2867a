// SPDX-License-Identifier: LGPL-2.1-or-later
// What an application reads by itself, as GIO has it. Internal.
#pragma once

#include "gst/codecpatch/cpssession.h"

#include <functional>
#include <gio/gio.h>
#include <string>

G_BEGIN_DECLS

#define CPS_TYPE_STREAM_INPUT (cps_stream_input_get_type())
G_DECLARE_FINAL_TYPE(CpsStreamInput, cps_stream_input, CPS, STREAM_INPUT, GInputStream)

G_END_DECLS

namespace cps {

struct StreamFunctions {
  CpsReadFunc read;
  CpsSeekFunc seek;         // may be nullptr
  GDestroyNotify release;   // may be nullptr
  GDestroyNotify interrupt; // makes `read` return at once, on any thread; may be nullptr
  gpointer user_data;
};

// Called with a sentence when a function of the application has failed, once: giostreamsrc tells nobody why it stops.
using StreamFailed = std::function<void(const std::string &)>;

// Calls nothing yet.
GInputStream *stream_input_new(const StreamFunctions &functions, StreamFailed failed);

// Goes to the beginning; a stream that does not is read from where it is, and cannot seek. To be called before it is
// read.
void stream_input_rewind(GInputStream *stream);

// From now on nothing is read: no function is called any more, and what one still returns goes nowhere. Waits for
// nothing.
void stream_input_stop(GInputStream *stream);

// The same for all streams of the process, those to come, too; nor are the applications' functions to release data
// called any more.
void forget_stream_functions();
bool stream_functions_forgotten();

} // namespace cps
