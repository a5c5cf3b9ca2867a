// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * SECTION:element-tensormetasink
 * @title: tensormetasink
 *
 * Passes tensors and their metadata (#CpsTensorMeta) to the application, or writes them to files.
 *
 * Without #CpsTensorMetaSink:location buffers are queued; the application pulls them as #GstSample with
 * #CpsTensorMetaSink::pull-tensors or #CpsTensorMetaSink::try-pull-tensors, from any thread, and
 * #CpsTensorMetaSink::new-tensors is emitted for each. With a location each clip is written to a safetensors file, and
 * buffers are queued only if #CpsTensorMetaSink:max-buffers is set. A file appears under its name only when it is
 * complete; then an element message `tensors-written` with `location` and `clip-index` is posted, and with `start` and
 * `stop`, the section or window that the clip was sampled from, in ns of stream time (-1: of the stream). Only regular
 * files are replaced: a device, a folder, a named pipe, a socket or a symbolic link of that name is an error. With
 * #CpsTensorMetaSink:max-files the oldest files of the stream are deleted.
 *
 * The sink does not synchronise to the clock and does not preroll, because it is not a display and its first buffer
 * arrives a whole clip late.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 filesrc location=v.mp4 ! qtdemux ! h264parse ! frameplanner ! avdec_h264 ! uniformsampler !
 * patchenergy ! patchselect ! tensormetasink location=clip-%05d.safetensors
 * ]|
 *
 * Since: 0.1
 */
#include "gst/elements/sink/tensormetasink.h"

#include "gst/codecpatch/cpssafetensors.h"
#include "gst/codecpatch/cpstensormeta.h"
#include "gst/elements/common/memorykind.h"
#include "gst/elements/common/options.h"
#include "gst/elements/sink/locationpattern.h"

#include <condition_variable>
#include <deque>
#include <glib/gstdio.h>
#include <mutex>
#include <string>
#include <unistd.h>

GST_DEBUG_CATEGORY_STATIC(tensor_meta_sink_debug);
#define GST_CAT_DEFAULT tensor_meta_sink_debug

using cps::Owned;

enum { SIGNAL_NEW_TENSORS, SIGNAL_PULL_TENSORS, SIGNAL_TRY_PULL_TENSORS, LAST_SIGNAL };
static guint sink_signals[LAST_SIGNAL];

struct CpsTensorMetaSinkPrivate {
  explicit CpsTensorMetaSinkPrivate(gpointer object) : options(object) {}

  cps::Options options;

  // Streaming thread
  Owned<GstCaps> caps;
  std::string pattern;                     // location at the start of the stream
  CpsSaveFlags flags = CPS_SAVE_FLAG_NONE; // at the start of the stream
  guint max_files = 0;                     // at the start of the stream
  std::deque<std::string> files;           // that have been written, the oldest first, if there is a maximum

  std::mutex mutex; // protects the members below
  std::condition_variable changed;
  std::deque<Owned<GstSample>> queue;
  bool running = false;
  bool eos = false;
  bool unlocked = false; // the streaming thread must not block
};

struct _CpsTensorMetaSink {
  GstBaseSink parent;
};

G_DEFINE_FINAL_TYPE_WITH_PRIVATE(CpsTensorMetaSink, cps_tensor_meta_sink, GST_TYPE_BASE_SINK)
GST_ELEMENT_REGISTER_DEFINE(tensormetasink, "tensormetasink", GST_RANK_NONE, CPS_TYPE_TENSOR_META_SINK)

static CpsTensorMetaSinkPrivate &state_of(gpointer self) {
  return *static_cast<CpsTensorMetaSinkPrivate *>(
      cps_tensor_meta_sink_get_instance_private(CPS_TENSOR_META_SINK(self)));
}

// Files

