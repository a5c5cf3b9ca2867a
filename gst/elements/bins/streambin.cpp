// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * CpsStreamBin:
 *
 * The base class of uniformdecodebin and patchstreambin: reads the video of #CpsStreamBin:uri or #CpsStreamBin:stream,
 * and decodes the sampled frames. Its properties, and those of frameplanner and uniformsampler, are properties of both
 * elements.
 */
#include "gst/elements/bins/streambin.h"

#include "gst/elements/bins/indexcache.h"
#include "gst/elements/bins/reconnect.h"
#include "gst/elements/bins/stallwatch.h"
#include "gst/elements/bins/videoroute.h"
#include "gst/elements/common/cudasupport.h"
#include "gst/elements/common/dynamicelements.h"
#include "gst/elements/common/memorykind.h"
#include "gst/elements/common/options.h"
#include "gst/elements/common/streamdebug.h"
#include "gst/elements/planner/frameplanner.h"
#include "gst/elements/sampler/uniformsampler.h"
#include "gst/elements/search/parsebinerrors.h"
#include "gst/elements/search/videosearch.h"

#include <atomic>
#include <cstring>
#include <gio/gio.h>
#include <string>
#include <vector>

#define GST_CAT_DEFAULT cps::stream_debug()

using cps::Backend;
using cps::ObjectLock;
using cps::Owned;

enum {
  PROP_0 = 0,
  PROP_OPTION = 1, // the first option
  PROP_STREAM = 33,
  PROP_RESOLVED_DECODE_BACKEND = 34,
  PROP_RESOLVED_PROCESS_BACKEND = 35,
  PROP_RESOLVED_DECODER = 36,
  PROP_PROGRESS = 37,
  PROP_OF_AN_ELEMENT = 38, // the first property of an inner element
};

namespace {

struct Settings : cps::RouteSettings {
  std::string uri, index_cache;
  cps::SourcePolicy policy;
  gint video_track = -1;
  Backend decode = Backend::Auto;
  Backend process = Backend::Auto;
  cps::TimeLimits limits;
  double reconnect = 0; // seconds
};

// The resolved settings; empty until known.
struct Resolved {
  std::string decode_backend;
  std::string process_backend;
  std::string decoder;
};

} // namespace

struct CpsStreamBinPrivate {
  explicit CpsStreamBinPrivate(gpointer object) : options(object, CPS_TYPE_STREAM_BIN) {}

  cps::Options options;

  // Object lock
  std::shared_ptr<GInputStream> next_stream; // value of the property
  Resolved resolved;

  std::shared_ptr<cps::StallWatch> watch;    // set in construction
  std::shared_ptr<cps::Reconnect> reconnect; // likewise

  std::vector<GstElement *> stages; // of the class; owned by the bin

  cps::VideoRoute route; // elements and pad: set in construction; the rest: from READY to PAUSED on

  // Between READY and PAUSED
  std::shared_ptr<GInputStream> stream;
  std::shared_ptr<cps::VideoSearch> search;
  cps::KeptDecoder to_keep;
  std::atomic<bool> failed{false};
};

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE(CpsStreamBin, cps_stream_bin, GST_TYPE_BIN)

using State = CpsStreamBinPrivate;

static State &state_of(gpointer self) {
  return *static_cast<State *>(cps_stream_bin_get_instance_private(CPS_STREAM_BIN(self)));
}

// The stream

static void set_resolved(CpsStreamBin *self, const char *property, std::string Resolved::*field,
                         const std::string &value) {
  {
    const ObjectLock lock(self);
    state_of(self).resolved.*field = value;
  }
  g_object_notify(G_OBJECT(self), property);
}

static void on_video(CpsStreamBin *self, GstPad *video) {
  if (cps::relink_video(state_of(self).route, video))
    return;
  const cps::LinkedVideo linked = cps::link_video(state_of(self).route, video);
  if (linked.decode == Backend::Auto)
    return;
  GST_INFO_OBJECT(self, "%s:%s is decoded by %s", GST_DEBUG_PAD_NAME(video),
                  linked.decoder.empty() ? "no decoder: it is raw" : linked.decoder.c_str());
  state_of(self).to_keep = linked.to_keep;
  set_resolved(self, "resolved-decode-backend", &Resolved::decode_backend, cps::backend_name(linked.decode));
  set_resolved(self, "resolved-decoder", &Resolved::decoder, linked.decoder);
}

