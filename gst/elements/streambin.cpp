// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/streambin.h"

#include "gst/elements/backend.h"
#include "gst/elements/decoders.h"
#include "gst/elements/frameplanner.h"
#include "gst/elements/losterrors.h"
#include "gst/elements/memorykind.h"
#include "gst/elements/uniformsampler.h"
#include "gst/elements/videotrack.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <gio/gio.h>
#include <gst/pbutils/missing-plugins.h>
#include <list>
#include <mutex>
#include <string>
#include <vector>

GST_DEBUG_CATEGORY_STATIC(stream_bin_debug);
#define GST_CAT_DEFAULT stream_bin_debug

using cps::Backend;
using cps::ObjectLock;
using cps::Owned;

enum {
  PROP_0,
  PROP_URI,
  PROP_STREAM,
  PROP_VIDEO_TRACK,
  PROP_APPLY_ROTATION,
  PROP_DECODE_BACKEND,
  PROP_PROCESS_BACKEND,
  PROP_DECODE_DEVICE_ID,
  PROP_PROCESS_DEVICE_ID,
  PROP_DECODE_THREADS,
  PROP_DECODE_THREAD_TYPE,
  PROP_RESOLVED_DECODE_BACKEND,
  PROP_RESOLVED_PROCESS_BACKEND,
  PROP_RESOLVED_DECODER,
  PROP_OF_AN_ELEMENT, // and all that follow
};

namespace {

struct UnrefStream {
  void operator()(GInputStream *stream) const { g_clear_object(&stream); }
};

struct Settings {
  std::string uri;
  std::shared_ptr<GInputStream> stream;
  gint video_track = -1;
  bool apply_rotation = true;
  Backend decode = Backend::Auto;
  Backend process = Backend::Auto;
  gint decode_device_id = 0;
  gint process_device_id = 0;
  guint decode_threads = 0;
  cps::ThreadType decode_thread_type = cps::ThreadType::Auto;
};

// What a parsebin has shown. Filled in on its thread.
struct Container {
  CpsStreamBin *bin = nullptr;
  std::vector<Owned<GstPad>> videos;
  std::vector<std::string> others;   // for people
  bool typed = false;                // its own type is known
  std::atomic<bool> complete{false}; // some demuxers have a thread for each pad
};

// What became of them; empty before it is known.
struct Resolved {
  std::string decode_backend;
  std::string process_backend;
  std::string decoder;
};

} // namespace

struct CpsStreamBinPrivate {
  // Object lock
  Settings settings;
  Resolved resolved;

  // From construction on. The bin owns them.
  GstPad *srcpad = nullptr;
  GstElement *planner = nullptr;
  GstElement *sampler = nullptr;
  std::vector<GstElement *> stages;

  // From READY to PAUSED on, fixed
  Settings running;
  Backend decode = Backend::Auto; // what is tried first
  Backend process = Backend::Cpu;

  std::mutex mutex;   // all below
  int searching = 0;  // parts of the source that may still show pads
  bool found = false; // a video
  std::vector<std::string> others;
  Owned<GstCaps> undecodable;      // of a video that no element here takes
  std::list<Container> containers; // each belongs to its parsebin's thread
};

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE(CpsStreamBin, cps_stream_bin, GST_TYPE_BIN)

using State = CpsStreamBinPrivate;

static State &state_of(gpointer self) {
  return *static_cast<State *>(cps_stream_bin_get_instance_private(CPS_STREAM_BIN(self)));
}

// Elements

// Marks what is there for one stream only.
static const char *const kOfTheStream = "cps-of-the-stream";

static bool refuse_missing(CpsStreamBin *self, const char *factory) {
  gst_element_post_message(GST_ELEMENT(self), gst_missing_element_message_new(GST_ELEMENT(self), factory));
  GST_ELEMENT_ERROR(self, CORE, MISSING_PLUGIN,
                    ("There is no element \"%s\": the GStreamer plugin that has it is not installed.", factory),
                    (nullptr));
  return false;
}

static void add_element(CpsStreamBin *self, GstElement *element) {
  g_object_set_data(G_OBJECT(element), kOfTheStream, element);
  gst_bin_add(GST_BIN(self), element);
}

// nullptr after an error message.
static GstElement *make_element(CpsStreamBin *self, const char *factory) {
  GstElement *element = gst_element_factory_make(factory, nullptr);
  if (element)
    add_element(self, element);
  else
    refuse_missing(self, factory);
  return element;
}

static void drop_element(CpsStreamBin *self, GstElement *element) {
  gst_element_set_state(element, GST_STATE_NULL);
  gst_bin_remove(GST_BIN(self), element);
}

