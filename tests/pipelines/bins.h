// SPDX-License-Identifier: LGPL-2.1-or-later
// uniformdecodebin and patchstreambin in pipelines.
#pragma once

#include "gst/common/objectlock.h"
#include "tests/pipelines/clips.h"

namespace pipes {

inline std::string uri_of(const std::string &path) {
  return "file://" + path;
}

// On the CPU, whatever the machine has.
constexpr const char *kOnCpu = " decode-backend=cpu";

// "" leaves the source open.
inline std::string bin_of(const std::string &factory, const std::string &path, const std::string &options = "") {
  return factory + " name=bin" + kOnCpu + (path.empty() ? "" : " uri=" + uri_of(path)) + " " + options;
}

inline std::string patches_of(const std::string &path, const std::string &options = "") {
  return bin_of("patchstreambin", path, "sequence-length=6 k-keep=64 " + options) + " ! tensormetasink name=sink";
}

inline std::string frames_of(const std::string &path, const std::string &options = "") {
  return bin_of("uniformdecodebin", path, "sequence-length=6 " + options) + " ! fakesink name=sink sync=false";
}

inline std::vector<Owned<GstElement>> children_of(GstElement *bin) {
  const cps::ObjectLock lock(bin);
  std::vector<Owned<GstElement>> children;
  for (const GList *item = GST_BIN(bin)->children; item; item = item->next)
    children.emplace_back(GST_ELEMENT(gst_object_ref(item->data)));
  return children;
}

// The element of this factory in the bin, nullptr where there is none.
inline Owned<GstElement> child_of(GstElement *bin, const std::string &factory) {
  for (Owned<GstElement> &child : children_of(bin))
    if (const GstElementFactory *of = gst_element_get_factory(child.get()); of && factory == GST_OBJECT_NAME(of))
      return std::move(child);
  return nullptr;
}

inline std::string text_property(GstElement *element, const char *name) {
  gchar *text = nullptr;
  g_object_get(element, name, &text, nullptr);
  const Owned<gchar> owned(text);
  return text ? text : "";
}

inline void set_text(GstElement *element, const char *name, const std::string &text) {
  gst_util_set_object_arg(G_OBJECT(element), name, text.c_str());
}

// What passes a sink, as pixels.
class Pixels {
public:
  explicit Pixels(Line &line, const char *element = "sink") {
    line.on_buffer(element, "sink", [this](GstPad *pad, GstBuffer *buffer) {
      const Owned<GstCaps> caps(gst_pad_get_current_caps(pad));
      GstVideoInfo info;
      fail_unless(gst_video_info_from_caps(&info, caps.get()));
      frames_.push_back(std::to_string(info.width) + "x" + std::to_string(info.height) + " " +
                        GST_VIDEO_INFO_NAME(&info) + " " + checksum(pad, buffer));
    });
  }

  // After the end of the stream.
  std::vector<std::string> take() { return std::exchange(frames_, {}); }

private:
  std::vector<std::string> frames_;
};

} // namespace pipes