// `stage` is "decode" or "process".
static bool refuse_gpu(CpsStreamBin *self, const char *stage, gint device_id, const std::string &why) {
  GST_ELEMENT_ERROR(self, LIBRARY, INIT,
                    ("%s-backend=gpu is not available with %s-device-id=%d: %s.", stage, stage, device_id, why.c_str()),
                    (nullptr));
  return false;
}

// Resolves "auto" by the machine only, not by the stream. Returns false after posting an error.
static bool resolve_backends(CpsStreamBin *self, const Settings &settings, cps::VideoRoute &route) {
  std::string why;
  route.decode_on_gpu = settings.decode != Backend::Cpu && cps::gpu_works(settings.decode_device_id, why);
  route.may_decode_on_cpu = settings.decode != Backend::Gpu;
  if (!route.decode_on_gpu && !route.may_decode_on_cpu)
    return refuse_gpu(self, "decode", settings.decode_device_id, why);
  route.process_on_gpu = settings.process == Backend::Auto ? route.decode_on_gpu : settings.process == Backend::Gpu;
  if (route.process_on_gpu && !cps::gpu_works(settings.process_device_id, why))
    return refuse_gpu(self, "process", settings.process_device_id, why);
  GST_INFO_OBJECT(self, "decoding: %s%s; processing on the %s%s%s", !route.decode_on_gpu ? "CPU" : "GPU",
                  route.decode_on_gpu && route.may_decode_on_cpu ? " first" : "", route.process_on_gpu ? "GPU" : "CPU",
                  why.empty() ? "" : ": ", why.c_str());
  set_resolved(self, "resolved-process-backend", &Resolved::process_backend,
               cps::backend_name(route.process_on_gpu ? Backend::Gpu : Backend::Cpu));
  return true;
}

static Settings read_settings(const GstStructure *options) {
  Settings settings;
  settings.apply_rotation = cps::option_bool(options, "apply-rotation");
  settings.decode_device_id = cps::option_int(options, "decode-device-id");
  settings.process_device_id = cps::option_int(options, "process-device-id");
  settings.decode_threads = cps::option_uint(options, "decode-threads");
  settings.decode_thread_type = static_cast<cps::ThreadType>(cps::option_enum(options, "decode-thread-type"));
  settings.max_source_pixels = cps::option_uint64(options, "max-source-pixels");
  settings.uri = cps::option_string(options, "uri");
  settings.index_cache = cps::option_string(options, "index-cache");
  if (const gchar *schemes = gst_structure_get_string(options, "allow-uri-schemes")) // "" allows none
    settings.policy.schemes = schemes;
  settings.policy.playlists = cps::option_bool(options, "allow-playlists");
  settings.video_track = cps::option_int(options, "video-track");
  settings.decode = static_cast<Backend>(cps::option_enum(options, "decode-backend"));
  settings.process = static_cast<Backend>(cps::option_enum(options, "process-backend"));
  settings.limits.stall = cps::option_double(options, "stall-timeout");
  settings.limits.whole = cps::option_double(options, "timeout");
  settings.reconnect = cps::option_double(options, "reconnect");
  return settings;
}

// Returns false after posting an error.
static bool begin_stream(CpsStreamBin *self) {
  State &state = state_of(self);
  const Settings settings = read_settings(state.options.snapshot().get());
  {
    const ObjectLock lock(self);
    state.stream = state.next_stream;
    state.resolved = {};
  }
  state.failed = false;
  for (const char *name : {"resolved-decode-backend", "resolved-process-backend", "resolved-decoder"})
    g_object_notify(G_OBJECT(self), name);
  cps::VideoRoute &route = state.route;
  if (!resolve_backends(self, settings, route))
    return false;

  route.settings = settings;
  route.stages.clear();
  const auto uses_stage = CPS_STREAM_BIN_GET_CLASS(self)->uses_stage;
  for (GstElement *stage : state.stages)
    if (!uses_stage || uses_stage(self, G_OBJECT_TYPE(stage)))
      route.stages.push_back(stage);
  cps::VideoSearch::Outcome outcome{[self](GstPad *video) { on_video(self, video); },
                                    [&route](GstCaps *caps) { cps::refuse_codec(route, caps); }, cps::is_decodable,
                                    [watch = state.watch] { watch->note_data(); },
                                    [reconnect = state.reconnect] { return reconnect->handle_no_video(); }};
  state.search = std::make_shared<cps::VideoSearch>(GST_BIN(self), settings.video_track, std::move(outcome));
  cps::RewindSeek::Reopen reopen = [search = state.search.get()](const auto &closed) {
    return search->read_again(closed);
  };
  cps::set_planner_reopen(route.planner, std::move(reopen));
  cps::use_index_cache(route.planner, settings.index_cache, state.stream ? "" : settings.uri, settings.video_track);
  state.watch->start(settings.limits);
  guint64 window = 0;
  g_object_get(route.sampler, "window", &window, nullptr);
  state.reconnect->start(state.search, window > 0 ? settings.reconnect : 0);
  return state.search->start(settings.uri, state.stream.get(), settings.policy);
}