static void drop_stream(CpsStreamBin *self) {
  State &state = state_of(self);
  gst_ghost_pad_set_target(GST_GHOST_PAD(state.srcpad), nullptr);
  std::vector<Owned<GstElement>> elements;
  {
    const ObjectLock lock(self);
    for (const GList *item = GST_BIN(self)->children; item; item = item->next)
      if (g_object_get_data(G_OBJECT(item->data), kOfTheStream))
        elements.emplace_back(GST_ELEMENT(gst_object_ref(item->data)));
  }
  for (const Owned<GstElement> &element : elements)
    drop_element(self, element.get());
  for (size_t i = 0; i + 1 < state.stages.size(); i++)
    gst_element_unlink(state.stages[i], state.stages[i + 1]);
  if (!state.stages.empty())
    gst_element_unlink(state.sampler, state.stages.front());
  state.running.stream.reset(); // the application may have dropped it, too

  std::list<Container> containers;
  const std::lock_guard<std::mutex> lock(state.mutex);
  containers.swap(state.containers);
  state.others.clear();
  state.undecodable.reset();
  state.searching = 0;
  state.found = false;
}

// From the sampler to the source pad

static GstElement *make_capsfilter(CpsStreamBin *self, bool cuda) {
  GstElement *filter = make_element(self, "capsfilter");
  if (filter) {
    const Owned<GstCaps> caps(gst_caps_from_string(cuda ? "video/x-raw(memory:CUDAMemory)" : "video/x-raw"));
    g_object_set(filter, "caps", caps.get(), nullptr);
  }
  return filter;
}

// Appends cudaupload or cudadownload, which would rather pass frames on as they are, and what makes them copy.
static bool add_copy(CpsStreamBin *self, bool to_gpu, int device_id, std::vector<GstElement *> &chain) {
  const char *factory = to_gpu ? "cudaupload" : "cudadownload";
  GstElement *copy = gst_element_factory_make(factory, nullptr);
  if (!copy)
    return refuse_missing(self, factory);
  g_object_set(copy, "cuda-device-id", device_id, nullptr);
  cps::give_primary_context(copy, device_id); // it keeps the first; a bin gives what it knows, of whatever GPU
  add_element(self, copy);
  GstElement *filter = make_capsfilter(self, to_gpu);
  if (!filter)
    return false;
  chain.insert(chain.end(), {copy, filter});
  return true;
}

// Appends what keeps cudadownload from writing into memory that cudaupload offers: of the other GPU, though the caps
// say system memory.
static bool add_border(CpsStreamBin *self, std::vector<GstElement *> &chain) {
  GstElement *identity = make_element(self, "identity");
  if (!identity)
    return false;
  g_object_set(identity, "drop-allocation", TRUE, "silent", TRUE, nullptr);
  chain.push_back(identity);
  return true;
}

// Appends what turns frames in system memory.
static bool add_flip(CpsStreamBin *self, std::vector<GstElement *> &chain) {
  GstElement *convert = make_element(self, "videoconvert"); // videoflip lacks a few formats
  GstElement *flip = convert ? make_element(self, "videoflip") : nullptr;
  if (!flip)
    return false;
  gst_util_set_object_arg(G_OBJECT(flip), "video-direction", "auto");
  chain.insert(chain.end(), {convert, flip});
  return true;
}

// Links all behind the sampler for frames that are decoded on `decoded`. False after an error message.
static bool link_output(CpsStreamBin *self, Backend decoded, bool turned) {
  State &state = state_of(self);
  GST_INFO_OBJECT(self, "decoded on the %s%s", cps::backend_name(decoded), turned ? ", to be turned" : "");
  const bool from_gpu = decoded == Backend::Gpu, to_gpu = state.process == Backend::Gpu;
  const int from = state.running.decode_device_id, to = state.running.process_device_id;
  const bool flip = turned && state.stages.empty();
  const bool in_system_memory = !from_gpu || !to_gpu || from != to || flip;

  std::vector<GstElement *> chain = {state.sampler};
  if (from_gpu && in_system_memory && !add_copy(self, false, from, chain))
    return false;
  if (flip && !add_flip(self, chain))
    return false;
  if (from_gpu && to_gpu && from != to && !add_border(self, chain))
    return false;
  if (to_gpu && in_system_memory && !add_copy(self, true, to, chain))
    return false;
  for (GstElement *stage : state.stages) {
    g_object_set(stage, "cuda-device-id", to_gpu ? to : -1, nullptr);
    if (to_gpu)
      cps::give_primary_context(stage, to);
    chain.push_back(stage);
  }

  for (size_t i = 0; i + 1 < chain.size(); i++)
    if (!gst_element_link(chain[i], chain[i + 1])) {
      GST_ELEMENT_ERROR(self, CORE, NEGOTIATION, ("The elements of this bin do not fit together."),
                        ("%s and %s", GST_OBJECT_NAME(chain[i]), GST_OBJECT_NAME(chain[i + 1])));
      return false;
    }
  const Owned<GstPad> last(gst_element_get_static_pad(chain.back(), "src"));
  gst_ghost_pad_set_target(GST_GHOST_PAD(state.srcpad), last.get());
  for (auto element = chain.rbegin(); element != chain.rend(); ++element)
    gst_element_sync_state_with_parent(*element);
  return true;
}

// From the video to the sampler

