// SPDX-License-Identifier: LGPL-2.1-or-later
// Files of tensors of any shape, with any metadata.
#include "gst/codecpatch/cpssafetensors.h"
#include "gst/codecpatch/cpstensormeta.h"
#include "gst/codecpatch/owned.h"
#include "tests/fuzz/input.h"

#include <fstream>
#include <sstream>
#include <unistd.h>

namespace {

using namespace fuzz;

constexpr gsize kMostBytes = 1 << 16;

// The tensor of these dimensions, unless it is too large to allocate here.
bool take_tensor(Input &input, guint memory, CpsTensor &tensor) {
  const std::string name = input.text();
  tensor.id = g_quark_from_string(name.substr(0, 20).c_str());
  tensor.dtype = input.between(CPS_DTYPE_U8, CPS_DTYPE_I64);
  tensor.n_dims = input.between<guint>(0, CPS_TENSOR_MAX_DIMS);
  for (guint i = 0; i < tensor.n_dims; i++)
    tensor.dims[i] = input.flag() ? input.number<uint8_t>() : input.number<gint64>() & G_MAXINT64;
  tensor.memory = memory;
  return cps_tensor_get_size(&tensor) <= kMostBytes;
}

Owned<CpsClip> take_clip(Input &input) {
  Owned<CpsClip> clip(cps_clip_new(input.between<guint>(0, 5)));
  for (guint i = 0; i < clip->n_frames; i++)
    clip->frames[i] = {input.number<guint64>(), input.number<guint64>(), input.flag(), CPS_FRAME_STATUS_OK};
  clip->fps = input.number<double>();
  clip->duration = input.number<guint64>();
  clip->source = g_strdup(input.text().c_str());
  if (GstStructure *options = gst_structure_from_string(input.text().c_str(), nullptr)) {
    gst_structure_free(clip->options);
    clip->options = options;
  }
  return clip;
}

std::string contents(const char *path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream all;
  all << file.rdbuf();
  return all.str();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  start();
  Input input(data, size);
  const Owned<CpsClip> clip = take_clip(input);
  const Owned<GstBuffer> buffer(gst_buffer_new());
  std::vector<CpsTensor> tensors;
  gsize bytes = 0;
  for (guint count = input.between<guint>(0, 3); count > 0; count--) {
    CpsTensor tensor = {};
    if (!take_tensor(input, static_cast<guint>(tensors.size()), tensor))
      return 0;
    const gsize needed = cps_tensor_get_size(&tensor);
    gst_buffer_append_memory(buffer.get(), gst_allocator_alloc(nullptr, std::max<gsize>(needed, 1), nullptr));
    gst_buffer_memset(buffer.get(), gst_buffer_get_size(buffer.get()) - std::max<gsize>(needed, 1), 0, needed);
    tensors.push_back(tensor);
    bytes += needed;
  }
  cps_buffer_add_tensor_meta(buffer.get(), tensors.data(), static_cast<guint>(tensors.size()), clip.get());

  static const std::string path = "/tmp/codecpatch-fuzz-" + std::to_string(getpid()) + ".safetensors";
  REQUIRE(cps_buffer_save_safetensors(buffer.get(), path.c_str(), nullptr));
  const std::string file = contents(path.c_str());
  unlink(path.c_str());
  REQUIRE(file.size() >= 8);
  const guint64 header = GST_READ_UINT64_LE(file.data());
  REQUIRE(header % 8 == 0 && file.size() == 8 + header + bytes);
  REQUIRE(g_utf8_validate(file.data() + 8, static_cast<gssize>(header), nullptr));
  return 0;
}
