// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/search/videosearch.h"

#include "gst/elements/common/dynamicelements.h"
#include "gst/elements/common/editlists.h"
#include "gst/elements/common/streamdebug.h"
#include "gst/elements/common/upstream.h"
#include "gst/elements/search/animation.h"
#include "gst/elements/search/encryption.h"
#include "gst/elements/search/futilepulls.h"
#include "gst/elements/search/misread.h"
#include "gst/elements/search/parsebinerrors.h"
#include "gst/elements/search/silentend.h"
#include "gst/elements/search/streamparsers.h"
#include "gst/elements/search/videotrack.h"

#include <gst/pbutils/missing-plugins.h>
#include <set>
#include <utility>

#define GST_CAT_DEFAULT cps::stream_debug()

namespace cps {

// Set on what is opened while the bin is running.
static const char *const kReopened = "cps-reopened";

// How often elements are looked at that have come to the end and say nothing.
constexpr GstClockTime kSilence = GST_SECOND / 2;

VideoSearch::Container::Container(VideoSearch &owner, int track, GstElement *element)
    : search(owner), parsebin(GST_ELEMENT(gst_object_ref(element))), pads(track, *this) {}

// parsebin takes its pads away even when it is freed.
VideoSearch::Container::~Container() {
  g_signal_handlers_disconnect_by_data(parsebin.get(), this);
  g_signal_handlers_disconnect_by_data(parsebin.get(), &search);
}

VideoSearch::VideoSearch(GstBin *bin, int track, Outcome outcome)
    : bin_(bin), outcome_(std::move(outcome)), track_(track) {}

VideoSearch::~VideoSearch() = default;

bool VideoSearch::start(const std::string &uri, GInputStream *stream, const SourcePolicy &policy) {
  const std::lock_guard<std::mutex> lock(opening_);
  uri_ = uri;
  policy_ = policy;
  stream_.reset(stream ? G_INPUT_STREAM(g_object_ref(stream)) : nullptr);
  GST_INFO_OBJECT(bin_, "reads %s, %s", stream ? "a stream" : printable_uri(uri).c_str(),
                  track_ < 0 ? "its best video" : ("video " + std::to_string(track_)).c_str());
  silence_.start(kSilence, while_alive(weak_from_this(), &VideoSearch::look_for_silence));
  return open();
}

bool VideoSearch::open() {
  GstElement *source = make_source();
  if (!source)
    return false;
  source_.reset(GST_ELEMENT(gst_object_ref(source)));
  if (const Owned<GstPad> pad{gst_element_get_static_pad(source, "src")}) {
    stop_futile_pulls(pad.get(), [this] { return !has_found(); });
    cache_.serve(pad.get()); // after it, for what that answers no other probe sees
    if (!stream_ && comes_once(uri_))
      refuse_pulls(pad.get());
    return parse(pad.get()) != nullptr;
  }
  searching_ = 1;
  g_signal_connect(source, "pad-added", G_CALLBACK(on_source_pad), this);
  g_signal_connect(source, "no-more-pads", G_CALLBACK(on_no_more_source_pads), this);
  return true;
}

// nullptr after an error message.
GstElement *VideoSearch::make_source() {
  if (stream_) {
    GstElement *source = make_part(bin_, "giostreamsrc");
    if (source)
      g_object_set(source, "stream", stream_.get(), nullptr);
    return source;
  }
  if (const std::string problem = check_uri(policy_, uri_); !problem.empty()) {
    GST_ELEMENT_ERROR(bin_, RESOURCE, NOT_FOUND, ("%s", problem.c_str()), (nullptr));
    return nullptr;
  }
  GError *error = nullptr;
  if (GstElement *source = gst_element_make_from_uri(GST_URI_SRC, uri_.c_str(), nullptr, &error)) {
    add_part(bin_, source);
    return source;
  }
  if (g_error_matches(error, GST_URI_ERROR, GST_URI_ERROR_UNSUPPORTED_PROTOCOL)) {
    const Owned<gchar> protocol(gst_uri_get_protocol(uri_.c_str()));
    gst_element_post_message(GST_ELEMENT(bin_), gst_missing_uri_source_message_new(GST_ELEMENT(bin_), protocol.get()));
  }
  GST_ELEMENT_ERROR(bin_, RESOURCE, NOT_FOUND,
                    ("Nothing here reads \"%s\": %s.", printable_uri(uri_).c_str(), error ? error->message : ""),
                    (nullptr));
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

void VideoSearch::watch_parsebin(Container &container) {
  GstElement *parsebin = container.parsebin.get();
  forward_swallowed_errors(parsebin);
  take_edit_lists(parsebin);
  g_signal_connect(parsebin, "autoplug-continue", G_CALLBACK(on_autoplug_continue), &container);
  g_signal_connect(parsebin, "autoplug-sort", G_CALLBACK(on_autoplug_sort), this);
  g_signal_connect(parsebin, "autoplug-select", G_CALLBACK(on_autoplug_select), this);
  g_signal_connect(parsebin, "unknown-type", G_CALLBACK(on_unknown_type), this);
}

GstPadProbeReturn VideoSearch::on_data(GstPad *, GstPadProbeInfo *, gpointer self) {
  auto *search = static_cast<VideoSearch *>(self);
  if (!search->has_found())
    search->outcome_.progress();
  return GST_PAD_PROBE_OK;
}

void VideoSearch::watch_data(GstPad *pad) {
  constexpr auto kData = static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST);
  gst_pad_add_probe(pad, kData, on_data, this, nullptr);
}

// A parsebin for `pad`, which it starts to read from as soon as it is in PAUSED. nullptr after an error message.
GstElement *VideoSearch::parse(GstPad *pad) {
  const bool by_parsebin = reader() == Reader::Parsebin;
  GstElement *parsebin = make_part(bin_, by_parsebin ? "parsebin" : "avformatdemux");
  if (!parsebin)
    return nullptr;
  Container *container = nullptr;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    searching_++;
    container = &containers_.emplace_back(*this, track_, parsebin);
  }
  watch_data(pad);
  if (by_parsebin)
    watch_parsebin(*container);
  g_signal_connect(parsebin, "pad-added", G_CALLBACK(on_parsed_pad), container);
  g_signal_connect(parsebin, "pad-removed", G_CALLBACK(on_parsed_pad_removed), container);
  if (!link_pad(pad, parsebin)) {
    GST_ELEMENT_ERROR(bin_, CORE, NEGOTIATION, ("The output of the source cannot be parsed."), (nullptr));
    return nullptr;
  }
  return parsebin;
}