static bool link_pad(GstPad *pad, GstElement *to) {
  const Owned<GstPad> sinkpad(gst_element_get_static_pad(to, "sink"));
  return gst_pad_link(pad, sinkpad.get()) == GST_PAD_LINK_OK;
}

// A decoder that is set up and in READY; nullptr where its hardware is not there. Outside of the bin, whose bus is not
// to hear what is wrong with decoders that others stand in for.
static Owned<GstElement> open_decoder(const Settings &settings, GstElementFactory *factory, Backend backend) {
  GstElement *created = gst_element_factory_create(factory, nullptr);
  if (!created)
    return nullptr;
  Owned<GstElement> decoder(GST_ELEMENT(gst_object_ref_sink(created)));
  if (backend == Backend::Gpu) {
    if (cps::is_on_other_gpu(created, settings.decode_device_id))
      return nullptr;
    cps::give_primary_context(created, settings.decode_device_id);
  }
  cps::set_decoder_threads(created, settings.decode_threads, settings.decode_thread_type);
  if (gst_element_set_state(created, GST_STATE_READY) != GST_STATE_CHANGE_FAILURE)
    return decoder;
  gst_element_set_state(created, GST_STATE_NULL);
  return nullptr;
}

// Puts the decoder between `pad` and the sampler. False, and nothing has changed, where it does not fit.
static bool try_decoder(CpsStreamBin *self, GstPad *pad, GstElementFactory *factory, Backend backend) {
  State &state = state_of(self);
  const Owned<GstElement> opened = open_decoder(state.running, factory, backend);
  GstElement *decoder = opened.get(), *last = decoder;
  if (decoder) {
    add_element(self, decoder);
    if (backend == Backend::Gpu)
      last = make_capsfilter(self, true); // it could put out copies in system memory, too
    const bool joined = last && (last == decoder || gst_element_link(decoder, last));
    if (joined && link_pad(pad, decoder) && gst_element_link(last, state.sampler)) {
      if (last != decoder)
        gst_element_sync_state_with_parent(last);
      gst_element_sync_state_with_parent(decoder);
      return true;
    }
    if (last && last != decoder)
      drop_element(self, last);
    drop_element(self, decoder);
  }
  GST_DEBUG_OBJECT(self, "%s does not do", GST_OBJECT_NAME(factory));
  return false;
}

static bool try_decoders(CpsStreamBin *self, GstPad *pad, const GstCaps *caps, Backend backend) {
  const std::vector<Owned<GstElementFactory>> factories =
      backend == Backend::Gpu ? cps::gpu_decoders(caps) : cps::cpu_decoders(caps);
  const auto found = std::find_if(factories.begin(), factories.end(), [&](const Owned<GstElementFactory> &factory) {
    return try_decoder(self, pad, factory.get(), backend);
  });
  if (found == factories.end())
    return false;
  const ObjectLock lock(self);
  state_of(self).resolved.decoder = GST_OBJECT_NAME(found->get());
  return true;
}

static void refuse_codec(CpsStreamBin *self, GstCaps *caps) {
  const State &state = state_of(self);
  if (state.running.decode == Backend::Gpu) {
    GST_ELEMENT_ERROR(self, LIBRARY, INIT,
                      ("GPU %d has no decoder for %s here: decode-backend=auto or cpu decodes it on the CPU.",
                       state.running.decode_device_id, cps::describe(caps).c_str()),
                      (nullptr));
    return;
  }
  gst_element_post_message(GST_ELEMENT(self), gst_missing_decoder_message_new(GST_ELEMENT(self), caps));
  GST_ELEMENT_ERROR(self, STREAM, CODEC_NOT_FOUND,
                    ("No decoder for %s is installed; the plugin libav has most.", cps::describe(caps).c_str()),
                    (nullptr));
}

// Links a decoder for the video, and says where it decodes. Auto after an error message.
static Backend link_decoder(CpsStreamBin *self, GstPad *pad, GstCaps *caps) {
  const State &state = state_of(self);
  if (gst_structure_has_name(gst_caps_get_structure(caps, 0), "video/x-raw") && state.running.decode != Backend::Gpu)
    return link_pad(pad, state.sampler) ? Backend::Cpu : Backend::Auto;
  if (state.decode == Backend::Gpu && try_decoders(self, pad, caps, Backend::Gpu))
    return Backend::Gpu;
  if (state.running.decode != Backend::Gpu && try_decoders(self, pad, caps, Backend::Cpu))
    return Backend::Cpu;
  refuse_codec(self, caps);
  return Backend::Auto;
}