static void end_stream(CpsStreamBin *self) {
  State &state = state_of(self);
  state.watch->stop();
  state.reconnect->stop();
  if (state.search)
    state.search->stop();
  cps::unlink_video(state.route);
  cps::set_planner_reopen(state.route.planner, nullptr);
  state.to_keep = {};
  cps::drop_parts(GST_BIN(self));
  state.search.reset();
  state.stream.reset(); // drops our reference; the application may have dropped its own
}

// GstElement

static GstStateChangeReturn stream_bin_change_state(GstElement *element, GstStateChange transition) {
  auto *self = CPS_STREAM_BIN(element);
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED && !begin_stream(self)) {
    end_stream(self);
    return GST_STATE_CHANGE_FAILURE;
  }
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY && state_of(self).search) {
    state_of(self).watch->stop();
    state_of(self).reconnect->stop();
    state_of(self).search->stop();
  }
  const bool keep =
      transition == GST_STATE_CHANGE_PAUSED_TO_READY && state_of(self).to_keep.element && !state_of(self).failed;
  if (keep)
    cps::hold_decoder(state_of(self).to_keep);
  const GstStateChangeReturn result = GST_ELEMENT_CLASS(cps_stream_bin_parent_class)->change_state(element, transition);
  if (result == GST_STATE_CHANGE_NO_PREROLL) {
    state_of(self).watch->set_live();
    state_of(self).reconnect->set_live();
  }
  if (keep && result != GST_STATE_CHANGE_FAILURE)
    cps::keep_decoder(GST_BIN(self), state_of(self).to_keep);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY ||
      (transition == GST_STATE_CHANGE_READY_TO_PAUSED && result == GST_STATE_CHANGE_FAILURE))
    end_stream(self);
  return result;
}

// Handles errors of the bin and of its children: after an error there is nothing left to wait for.
static gboolean stream_bin_post_message(GstElement *element, GstMessage *message) {
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
    state_of(element).watch->set_ended(true);
    state_of(element).reconnect->note_failure();
    state_of(element).failed = true;
  }
  return GST_ELEMENT_CLASS(cps_stream_bin_parent_class)->post_message(element, message);
}

static void stream_bin_handle_message(GstBin *bin, GstMessage *message) {
  const State &state = state_of(bin);
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
    if (state.reconnect->handle_error(message)) {
      gst_message_unref(message);
      return;
    }
    cps::attribute_error(message);
  }
  if (cps::VideoSearch::is_own_affair(message) || (state.search && state.search->handle_parsebin_error(message)))
    gst_message_unref(message);
  else
    GST_BIN_CLASS(cps_stream_bin_parent_class)->handle_message(bin, message);
}

// GObject

// The inner element that has the property.
static GObject *owner_of(const State &state, const GParamSpec *spec) {
  for (GstElement *stage : state.stages)
    if (g_object_class_find_property(G_OBJECT_GET_CLASS(stage), spec->name))
      return G_OBJECT(stage);
  const bool planned = g_object_class_find_property(G_OBJECT_GET_CLASS(state.route.planner), spec->name);
  return G_OBJECT(planned ? state.route.planner : state.route.sampler);
}

static void stream_bin_set_property(GObject *object, guint id, const GValue *value, GParamSpec *spec) {
  State &state = state_of(object);
  if (id >= PROP_OF_AN_ELEMENT) {
    g_object_set_property(owner_of(state, spec), spec->name, value);
    return;
  }
  if (id < PROP_STREAM) {
    state.options.set(value, spec);
    return;
  }
  std::shared_ptr<GInputStream> replaced; // freed without the lock
  replaced = Owned<GInputStream>(static_cast<GInputStream *>(g_value_dup_object(value)));
  const ObjectLock lock(object);
  replaced.swap(state.next_stream);
}

