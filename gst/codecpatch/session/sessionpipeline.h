// SPDX-License-Identifier: LGPL-2.1-or-later
// The elements of a session, from the source to the sink. Internal.
#pragma once

#include "gst/codecpatch/session/sessioninbox.h"
#include "gst/codecpatch/session/sessionoptions.h"
#include "gst/common/owned.h"

#include <gio/gio.h>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace cps {

// Where a session reads: from a URI, or else from a stream.
struct SessionSource {
  std::string uri;
  Owned<GInputStream> stream;
};

// Built, started and stopped on one thread, which each of these may hold up for as long as it likes. Belongs to that
// thread and to the session together: whoever is later frees it.
class SessionPipeline {
public:
  SessionPipeline(SessionOptions options, std::shared_ptr<SessionInbox> inbox)
      : options_(std::move(options)), inbox_(std::move(inbox)) {}

  bool start(const SessionSource &source, GError **error);
  void stop();

  // From any thread: nothing is read of the application's functions, or of a pipe, any more. Waits for nothing.
  void interrupt();
  // That source, which may be interrupted already. Called before it is opened.
  void set_interruptible(GInputStream *stream);

  // Once it has started.
  const std::vector<GstElement *> &elements() const { return elements_; } // whose properties are the options
  GstElement *sink() const { return sink_; }

private:
  GstElement *add_element(const char *factory);
  void add_elements();
  bool build(const SessionSource &source, GError **error);

  const SessionOptions options_;
  const std::shared_ptr<SessionInbox> inbox_; // shared with handlers, which a thread may be in when they are taken off
  Owned<GstElement> pipeline_;
  std::vector<GstElement *> elements_; // the first reads the source. The pipeline's
  GstElement *sink_ = nullptr;         // the pipeline's

  std::mutex mutex_; // all below
  Owned<GInputStream> stream_;
  bool interrupted_ = false;
};

} // namespace cps
