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

// Set on elements that are opened while the bin is running.
static const char *const kReopened = "cps-reopened";

// Interval of the checks for elements that have reached the end without reporting it.
constexpr GstClockTime kSilence = GST_SECOND / 2;

VideoSearch::Container::Container(VideoSearch &owner, int track, GstElement *element)
    : search(owner), parsebin(GST_ELEMENT(gst_object_ref(element))), pads(track, *this) {}

// Disconnects first, because parsebin removes its pads even when it is freed.
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
  if (!open())
    return false;
  gst_element_set_locked_state(source_.get(), FALSE);
  return true;
}

bool VideoSearch::open() {
  GstElement *source = make_source();
  if (!source)
    return false;
  source_.reset(GST_ELEMENT(gst_object_ref(source)));
  if (const Owned<GstPad> pad{gst_element_get_static_pad(source, "src")}) {
    stop_futile_pulls(pad.get(), [this] { return !has_found(); });
    cache_.serve(pad.get()); // last, because other probes do not see the pulls that it answers
    if (!stream_ && comes_once(uri_))
      refuse_pulls(pad.get());
    return parse(pad.get()) != nullptr;
  }
  searching_ = 1;
  g_signal_connect(source, "pad-added", G_CALLBACK(on_source_pad), this);
  g_signal_connect(source, "no-more-pads", G_CALLBACK(on_no_more_source_pads), this);
  return true;
}

// rtspsrc waits two seconds for packets that arrive out of order. Networks that cameras are in reorder by far less.
static void shorten_latency(GstElement *source) {
  if (is_made_by(source, "rtspsrc"))
    g_object_set(source, "latency", 200u, nullptr); // ms
}

// Returns nullptr after posting an error.
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
    shorten_latency(source);
    gst_element_set_locked_state(source, TRUE); // until it is known to open: its failure is none of the bin's change
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

// Adds a parsebin or avformatdemux for `pad`. It starts to read as soon as it is in PAUSED. Returns nullptr after
// posting an error.
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

// True if the source may name others. Only for a URL from the application, because the application does not know the
// contents of a file.
bool VideoSearch::may_refer() const {
  return policy_.playlists && !stream_ &&
         (gst_uri_has_protocol(uri_.c_str(), "http") || gst_uri_has_protocol(uri_.c_str(), "https"));
}

void VideoSearch::refuse_reference(const std::string &name) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (std::exchange(has_found_, true)) // suppresses other errors about the contents
      return;
  }
  post_reference_error(bin_, name);
}

GValueArray *VideoSearch::on_autoplug_sort(GstElement *, GstPad *, GstCaps *, GValueArray *factories, gpointer) {
  return better_demuxers(factories);
}

// Excludes elements that would open other sources, for types that reference_name() does not know.
gint VideoSearch::on_autoplug_select(GstElement *, GstPad *, GstCaps *caps, GstElementFactory *factory,
                                     VideoSearch *self) {
  const bool skip = !self->may_refer() && opens_others(factory);
  GST_DEBUG_OBJECT(self->bin_, "parsebin tries %s: %s", GST_OBJECT_NAME(factory),
                   skip ? "refused, because it opens other sources" : "allowed");
  if (skip)
    self->refuse_reference(gst_structure_get_name(gst_caps_get_structure(caps, 0)));
  return skip ? 2 : 0; // values of GstAutoplugSelectResult, which is in no header
}

// Audio and subtitles are not parsed. The first caps are exempt, because they are the source's and may be those of a
// container.
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

// parsebin adds no pad for a stream that has neither parser nor decoder.
void VideoSearch::on_unknown_type(GstElement *, GstPad *, GstCaps *caps, VideoSearch *self) {
  GST_INFO_OBJECT(self->bin_, "neither parser nor decoder: %" GST_PTR_FORMAT, caps);
  const std::lock_guard<std::mutex> lock(self->mutex_);
  if (is_video(caps) || is_encrypted_video(caps))
    self->unknown_.reset(gst_caps_ref(caps));
}

// Adds a parser if the stream of `pad` needs one. Returns the parser's pad, else `pad`.
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
  if (!gst_caps_is_fixed(caps.get())) // the pad is being stopped
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

