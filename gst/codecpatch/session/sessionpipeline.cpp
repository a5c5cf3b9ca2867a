// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/codecpatch/session/sessionpipeline.h"

#include "gst/codecpatch/session/sessionerror.h"
#include "gst/codecpatch/session/streaminput.h"

namespace cps {

using SharedInbox = std::shared_ptr<SessionInbox>;

static gpointer share(const SharedInbox &inbox) {
  return std::make_unique<SharedInbox>(inbox).release();
}

static void unshare(gpointer inbox) {
  const std::unique_ptr<SharedInbox> owned(static_cast<SharedInbox *>(inbox));
}

static GstBusSyncReply on_message(GstBus *, GstMessage *message, gpointer inbox) {
  (*static_cast<SharedInbox *>(inbox))->handle_message(message);
  gst_message_unref(message);
  return GST_BUS_DROP; // because messages are not read from the bus
}

static GstFlowReturn on_new_tensors(GstElement *, gpointer inbox) {
  (*static_cast<SharedInbox *>(inbox))->clip_queued();
  return GST_FLOW_OK;
}

GstElement *SessionPipeline::add_element(const char *factory) {
  GstElement *element = gst_element_factory_make(factory, nullptr);
  gst_bin_add(GST_BIN(pipeline_.get()), element);
  return element;
}

void SessionPipeline::add_elements() {
  GstElement *pipeline = gst_pipeline_new(nullptr);
  pipeline_.reset(GST_ELEMENT(gst_object_ref_sink(pipeline)));
  for (const char *factory : elements_of(options_.output))
    elements_.push_back(add_element(factory));
  sink_ = add_element(sink_of(options_.output));
  if (options_.output != SessionOutput::Index) {
    g_object_set(sink_, "max-buffers", 1, nullptr); // a slow consumer blocks the stream
    g_signal_connect_data(
        sink_, "new-tensors", G_CALLBACK(on_new_tensors), share(inbox_),
        [](gpointer inbox, GClosure *) { unshare(inbox); }, static_cast<GConnectFlags>(0));
  }
  const Owned<GstBus> bus(gst_element_get_bus(pipeline));
  gst_bus_set_sync_handler(bus.get(), on_message, share(inbox_), unshare);
}

bool SessionPipeline::build(const SessionSource &source, GError **error) {
  add_elements();
  for (size_t i = 0; i < elements_.size(); i++) {
    GstElement *next = i + 1 < elements_.size() ? elements_[i + 1] : sink_;
    if (!gst_element_link(elements_[i], next))
      return set_session_error(
          error, CPS_SESSION_ERROR_SETUP,
          "The codecpatch plugin and libgstcodecpatch are of different versions: install both from one build.");
  }
  if (!apply_options(options_, elements_, error))
    return false;
  if (source.stream)
    g_object_set(elements_[0], "stream", source.stream.get(), nullptr);
  else
    g_object_set(elements_[0], "uri", source.uri.c_str(), nullptr);
  if (options_.output == SessionOutput::Index)
    g_object_set(elements_[0], "index-only", TRUE, nullptr);
  else if (source.index)
    g_object_set(elements_[0], "index", source.index.get(), nullptr);
  return true;
}

bool SessionPipeline::start(const SessionSource &source, GError **error) {
  if (!build(source, error))
    return false;
  if (gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING) != GST_STATE_CHANGE_FAILURE)
    return true;
  const GError *failure = inbox_->error();
  if (failure)
    return set_session_error(error, session_error_code(*failure), failure->message);
  return set_session_error(error, CPS_SESSION_ERROR_FAILED, "The pipeline does not start.");
}

// Waits for the pipeline's threads, except those of GStreamer's thread pool. Such a thread may hold the bin a moment
// longer if it had to reopen the source, so the bin must release the stream here.
void SessionPipeline::stop() {
  if (pipeline_)
    gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
  if (!elements_.empty())
    g_object_set(elements_.front(), "stream", nullptr, nullptr);
}

void SessionPipeline::interrupt() {
  const std::lock_guard<std::mutex> lock(mutex_);
  interrupted_ = true;
  if (stream_)
    stream_input_stop(stream_.get());
}

void SessionPipeline::set_interruptible(GInputStream *stream) {
  const std::lock_guard<std::mutex> lock(mutex_);
  stream_.reset(G_INPUT_STREAM(g_object_ref(stream)));
  if (interrupted_)
    stream_input_stop(stream);
}

} // namespace cps