static bool link_video(CpsStreamBin *self, GstPad *video) {
  State &state = state_of(self);
  const Owned<GstCaps> caps = cps::stream_caps(video);
  GST_INFO_OBJECT(self, "reads %s, %" GST_PTR_FORMAT, GST_OBJECT_NAME(video), caps.get());
  const Owned<GstPad> planned(gst_element_get_static_pad(state.planner, "sink"));
  const Owned<GstCaps> plannable(gst_pad_get_pad_template_caps(planned.get()));
  const Owned<GstPad> planner_src(gst_element_get_static_pad(state.planner, "src"));
  GstPad *coded = video;
  if (gst_caps_is_subset(caps.get(), plannable.get()) && gst_pad_link(video, planned.get()) == GST_PAD_LINK_OK)
    coded = planner_src.get();
  gst_element_sync_state_with_parent(state.planner); // the source may be ahead of it

  const Backend decoded = link_decoder(self, coded, caps.get());
  if (decoded == Backend::Auto)
    return false;
  {
    const ObjectLock lock(self);
    state.resolved.decode_backend = cps::backend_name(decoded);
  }
  g_object_notify(G_OBJECT(self), "resolved-decode-backend");
  g_object_notify(G_OBJECT(self), "resolved-decoder");
  return link_output(self, decoded, state.running.apply_rotation && cps::orientation_of(video) != "rotate-0");
}

// The streams of the source

static std::string list_of(const std::vector<std::string> &texts) {
  std::string list;
  for (const std::string &text : texts)
    list += (list.empty() ? "" : ", ") + text;
  return list;
}

// nullptr after an error message.
static GstPad *choose_video(CpsStreamBin *self, const std::vector<Owned<GstPad>> &videos) {
  const gint track = state_of(self).running.video_track;
  if (track < 0)
    return cps::best_video(videos);
  if (track < static_cast<gint>(videos.size()))
    return videos[static_cast<size_t>(track)].get();
  GST_ELEMENT_ERROR(self, RESOURCE, SETTINGS,
                    ("video-track is %d, but the last track of video is %zu.", track, videos.size() - 1), (nullptr));
  return nullptr;
}

// Another part of the source has shown all that it has. Without a video in any of them there is nothing to do.
static void end_search(CpsStreamBin *self, const std::vector<std::string> &others) {
  State &state = state_of(self);
  std::string has;
  Owned<GstCaps> undecodable;
  {
    const std::lock_guard<std::mutex> lock(state.mutex);
    state.others.insert(state.others.end(), others.begin(), others.end());
    if (--state.searching > 0 || state.found)
      return;
    has = state.others.empty() ? "" : "; what it has is " + list_of(state.others);
    undecodable = std::move(state.undecodable);
  }
  if (undecodable) {
    refuse_codec(self, undecodable.get());
    return;
  }
  GST_ELEMENT_ERROR(self, STREAM, WRONG_TYPE, ("There is no video in the source%s.", has.c_str()), (nullptr));
}

// Data comes: all pads of the container are there, with caps and tags, and the video can still be linked.
static GstPadProbeReturn on_first_data(GstPad *, GstPadProbeInfo *info, gpointer data) {
  auto &container = *static_cast<Container *>(data);
  if (GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM) {
    const GstEventType type = GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info));
    if (type != GST_EVENT_GAP && type != GST_EVENT_EOS)
      return GST_PAD_PROBE_OK;
  }
  if (container.complete.exchange(true))
    return GST_PAD_PROBE_REMOVE;

  State &state = state_of(container.bin);
  bool first = false;
  if (!container.videos.empty()) {
    const std::lock_guard<std::mutex> lock(state.mutex);
    first = !state.found;
    state.found = true;
  }
  end_search(container.bin, container.others);
  if (first)
    if (GstPad *video = choose_video(container.bin, container.videos))
      link_video(container.bin, video);
  container.videos.clear();
  return GST_PAD_PROBE_REMOVE;
}

static void on_parsed_pad(GstElement *, GstPad *pad, Container *container) {
  const Owned<GstCaps> caps = cps::stream_caps(pad);
  GST_DEBUG_OBJECT(container->bin, "%s has %" GST_PTR_FORMAT, GST_OBJECT_NAME(pad), caps.get());
  if (cps::is_video(caps.get()))
    container->videos.emplace_back(GST_PAD(gst_object_ref(pad)));
  else
    container->others.push_back(cps::describe(caps.get()));
  gst_pad_add_probe(pad,
                    static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST |
                                                 GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM),
                    on_first_data, container, nullptr);
}

// Sound and subtitles are not even parsed. (The first caps are those of the source, and may be those of a container.)
static gboolean on_autoplug_continue(GstElement *, GstPad *, GstCaps *caps, Container *container) {
  const char *media = gst_structure_get_name(gst_caps_get_structure(caps, 0));
  return !std::exchange(container->typed, true) ||
         (!g_str_has_prefix(media, "audio/") && !g_str_has_prefix(media, "text/") &&
          !g_str_has_prefix(media, "subpicture/") && !g_str_has_prefix(media, "closedcaption/"));
}

// It shows no pad for what has neither parser nor decoder.
static void on_unknown_type(GstElement *, GstPad *, GstCaps *caps, CpsStreamBin *self) {
  State &state = state_of(self);
  const std::lock_guard<std::mutex> lock(state.mutex);
  if (cps::is_video(caps))
    state.undecodable.reset(gst_caps_ref(caps));
}

