// SPDX-License-Identifier: LGPL-2.1-or-later
// A camera that fails, ends, refuses and is silent at the command of a test: the URIs "cpstestlive:h264" and
// "cpstestlive:raw".
#pragma once

#include "tests/common/pipeline.h"

#include <condition_variable>
#include <mutex>

namespace pipes {

constexpr int kCameraRate = 100;

// How the next cameras are, and those that there are. There is one for the process, because the bins make the elements.
class Cameras {
public:
  static Cameras &get() {
    static Cameras cameras;
    return cameras;
  }

  // For cameras that are opened from now on.
  struct Plan {
    int refusals = 0;          // attempts to open that fail
    bool says_why = true;      // they post an error
    bool ends_at_once = false; // instead of the refusal: they end before their first picture
    gulong opening = 0;        // µs that each takes
  };
  void plan(const Plan &plan) {
    const std::lock_guard<std::mutex> lock(mutex_);
    plan_ = plan;
  }

  // Waits for that many cameras that have been opened, or pictures of all of them.
  void wait_for_cameras(guint count) { wait(opened_, count); }
  void wait_for_attempts(guint count) { wait(attempts_, count); }
  void wait_for_pictures(guint64 count) { wait(pictures_, pictures() + count); }
  void wait_until_all_are_gone() {
    std::unique_lock<std::mutex> lock(mutex_);
    const std::chrono::nanoseconds patience(kPatience);
    fail_unless(changed_.wait_for(lock, patience, [this] { return alive_ == 0; }), "%d sources are leaked", alive_);
  }
  guint64 pictures() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return pictures_;
  }
  guint attempts() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return attempts_;
  }

  // What happens to the camera that was opened last.
  void cut() {
    if (const Owned<GstElement> camera = last()) {
      set_silent(true);
      GST_ELEMENT_ERROR(camera.get(), RESOURCE, READ, ("The cable is cut."), (nullptr));
    }
  }
  void end() {
    if (const Owned<GstElement> camera = last())
      gst_element_send_event(camera.get(), gst_event_new_eos());
  }
  void set_silent(bool silent) {
    const std::lock_guard<std::mutex> lock(mutex_);
    silent_ = silent;
    restarts_times_ = !silent;
  }

  // For the element:

  enum class Start { Normal, Refused, RefusedSilently };
  Start open(GstElement *camera) {
    std::unique_lock<std::mutex> lock(mutex_);
    const gulong opening = plan_.opening;
    lock.unlock();
    g_usleep(opening);
    lock.lock();
    attempts_++;
    changed_.notify_all();
    const bool refused = plan_.refusals > 0;
    plan_.refusals -= refused ? 1 : 0;
    ends_ = refused && plan_.ends_at_once;
    if (refused && !ends_)
      return plan_.says_why ? Start::Refused : Start::RefusedSilently;
    last_.reset(GST_ELEMENT(gst_object_ref(camera)));
    silent_ = restarts_times_ = false;
    first_ = GST_CLOCK_TIME_NONE;
    base_ = 0;
    opened_++;
    changed_.notify_all();
    return Start::Normal;
  }
  bool ends() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return ends_;
  }
  void close(GstElement *camera) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (last_.get() == camera)
      last_.reset();
  }
  void count(int made) {
    const std::lock_guard<std::mutex> lock(mutex_);
    alive_ += made;
    changed_.notify_all();
  }
  // False if the picture does not come.
  bool pass(GstBuffer *picture) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (silent_)
      return false;
    if (!GST_CLOCK_TIME_IS_VALID(first_))
      first_ = GST_BUFFER_PTS(picture);
    if (std::exchange(restarts_times_, false))
      base_ = GST_BUFFER_PTS(picture) - first_;
    GST_BUFFER_PTS(picture) -= base_;
    if (GST_BUFFER_DTS_IS_VALID(picture))
      GST_BUFFER_DTS(picture) -= base_;
    pictures_++;
    changed_.notify_all();
    return true;
  }

private:
  template <class T, class U> void wait(const T &value, U least) {
    std::unique_lock<std::mutex> lock(mutex_);
    const std::chrono::nanoseconds patience(kPatience);
    fail_unless(changed_.wait_for(lock, patience, [&] { return value >= least; }), "the camera is not there");
  }
  Owned<GstElement> last() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return Owned<GstElement>(last_ ? GST_ELEMENT(gst_object_ref(last_.get())) : nullptr);
  }

  std::mutex mutex_; // protects all members
  std::condition_variable changed_;
  Plan plan_;
  Owned<GstElement> last_;
  guint opened_ = 0, attempts_ = 0;
  guint64 pictures_ = 0;
  int alive_ = 0;
  bool silent_ = false, ends_ = false, restarts_times_ = false;
  GstClockTime first_ = 0, base_ = 0; // of the camera's first picture; what is taken off the times
};

