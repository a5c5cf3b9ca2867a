// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/videosearch.h"

#include "gst/elements/binparts.h"
#include "gst/elements/editlists.h"
#include "gst/elements/losterrors.h"
#include "gst/elements/videotrack.h"

#include <gst/pbutils/missing-plugins.h>
#include <set>
#include <utility>

namespace cps {

VideoSearch::VideoSearch(GstBin *bin, int track, std::function<void(GstPad *)> found,
                         std::function<void(GstCaps *)> undecodable)
    : bin_(bin), track_(track), found_(std::move(found)), undecodable_(std::move(undecodable)) {}

bool VideoSearch::start(const std::string &uri, GInputStream *stream) {
  GstElement *source = make_source(uri, stream);
  if (!source)
    return false;
  if (const Owned<GstPad> pad{gst_element_get_static_pad(source, "src")})
    return parse(pad.get()) != nullptr;
  searching_ = 1;
  g_signal_connect(source, "pad-added", G_CALLBACK(on_source_pad), this);
  g_signal_connect(source, "no-more-pads", G_CALLBACK(on_no_more_source_pads), this);
  return true;
}

// nullptr after an error message.
GstElement *VideoSearch::make_source(const std::string &uri, GInputStream *stream) {
  if (stream) {
    GstElement *source = make_part(bin_, "giostreamsrc");
    if (source)
      g_object_set(source, "stream", stream, nullptr);
    return source;
  }
  if (uri.empty()) {
    GST_ELEMENT_ERROR(bin_, RESOURCE, NOT_FOUND, ("There is nothing to read: set uri."), (nullptr));
    return nullptr;
  }
  if (!gst_uri_is_valid(uri.c_str())) {
    GST_ELEMENT_ERROR(bin_, RESOURCE, NOT_FOUND,
                      ("uri is \"%s\", which is none: that of a file begins with file:///.", uri.c_str()), (nullptr));
    return nullptr;
  }
  GError *error = nullptr;
  if (GstElement *source = gst_element_make_from_uri(GST_URI_SRC, uri.c_str(), nullptr, &error)) {
    add_part(bin_, source);
    return source;
  }
  if (g_error_matches(error, GST_URI_ERROR, GST_URI_ERROR_UNSUPPORTED_PROTOCOL)) {
    const Owned<gchar> protocol(gst_uri_get_protocol(uri.c_str()));
    gst_element_post_message(GST_ELEMENT(bin_), gst_missing_uri_source_message_new(GST_ELEMENT(bin_), protocol.get()));
  }
  GST_ELEMENT_ERROR(bin_, RESOURCE, NOT_FOUND,
                    ("Nothing here reads \"%s\": %s.", uri.c_str(), error ? error->message : ""), (nullptr));
  g_clear_error(&error);
  return nullptr;
}

void VideoSearch::on_source_pad(GstElement *, GstPad *pad, VideoSearch *self) {
  if (GstElement *parsebin = self->parse(pad))
    gst_element_sync_state_with_parent(parsebin);
}

void VideoSearch::on_no_more_source_pads(GstElement *, VideoSearch *self) {
  self->end({});
}

// A parsebin for `pad`, which it starts to read from as soon as it is in PAUSED. nullptr after an error message.
GstElement *VideoSearch::parse(GstPad *pad) {
  GstElement *parsebin = make_part(bin_, "parsebin");
  if (!parsebin)
    return nullptr;
  Container *container = nullptr;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    searching_++;
    container = &containers_.emplace_back();
    container->search = this;
    container->parsebin.reset(GST_ELEMENT(gst_object_ref(parsebin)));
  }
  keep_errors(parsebin);
  take_edit_lists(parsebin);
  g_signal_connect(parsebin, "pad-added", G_CALLBACK(on_parsed_pad), container);
  g_signal_connect(parsebin, "autoplug-continue", G_CALLBACK(on_autoplug_continue), container);
  g_signal_connect(parsebin, "unknown-type", G_CALLBACK(on_unknown_type), this);
  if (!link_pad(pad, parsebin)) {
    GST_ELEMENT_ERROR(bin_, CORE, NEGOTIATION, ("What the source puts out cannot be parsed."), (nullptr));
    return nullptr;
  }
  return parsebin;
}

// Sound and subtitles are not even parsed. (The first caps are those of the source, and may be those of a container.)
gboolean VideoSearch::on_autoplug_continue(GstElement *, GstPad *, GstCaps *caps, Container *container) {
  const char *media = gst_structure_get_name(gst_caps_get_structure(caps, 0));
  return !std::exchange(container->typed, true) ||
         (!g_str_has_prefix(media, "audio/") && !g_str_has_prefix(media, "text/") &&
          !g_str_has_prefix(media, "subpicture/") && !g_str_has_prefix(media, "closedcaption/"));
}