// A parsebin for `pad`, which it starts to read from as soon as it is in PAUSED. nullptr after an error message.
static GstElement *parse(CpsStreamBin *self, GstPad *pad) {
  State &state = state_of(self);
  GstElement *parsebin = make_element(self, "parsebin");
  if (!parsebin)
    return nullptr;
  Container *container = nullptr;
  {
    const std::lock_guard<std::mutex> lock(state.mutex);
    state.searching++;
    container = &state.containers.emplace_back();
    container->bin = self;
  }
  cps::keep_errors(parsebin);
  g_signal_connect(parsebin, "pad-added", G_CALLBACK(on_parsed_pad), container);
  g_signal_connect(parsebin, "autoplug-continue", G_CALLBACK(on_autoplug_continue), container);
  g_signal_connect(parsebin, "unknown-type", G_CALLBACK(on_unknown_type), self);
  if (!link_pad(pad, parsebin)) {
    GST_ELEMENT_ERROR(self, CORE, NEGOTIATION, ("What the source puts out cannot be parsed."), (nullptr));
    return nullptr;
  }
  return parsebin;
}

static void on_source_pad(GstElement *, GstPad *pad, CpsStreamBin *self) {
  if (GstElement *parsebin = parse(self, pad))
    gst_element_sync_state_with_parent(parsebin);
}

static void on_no_more_source_pads(GstElement *, CpsStreamBin *self) {
  end_search(self, {});
}

// The element that reads what is asked for. nullptr after an error message.
static GstElement *make_source(CpsStreamBin *self) {
  const Settings &settings = state_of(self).running;
  if (settings.stream) {
    GstElement *source = make_element(self, "giostreamsrc");
    if (source)
      g_object_set(source, "stream", settings.stream.get(), nullptr);
    return source;
  }
  if (settings.uri.empty()) {
    GST_ELEMENT_ERROR(self, RESOURCE, NOT_FOUND, ("There is nothing to read: set uri."), (nullptr));
    return nullptr;
  }
  const char *uri = settings.uri.c_str();
  if (!gst_uri_is_valid(uri)) {
    GST_ELEMENT_ERROR(self, RESOURCE, NOT_FOUND,
                      ("uri is \"%s\", which is none: that of a file begins with file:///.", uri), (nullptr));
    return nullptr;
  }
  GError *error = nullptr;
  GstElement *source = gst_element_make_from_uri(GST_URI_SRC, uri, nullptr, &error);
  if (!source) {
    if (g_error_matches(error, GST_URI_ERROR, GST_URI_ERROR_UNSUPPORTED_PROTOCOL)) {
      const Owned<gchar> protocol(gst_uri_get_protocol(uri));
      gst_element_post_message(GST_ELEMENT(self),
                               gst_missing_uri_source_message_new(GST_ELEMENT(self), protocol.get()));
    }
    GST_ELEMENT_ERROR(self, RESOURCE, NOT_FOUND, ("Nothing here reads \"%s\": %s.", uri, error ? error->message : ""),
                      (nullptr));
    g_clear_error(&error);
    return nullptr;
  }
  add_element(self, source);
  return source;
}

// The source and what parses it, for the bin's change of state to start when its pads are active.
static bool read_source(CpsStreamBin *self) {
  GstElement *source = make_source(self);
  if (!source)
    return false;
  if (const Owned<GstPad> pad{gst_element_get_static_pad(source, "src")})
    return parse(self, pad.get()) != nullptr;
  state_of(self).searching = 1;
  g_signal_connect(source, "pad-added", G_CALLBACK(on_source_pad), self);
  g_signal_connect(source, "no-more-pads", G_CALLBACK(on_no_more_source_pads), self);
  return true;
}

// Backends

// `stage` is "decode" or "process".
static bool refuse_gpu(CpsStreamBin *self, const char *stage, gint device_id, const std::string &why) {
  GST_ELEMENT_ERROR(self, LIBRARY, INIT,
                    ("%s-backend=gpu cannot be had with %s-device-id=%d: %s.", stage, stage, device_id, why.c_str()),
                    (nullptr));
  return false;
}

// What auto means depends on the machine alone. False after an error message.
static bool resolve_backends(CpsStreamBin *self) {
  State &state = state_of(self);
  const Settings &settings = state.running;
  std::string why;
  state.decode = settings.decode;
  if (settings.decode != Backend::Cpu) {
    const bool works = cps::gpu_works(settings.decode_device_id, why);
    if (!works && settings.decode == Backend::Gpu)
      return refuse_gpu(self, "decode", settings.decode_device_id, why);
    state.decode = works ? Backend::Gpu : Backend::Cpu;
  }
  state.process = settings.process == Backend::Auto ? state.decode : settings.process;
  if (state.process == Backend::Gpu && !cps::gpu_works(settings.process_device_id, why))
    return refuse_gpu(self, "process", settings.process_device_id, why);
  {
    const ObjectLock lock(self);
    state.resolved.process_backend = cps::backend_name(state.process);
  }
  g_object_notify(G_OBJECT(self), "resolved-process-backend");
  return true;
}

// GstElement