// --- The element ---

struct Camera {
  GstBin parent;
};
struct CameraClass {
  GstBinClass parent_class;
};

inline GstURIType camera_uri_type(GType) {
  return GST_URI_SRC;
}
inline const gchar *const *camera_protocols(GType) {
  static const gchar *const protocols[] = {"cpstestlive", nullptr};
  return protocols;
}
inline gchar *camera_uri(GstURIHandler *) {
  return g_strdup("cpstestlive:");
}

// Fills the bin.
inline gboolean set_camera_uri(GstURIHandler *handler, const gchar *uri, GError **) {
  const std::string caps = "video/x-raw,format=I420,width=64,height=48,framerate=" + std::to_string(kCameraRate) + "/1";
  const std::string encoder = " ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=10 threads=1";
  const std::string line = "videotestsrc is-live=true pattern=ball ! " + caps +
                           (g_str_has_suffix(uri, "h264") ? encoder : "") + " ! identity name=last silent=true";
  GstElement *inner = gst_parse_bin_from_description(line.c_str(), TRUE, nullptr);
  gst_bin_add(GST_BIN(handler), inner);
  const Owned<GstPad> pad(gst_element_get_static_pad(inner, "src"));
  GstPad *ghost = gst_ghost_pad_new("src", pad.get());
  gst_pad_add_probe(
      ghost, GST_PAD_PROBE_TYPE_BUFFER,
      [](GstPad *, GstPadProbeInfo *info, gpointer) {
        auto *picture = gst_buffer_make_writable(GST_PAD_PROBE_INFO_BUFFER(info));
        GST_PAD_PROBE_INFO_DATA(info) = picture;
        return Cameras::get().pass(picture) ? GST_PAD_PROBE_OK : GST_PAD_PROBE_DROP;
      },
      nullptr, nullptr);
  gst_element_add_pad(GST_ELEMENT(handler), ghost);
  return TRUE;
}

inline void camera_handler_init(gpointer interface, gpointer) {
  auto *handler = static_cast<GstURIHandlerInterface *>(interface);
  handler->get_type = camera_uri_type;
  handler->get_protocols = camera_protocols;
  handler->get_uri = camera_uri;
  handler->set_uri = set_camera_uri;
}

GType camera_get_type();
G_DEFINE_TYPE_WITH_CODE(Camera, camera, GST_TYPE_BIN, G_IMPLEMENT_INTERFACE(GST_TYPE_URI_HANDLER, camera_handler_init))

void camera_init(Camera *self) {
  GST_OBJECT_FLAG_SET(self, GST_ELEMENT_FLAG_SOURCE);
  Cameras::get().count(1);
}

inline GstStateChangeReturn change_camera_state(GstElement *element, GstStateChange transition) {
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED) {
    const Cameras::Start start = Cameras::get().open(element);
    if (start == Cameras::Start::Refused)
      GST_ELEMENT_ERROR(element, RESOURCE, OPEN_READ, ("The cable is cut."), (nullptr));
    if (start != Cameras::Start::Normal)
      return GST_STATE_CHANGE_FAILURE;
  }
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
    Cameras::get().close(element);
  const GstStateChangeReturn result = GST_ELEMENT_CLASS(camera_parent_class)->change_state(element, transition);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_PLAYING && Cameras::get().ends())
    gst_element_send_event(element, gst_event_new_eos());
  return result;
}

inline void finalize_camera(GObject *object) {
  G_OBJECT_CLASS(camera_parent_class)->finalize(object);
  Cameras::get().count(-1);
}

void camera_class_init(CameraClass *klass) {
  G_OBJECT_CLASS(klass)->finalize = finalize_camera;
  GST_ELEMENT_CLASS(klass)->change_state = change_camera_state;
  static GstStaticPadTemplate any = GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
  gst_element_class_add_static_pad_template(GST_ELEMENT_CLASS(klass), &any);
  gst_element_class_set_static_metadata(GST_ELEMENT_CLASS(klass), "Camera", "Source/Video", "A camera of a test",
                                        "The codecpatch developers");
}

// Makes the URIs known.
inline void register_camera() {
  gst_element_register(nullptr, "cpstestlivesrc", GST_RANK_PRIMARY, camera_get_type());
}

} // namespace pipes