// May the source name others? Only where the application has named it by its URL: it does not know what is in a file.
bool VideoSearch::may_refer() const {
  return policy_.playlists && !stream_ &&
         (gst_uri_has_protocol(uri_.c_str(), "http") || gst_uri_has_protocol(uri_.c_str(), "https"));
}

void VideoSearch::refuse_reference(const std::string &name) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (std::exchange(has_found_, true)) // nothing else is to be said of what is in it
      return;
  }
  post_reference_error(bin_, name);
}

GValueArray *VideoSearch::on_autoplug_sort(GstElement *, GstPad *, GstCaps *, GValueArray *factories, gpointer) {
  return better_demuxers(factories);
}

// Whatever is not known by name: elements that would open something are not put in.
gint VideoSearch::on_autoplug_select(GstElement *, GstPad *, GstCaps *caps, GstElementFactory *factory,
                                     VideoSearch *self) {
  const bool skip = !self->may_refer() && opens_others(factory);
  GST_DEBUG_OBJECT(self->bin_, "parsebin tries %s: %s", GST_OBJECT_NAME(factory),
                   skip ? "refused, because it opens other sources" : "allowed");
  if (skip)
    self->refuse_reference(gst_structure_get_name(gst_caps_get_structure(caps, 0)));
  return skip ? 2 : 0; // of GstAutoplugSelectResult, which is in no header
}