// It shows no pad for what has neither parser nor decoder.
void VideoSearch::on_unknown_type(GstElement *, GstPad *, GstCaps *caps, VideoSearch *self) {
  const std::lock_guard<std::mutex> lock(self->mutex_);
  if (is_video(caps))
    self->unknown_.reset(gst_caps_ref(caps));
}

void VideoSearch::on_parsed_pad(GstElement *, GstPad *pad, Container *container) {
  const Owned<GstCaps> caps = stream_caps(pad);
  if (is_video(caps.get()))
    container->videos.emplace_back(GST_PAD(gst_object_ref(pad)));
  else
    container->others.push_back(describe(caps.get()));
  gst_pad_add_probe(pad,
                    static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST |
                                                 GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM),
                    on_data, container, nullptr);
}

// The first data say that all pads of the container are there, with caps and tags, and the video can still be linked.
GstPadProbeReturn VideoSearch::on_data(GstPad *, GstPadProbeInfo *info, gpointer data) {
  if (GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM) {
    const GstEventType type = GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info));
    if (type != GST_EVENT_GAP && type != GST_EVENT_EOS)
      return GST_PAD_PROBE_OK;
  }
  auto &container = *static_cast<Container *>(data);
  if (!container.complete.exchange(true))
    container.search->complete(container);
  return GST_PAD_PROBE_REMOVE;
}

void VideoSearch::complete(Container &container) {
  bool first = false;
  if (!container.videos.empty()) {
    const std::lock_guard<std::mutex> lock(mutex_);
    first = !std::exchange(has_found_, true);
  }
  end(container.others);
  if (GstPad *video = first ? choose(container.videos) : nullptr)
    found_(video);
  container.videos.clear();
}

// nullptr after an error message.
GstPad *VideoSearch::choose(const std::vector<Owned<GstPad>> &videos) const {
  if (track_ < 0)
    return best_video(videos);
  if (track_ < static_cast<int>(videos.size()))
    return videos[static_cast<size_t>(track_)].get();
  GST_ELEMENT_ERROR(bin_, RESOURCE, SETTINGS,
                    ("video-track is %d, but the last track of video is %zu.", track_, videos.size() - 1), (nullptr));
  return nullptr;
}

// Another part of the source has shown all that it has. Without a video in any of them there is nothing to do.
void VideoSearch::end(const std::vector<std::string> &others) {
  std::string has;
  Owned<GstCaps> unknown;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    others_.insert(others_.end(), others.begin(), others.end());
    if (--searching_ > 0 || has_found_)
      return;
    for (const std::string &other : others_)
      has += (has.empty() ? "; what it has is " : ", ") + other;
    unknown = std::move(unknown_);
  }
  if (unknown)
    undecodable_(unknown.get());
  else
    GST_ELEMENT_ERROR(bin_, STREAM, WRONG_TYPE, ("There is no video in the source%s.", has.c_str()), (nullptr));
}

// What comes first in a parsebin puts in the second, whose thread puts in the next: in this order, each thread that
// adds elements has ended before those that it has added are looked at.
static void stop_children(GstElement *parsebin) {
  std::set<GstElement *> stopped;
  for (bool more = true; more;) {
    more = false;
    const std::vector<Owned<GstElement>> children = children_of(GST_BIN(parsebin));
    for (auto child = children.rbegin(); child != children.rend() && !more; ++child)
      if ((more = stopped.insert(child->get()).second))
        gst_element_set_state(child->get(), GST_STATE_READY);
  }
}

void VideoSearch::stop() {
  std::vector<Owned<GstElement>> parsebins;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (const Container &container : containers_)
      parsebins.emplace_back(GST_ELEMENT(gst_object_ref(container.parsebin.get())));
  }
  for (const Owned<GstElement> &parsebin : parsebins)
    stop_children(parsebin.get());
}

bool VideoSearch::explain(GstMessage *message) {
  GError *error = nullptr;
  gst_message_parse_error(message, &error, nullptr);
  const bool missing = g_error_matches(error, GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN);
  g_error_free(error);
  if (!missing)
    return false;
  Owned<GstCaps> unknown;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    unknown = std::move(unknown_);
  }
  if (unknown)
    undecodable_(unknown.get());
  return unknown != nullptr;
}

} // namespace cps
