// SPDX-License-Identifier: LGPL-2.1-or-later
// Progress messages for work that takes long, and none for work that does not.
#pragma once

#include <gst/gst.h>

namespace cps {

class Progress {
public:
  // `code` names the work to programs, `text` to people.
  Progress(GstElement *element, const char *code, const char *text) : element_(element), code_(code), text_(text) {}

  void begin();
  // Call as often as you like. `total` 0: unknown.
  void update(guint64 done, guint64 total);
  // Also where the work has been given up.
  void end(bool complete);

private:
  void post(GstProgressType type, guint64 done, guint64 total);

  GstElement *element_;
  const char *code_;
  const char *text_;
  gint64 next_ = 0; // monotonic time in us from which on a message is due
  guint calls_ = 0;
  bool announced_ = false;
};

} // namespace cps