static void stream_bin_get_property(GObject *object, guint id, GValue *value, GParamSpec *spec) {
  const State &state = state_of(object);
  if (id >= PROP_OF_AN_ELEMENT) {
    g_object_get_property(owner_of(state, spec), spec->name, value);
    return;
  }
  if (id < PROP_STREAM) {
    state.options.get(value, spec);
    return;
  }
  if (id == PROP_PROGRESS) {
    g_value_set_double(value, cps::planner_progress(state.route.planner));
    return;
  }
  const ObjectLock lock(object);
  if (id == PROP_STREAM) {
    g_value_set_object(value, state.next_stream.get());
    return;
  }
  const Resolved &resolved = state.resolved;
  const std::string &text = id == PROP_RESOLVED_DECODER          ? resolved.decoder
                            : id == PROP_RESOLVED_DECODE_BACKEND ? resolved.decode_backend
                                                                 : resolved.process_backend;
  g_value_set_string(value, text.empty() ? nullptr : text.c_str());
}

// Input and output, for the watch

static GstPadProbeReturn on_decoded(GstPad *, GstPadProbeInfo *, gpointer watch) {
  static_cast<cps::StallWatch *>(watch)->note_data();
  return GST_PAD_PROBE_OK;
}

static GstPadProbeReturn on_coded(GstPad *, GstPadProbeInfo *info, gpointer state) {
  const auto *self = static_cast<State *>(state);
  if (info->type & GST_PAD_PROBE_TYPE_BUFFER) {
    self->watch->note_data();
    self->reconnect->note_data();
  } else if (GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) == GST_EVENT_EOS && self->reconnect->handle_end()) {
    return GST_PAD_PROBE_DROP;
  }
  return GST_PAD_PROBE_OK;
}

static GstPadProbeReturn on_going_event(GstPad *, GstPadProbeInfo *info, gpointer watch) {
  const GstEventType type = GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info));
  if (type == GST_EVENT_EOS || type == GST_EVENT_SEGMENT_DONE)
    static_cast<cps::StallWatch *>(watch)->set_ended(true);
  else if (type == GST_EVENT_FLUSH_STOP || type == GST_EVENT_SEGMENT)
    static_cast<cps::StallWatch *>(watch)->set_ended(false);
  return GST_PAD_PROBE_OK;
}

static GstFlowReturn put_out(GstPad *pad, GstObject *parent, GstBuffer *buffer) {
  const auto *state = static_cast<State *>(pad->chaindata);
  state->watch->begin_output();
  const GstFlowReturn flow = gst_proxy_pad_chain_default(pad, parent, buffer);
  state->watch->end_output();
  state->reconnect->note_flow(flow);
  return flow;
}

static void watch_pads(State &state, GstElement *bin) {
  state.watch = std::make_shared<cps::StallWatch>(bin);
  cps::set_sampler_listener(state.route.sampler, [watch = state.watch](bool pushing) { watch->set_pushing(pushing); });
  state.reconnect = std::make_shared<cps::Reconnect>(GST_BIN(bin));
  const Owned<GstPad> coded(gst_element_get_static_pad(state.route.planner, "sink"));
  constexpr auto kStream =
      static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM);
  gst_pad_add_probe(coded.get(), kStream, on_coded, &state, nullptr);
  const Owned<GstPad> decoded(gst_element_get_static_pad(state.route.sampler, "sink"));
  gst_pad_add_probe(decoded.get(), GST_PAD_PROBE_TYPE_BUFFER, on_decoded, state.watch.get(), nullptr);
  constexpr auto kEvents =
      static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM | GST_PAD_PROBE_TYPE_EVENT_FLUSH);
  gst_pad_add_probe(state.route.srcpad, kEvents, on_going_event, state.watch.get(), nullptr);
  const Owned<GstProxyPad> inner(gst_proxy_pad_get_internal(GST_PROXY_PAD(state.route.srcpad)));
  gst_pad_set_chain_function_full(GST_PAD(inner.get()), put_out, &state, nullptr);
}

