// SPDX-License-Identifier: LGPL-2.1-or-later
// Messages of progress for work that takes long, and none for work that does not.
#pragma once

#include <gst/gst.h>

namespace cps {

class Progress {
public:
  // `code` names the work to programs, `text` to people: GST_MESSAGE_PROGRESS. Applications do not go to PLAYING before
  // that is complete. For what a sink in PAUSED may hold up, `text` is nullptr: an element message of that name.
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
