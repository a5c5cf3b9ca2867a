// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/libav/avinput.h"

#include <algorithm>

namespace cps {

// The most bytes that upstream may push before they are read.
constexpr gsize kMuch = 1 << 20;

void AvInput::open(GstPad *pad, bool pulls) {
  const std::lock_guard<std::mutex> lock(mutex_);
  pad_ = pad;
  pulls_ = pulls;
  position_ = 0;
  size_ = -1;
  pulled_ = GST_FLOW_OK;
  gst_adapter_clear(pushed_.get());
  flow_ = GST_FLOW_OK;
  ended_ = false;
}

void AvInput::close(GstFlowReturn flow) {
  const std::lock_guard<std::mutex> lock(mutex_);
  flow_ = flow;
  gst_adapter_clear(pushed_.get());
  changed_.notify_all();
}

GstFlowReturn AvInput::push(Owned<GstBuffer> buffer) {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [this] { return flow_ != GST_FLOW_OK || gst_adapter_available(pushed_.get()) < kMuch; });
  if (flow_ != GST_FLOW_OK)
    return flow_;
  gst_adapter_push(pushed_.get(), buffer.release());
  changed_.notify_all();
  return GST_FLOW_OK;
}

void AvInput::end() {
  const std::lock_guard<std::mutex> lock(mutex_);
  ended_ = true;
  changed_.notify_all();
}

void AvInput::find_size() {
  if (!pulls_ || !gst_pad_peer_query_duration(pad_, GST_FORMAT_BYTES, &size_))
    size_ = -1;
}

int AvInput::read(void *input, uint8_t *data, int size) {
  auto *self = static_cast<AvInput *>(input);
  if (size <= 0)
    return AVERROR_EOF;
  return self->pulls_ ? self->read_pulled(data, size) : self->read_pushed(data, size);
}

int AvInput::read_pulled(uint8_t *data, int size) {
  if (is_at_end())
    return AVERROR_EOF;
  GstBuffer *pulled = nullptr;
  pulled_ = gst_pad_pull_range(pad_, static_cast<guint64>(position_), static_cast<guint>(size), &pulled);
  const Owned<GstBuffer> buffer(pulled);
  if (pulled_ == GST_FLOW_FLUSHING)
    return AVERROR_EXIT;
  if (has_failed())
    return AVERROR(EIO);
  const gsize got = buffer ? gst_buffer_extract(buffer.get(), 0, data, static_cast<gsize>(size)) : 0;
  position_ += static_cast<gint64>(got);
  return got > 0 ? static_cast<int>(got) : AVERROR_EOF;
}

int AvInput::read_pushed(uint8_t *data, int size) {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [this] { return flow_ != GST_FLOW_OK || ended_ || gst_adapter_available(pushed_.get()) > 0; });
  if (flow_ != GST_FLOW_OK)
    return AVERROR_EXIT;
  const gsize got = std::min(static_cast<gsize>(size), gst_adapter_available(pushed_.get()));
  if (got == 0)
    return AVERROR_EOF;
  gst_adapter_copy(pushed_.get(), data, 0, got);
  gst_adapter_flush(pushed_.get(), got);
  changed_.notify_all();
  return static_cast<int>(got);
}

int64_t AvInput::seek(void *input, int64_t offset, int whence) {
  auto *self = static_cast<AvInput *>(input);
  if (whence & AVSEEK_SIZE)
    return self->size_;
  whence &= ~AVSEEK_FORCE;
  gint64 from = 0;
  if (whence == SEEK_CUR)
    from = self->position_;
  else if (whence == SEEK_END && self->size_ >= 0)
    from = self->size_;
  else if (whence != SEEK_SET)
    return AVERROR(EINVAL);
  if (from + offset < 0)
    return AVERROR(EINVAL);
  return self->position_ = from + offset;
}

} // namespace cps
