// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/sampler/clipoutput.h"

#include "gst/elements/common/memorykind.h"
#include "gst/elements/sampler/samplerdebug.h"

#include <algorithm>
#include <string>

#define GST_CAT_DEFAULT cps::sampler_debug()

namespace cps {

// The format of frames, in words.
static std::string format_of(const GstCaps *caps) {
  const gchar *format = gst_structure_get_string(gst_caps_get_structure(caps, 0), "format");
  return std::string(format ? format : "that has no name") + (is_cuda_caps(caps) ? " in CUDA memory" : "");
}

// Checks the caps here, because otherwise unsupported caps only cause a "not negotiated" error somewhere upstream.
bool ClipOutput::send_caps(GstCaps *caps) {
  if (sent_caps_ && gst_caps_is_equal(sent_caps_.get(), caps))
    return true;
  if (!gst_pad_peer_query_accept_caps(srcpad_, caps)) {
    const Owned<GstCaps> accepted(gst_pad_peer_query_caps(srcpad_, nullptr));
    const Owned<gchar> refused_text(gst_caps_to_string(caps)), accepted_text(gst_caps_to_string(accepted.get()));
    GST_ELEMENT_ERROR(element_, STREAM, WRONG_TYPE,
                      ("The decoded video is in the format %s, which is not supported downstream: put a %s behind the "
                       "decoder.",
                       format_of(caps).c_str(), is_cuda_caps(caps) ? "cudadownload" : "videoconvert"),
                      ("%s; supported: %s", refused_text.get(), accepted_text.get()));
    return false;
  }
  if (!gst_pad_push_event(srcpad_, gst_event_new_caps(caps)))
    return false;
  sent_caps_.reset(gst_caps_ref(caps));
  return true;
}

GstFlowReturn ClipOutput::push_now(Frame frame) {
  if (!send_caps(frame.caps.get()))
    return GST_PAD_IS_FLUSHING(srcpad_) ? GST_FLOW_FLUSHING : GST_FLOW_ERROR;
  return gst_pad_push(srcpad_, frame.buffer.release());
}

void ClipOutput::pass(Entry entry) {
  if (queued_)
    add(std::move(entry));
  else
    deliver(std::move(entry));
}

void ClipOutput::send(Owned<GstEvent> event) {
  pass({0, false, std::move(event), {}});
}

void ClipOutput::begin_clip(guint clip_index, Owned<GstEvent> plan) {
  pass({clip_index, true, std::move(plan), {}});
}

GstFlowReturn ClipOutput::push(guint clip_index, Frame frame) {
  if (queued_) {
    limit_.keep_apart(frame.buffer, queued_frames() + 1);
    add({clip_index, false, nullptr, std::move(frame)});
    const std::lock_guard<std::mutex> lock(mutex_);
    return flow_;
  }
  if (listener_)
    listener_(true);
  const GstFlowReturn flow = push_now(std::move(frame));
  if (listener_)
    listener_(false);
  return flow;
}

// The queue

void ClipOutput::add(Entry entry) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const bool ends = entry.event && GST_EVENT_TYPE(entry.event.get()) == GST_EVENT_EOS;
  if (flushing_ || (flow_ != GST_FLOW_OK && !(flow_ == GST_FLOW_EOS && ends))) // who has had enough still has to end
    return;
  if (entry.begins)
    drop_waiting();
  queue_.push_back(std::move(entry));
  changed_.notify_all();
  has_task_ = true;
  gst_pad_start_task(
      srcpad_, [](gpointer self) { static_cast<ClipOutput *>(self)->work(); }, this, nullptr);
}

size_t ClipOutput::queued_frames() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return static_cast<size_t>(
      std::count_if(queue_.begin(), queue_.end(), [](const Entry &entry) { return entry.frame.buffer != nullptr; }));
}

// Drops the clip that has waited longest if there are two of which nothing has been sent. Call before another one
// begins: all are complete then.
void ClipOutput::drop_waiting() {
  const auto begins = [](const Entry &entry) { return entry.begins; };
  if (std::count_if(queue_.begin(), queue_.end(), begins) < 2)
    return;
  const guint clip_index = std::find_if(queue_.begin(), queue_.end(), begins)->clip_index;
  const auto is_of = [clip_index](const Entry &entry) {
    return entry.clip_index == clip_index && (entry.begins || entry.frame.buffer);
  };
  queue_.erase(std::remove_if(queue_.begin(), queue_.end(), is_of), queue_.end());
  dropped_++;
  GST_WARNING_OBJECT(element_, "clip %u is dropped, because downstream is too slow", clip_index);
  gst_element_post_message(
      element_, gst_message_new_element(GST_OBJECT(element_),
                                        gst_structure_new("clip-dropped", "clip-index", G_TYPE_UINT, clip_index,
                                                          "dropped", G_TYPE_UINT64, dropped_, nullptr)));
}

GstFlowReturn ClipOutput::deliver(Entry entry) {
  if (!entry.event)
    return push_now(std::move(entry.frame));
  gst_pad_push_event(srcpad_, entry.event.release());
  return GST_FLOW_OK;
}

void ClipOutput::work() {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [this] { return flushing_ || !queue_.empty(); });
  if (!flushing_) {
    Entry entry = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    const GstFlowReturn flow = deliver(std::move(entry));
    if (flow == GST_FLOW_OK)
      return;
    lock.lock();
    GST_DEBUG_OBJECT(element_, "downstream answers %s", gst_flow_get_name(flow));
    flow_ = flow; // upstream gets it with its next frame
    queue_.clear();
  }
  gst_pad_pause_task(srcpad_);
}

void ClipOutput::begin_flush() {
  const std::lock_guard<std::mutex> lock(mutex_);
  flushing_ = true;
  queue_.clear();
  changed_.notify_all();
}

void ClipOutput::end_task(bool stop) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!has_task_)
      return;
    has_task_ = !stop;
  }
  if (stop)
    gst_pad_stop_task(srcpad_);
  else
    gst_pad_pause_task(srcpad_);
}

void ClipOutput::resume() {
  const std::lock_guard<std::mutex> lock(mutex_);
  flushing_ = false;
  flow_ = GST_FLOW_OK;
}

} // namespace cps
