// SPDX-License-Identifier: LGPL-2.1-or-later
// A decoder of H.264 that puts out CUDA memory, in the place of NVIDIA's: libav and an upload.
#pragma once

#include "gst/codecpatch/owned.h"

#include <gst/check/gstcheck.h>

#include <map>
#include <memory>
#include <string>

namespace test {

struct DecoderKind {
  const char *name;
  guint rank;
  guint device_id;
  bool broken; // complains and does not open
};

// Hides those that the machine has, for the rest of the process.
inline void hide_gpu_decoders() {
  const cps::Owned<GstPlugin> loaded(gst_plugin_load_by_name("nvcodec")); // which registers them once more
  GstRegistry *registry = gst_registry_get();
  GList *features = gst_registry_get_feature_list_by_plugin(registry, "nvcodec");
  for (const GList *item = features; item; item = item->next)
    if (g_str_has_suffix(GST_OBJECT_NAME(item->data), "dec"))
      gst_registry_remove_feature(registry, GST_PLUGIN_FEATURE(item->data));
  gst_plugin_feature_list_free(features);
}

// There is one while this lives.
class TestDecoder {
public:
  // A class keeps its factory for ever, and so do we.
  explicit TestDecoder(const DecoderKind &kind) {
    static std::map<std::string, GstPluginFeature *> known;
    GstPluginFeature *&known_feature = known[kind.name];
    if (known_feature)
      fail_unless(gst_registry_add_feature(gst_registry_get(), known_feature));
    else
      known_feature = add(kind);
    feature_ = known_feature;
  }
  ~TestDecoder() { gst_registry_remove_feature(gst_registry_get(), feature_); }
  TestDecoder(const TestDecoder &) = delete;
  TestDecoder &operator=(const TestDecoder &) = delete;

private:
  static GstPluginFeature *add(const DecoderKind &kind) {
    GTypeInfo info = {};
    info.class_size = sizeof(Class);
    info.class_init = init_class;
    info.class_data = std::make_unique<DecoderKind>(kind).release(); // types are never freed
    info.instance_size = sizeof(Instance);
    info.instance_init = init;
    const std::string type_name = std::string("Test") + kind.name;
    const GType type = g_type_register_static(GST_TYPE_BIN, type_name.c_str(), &info, GTypeFlags{});
    fail_unless(gst_element_register(nullptr, kind.name, kind.rank, type));
    return gst_registry_lookup_feature(gst_registry_get(), kind.name);
  }

  struct Class {
    GstBinClass parent;
    const DecoderKind *kind;
  };
  struct Instance {
    GstBin parent;
  };

  static const DecoderKind &kind_of(gpointer instance) {
    return *reinterpret_cast<Class *>(reinterpret_cast<GTypeInstance *>(instance)->g_class)->kind;
  }

  static void init_class(gpointer klass, gpointer kind) {
    static_cast<Class *>(klass)->kind = static_cast<const DecoderKind *>(kind);
    auto *element_class = GST_ELEMENT_CLASS(klass);
    gst_element_class_set_static_metadata(element_class, "Decoder", "Codec/Decoder/Video/Hardware", "Decodes", "Tests");
    add_template(element_class, "sink", GST_PAD_SINK, "video/x-h264");
    add_template(element_class, "src", GST_PAD_SRC, "video/x-raw(memory:CUDAMemory)");
    element_class->change_state = [](GstElement *element, GstStateChange transition) {
      if (transition == GST_STATE_CHANGE_NULL_TO_READY && kind_of(element).broken) {
        GST_ELEMENT_ERROR(element, LIBRARY, INIT, ("This decoder has no hardware."), (nullptr));
        return GST_STATE_CHANGE_FAILURE;
      }
      return GST_ELEMENT_CLASS(g_type_class_peek(GST_TYPE_BIN))->change_state(element, transition);
    };
    auto *object_class = G_OBJECT_CLASS(klass);
    object_class->get_property = [](GObject *object, guint, GValue *value, GParamSpec *) {
      g_value_set_uint(value, kind_of(object).device_id);
    };
    g_object_class_install_property(object_class, 1,
                                    g_param_spec_uint("cuda-device-id", "", "", 0, G_MAXINT, 0, G_PARAM_READABLE));
  }

  static void add_template(GstElementClass *klass, const char *name, GstPadDirection direction, const char *text) {
    const cps::Owned<GstCaps> caps(gst_caps_from_string(text));
    gst_element_class_add_pad_template(klass, gst_pad_template_new(name, direction, GST_PAD_ALWAYS, caps.get()));
  }

  static void init(GTypeInstance *instance, gpointer klass) {
    GError *error = nullptr;
    const std::string device = std::to_string(static_cast<Class *>(klass)->kind->device_id);
    GstElement *inner = gst_parse_bin_from_description(
        ("avdec_h264 ! cudaupload cuda-device-id=" + device + " ! capsfilter caps=video/x-raw(memory:CUDAMemory)")
            .c_str(),
        TRUE, &error);
    fail_unless(inner && !error, "%s", error ? error->message : "");
    gst_bin_add(reinterpret_cast<GstBin *>(instance), inner);
    for (const char *name : {"sink", "src"}) {
      const cps::Owned<GstPad> pad(gst_element_get_static_pad(inner, name));
      gst_element_add_pad(reinterpret_cast<GstElement *>(instance), gst_ghost_pad_new(name, pad.get()));
    }
  }

  GstPluginFeature *feature_ = nullptr;
};

} // namespace test