static void post_file_error(CpsTensorMetaSink *self, Owned<GError> error) {
  gst_element_message_full(GST_ELEMENT(self), GST_MESSAGE_ERROR, error->domain, error->code,
                           g_strdup_printf("%s Check location of tensormetasink.", error->message), nullptr, __FILE__,
                           GST_FUNCTION, __LINE__);
}

static gint64 time_option(const CpsClip *clip, const char *name) {
  gint64 time = -1;
  gst_structure_get_int64(clip->options, name, &time);
  return time;
}

// Deletes the oldest files. One that cannot be deleted stays, because the stream is worth more.
static void limit_files(CpsTensorMetaSink *self, const std::string &name) {
  CpsTensorMetaSinkPrivate &state = state_of(self);
  if (state.max_files == 0 || (!state.files.empty() && state.files.back() == name)) // the same file once more
    return;
  state.files.push_back(name);
  if (state.files.size() <= state.max_files)
    return;
  if (g_unlink(state.files.front().c_str()) != 0)
    GST_WARNING_OBJECT(self, "%s is not deleted: %s", state.files.front().c_str(), g_strerror(errno));
  state.files.pop_front();
}

static GstFlowReturn write_file(CpsTensorMetaSink *self, GstBuffer *buffer, const CpsClip *clip) {
  std::string name;
  cps::expand_location(state_of(self).pattern, clip->clip_index, name);
  GError *error = nullptr;
  if (!cps_buffer_save_safetensors_full(buffer, name.c_str(), state_of(self).flags, &error)) {
    post_file_error(self, Owned<GError>(error));
    return GST_FLOW_ERROR;
  }
  GST_INFO_OBJECT(self, "wrote %s", name.c_str());
  limit_files(self, name);
  GstStructure *details = gst_structure_new(
      "tensors-written", "location", G_TYPE_STRING, name.c_str(), "clip-index", G_TYPE_UINT, clip->clip_index, "start",
      G_TYPE_INT64, time_option(clip, "start"), "stop", G_TYPE_INT64, time_option(clip, "stop"), nullptr);
  gst_element_post_message(GST_ELEMENT(self), gst_message_new_element(GST_OBJECT(self), details));
  return GST_FLOW_OK;
}

// The queue

// Waits while the queue is full. Returns false once the streaming thread must not block.
static bool wait_for_room(CpsTensorMetaSinkPrivate &state, std::unique_lock<std::mutex> &lock, guint max_buffers) {
  state.changed.wait(lock, [&] { return state.unlocked || !state.running || state.queue.size() < max_buffers; });
  return !state.unlocked && state.running;
}

static GstFlowReturn enqueue(CpsTensorMetaSink *self, GstBuffer *buffer) {
  CpsTensorMetaSinkPrivate &state = state_of(self);
  const Owned<GstStructure> options = state.options.snapshot();
  const guint max_buffers = cps::option_uint(options.get(), "max-buffers");
  const bool drop = cps::option_bool(options.get(), "drop");
  {
    std::unique_lock<std::mutex> lock(state.mutex);
    while (max_buffers > 0 && state.queue.size() >= max_buffers) {
      if (drop) {
        state.queue.pop_front();
        continue;
      }
      if (wait_for_room(state, lock, max_buffers))
        continue;
      lock.unlock();
      const GstFlowReturn flow = gst_base_sink_wait_preroll(GST_BASE_SINK(self)); // until unlocked or flushing
      if (flow != GST_FLOW_OK)
        return flow;
      lock.lock();
    }
    state.queue.emplace_back(gst_sample_new(buffer, state.caps.get(), &GST_BASE_SINK(self)->segment, nullptr));
    state.changed.notify_all();
  }
  GstFlowReturn flow = GST_FLOW_OK;
  g_signal_emit(self, sink_signals[SIGNAL_NEW_TENSORS], 0, &flow);
  return flow;
}

