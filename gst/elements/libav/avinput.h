// SPDX-License-Identifier: LGPL-2.1-or-later
// What libavformat reads: pulled from upstream of a pad, or pushed to it.
#pragma once

#include "gst/elements/common/elementtools.h"
#include "gst/elements/libav/avowned.h"

#include <condition_variable>
#include <gst/base/gstadapter.h>
#include <memory>
#include <mutex>

extern "C" {
#include <libavformat/avio.h>
}

namespace cps {

CPS_RELEASE(GstAdapter, g_object_unref);

// What begins with find_size() is for the thread that reads, the rest for any.
class AvInput {
public:
  AvInput() : pushed_(gst_adapter_new()) {}
  AvInput(const AvInput &) = delete;
  AvInput &operator=(const AvInput &) = delete;

  // From the start; `pulls` where upstream of `pad` can be pulled from, at any position.
  void open(GstPad *pad, bool pulls);
  // Ends a read() and a push() that wait. read() gets AVERROR_EXIT from now on, and push() the flow.
  void close(GstFlowReturn flow);

  // Waits as long as there is much that has not been read.
  GstFlowReturn push(Owned<GstBuffer> buffer);
  // Nothing more will be pushed.
  void end();

  // Asks upstream, which is running by now.
  void find_size();
  // For an AVIOContext that has this as its opaque pointer.
  static int read(void *input, uint8_t *data, int size);
  static int64_t seek(void *input, int64_t offset, int whence);

  bool pulls() const { return pulls_; }
  bool is_at_end() const { return size_ >= 0 && position_ >= size_; }
  // Not at its end: upstream has nothing to give, and has told why.
  bool has_failed() const { return pulled_ != GST_FLOW_OK && pulled_ != GST_FLOW_EOS; }

private:
  int read_pulled(uint8_t *data, int size);
  int read_pushed(uint8_t *data, int size);

  GstPad *pad_ = nullptr; // the element's
  bool pulls_ = false;
  gint64 position_ = 0, size_ = -1;    // of what is pulled
  GstFlowReturn pulled_ = GST_FLOW_OK; // the last answer

  std::mutex mutex_; // all below
  std::condition_variable changed_;
  const Owned<GstAdapter> pushed_;
  GstFlowReturn flow_ = GST_FLOW_FLUSHING; // for whoever pushes
  bool ended_ = false;
};

} // namespace cps