// Adds the elements here and not in instance_init, because only now the final class is known, which lists the stages.
static void stream_bin_constructed(GObject *object) {
  G_OBJECT_CLASS(cps_stream_bin_parent_class)->constructed(object);
  State &state = state_of(object);
  auto *klass = CPS_STREAM_BIN_GET_CLASS(object);
  auto add = [object](GType type, const char *name) {
    auto *element = GST_ELEMENT(g_object_new(type, "name", name, nullptr));
    gst_bin_add(GST_BIN(object), element);
    return element;
  };
  state.route.bin = GST_BIN(object);
  state.route.planner = add(CPS_TYPE_FRAME_PLANNER, "planner");
  state.route.sampler = add(CPS_TYPE_UNIFORM_SAMPLER, "sampler");
  for (const GType *type = klass->stages; *type; type++)
    state.stages.push_back(add(*type, nullptr));
  GstPadTemplate *templ = gst_element_class_get_pad_template(GST_ELEMENT_CLASS(klass), "src");
  state.route.srcpad = gst_ghost_pad_new_no_target_from_template("src", templ);
  watch_pads(state, GST_ELEMENT(object));
  gst_element_add_pad(GST_ELEMENT(object), state.route.srcpad);
}

static void stream_bin_finalize(GObject *object) {
  state_of(object).~CpsStreamBinPrivate();
  G_OBJECT_CLASS(cps_stream_bin_parent_class)->finalize(object);
}

static void cps_stream_bin_init(CpsStreamBin *self) {
  new (&state_of(self)) CpsStreamBinPrivate(self);
  GST_OBJECT_FLAG_SET(self, GST_ELEMENT_FLAG_SOURCE);
  gst_bin_set_suppressed_flags(GST_BIN(self), GST_ELEMENT_FLAG_SOURCE); // the inner source is added and removed
}

static void install_own_properties(GObjectClass *klass) {
  const auto flags = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY);
  const auto readable = static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  auto install = [klass](guint id, GParamSpec *spec) { g_object_class_install_property(klass, id, spec); };
  auto add = [install, id = guint{PROP_OPTION}](GParamSpec *spec) mutable { install(id++, spec); };
  add(g_param_spec_string("uri", "URI", "URI of the video to read", nullptr, flags));
  install(PROP_STREAM, g_param_spec_object("stream", "Stream",
                                           "What to read instead of uri; exact frames want it seekable (NULL = uri)",
                                           G_TYPE_INPUT_STREAM, flags));
  add(g_param_spec_int("video-track", "Video track",
                       "Which of the tracks of video, from 0 (-1 = the best one: the default, "
                       "then the one of the largest pictures)",
                       -1, G_MAXINT, -1, flags));
  add(g_param_spec_boolean("apply-rotation", "Apply rotation",
                           "Turn pictures as their stream says that they are to be displayed", TRUE, flags));
  add(g_param_spec_enum("decode-backend", "Decode backend", "Where to decode", CPS_TYPE_BACKEND,
                        static_cast<gint>(Backend::Auto), flags));
  add(g_param_spec_enum("process-backend", "Process backend",
                        "Where to process, and so the memory that comes out (auto = as decode-backend)",
                        CPS_TYPE_BACKEND, static_cast<gint>(Backend::Auto), flags));
  add(g_param_spec_int("decode-device-id", "Decode device", "GPU to decode on, as CUDA numbers them", 0, G_MAXINT, 0,
                       flags));
  add(g_param_spec_int("process-device-id", "Process device", "GPU to process on, as CUDA numbers them", 0, G_MAXINT, 0,
                       flags));
  add(g_param_spec_uint("decode-threads", "Decode threads",
                        "Threads of a decoder on the CPU (0 = as the decoder has it)", 0, 1024, 0, flags));
  add(g_param_spec_enum("decode-thread-type", "Decode thread type",
                        "What the threads of a decoder on the CPU share, where it knows (libav)", CPS_TYPE_THREAD_TYPE,
                        static_cast<gint>(cps::ThreadType::Auto), flags));
  add(g_param_spec_uint64("max-source-pixels", "Maximum source pixels",
                          "Width x height above which a video is refused before anything is decoded (0 = 8192x4352, "
                          "of small sources 4096x2304 and 256 for each byte)",
                          0, G_MAXUINT64, 0, flags));
  add(g_param_spec_double("stall-timeout", "Stall timeout",
                          "Seconds after which it is an error that nothing comes from the source, unless that is "
                          "live (0 = never)",
                          0, cps::kMaxLimit, 0, flags));
  add(g_param_spec_double("timeout", "Timeout",
                          "Seconds after which it is an error that nothing has been put out, since the start or "
                          "the buffer before; those in which nobody takes a buffer do not count (0 = never)",
                          0, cps::kMaxLimit, 0, flags));
  add(g_param_spec_double("reconnect", "Reconnect",
                          "Seconds after which a live source is opened again that has failed or ended, with window "
                          "(0 = never)",
                          0, cps::kMaxLimit, 1, flags));
  add(g_param_spec_string("allow-uri-schemes", "Allowed URI schemes",
                          "Schemes that uri may have, separated by commas (* = any)", cps::kUriSchemes, flags));
  add(g_param_spec_boolean("allow-playlists", "Allow playlists",
                           "Read HLS, DASH and Smooth Streaming, of an http or https uri alone, and so whatever they "
                           "name; those in files and streams are never read",
                           FALSE, flags));
  add(g_param_spec_string(
      "index-cache", "Index cache",
      "Folder in which the indices of files are kept, so that a file is read once the next time; it "
      "is made if it is missing (NULL = none)",
      nullptr, flags));
  install(PROP_RESOLVED_DECODE_BACKEND,
          g_param_spec_string("resolved-decode-backend", "Resolved decode backend",
                              "Where it is decoded: cpu or gpu (NULL = not known yet)", nullptr, readable));
  install(PROP_RESOLVED_PROCESS_BACKEND,
          g_param_spec_string("resolved-process-backend", "Resolved process backend",
                              "Where it is processed: cpu or gpu (NULL = not known yet)", nullptr, readable));
  install(PROP_RESOLVED_DECODER,
          g_param_spec_string("resolved-decoder", "Resolved decoder",
                              "Element that decodes (NULL = none, or not known yet)", nullptr, readable));
  install(PROP_PROGRESS, g_param_spec_double("progress", "Progress",
                                             "Part of the stream's access units that has been read for the clips: 0 to "
                                             "1 (-1 = unknown, as before it is indexed and of a live stream)",
                                             -1, 1, -1, readable));
}