static GstSample *cps_tensor_meta_sink_try_pull_tensors(CpsTensorMetaSink *self, guint64 timeout) {
  CpsTensorMetaSinkPrivate &state = state_of(self);
  std::unique_lock<std::mutex> lock(state.mutex);
  auto ready = [&] { return !state.queue.empty() || state.eos || !state.running; };
  // Such long times would overflow the clock of condition_variable, so they count as no limit.
  if (timeout > G_MAXINT64 / 4)
    state.changed.wait(lock, ready);
  else
    state.changed.wait_for(lock, std::chrono::nanoseconds(timeout), ready);
  if (state.queue.empty())
    return nullptr;
  Owned<GstSample> sample = std::move(state.queue.front());
  state.queue.pop_front();
  state.changed.notify_all();
  return sample.release();
}

static GstSample *cps_tensor_meta_sink_pull_tensors(CpsTensorMetaSink *self) {
  return cps_tensor_meta_sink_try_pull_tensors(self, GST_CLOCK_TIME_NONE);
}

// GstBaseSink

static GstFlowReturn tensor_meta_sink_render(GstBaseSink *sink, GstBuffer *buffer) {
  auto *self = CPS_TENSOR_META_SINK(sink);
  const CpsTensorMeta *tensors = cps_buffer_get_tensor_meta(buffer);
  if (!tensors) {
    GST_ELEMENT_ERROR(self, STREAM, FORMAT,
                      ("The tensors come without a description: link patchselect to tensormetasink."),
                      ("no CpsTensorMeta on the buffer"));
    return GST_FLOW_ERROR;
  }
  const bool write = !state_of(self).pattern.empty();
  if (write) {
    const GstFlowReturn flow = write_file(self, buffer, tensors->clip);
    if (flow != GST_FLOW_OK)
      return flow;
  }
  const bool queue = !write || cps::option_uint(state_of(self).options.snapshot().get(), "max-buffers") > 0;
  return queue ? enqueue(self, buffer) : GST_FLOW_OK;
}

static gboolean tensor_meta_sink_set_caps(GstBaseSink *sink, GstCaps *caps) {
  state_of(sink).caps.reset(gst_caps_ref(caps));
  return TRUE;
}

static void set_flags(gpointer self, bool running, bool eos) {
  CpsTensorMetaSinkPrivate &state = state_of(self);
  std::lock_guard<std::mutex> lock(state.mutex);
  state.running = running;
  state.eos = eos;
  state.changed.notify_all();
}

static void empty_queue(gpointer self) {
  CpsTensorMetaSinkPrivate &state = state_of(self);
  std::lock_guard<std::mutex> lock(state.mutex);
  state.queue.clear();
}

static void set_unlocked(gpointer self, bool unlocked) {
  CpsTensorMetaSinkPrivate &state = state_of(self);
  std::lock_guard<std::mutex> lock(state.mutex);
  state.unlocked = unlocked;
  state.changed.notify_all();
}

static gboolean tensor_meta_sink_unlock(GstBaseSink *sink) {
  set_unlocked(sink, true);
  return TRUE;
}

static gboolean tensor_meta_sink_unlock_stop(GstBaseSink *sink) {
  set_unlocked(sink, false);
  return TRUE;
}

static gboolean tensor_meta_sink_event(GstBaseSink *sink, GstEvent *event) {
  switch (GST_EVENT_TYPE(event)) {
  case GST_EVENT_EOS:
    set_flags(sink, true, true);
    break;
  case GST_EVENT_FLUSH_STOP:
    empty_queue(sink);
    set_flags(sink, true, false);
    break;
  default:
    break;
  }
  return GST_BASE_SINK_CLASS(cps_tensor_meta_sink_parent_class)->event(sink, event);
}