// Sound and subtitles are not even parsed. (The first caps are those of the source, and may be those of a container.)
gboolean VideoSearch::on_autoplug_continue(GstElement *, GstPad *pad, GstCaps *caps, Container *container) {
  if (const char *name = reference_name(caps); name && !container->search.may_refer()) {
    container->search.refuse_reference(name);
    return FALSE;
  }
  if (is_misread(pad, caps) && container->search.fall_back({}))
    return FALSE;
  const char *media = gst_structure_get_name(gst_caps_get_structure(caps, 0));
  return !std::exchange(container->typed, true) ||
         (!g_str_has_prefix(media, "audio/") && !g_str_has_prefix(media, "text/") &&
          !g_str_has_prefix(media, "subpicture/") && !g_str_has_prefix(media, "closedcaption/"));
}

// It shows no pad for what has neither parser nor decoder.
void VideoSearch::on_unknown_type(GstElement *, GstPad *, GstCaps *caps, VideoSearch *self) {
  GST_INFO_OBJECT(self->bin_, "neither parser nor decoder: %" GST_PTR_FORMAT, caps);
  const std::lock_guard<std::mutex> lock(self->mutex_);
  if (is_video(caps) || is_encrypted_video(caps))
    self->unknown_.reset(gst_caps_ref(caps));
}

// The pad of a parser that `pad` wants, else `pad`.
Owned<GstPad> VideoSearch::parse_further(Container &container, GstPad *pad) {
  const std::string name = GST_IS_BIN(container.parsebin.get()) ? parser_behind_parsebin(pad) : parser_of(pad);
  GstElement *parser = name.empty() ? nullptr : make_part(bin_, name.c_str());
  if (!parser)
    return Owned<GstPad>(GST_PAD(gst_object_ref(pad)));
  container.parsers.emplace_back(GST_ELEMENT(gst_object_ref(parser)));
  gst_element_sync_state_with_parent(parser);
  link_pad(pad, parser);
  return Owned<GstPad>(gst_element_get_static_pad(parser, "src"));
}

void VideoSearch::on_parsed_pad(GstElement *, GstPad *pad, Container *container) {
  GST_DEBUG_OBJECT(container->search.bin_, "a stream appears: %s:%s", GST_DEBUG_PAD_NAME(pad));
  container->pads.add(container->search.parse_further(*container, pad).get());
}

void VideoSearch::on_parsed_pad_removed(GstElement *, GstPad *pad, Container *container) {
  container->pads.remove(pad);
}

void VideoSearch::Container::on_found(GstPad *video, GstBuffer *first) {
  Owned<GstCaps> caps = stream_caps(video);
  if (!gst_caps_is_fixed(caps.get())) // any more: the pad is being stopped
    return;
  if (const std::string animation = undecodable_animation(caps.get(), first); !animation.empty()) {
    GST_ELEMENT_ERROR(
        search.bin_, STREAM, CODEC_NOT_FOUND,
        ("This is %s, of which GStreamer decodes the first picture at most: convert it to a video.", animation.c_str()),
        (nullptr));
    return;
  }
  if (!search.outcome_.readable(caps.get())) {
    search.refuse(std::move(caps));
    return;
  }
  const std::lock_guard<std::mutex> linking(search.linking_);
  {
    const std::lock_guard<std::mutex> lock(search.mutex_);
    if (search.stopping_ || search.reader_ == Reader::Changing || std::exchange(search.has_found_, true))
      return;
    search.track_ = pads.found_track();
    GST_INFO_OBJECT(search.bin_, "video %d is read: %s:%s", search.track_, GST_DEBUG_PAD_NAME(video));
  }
  search.outcome_.found(video);
}

void VideoSearch::Container::on_none(PadSearch::Rest rest) {
  search.end(std::move(rest));
}

void VideoSearch::Container::on_no_track(size_t videos) {
  GST_ELEMENT_ERROR(search.bin_, RESOURCE, SETTINGS,
                    ("video-track is %d, but the last track of video is %zu.", search.track_, videos - 1), (nullptr));
}

