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

// The buffer alone: a sample would keep caps and segment, and through them what they belong to.
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
 * Returns: how many tensors there are
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
 * Returns: (nullable): its name ("patches", "meta_fields", "meta_scores" or "frames"), valid for ever; %NULL where
 * there are not so many
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
 * `source` is the path, as it was given, or the name of bytes and streams.
 *
 * Returns: (nullable): its value as text, valid as long as @tensors are; %NULL where there is no such entry
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
 * Goes through what cps_tensors_get_metadata() knows.
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
 * @error: (out) (optional): a #CpsSessionError where it fails
 *
 * cps_tensors_to_dlpack_versioned() for consumers that do not know DLPack 1.0: Python's capsule "dltensor".
 *
 * Returns: (transfer full) (nullable): the tensor; whoever has it calls its deleter, once. %NULL on failure.
 */
DLManagedTensor *cps_tensors_to_dlpack(const CpsTensors *tensors, const gchar *name, GError **error) {
  g_return_val_if_fail(tensors && name, nullptr);
  return to_dlpack<DLManagedTensor>(tensors, name, error);
}

/**
 * cps_tensors_to_dlpack_versioned:
 * @tensors: the tensors of a clip
 * @name: name of a tensor
 * @error: (out) (optional): a #CpsSessionError where it fails
 *
 * Lends a tensor without a copy, as cps_tensor_meta_to_dlpack_versioned() does. It stays valid until its deleter is
 * called, which any thread may do, also when @tensors and the session are gone. It may be written to. All that is lent
 * of one tensor, and its buffer, are the same memory: who writes to it changes what the others see.
 *
 * Returns: (transfer full) (nullable): the tensor; whoever has it calls its deleter, once. %NULL on failure.
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
 * For applications that know GStreamer. What refers to the buffer keeps the tensors' memory, whatever becomes of
 * @tensors.
 *
 * Returns: (transfer none): the buffer of the tensors, with its #CpsTensorMeta; it is not to be changed
 */
GstBuffer *cps_tensors_get_buffer(const CpsTensors *tensors) {
  g_return_val_if_fail(tensors, nullptr);
  return tensors->buffer.get();
}

/**
 * cps_tensors_free:
 * @tensors: (nullable) (transfer full): the tensors of a clip
 *
 * What has been lent as DLPack stays valid. Does nothing with %NULL. In a fork of the process that made them the memory
 * is left as it is.
 */
void cps_tensors_free(CpsTensors *tensors) {
  if (!cps::is_forked())
    std::unique_ptr<_CpsTensors>(tensors).reset();
}