// Checks now, not only once a clip has been computed, that files can be written. Returns false after posting an error.
static bool read_location(CpsTensorMetaSink *self) {
  CpsTensorMetaSinkPrivate &state = state_of(self);
  const Owned<GstStructure> options = state.options.snapshot();
  state.pattern = cps::option_string(options.get(), "location");
  state.flags = cps::option_bool(options.get(), "fsync") ? CPS_SAVE_FLAG_FSYNC : CPS_SAVE_FLAG_NONE;
  state.max_files = cps::option_uint(options.get(), "max-files");
  state.files.clear();
  std::string name;
  if (!cps::expand_location(state.pattern, 0, name)) {
    GST_ELEMENT_ERROR(
        self, RESOURCE, SETTINGS,
        ("location \"%s\" is not a file name pattern: it may have one %%d, such as clip-%%05d.safetensors, "
         "and %%%% for a percent sign.",
         state.pattern.c_str()),
        (nullptr));
    return false;
  }
  if (name.empty())
    return true;
  const Owned<gchar> folder(g_path_get_dirname(name.c_str()));
  if (access(folder.get(), W_OK | X_OK) == 0 && g_file_test(folder.get(), G_FILE_TEST_IS_DIR)) {
    GError *error = nullptr;
    if (cps_safetensors_check_path(name.c_str(), &error))
      return true;
    post_file_error(self, Owned<GError>(error));
    return false;
  }
  GST_ELEMENT_ERROR(self, RESOURCE, OPEN_WRITE,
                    ("Cannot write to the folder \"%s\" of location: it must exist and be writable.", folder.get()),
                    GST_ERROR_SYSTEM);
  return false;
}

// Overrides the state change, because the base class starts and stops at NULL, but a stream begins and ends at READY.
static GstStateChangeReturn tensor_meta_sink_change_state(GstElement *element, GstStateChange transition) {
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED) {
    if (!read_location(CPS_TENSOR_META_SINK(element)))
      return GST_STATE_CHANGE_FAILURE;
    set_flags(element, true, false);
  }
  const GstStateChangeReturn result =
      GST_ELEMENT_CLASS(cps_tensor_meta_sink_parent_class)->change_state(element, transition);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) {
    set_flags(element, false, false);
    empty_queue(element);
    state_of(element).caps.reset();
  }
  return result;
}

// GObject

static void tensor_meta_sink_finalize(GObject *object) {
  state_of(object).~CpsTensorMetaSinkPrivate();
  G_OBJECT_CLASS(cps_tensor_meta_sink_parent_class)->finalize(object);
}

static void cps_tensor_meta_sink_init(CpsTensorMetaSink *self) {
  new (&state_of(self)) CpsTensorMetaSinkPrivate(self);
  gst_base_sink_set_sync(GST_BASE_SINK(self), FALSE);
  gst_base_sink_set_async_enabled(GST_BASE_SINK(self), FALSE);
  gst_base_sink_set_last_sample_enabled(GST_BASE_SINK(self), FALSE); // because a clip is too large to keep
}

static void install_signals(GType type) {
  /**
   * CpsTensorMetaSink::new-tensors:
   * @sink: the sink
   *
   * A buffer of tensors has been queued. Emitted from the streaming thread.
   *
   * Returns: a #GstFlowReturn that the sink passes upstream
   */
  sink_signals[SIGNAL_NEW_TENSORS] =
      g_signal_new("new-tensors", type, G_SIGNAL_RUN_LAST, 0, nullptr, nullptr, nullptr, GST_TYPE_FLOW_RETURN, 0);
  /**
   * CpsTensorMetaSink::pull-tensors:
   * @sink: the sink
   *
   * Waits for a buffer of tensors.
   *
   * Returns: (transfer full) (nullable): the sample, %NULL at end of stream or if the sink is stopped
   */
  sink_signals[SIGNAL_PULL_TENSORS] = g_signal_new_class_handler(
      "pull-tensors", type, static_cast<GSignalFlags>(G_SIGNAL_RUN_LAST | G_SIGNAL_ACTION),
      G_CALLBACK(cps_tensor_meta_sink_pull_tensors), nullptr, nullptr, nullptr, GST_TYPE_SAMPLE, 0);
  /**
   * CpsTensorMetaSink::try-pull-tensors:
   * @sink: the sink
   * @timeout: the longest time to wait, in ns
   *
   * Waits for a buffer of tensors, but no longer than @timeout.
   *
   * Returns: (transfer full) (nullable): the sample, %NULL at end of stream, after @timeout, or if the sink is stopped
   */
  sink_signals[SIGNAL_TRY_PULL_TENSORS] = g_signal_new_class_handler(
      "try-pull-tensors", type, static_cast<GSignalFlags>(G_SIGNAL_RUN_LAST | G_SIGNAL_ACTION),
      G_CALLBACK(cps_tensor_meta_sink_try_pull_tensors), nullptr, nullptr, nullptr, GST_TYPE_SAMPLE, 1, G_TYPE_UINT64);
}

