// SPDX-License-Identifier: LGPL-2.1-or-later
// Progress messages for long work; short work posts none.
#pragma once

#include <atomic>
#include <gst/gst.h>

namespace cps {

class Progress {
public:
  // `code` identifies the work to programs, `text` describes it to users, in a GST_MESSAGE_PROGRESS. Applications wait
  // for its completion before they go to PLAYING. Work that a sink in PAUSED can block passes nullptr as `text`, and
  // posts an element message named `code` instead.
  Progress(GstElement *element, const char *code, const char *text) : element_(element), code_(code), text_(text) {}

  void begin();
  // May be called at any rate. `total` 0: unknown.
  void update(guint64 done, guint64 total);
  // Call also if the work was aborted.
  void end(bool complete);

  // What has been done: 0 to 1; -1 if nothing is being done or the total is unknown. Thread-safe.
  double fraction() const { return fraction_; }

private:
  void post(GstProgressType type, guint64 done, guint64 total);

  GstElement *element_;
  const char *code_;
  const char *text_;
  gint64 next_ = 0; // monotonic time in µs at which the next message is due
  guint calls_ = 0;
  bool announced_ = false;
  std::atomic<double> fraction_{-1};
};

} // namespace cps
