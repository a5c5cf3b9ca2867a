// SPDX-License-Identifier: LGPL-2.1-or-later
// The read and seek functions of an application as a GInputStream. Internal.
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

// Called once, with a sentence, when a function of the application has failed, because giostreamsrc does not report why
// it stops.
using StreamFailed = std::function<void(const std::string &)>;

// Does not call any of the functions.
GInputStream *stream_input_new(const StreamFunctions &functions, StreamFailed failed);

// Seeks to the beginning. A stream that cannot seek is read from its current position. Call before the first read.
void stream_input_rewind(GInputStream *stream);

// Stops the stream: no function is called any more, and the result of a call in progress is discarded. Does not wait.
void stream_input_stop(GInputStream *stream);

// Stops all streams of the process, including later ones. Release functions of applications are not called any more
// either.
void forget_stream_functions();
bool stream_functions_forgotten();

} // namespace cps