static bool begin_stream(CpsStreamBin *self) {
  State &state = state_of(self);
  {
    const ObjectLock lock(self);
    state.running = state.settings;
    state.resolved = {};
  }
  for (const char *name : {"resolved-decode-backend", "resolved-process-backend", "resolved-decoder"})
    g_object_notify(G_OBJECT(self), name);
  return resolve_backends(self) && read_source(self);
}

static GstStateChangeReturn stream_bin_change_state(GstElement *element, GstStateChange transition) {
  auto *self = CPS_STREAM_BIN(element);
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED && !begin_stream(self)) {
    drop_stream(self);
    return GST_STATE_CHANGE_FAILURE;
  }
  const GstStateChangeReturn result = GST_ELEMENT_CLASS(cps_stream_bin_parent_class)->change_state(element, transition);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY ||
      (transition == GST_STATE_CHANGE_READY_TO_PAUSED && result == GST_STATE_CHANGE_FAILURE))
    drop_stream(self);
  return result;
}

// True for the error of a parsebin that has found nothing but a video which is not to be decoded: it does not say so.
static bool is_about_decoders(GstMessage *message) {
  GError *error = nullptr;
  gst_message_parse_error(message, &error, nullptr);
  const bool missing = g_error_matches(error, GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN);
  g_error_free(error);
  return missing;
}

static void stream_bin_handle_message(GstBin *bin, GstMessage *message) {
  auto *self = CPS_STREAM_BIN(bin);
  State &state = state_of(self);
  const bool is_error = GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR;
  if (is_error)
    cps::note_error(message);
  Owned<GstCaps> undecodable;
  if (is_error && is_about_decoders(message)) {
    const std::lock_guard<std::mutex> lock(state.mutex);
    undecodable = std::move(state.undecodable);
  }
  if (undecodable) {
    gst_message_unref(message);
    refuse_codec(self, undecodable.get());
    return;
  }
  GST_BIN_CLASS(cps_stream_bin_parent_class)->handle_message(bin, message);
}

// GObject

// The element whose property it is in truth.
static GObject *owner_of(const State &state, const GParamSpec *spec) {
  for (GstElement *stage : state.stages)
    if (g_object_class_find_property(G_OBJECT_GET_CLASS(stage), spec->name))
      return G_OBJECT(stage);
  const bool planned = g_object_class_find_property(G_OBJECT_GET_CLASS(state.planner), spec->name);
  return G_OBJECT(planned ? state.planner : state.sampler);
}

