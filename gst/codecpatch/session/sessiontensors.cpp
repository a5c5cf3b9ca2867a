// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/codecpatch/session/sessiontensors.h"

#include "gst/codecpatch/cpstensormeta.h"
#include "gst/codecpatch/dlpackexport.h"
#include "gst/codecpatch/session/sessionerror.h"
#include "gst/codecpatch/session/sessionprocess.h"

#include <algorithm>
#include <utility>
#include <vector>

using cps::Owned;

// Holds the buffer only, because a sample would also keep caps and segment, and through them their owners.
struct _CpsTensors {
  Owned<GstBuffer> buffer;
  std::string name;
  std::vector<std::pair<std::string, std::string>> metadata;

  const CpsTensorMeta *meta() const { return cps_buffer_get_tensor_meta(buffer.get()); }
};

namespace cps {

CpsTensors *tensors_new(Owned<GstSample> sample, const std::string &name, const std::optional<std::string> &source) {
  auto tensors = std::make_unique<_CpsTensors>();
  tensors->buffer.reset(gst_buffer_ref(gst_sample_get_buffer(sample.get())));
  tensors->name = name;
  cps_clip_foreach_metadata(
      tensors->meta()->clip,
      [](const gchar *key, const gchar *value, gpointer metadata) {
        static_cast<decltype(tensors->metadata) *>(metadata)->emplace_back(key, value);
      },
      &tensors->metadata);
  for (auto &[key, value] : tensors->metadata)
    if (source && key == "source")
      value = *source;
  return tensors.release();
}

} // namespace cps

/**
 * cps_tensors_get_count:
 * @tensors: the tensors of a clip
 *
 * Returns: the number of tensors
 */
guint cps_tensors_get_count(const CpsTensors *tensors) {
  g_return_val_if_fail(tensors, 0);
  return tensors->meta()->n_tensors;
}

/**
 * cps_tensors_get_name:
 * @tensors: the tensors of a clip
 * @index: number of a tensor
 *
 * Returns: (nullable): its name ("patches", "meta_fields", "meta_scores", "canvases", "patch_positions" or "frames"),
 * valid until the process ends; %NULL if @index is out of range
 */
const gchar *cps_tensors_get_name(const CpsTensors *tensors, guint index) {
  g_return_val_if_fail(tensors, nullptr);
  const CpsTensorMeta *meta = tensors->meta();
  return index < meta->n_tensors ? g_quark_to_string(meta->tensors[index].id) : nullptr;
}

/**
 * cps_tensors_get_metadata:
 * @tensors: the tensors of a clip
 * @key: name of an entry, see cps_clip_foreach_metadata()
 *
 * The entry `source` is the path or URI of the source, or the name of bytes and streams.
 *
 * Returns: (nullable): its value as text, valid as long as @tensors; %NULL if there is no such entry
 */
const gchar *cps_tensors_get_metadata(const CpsTensors *tensors, const gchar *key) {
  g_return_val_if_fail(tensors && key, nullptr);
  const auto &all = tensors->metadata;
  const auto found = std::find_if(all.begin(), all.end(), [&](const auto &entry) { return entry.first == key; });
  return found != all.end() ? found->second.c_str() : nullptr;
}

/**
 * cps_tensors_foreach_metadata:
 * @tensors: the tensors of a clip
 * @func: (scope call): called once for each entry
 * @user_data: passed to @func
 *
 * Passes all entries of cps_tensors_get_metadata() to @func.
 */
void cps_tensors_foreach_metadata(const CpsTensors *tensors, CpsClipMetadataFunc func, gpointer user_data) {
  g_return_if_fail(tensors && func);
  for (const auto &[key, value] : tensors->metadata)
    func(key.c_str(), value.c_str(), user_data);
}

template <typename Managed> static Managed *to_dlpack(const CpsTensors *tensors, const gchar *name, GError **error) {
  if (!cps::check_fork(error))
    return nullptr;
  if (!cps_tensor_meta_find(tensors->meta(), name)) {
    cps::set_session_error(error, CPS_SESSION_ERROR_OPTION, tensors->name + ": There is no tensor \"" + name + "\".");
    return nullptr;
  }
  GError *failure = nullptr;
  auto *managed = cps::export_tensor<Managed>(tensors->buffer.get(), name, cps::Sharing::Nobody, &failure);
  if (const Owned<GError> owned{failure})
    cps::wrap_session_error(error, tensors->name, *owned);
  return managed;
}

/**
 * cps_tensors_to_dlpack:
 * @tensors: the tensors of a clip
 * @name: name of a tensor
 * @error: (out) (optional): a #CpsSessionError on failure
 *
 * Does the same as cps_tensors_to_dlpack_versioned() for consumers that do not know DLPack 1.0: Python's capsule
 * "dltensor".
 *
 * Returns: (transfer full) (nullable): the tensor; the owner calls its deleter exactly once. %NULL on failure.
 */
DLManagedTensor *cps_tensors_to_dlpack(const CpsTensors *tensors, const gchar *name, GError **error) {
  g_return_val_if_fail(tensors && name, nullptr);
  return to_dlpack<DLManagedTensor>(tensors, name, error);
}

/**
 * cps_tensors_to_dlpack_versioned:
 * @tensors: the tensors of a clip
 * @name: name of a tensor
 * @error: (out) (optional): a #CpsSessionError on failure
 *
 * Lends a tensor without a copy, as cps_tensor_meta_to_dlpack_versioned() does. The tensor stays valid until its
 * deleter is called. Any thread may call the deleter, also after @tensors and the session have been freed. The consumer
 * may write to the tensor. All exports of a tensor and the buffer share the same memory, so a write is visible in all
 * of them.
 *
 * Returns: (transfer full) (nullable): the tensor; the owner calls its deleter exactly once. %NULL on failure.
 */
DLManagedTensorVersioned *cps_tensors_to_dlpack_versioned(const CpsTensors *tensors, const gchar *name,
                                                          GError **error) {
  g_return_val_if_fail(tensors && name, nullptr);
  return to_dlpack<DLManagedTensorVersioned>(tensors, name, error);
}

/**
 * cps_tensors_get_buffer:
 * @tensors: the tensors of a clip
 *
 * For applications that use GStreamer. A reference to the buffer keeps the tensors' memory, also after @tensors has
 * been freed.
 * @tensors.
 *
 * Returns: (transfer none): the buffer of the tensors, with its #CpsTensorMeta; do not change it
 */
GstBuffer *cps_tensors_get_buffer(const CpsTensors *tensors) {
  g_return_val_if_fail(tensors, nullptr);
  return tensors->buffer.get();
}

/**
 * cps_tensors_free:
 * @tensors: (nullable) (transfer full): the tensors of a clip
 *
 * Frees the clip's tensors. Exported DLPack tensors stay valid. Does nothing with %NULL. Does nothing in a fork of the
 * process that made the tensors, where the memory leaks.
 */
void cps_tensors_free(CpsTensors *tensors) {
  if (!cps::is_forked())
    std::unique_ptr<_CpsTensors>(tensors).reset();
}