static void cps_tensor_meta_sink_class_init(CpsTensorMetaSinkClass *klass) {
  GST_DEBUG_CATEGORY_INIT(tensor_meta_sink_debug, "tensormetasink", 0, "tensor sink");
  auto *object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = cps::set_option<state_of>;
  object_class->get_property = cps::get_option<state_of>;
  object_class->finalize = tensor_meta_sink_finalize;

  const auto flags = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);
  auto install = [object_class, id = guint{1}](GParamSpec *spec) mutable {
    g_object_class_install_property(object_class, id++, spec);
  };
  install(g_param_spec_string("location", "Location",
                              "File to write each clip to, %05d standing for the clip's index (NULL = queue instead)",
                              nullptr, static_cast<GParamFlags>(flags | GST_PARAM_MUTABLE_READY)));
  install(g_param_spec_uint("max-files", "Maximum files", "Files of a stream to keep; older ones are deleted (0 = all)",
                            0, G_MAXUINT, 0, static_cast<GParamFlags>(flags | GST_PARAM_MUTABLE_READY)));
  install(g_param_spec_uint("max-buffers", "Maximum buffers",
                            "Buffers to queue before upstream has to wait (0 = no limit; with location: queue nothing)",
                            0, G_MAXUINT, 0, static_cast<GParamFlags>(flags | GST_PARAM_MUTABLE_PLAYING)));
  install(g_param_spec_boolean("drop", "Drop", "Drop the oldest buffer where the queue is full", FALSE,
                               static_cast<GParamFlags>(flags | GST_PARAM_MUTABLE_PLAYING)));
  install(g_param_spec_boolean("fsync", "fsync",
                               "Tell of a file when the disk has it, so that a power failure does no harm", FALSE,
                               static_cast<GParamFlags>(flags | GST_PARAM_MUTABLE_READY)));
  install_signals(G_TYPE_FROM_CLASS(klass));

  auto *element_class = GST_ELEMENT_CLASS(klass);
  element_class->change_state = GST_DEBUG_FUNCPTR(tensor_meta_sink_change_state);
  cps::add_pad_template(element_class, "sink", GST_PAD_SINK, cps::tensor_template_caps("format=static").get());
  gst_element_class_set_static_metadata(element_class, "Tensor sink", "Sink/Tensor/File",
                                        "Hands tensors and their metadata to the application or writes them to files",
                                        "The codecpatch developers");

  auto *sink_class = GST_BASE_SINK_CLASS(klass);
  sink_class->set_caps = GST_DEBUG_FUNCPTR(tensor_meta_sink_set_caps);
  sink_class->event = GST_DEBUG_FUNCPTR(tensor_meta_sink_event);
  sink_class->unlock = GST_DEBUG_FUNCPTR(tensor_meta_sink_unlock);
  sink_class->unlock_stop = GST_DEBUG_FUNCPTR(tensor_meta_sink_unlock_stop);
  sink_class->render = GST_DEBUG_FUNCPTR(tensor_meta_sink_render);
}