static void stream_bin_set_property(GObject *object, guint id, const GValue *value, GParamSpec *spec) {
  State &state = state_of(object);
  if (id >= PROP_OF_AN_ELEMENT) {
    g_object_set_property(owner_of(state, spec), spec->name, value);
    return;
  }
  std::shared_ptr<GInputStream> replaced; // let go of without the lock
  const ObjectLock lock(object);
  Settings &settings = state.settings;
  switch (id) {
  case PROP_URI:
    settings.uri = g_value_get_string(value) ? g_value_get_string(value) : "";
    break;
  case PROP_STREAM:
    replaced = std::exchange(settings.stream, {static_cast<GInputStream *>(g_value_dup_object(value)), UnrefStream()});
    break;
  case PROP_VIDEO_TRACK:
    settings.video_track = g_value_get_int(value);
    break;
  case PROP_APPLY_ROTATION:
    settings.apply_rotation = g_value_get_boolean(value);
    break;
  case PROP_DECODE_BACKEND:
    settings.decode = static_cast<Backend>(g_value_get_enum(value));
    break;
  case PROP_PROCESS_BACKEND:
    settings.process = static_cast<Backend>(g_value_get_enum(value));
    break;
  case PROP_DECODE_DEVICE_ID:
    settings.decode_device_id = g_value_get_int(value);
    break;
  case PROP_PROCESS_DEVICE_ID:
    settings.process_device_id = g_value_get_int(value);
    break;
  case PROP_DECODE_THREADS:
    settings.decode_threads = g_value_get_uint(value);
    break;
  case PROP_DECODE_THREAD_TYPE:
    settings.decode_thread_type = static_cast<cps::ThreadType>(g_value_get_enum(value));
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

static void stream_bin_get_property(GObject *object, guint id, GValue *value, GParamSpec *spec) {
  const State &state = state_of(object);
  if (id >= PROP_OF_AN_ELEMENT) {
    g_object_get_property(owner_of(state, spec), spec->name, value);
    return;
  }
  auto set_text = [value](const std::string &text) {
    g_value_set_string(value, text.empty() ? nullptr : text.c_str());
  };
  const ObjectLock lock(object);
  const Settings &settings = state.settings;
  switch (id) {
  case PROP_URI:
    set_text(settings.uri);
    break;
  case PROP_STREAM:
    g_value_set_object(value, settings.stream.get());
    break;
  case PROP_VIDEO_TRACK:
    g_value_set_int(value, settings.video_track);
    break;
  case PROP_APPLY_ROTATION:
    g_value_set_boolean(value, settings.apply_rotation);
    break;
  case PROP_DECODE_BACKEND:
    g_value_set_enum(value, static_cast<gint>(settings.decode));
    break;
  case PROP_PROCESS_BACKEND:
    g_value_set_enum(value, static_cast<gint>(settings.process));
    break;
  case PROP_DECODE_DEVICE_ID:
    g_value_set_int(value, settings.decode_device_id);
    break;
  case PROP_PROCESS_DEVICE_ID:
    g_value_set_int(value, settings.process_device_id);
    break;
  case PROP_DECODE_THREADS:
    g_value_set_uint(value, settings.decode_threads);
    break;
  case PROP_DECODE_THREAD_TYPE:
    g_value_set_enum(value, static_cast<gint>(settings.decode_thread_type));
    break;
  case PROP_RESOLVED_DECODE_BACKEND:
    set_text(state.resolved.decode_backend);
    break;
  case PROP_RESOLVED_PROCESS_BACKEND:
    set_text(state.resolved.process_backend);
    break;
  case PROP_RESOLVED_DECODER:
    set_text(state.resolved.decoder);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

// Only now is the class known that says what follows the sampler.
static void stream_bin_constructed(GObject *object) {
  G_OBJECT_CLASS(cps_stream_bin_parent_class)->constructed(object);
  State &state = state_of(object);
  auto *klass = CPS_STREAM_BIN_GET_CLASS(object);
  auto add = [object](GType type, const char *name) {
    auto *element = GST_ELEMENT(g_object_new(type, "name", name, nullptr));
    gst_bin_add(GST_BIN(object), element);
    return element;
  };
  state.planner = add(CPS_TYPE_FRAME_PLANNER, "planner");
  state.sampler = add(CPS_TYPE_UNIFORM_SAMPLER, "sampler");
  for (const GType *type = klass->stages; *type; type++)
    state.stages.push_back(add(*type, nullptr));
  GstPadTemplate *templ = gst_element_class_get_pad_template(GST_ELEMENT_CLASS(klass), "src");
  state.srcpad = gst_ghost_pad_new_no_target_from_template("src", templ);
  gst_element_add_pad(GST_ELEMENT(object), state.srcpad);
}

static void stream_bin_finalize(GObject *object) {
  state_of(object).~CpsStreamBinPrivate();
  G_OBJECT_CLASS(cps_stream_bin_parent_class)->finalize(object);
}

static void cps_stream_bin_init(CpsStreamBin *self) {
  new (&state_of(self)) CpsStreamBinPrivate();
  GST_OBJECT_FLAG_SET(self, GST_ELEMENT_FLAG_SOURCE);
}

static void install_own_properties(GObjectClass *klass) {
  const auto flags = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY);
  const auto readable = static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  auto install = [klass](guint id, GParamSpec *spec) { g_object_class_install_property(klass, id, spec); };
  install(PROP_URI, g_param_spec_string("uri", "URI", "URI of the video to read", nullptr, flags));
  install(PROP_STREAM, g_param_spec_object("stream", "Stream",
                                           "What to read instead of uri; exact frames want it seekable (NULL = uri)",
                                           G_TYPE_INPUT_STREAM, flags));
  install(PROP_VIDEO_TRACK, g_param_spec_int("video-track", "Video track",
                                             "Which of the tracks of video, from 0 (-1 = the best one: the default, "
                                             "then the one of the largest pictures)",
                                             -1, G_MAXINT, -1, flags));
  install(PROP_APPLY_ROTATION,
          g_param_spec_boolean("apply-rotation", "Apply rotation",
                               "Turn pictures as their stream says that they are to be displayed", TRUE, flags));
  install(PROP_DECODE_BACKEND, g_param_spec_enum("decode-backend", "Decode backend", "Where to decode",
                                                 CPS_TYPE_BACKEND, static_cast<gint>(Backend::Auto), flags));
  install(PROP_PROCESS_BACKEND,
          g_param_spec_enum("process-backend", "Process backend",
                            "Where to process, and so the memory that comes out (auto = as decode-backend)",
                            CPS_TYPE_BACKEND, static_cast<gint>(Backend::Auto), flags));
  install(PROP_DECODE_DEVICE_ID, g_param_spec_int("decode-device-id", "Decode device",
                                                  "GPU to decode on, as CUDA numbers them", 0, G_MAXINT, 0, flags));
  install(PROP_PROCESS_DEVICE_ID, g_param_spec_int("process-device-id", "Process device",
                                                   "GPU to process on, as CUDA numbers them", 0, G_MAXINT, 0, flags));
  install(PROP_DECODE_THREADS,
          g_param_spec_uint("decode-threads", "Decode threads",
                            "Threads of a decoder on the CPU (0 = as the decoder has it)", 0, G_MAXINT, 0, flags));
  install(PROP_DECODE_THREAD_TYPE,
          g_param_spec_enum("decode-thread-type", "Decode thread type",
                            "What the threads of a decoder on the CPU share, where it knows (libav)",
                            CPS_TYPE_THREAD_TYPE, static_cast<gint>(cps::ThreadType::Auto), flags));
  install(PROP_RESOLVED_DECODE_BACKEND,
          g_param_spec_string("resolved-decode-backend", "Resolved decode backend",
                              "Where it is decoded: cpu or gpu (NULL = not known yet)", nullptr, readable));
  install(PROP_RESOLVED_PROCESS_BACKEND,
          g_param_spec_string("resolved-process-backend", "Resolved process backend",
                              "Where it is processed: cpu or gpu (NULL = not known yet)", nullptr, readable));
  install(PROP_RESOLVED_DECODER,
          g_param_spec_string("resolved-decoder", "Resolved decoder",
                              "Element that decodes (NULL = none, or not known yet)", nullptr, readable));
}

static void cps_stream_bin_class_init(CpsStreamBinClass *klass) {
  GST_DEBUG_CATEGORY_INIT(stream_bin_debug, "streambin", 0, "from a URI to sampled frames");
  auto *object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = stream_bin_set_property;
  object_class->get_property = stream_bin_get_property;
  object_class->constructed = stream_bin_constructed;
  object_class->finalize = stream_bin_finalize;
  GST_ELEMENT_CLASS(klass)->change_state = stream_bin_change_state;
  GST_BIN_CLASS(klass)->handle_message = stream_bin_handle_message;
  install_own_properties(object_class);
  for (GType type : {CPS_TYPE_BACKEND, CPS_TYPE_THREAD_TYPE, CPS_TYPE_STREAM_BIN})
    gst_type_mark_as_plugin_api(type, static_cast<GstPluginAPIFlags>(0));
}

namespace cps {

// The same property, for another class. GObject has no copy of a specification, and hides those that redirect to one
// when it lists a class's properties.
static GParamSpec *copy_spec(GParamSpec *spec) {
  const char *name = spec->name, *nick = g_param_spec_get_nick(spec), *blurb = g_param_spec_get_blurb(spec);
  const GParamFlags flags = spec->flags;
  if (G_IS_PARAM_SPEC_BOOLEAN(spec))
    return g_param_spec_boolean(name, nick, blurb, G_PARAM_SPEC_BOOLEAN(spec)->default_value, flags);
  if (G_IS_PARAM_SPEC_ENUM(spec))
    return g_param_spec_enum(name, nick, blurb, spec->value_type, G_PARAM_SPEC_ENUM(spec)->default_value, flags);
  if (GST_IS_PARAM_SPEC_FRACTION(spec)) {
    const GstParamSpecFraction *f = GST_PARAM_SPEC_FRACTION(spec);
    return gst_param_spec_fraction(name, nick, blurb, f->min_num, f->min_den, f->max_num, f->max_den, f->def_num,
                                   f->def_den, flags);
  }
  if (GST_IS_PARAM_SPEC_ARRAY_LIST(spec))
    return gst_param_spec_array(name, nick, blurb, copy_spec(GST_PARAM_SPEC_ARRAY_LIST(spec)->element_spec), flags);

#define COPY_NUMBER(TYPE, type)                                                                                        \
  if (G_IS_PARAM_SPEC_##TYPE(spec))                                                                                    \
  return g_param_spec_##type(name, nick, blurb, G_PARAM_SPEC_##TYPE(spec)->minimum,                                    \
                             G_PARAM_SPEC_##TYPE(spec)->maximum, G_PARAM_SPEC_##TYPE(spec)->default_value, flags)
  COPY_NUMBER(INT, int);
  COPY_NUMBER(UINT, uint);
  COPY_NUMBER(INT64, int64);
  COPY_NUMBER(UINT64, uint64);
  COPY_NUMBER(DOUBLE, double);
#undef COPY_NUMBER
  g_assert_not_reached();
}

void setup_stream_bin(CpsStreamBinClass *klass, GstCaps *src_caps, std::initializer_list<GType> stages) {
  add_pad_template(GST_ELEMENT_CLASS(klass), "src", GST_PAD_SRC, src_caps);
  std::copy(stages.begin(), stages.end(), klass->stages);
  auto *object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = stream_bin_set_property; // GObject has no class inherit them
  object_class->get_property = stream_bin_get_property;

  std::vector<GType> owners = {CPS_TYPE_FRAME_PLANNER, CPS_TYPE_UNIFORM_SAMPLER};
  owners.insert(owners.end(), stages.begin(), stages.end());
  guint id = PROP_OF_AN_ELEMENT;
  for (GType type : owners) {
    auto *owner = G_OBJECT_CLASS(g_type_class_ref(type));
    guint count = 0;
    GParamSpec **specs = g_object_class_list_properties(owner, &count);
    for (guint i = 0; i < count; i++)
      if (specs[i]->owner_type == type && !g_object_class_find_property(object_class, specs[i]->name) &&
          strcmp(specs[i]->name, "cuda-device-id") != 0)
        g_object_class_install_property(object_class, id++, copy_spec(specs[i]));
    g_free(specs);
    g_type_class_unref(owner);
  }
}

} // namespace cps