// Call when a part of the source has announced all of its streams. If no part has a video, reads the picture in the
// audio's tags if there is one, else reports that there is no video.
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

// Reading again

static GInputStream *stream_of(GstBuffer *buffer) {
  gpointer copy = nullptr;
  gsize size = 0;
  gst_buffer_extract_dup(buffer, 0, gst_buffer_get_size(buffer), &copy, &size);
  return g_memory_input_stream_new_from_data(copy, static_cast<gssize>(size), g_free);
}

// Opens the source that `prepare` sets up, on another thread, because the current one belongs to the old source.
void VideoSearch::restart(std::function<bool()> prepare) {
  struct Request {
    std::weak_ptr<VideoSearch> search; // it may have ended by then
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

// Reads the picture instead of the source.
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
    return true; // the result no longer matters
  GST_DEBUG_OBJECT(bin_, "the source is to be read from its start once more");
  if (containers_.size() != 1 || (stream_ ? !G_IS_SEEKABLE(stream_.get()) : comes_once(uri_)))
    return false;
  close();
  closed();
  return rewind_stream() && reopen();
}

bool VideoSearch::open_again(const std::function<void()> &closed) {
  const std::lock_guard<std::mutex> lock(opening_);
  if (stopped_)
    return true; // the result no longer matters
  close();
  closed();
  return reopen();
}

// Opens the source in a running bin. Returns false after posting an error.
bool VideoSearch::reopen() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    searching_ = 0;
    has_found_ = stopping_ = false;
    rest_ = {};
  }
  if (!open())
    return false;
  // The source comes first, because the other elements pull from it.
  gst_element_set_state(source_.get(), GST_STATE_READY);
  for (const Owned<GstElement> &parsebin : parsebins()) {
    g_object_set_data(G_OBJECT(parsebin.get()), kReopened, this);
    if (!gst_element_sync_state_with_parent(parsebin.get()))
      return false;
  }
  if (!gst_element_sync_state_with_parent(source_.get())) {
    gst_element_set_state(source_.get(), GST_STATE_NULL); // bins fail if an error comes meanwhile, but run
    return false;
  }
  gst_element_set_locked_state(source_.get(), FALSE);
  return gst_element_sync_state_with_parent(source_.get()); // the state of the bin may have changed meanwhile
}

// Elements in parsebin add the next one on their own streaming thread. They are stopped in the order in which they were
// added: a stopped element adds no more, so that the list after it is final. The state lock prevents parsebin from
// starting them meanwhile.
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
  // Releases the stream here, because another thread may still hold this object while the application needs its stream.
  stream_.reset();
  source_.reset();
  const std::lock_guard<std::mutex> data(mutex_);
  first_error_ = nullptr; // because it may hold the source
}

static GstPadProbeReturn refuse_data(GstPad *, GstPadProbeInfo *info, gpointer) {
  return refuse_buffer(info, GST_FLOW_FLUSHING);
}

// Blocks the output of a demuxer whose thread cannot be waited for.
static void shut(GstElement *demuxer) {
  const auto shut_pad = [](GstElement *, GstPad *pad, gpointer) -> gboolean {
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, refuse_data, nullptr, nullptr);
    return TRUE;
  };
  gst_element_foreach_src_pad(demuxer, shut_pad, nullptr);
}

// avformatdemux has no queue after it: once there is a video, its thread may block in a sink until that stops.
void VideoSearch::stop_reading() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
    for (Container &container : containers_)
      container.pads.stop();
  }
  { const std::lock_guard<std::mutex> linked(linking_); }
  // Stops the demuxer first, because data that reach a stopped parser after its bin has restarted it cause an error.
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

// Removes the source and the elements that parse it from the bin.
void VideoSearch::close() {
  for (const Owned<GstElement> &reader : parsebins())
    gst_element_set_locked_state(reader.get(), TRUE); // the bin may be changing state upwards
  stop_reading();
  for (const Container &container : containers_) {
    drop_part(bin_, container.parsebin.get());
    for (const Owned<GstElement> &parser : container.parsers)
      drop_part(bin_, parser.get());
  }
  if (source_) // not if the last attempt to open it has failed
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
