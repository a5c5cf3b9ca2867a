// SPDX-License-Identifier: LGPL-2.1-or-later
// Input of libavformat: pulled from the peer of a pad, or pushed by it.
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

// Functions from find_size() on are for the reading thread, the others for any thread.
class AvInput {
public:
  AvInput() : pushed_(gst_adapter_new()) {}
  AvInput(const AvInput &) = delete;
  AvInput &operator=(const AvInput &) = delete;

  // Starts at the beginning. `pulls`: the peer of `pad` can be pulled from at any position.
  void open(GstPad *pad, bool pulls);
  // Wakes up a waiting read() and push(). From now on read() returns AVERROR_EXIT and push() returns `flow`.
  void close(GstFlowReturn flow);

  // Blocks while much data is still unread.
  GstFlowReturn push(Owned<GstBuffer> buffer);
  // Nothing more will be pushed.
  void end();

  // Queries upstream, which must be running.
  void find_size();
  // Callbacks of an AVIOContext whose opaque pointer is this object.
  static int read(void *input, uint8_t *data, int size);
  static int64_t seek(void *input, int64_t offset, int whence);

  bool pulls() const { return pulls_; }
  bool is_at_end() const { return size_ >= 0 && position_ >= size_; }
  // True if upstream failed before the end; upstream has already posted the reason.
  bool has_failed() const { return pulled_ != GST_FLOW_OK && pulled_ != GST_FLOW_EOS; }

private:
  int read_pulled(uint8_t *data, int size);
  int read_pushed(uint8_t *data, int size);

  GstPad *pad_ = nullptr; // of the element
  bool pulls_ = false;
  gint64 position_ = 0, size_ = -1;    // in pull mode
  GstFlowReturn pulled_ = GST_FLOW_OK; // result of the last pull

  std::mutex mutex_; // protects the members below
  std::condition_variable changed_;
  const Owned<GstAdapter> pushed_;
  GstFlowReturn flow_ = GST_FLOW_FLUSHING; // returned by push()
  bool ended_ = false;
};

} // namespace cps
