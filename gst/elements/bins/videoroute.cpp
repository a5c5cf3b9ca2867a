// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/bins/videoroute.h"

#include "gst/elements/bins/formatbridge.h"
#include "gst/elements/bins/inorder.h"
#include "gst/elements/bins/sizelimit.h"
#include "gst/elements/common/dynamicelements.h"
#include "gst/elements/common/streamdebug.h"
#include "gst/elements/common/tagorientation.h"
#include "gst/elements/process/patchenergy.h"
#include "gst/elements/process/tensorclip.h"
#include "gst/elements/search/encryption.h"
#include "gst/elements/search/videotrack.h"

#include <algorithm>
#include <gst/pbutils/missing-plugins.h>

#define GST_CAT_DEFAULT cps::stream_debug()

namespace cps {

// From the video to the sampler

static const char *const kSystemFrames = "video/x-raw";
static const char *const kCudaFrames = "video/x-raw(memory:CUDAMemory)";

// Makes a capsfilter that passes only such frames. Returns nullptr after posting an error.
static GstElement *make_capsfilter(const VideoRoute &route, const char *frames) {
  GstElement *filter = make_part(route.bin, "capsfilter");
  if (filter)
    gst_util_set_object_arg(G_OBJECT(filter), "caps", frames);
  return filter;
}

static bool refuse(const VideoRoute &route, GstElementFactory *factory, const char *why) {
  GST_INFO_OBJECT(route.bin, "%s is not taken: %s", GST_OBJECT_NAME(factory), why);
  return false;
}

// Returns a configured decoder in READY, or a kept one; nullptr if the decoder or its hardware is not available. The
// decoder is not in the bin yet, so that its errors do not reach the bin's bus: another decoder may take its place.
static Owned<GstElement> open_decoder(const VideoRoute &route, GstElementFactory *factory, const GstCaps *caps,
                                      Backend backend, const std::string &format) {
  if (Owned<GstElement> kept = format.empty() ? nullptr : take_kept_decoder(format))
    return kept;
  GstElement *created = gst_element_factory_create(factory, nullptr);
  if (!created) {
    refuse(route, factory, "it cannot be made");
    return nullptr;
  }
  Owned<GstElement> decoder(GST_ELEMENT(gst_object_ref_sink(created)));
  if (backend == Backend::Gpu) {
    if (is_on_other_gpu(created, route.settings.decode_device_id)) {
      refuse(route, factory, "it is on another GPU");
      return nullptr;
    }
    give_primary_context(created, route.settings.decode_device_id);
  }
  set_exact_output(created, caps);
  set_decoder_threads(created, route.settings.decode_threads, route.settings.decode_thread_type);
  if (gst_element_set_state(created, GST_STATE_READY) != GST_STATE_CHANGE_FAILURE)
    return decoder;
  gst_element_set_state(created, GST_STATE_NULL);
  refuse(route, factory, "it does not get ready, so that its hardware or library is not there");
  return nullptr;
}

// Links the decoder between `pad` and the sampler. Returns false and changes nothing if it does not fit.
static bool try_decoder(const VideoRoute &route, GstPad *pad, const GstCaps *caps, GstElementFactory *factory,
                        Backend backend, KeptDecoder &to_keep) {
  std::string format;
  if (backend == Backend::Gpu && !loses_identities(caps)) // because keep_identities() adds probes for this stream
    format = format_to_keep(factory, route.settings.decode_device_id, caps);
  const Owned<GstElement> opened = open_decoder(route, factory, caps, backend, format);
  GstElement *decoder = opened.get(), *last = decoder;
  if (!decoder)
    return false;
  add_part(route.bin, decoder);
  if (backend == Backend::Gpu)
    last = make_capsfilter(route, kCudaFrames); // because it could output system memory, too
  const bool joined = last && (last == decoder || gst_element_link(decoder, last));
  if (joined && link_pad(pad, decoder) && gst_element_link(last, route.sampler)) {
    if (last != decoder)
      gst_element_sync_state_with_parent(last);
    gst_element_sync_state_with_parent(decoder);
    if (loses_identities(caps))
      keep_identities(decoder);
    if (!format.empty())
      to_keep = {decoder, format};
    return true;
  }
  if (last && last != decoder)
    drop_part(route.bin, last);
  drop_part(route.bin, decoder);
  return refuse(route, factory, "it cannot be linked between the stream and the sampler");
}

// `decode` is Auto if no decoder fits.
static LinkedVideo try_decoders(const VideoRoute &route, GstPad *pad, const GstCaps *caps, Backend backend) {
  const std::vector<Owned<GstElementFactory>> factories =
      backend == Backend::Gpu ? gpu_decoders(caps) : cpu_decoders(caps);
  for (const Owned<GstElementFactory> &factory : factories)
    GST_DEBUG_OBJECT(route.bin, "decoder for the %s, in this order: %s", backend == Backend::Gpu ? "GPU" : "CPU",
                     GST_OBJECT_NAME(factory.get()));
  KeptDecoder to_keep;
  for (const Owned<GstElementFactory> &factory : factories)
    if (try_decoder(route, pad, caps, factory.get(), backend, to_keep))
      return {backend, GST_OBJECT_NAME(factory.get()), to_keep};
  return {};
}

void refuse_codec(const VideoRoute &route, GstCaps *caps) {
  if (is_encrypted_video(caps)) {
    GST_ELEMENT_ERROR(
        route.bin, STREAM, CODEC_NOT_FOUND,
        ("The video is encrypted (%s), and can be read once it has been decrypted.", encryption_scheme(caps).c_str()),
        (nullptr));
    return;
  }
  const std::string codec = describe_caps(caps);
  if (!route.may_decode_on_cpu) {
    GST_ELEMENT_ERROR(route.bin, LIBRARY, INIT,
                      ("GPU %d has no decoder for %s here: decode-backend=auto or cpu decodes it on the CPU.",
                       route.settings.decode_device_id, codec.c_str()),
                      (nullptr));
    return;
  }
  gst_element_post_message(GST_ELEMENT(route.bin), gst_missing_decoder_message_new(GST_ELEMENT(route.bin), caps));
  GST_ELEMENT_ERROR(
      route.bin, STREAM, CODEC_NOT_FOUND,
      ("No decoder for %s is installed. The GStreamer plugins of gst-libav (of Debian: gstreamer1.0-libav) "
       "have those of most codecs.",
       codec.c_str()),
      (nullptr));
}

static LinkedVideo link_decoder(const VideoRoute &route, GstPad *pad, GstCaps *caps) {
  const bool raw = gst_structure_has_name(gst_caps_get_structure(caps, 0), "video/x-raw");
  if (raw && route.may_decode_on_cpu && link_pad(pad, route.sampler))
    return {Backend::Cpu, "", {}};
  for (const Backend backend : {Backend::Gpu, Backend::Cpu}) {
    if (!(backend == Backend::Gpu ? route.decode_on_gpu : route.may_decode_on_cpu))
      continue;
    if (LinkedVideo linked = try_decoders(route, pad, caps, backend); linked.decode != Backend::Auto)
      return linked;
  }
  refuse_codec(route, caps);
  return {};
}

// From the sampler to the source pad

// Appends cudaupload or cudadownload, and a filter that makes it copy, because it prefers to pass frames through
// unchanged.
static bool add_copy(const VideoRoute &route, bool to_gpu, int device_id, std::vector<GstElement *> &chain) {
  GstElement *copy = create_part(route.bin, to_gpu ? "cudaupload" : "cudadownload");
  if (!copy)
    return false;
  g_object_set(copy, "cuda-device-id", device_id, nullptr);
  give_primary_context(copy, device_id); // before add_part(), because it keeps the first context that it gets
  add_part(route.bin, copy);
  GstElement *filter = make_capsfilter(route, to_gpu ? kCudaFrames : kSystemFrames);
  if (!filter)
    return false;
  chain.insert(chain.end(), {copy, filter});
  return true;
}

// Appends an element that keeps cudadownload from writing into memory that cudaupload offers: that memory belongs to
// the other GPU, although the caps say system memory.
static bool add_border(const VideoRoute &route, std::vector<GstElement *> &chain) {
  GstElement *identity = make_part(route.bin, "identity");
  if (!identity)
    return false;
  g_object_set(identity, "drop-allocation", TRUE, "silent", TRUE, nullptr);
  chain.push_back(identity);
  return true;
}

// Appends elements that rotate frames in system memory.
static bool add_flip(const VideoRoute &route, std::vector<GstElement *> &chain) {
  GstElement *convert = make_part(route.bin, "videoconvert"); // because videoflip does not accept all formats
  GstElement *flip = convert ? make_part(route.bin, "videoflip") : nullptr;
  if (!flip)
    return false;
  gst_util_set_object_arg(G_OBJECT(flip), "video-direction", "auto");
  chain.insert(chain.end(), {convert, flip});
  return true;
}

// True if one of our own elements follows the sampler, because these apply the orientation in the sampler's metadata.
// An element downstream of the bin must be its direct peer, because other elements in between may rotate the frames,
// too.
static bool is_read_as_shown(const VideoRoute &route) {
  if (!route.stages.empty())
    return true;
  const Owned<GstPad> peer(gst_pad_get_peer(route.srcpad));
  const Owned<GstElement> next(peer ? gst_pad_get_parent_element(peer.get()) : nullptr);
  return next && (CPS_IS_TENSOR_CLIP(next.get()) || CPS_IS_PATCH_ENERGY(next.get()));
}

// Returns false after posting an error.
static bool link_output(const VideoRoute &route, Backend decoded, bool turned) {
  const bool from_gpu = decoded == Backend::Gpu, to_gpu = route.process_on_gpu;
  const int from = route.settings.decode_device_id, to = route.settings.process_device_id;
  const bool marked = route.settings.apply_rotation && is_read_as_shown(route);
  const bool flip = turned && !marked;
  const bool in_system_memory = !from_gpu || !to_gpu || from != to || flip;

  g_object_set(route.sampler, "apply-rotation", marked, nullptr);
  std::vector<GstElement *> chain = {route.sampler};
  if (from_gpu && in_system_memory && !add_copy(route, false, from, chain))
    return false;
  if (flip && !add_flip(route, chain))
    return false;
  if (from_gpu && to_gpu && from != to && !add_border(route, chain))
    return false;
  if (to_gpu && in_system_memory && !add_copy(route, true, to, chain))
    return false;
  for (GstElement *stage : route.stages) {
    g_object_set(stage, "cuda-device-id", to_gpu ? to : -1, nullptr);
    if (to_gpu)
      give_primary_context(stage, to);
    chain.push_back(stage);
  }

  for (size_t i = 0; i + 1 < chain.size(); i++)
    if (!gst_element_link(chain[i], chain[i + 1])) {
      GST_ELEMENT_ERROR(route.bin, CORE, NEGOTIATION, ("Two elements of this bin cannot be linked."),
                        ("%s and %s", GST_OBJECT_NAME(chain[i]), GST_OBJECT_NAME(chain[i + 1])));
      return false;
    }
  const Owned<GstPad> last(gst_element_get_static_pad(chain.back(), "src"));
  gst_ghost_pad_set_target(GST_GHOST_PAD(route.srcpad), last.get());
  if (is_read_as_shown(route)) // other elements get the decoder's format
    bridge_formats(route.bin, route.sampler, route.srcpad);
  for (auto element = chain.rbegin(); element != chain.rend(); ++element)
    gst_element_sync_state_with_parent(*element);
  return true;
}

// The whole route

// Announces the size of the frames to the element that makes tensors, if no element before it changes the size.
static void expect_frames(const VideoRoute &route, const GstCaps *caps) {
  GstElement *next = route.stages.empty() ? nullptr : route.stages.back();
  const Owned<GstPad> peer(next ? nullptr : gst_pad_get_peer(route.srcpad));
  const Owned<GstElement> behind(peer ? gst_pad_get_parent_element(peer.get()) : nullptr);
  if (!next)
    next = behind.get();
  if (next && CPS_IS_TENSOR_CLIP(next))
    expect_frames(CPS_TENSOR_CLIP(next), coded_size(caps));
}

LinkedVideo link_video(const VideoRoute &route, GstPad *video) {
  const Owned<GstCaps> caps = stream_caps(video);
  const SizeLimit limit = size_limit(route.bin, route.settings.max_source_pixels, video);
  if (!check_size(limit, coded_size(caps.get())))
    return {};
  watch_size(limit, video);
  const Owned<GstPad> planned(gst_element_get_static_pad(route.planner, "sink"));
  const Owned<GstCaps> plannable(gst_pad_get_pad_template_caps(planned.get()));
  const Owned<GstPad> planner_src(gst_element_get_static_pad(route.planner, "src"));
  GstPad *coded = video;
  if (gst_caps_is_subset(caps.get(), plannable.get()) && gst_pad_link(video, planned.get()) == GST_PAD_LINK_OK)
    coded = planner_src.get();
  GST_INFO_OBJECT(route.bin, "the video is %s%" GST_PTR_FORMAT,
                  coded == video ? "not planned, because frameplanner does not know its format: " : "", caps.get());

  LinkedVideo linked = link_decoder(route, coded, caps.get());
  if (linked.decode == Backend::Auto)
    return {};
  const Owned<GstPad> sampled(gst_element_get_static_pad(route.sampler, "sink"));
  if (const Owned<GstPad> decoded{gst_pad_get_peer(sampled.get())}; decoded && decoded.get() != video)
    watch_size(limit, decoded.get());
  gst_element_sync_state_with_parent(route.planner); // because the bin's change of state may not have reached it yet
  const bool turned = route.settings.apply_rotation && orientation_of(video) != CPS_ORIENTATION_IDENTITY;
  if (!link_output(route, linked.decode, turned))
    return {};
  expect_frames(route, caps.get());
  return linked;
}

bool relink_video(const VideoRoute &route, GstPad *video) {
  const Owned<GstPad> planned(gst_element_get_static_pad(route.planner, "src"));
  if (!gst_pad_is_linked(planned.get()))
    return false;
  const Owned<GstCaps> caps(gst_pad_get_current_caps(video));
  if (caps && !gst_pad_peer_query_accept_caps(planned.get(), caps.get())) {
    GST_ELEMENT_ERROR(route.bin, STREAM, WRONG_TYPE,
                      ("The source has come back with other video (%s), which the decoder does not read: open it anew.",
                       describe_caps(caps.get()).c_str()),
                      (nullptr));
    return true;
  }
  watch_size(size_limit(route.bin, route.settings.max_source_pixels, video), video);
  return link_pad(video, route.planner);
}

void unlink_video(const VideoRoute &route) {
  gst_ghost_pad_set_target(GST_GHOST_PAD(route.srcpad), nullptr);
  GstElement *before = route.sampler;
  for (GstElement *stage : route.stages) {
    gst_element_unlink(before, stage);
    before = stage;
  }
}

} // namespace cps