void VideoSearch::Container::on_no_data() {
  GstBin *bin = search.bin_;
  search.give_up([bin] { GST_ELEMENT_ERROR(bin, STREAM, FORMAT, ("The video has no picture."), (nullptr)); });
}

// Another part of the source has shown all that it has. Without a video in any of them there is nothing to do, but for
// a picture that goes with the sound.
void VideoSearch::end(PadSearch::Rest rest) {
  std::string has;
  Owned<GstCaps> unknown;
  Owned<GstSample> picture;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    rest_.streams.insert(rest_.streams.end(), rest.streams.begin(), rest.streams.end());
    if (rest.encrypted)
      unknown_ = std::move(rest.encrypted);
    if (!rest_.picture)
      rest_.picture = std::move(rest.picture);
    if (--searching_ > 0 || has_found_)
      return;
    for (const std::string &stream : rest_.streams)
      has += (has.empty() ? "; what it has is " : ", ") + stream;
    unknown = std::move(unknown_);
    picture = std::move(rest_.picture);
  }
  if (unknown)
    refuse(std::move(unknown));
  else if (picture)
    read_picture(picture.get());
  else
    give_up([bin = bin_, has] {
      GST_ELEMENT_ERROR(bin, STREAM, WRONG_TYPE, ("There is no video in the source%s.", has.c_str()), (nullptr));
    });
}

VideoSearch::Reader VideoSearch::reader() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return reader_;
}

// Reading anew

static GInputStream *stream_of(GstBuffer *buffer) {
  gpointer copy = nullptr;
  gsize size = 0;
  gst_buffer_extract_dup(buffer, 0, gst_buffer_get_size(buffer), &copy, &size);
  return g_memory_input_stream_new_from_data(copy, static_cast<gssize>(size), g_free);
}

// Reads on from what `prepare` has set up, from another thread: this one is the source's.
void VideoSearch::restart(std::function<bool()> prepare) {
  struct Request {
    std::weak_ptr<VideoSearch> search; // which may have ended by then
    std::function<bool()> prepare;
  };
  const auto run = [](GstElement *, gpointer data) {
    const auto *request = static_cast<Request *>(data);
    const std::shared_ptr<VideoSearch> search = request->search.lock();
    if (!search)
      return;
    const std::lock_guard<std::mutex> lock(search->opening_);
    if (search->stopped_)
      return;
    search->close();
    if (!request->prepare() || !search->reopen())
      search->report_first_error();
  };
  const auto free = [](gpointer data) { delete static_cast<Request *>(data); };
  gst_element_call_async(GST_ELEMENT(bin_), run, new Request{weak_from_this(), std::move(prepare)}, free);
}

// Goes on with the picture in place of the source.
void VideoSearch::read_picture(GstSample *sample) {
  const std::shared_ptr<GstSample> picture(gst_sample_ref(sample), gst_sample_unref);
  restart([this, picture] {
    stream_.reset(stream_of(gst_sample_get_buffer(picture.get())));
    cache_.forget();
    return true;
  });
}

bool VideoSearch::rewind_stream() {
  return !stream_ || g_seekable_seek(G_SEEKABLE(stream_.get()), 0, G_SEEK_SET, nullptr, nullptr);
}

bool VideoSearch::read_again(const std::function<void()> &closed) {
  const std::lock_guard<std::mutex> lock(opening_);
  if (stopped_)
    return true; // it does not matter any more
  GST_DEBUG_OBJECT(bin_, "the source is to be read from its start once more");
  if (containers_.size() != 1 || (stream_ ? !G_IS_SEEKABLE(stream_.get()) : comes_once(uri_)))
    return false;
  close();
  closed();
  return rewind_stream() && reopen();
}

// Opens the source in a bin that is running. False after an error message.
bool VideoSearch::reopen() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    searching_ = 0;
    has_found_ = stopping_ = false;
    rest_ = {};
  }
  if (!open())
    return false;
  // Elements pull from what has been opened.
  gst_element_set_state(source_.get(), GST_STATE_READY);
  for (const Owned<GstElement> &parsebin : parsebins()) {
    g_object_set_data(G_OBJECT(parsebin.get()), kReopened, this);
    if (!gst_element_sync_state_with_parent(parsebin.get()))
      return false;
  }
  gst_element_sync_state_with_parent(source_.get());
  return true;
}