static void cps_stream_bin_class_init(CpsStreamBinClass *klass) {
  (void)cps::stream_debug();
  auto *object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = stream_bin_set_property;
  object_class->get_property = stream_bin_get_property;
  object_class->constructed = stream_bin_constructed;
  object_class->finalize = stream_bin_finalize;
  GST_ELEMENT_CLASS(klass)->change_state = GST_DEBUG_FUNCPTR(stream_bin_change_state);
  GST_ELEMENT_CLASS(klass)->post_message = GST_DEBUG_FUNCPTR(stream_bin_post_message);
  GST_BIN_CLASS(klass)->handle_message = GST_DEBUG_FUNCPTR(stream_bin_handle_message);
  install_own_properties(object_class);
  for (GType type : {CPS_TYPE_BACKEND, CPS_TYPE_THREAD_TYPE, CPS_TYPE_STREAM_BIN})
    gst_type_mark_as_plugin_api(type, static_cast<GstPluginAPIFlags>(0));
}

namespace cps {

// Copies a property specification for another class. GObject cannot copy one, and specifications that redirect to
// another do not appear in a class's list of properties.
static GParamSpec *copy_spec(GParamSpec *spec) {
  const char *name = spec->name, *nick = g_param_spec_get_nick(spec), *blurb = g_param_spec_get_blurb(spec);
  const GParamFlags flags = spec->flags;
  if (G_IS_PARAM_SPEC_BOOLEAN(spec))
    return g_param_spec_boolean(name, nick, blurb, G_PARAM_SPEC_BOOLEAN(spec)->default_value, flags);
  if (G_IS_PARAM_SPEC_ENUM(spec))
    return g_param_spec_enum(name, nick, blurb, spec->value_type, G_PARAM_SPEC_ENUM(spec)->default_value, flags);
  if (G_IS_PARAM_SPEC_BOXED(spec))
    return g_param_spec_boxed(name, nick, blurb, spec->value_type, flags);
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
  object_class->set_property = stream_bin_set_property; // because GObject does not inherit these two
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
