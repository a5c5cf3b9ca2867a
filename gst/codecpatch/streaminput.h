// SPDX-License-Identifier: LGPL-2.1-or-later
// What an application reads by itself, as GIO has it. Internal.
#pragma once

#include "gst/codecpatch/cpssession.h"

#include <gio/gio.h>

G_BEGIN_DECLS

#define CPS_TYPE_STREAM_INPUT (cps_stream_input_get_type())
G_DECLARE_FINAL_TYPE(CpsStreamInput, cps_stream_input, CPS, STREAM_INPUT, GInputStream)

// Goes to the beginning; a stream that does not is read from where it is, and cannot seek. `release` may be NULL.
GInputStream *cps_stream_input_new(CpsReadFunc read, CpsSeekFunc seek, GDestroyNotify release, gpointer user_data);

G_END_DECLS