// What comes first in a parsebin puts in the second, whose thread puts in the next: in this order, each thread that
// adds elements has ended before those that it has added are looked at. Not while the parsebin is starting them.
static void stop_children(GstElement *parsebin) {
  std::set<GstElement *> stopped;
  GST_STATE_LOCK(parsebin);
  for (bool more = true; more;) {
    more = false;
    const std::vector<Owned<GstElement>> children = children_of(GST_BIN(parsebin));
    for (auto child = children.rbegin(); child != children.rend() && !more; ++child)
      if ((more = stopped.insert(child->get()).second))
        gst_element_set_state(child->get(), GST_STATE_READY);
  }
  GST_STATE_UNLOCK(parsebin);
}

std::vector<Owned<GstElement>> VideoSearch::parsebins() {
  std::vector<Owned<GstElement>> parsebins;
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const Container &container : containers_)
    parsebins.emplace_back(GST_ELEMENT(gst_object_ref(container.parsebin.get())));
  return parsebins;
}

void VideoSearch::stop() {
  const std::lock_guard<std::mutex> lock(opening_);
  stopped_ = true;
  silence_.stop();
  stop_reading();
  // Another thread may still have this, while the application wants its stream back.
  stream_.reset();
  source_.reset();
  const std::lock_guard<std::mutex> data(mutex_);
  first_error_ = nullptr; // whose message has the source
}

static GstPadProbeReturn refuse_data(GstPad *, GstPadProbeInfo *info, gpointer) {
  return refuse_buffer(info, GST_FLOW_FLUSHING);
}

// Nothing more comes out of a demuxer whose thread cannot be waited for.
static void shut(GstElement *demuxer) {
  const auto shut_pad = [](GstElement *, GstPad *pad, gpointer) -> gboolean {
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, refuse_data, nullptr, nullptr);
    return TRUE;
  };
  gst_element_foreach_src_pad(demuxer, shut_pad, nullptr);
}

// avformatdemux has no queue behind it: once there is a video its thread may be waiting in a sink, until that stops.
void VideoSearch::stop_reading() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
    for (Container &container : containers_)
      container.pads.stop();
  }
  { const std::lock_guard<std::mutex> linked(linking_); }
  // The demuxer first: what comes into a parser that has been stopped, and is started once more by its bin, is an
  // error.
  const std::vector<Owned<GstElement>> readers = parsebins();
  for (const Owned<GstElement> &reader : readers)
    if (!GST_IS_BIN(reader.get())) {
      shut(reader.get());
      if (!has_found())
        gst_element_set_state(reader.get(), GST_STATE_READY);
    }
  for (const Owned<GstElement> &reader : readers)
    if (GST_IS_BIN(reader.get()))
      stop_children(reader.get());
}

// Takes the source and what parses it out of the bin.
void VideoSearch::close() {
  for (const Owned<GstElement> &reader : parsebins())
    gst_element_set_locked_state(reader.get(), TRUE); // the bin may be on its way up
  stop_reading();
  for (const Container &container : containers_) {
    drop_part(bin_, container.parsebin.get());
    for (const Owned<GstElement> &parser : container.parsers)
      drop_part(bin_, parser.get());
  }
  drop_part(bin_, source_.get());
  containers_.clear();
  source_.reset();
}

bool VideoSearch::is_own_affair(GstMessage *message) {
  const GstMessageType type = GST_MESSAGE_TYPE(message);
  return (type == GST_MESSAGE_ASYNC_START || type == GST_MESSAGE_ASYNC_DONE) &&
         g_object_get_data(G_OBJECT(GST_MESSAGE_SRC(message)), kReopened);
}

Owned<GstCaps> VideoSearch::take_unknown() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return has_found_ ? nullptr : std::move(unknown_);
}

bool VideoSearch::has_found() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return has_found_;
}

} // namespace cps
