// SPDX-License-Identifier: LGPL-2.1-or-later
// The elements of a session, from the source to the sink. Internal.
#pragma once

#include "gst/codecpatch/owned.h"
#include "gst/codecpatch/session/sessioninbox.h"
#include "gst/codecpatch/session/sessionoptions.h"

#include <gio/gio.h>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace cps {

// The source of a session: a stream if there is one, else a URI; and its index, if it is known.
struct SessionSource {
  std::string uri;
  Owned<GInputStream> stream;
  Owned<CpsIndex> index;
};

// Built, started and stopped on one thread; each of these steps may block that thread indefinitely. The thread and the
// session share ownership, so the last of them frees it.
class SessionPipeline {
public:
  SessionPipeline(SessionOptions options, std::shared_ptr<SessionInbox> inbox)
      : options_(std::move(options)), inbox_(std::move(inbox)) {}

  bool start(const SessionSource &source, GError **error);
  void stop();

  // Stops calls of the application's functions and reads from a pipe. Does not wait. Any thread may call it.
  void interrupt();
  // Sets the stream that interrupt() stops, and stops it now if interrupt() has been called. Call before the stream is
  // read.
  void set_interruptible(GInputStream *stream);

  // Valid once start() has succeeded.
  const std::vector<GstElement *> &elements() const { return elements_; } // their properties are the options
  GstElement *sink() const { return sink_; }

private:
  GstElement *add_element(const char *factory);
  void add_elements();
  bool build(const SessionSource &source, GError **error);

  const SessionOptions options_;
  const std::shared_ptr<SessionInbox> inbox_; // shared with handlers, because one may still run when it is removed
  Owned<GstElement> pipeline_;
  std::vector<GstElement *> elements_; // owned by the pipeline; the first reads the source
  GstElement *sink_ = nullptr;         // owned by the pipeline

  std::mutex mutex_; // protects the members below
  Owned<GInputStream> stream_;
  bool interrupted_ = false;
};

} // namespace cps
