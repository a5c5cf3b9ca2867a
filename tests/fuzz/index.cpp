// SPDX-License-Identifier: LGPL-2.1-or-later
// The image of an index, and plans over what it describes.
#include "gst/bitstream/neededunits.h"
#include "tests/fuzz/input.h"

namespace {

constexpr int kHeader = 48; // of an image; unused bytes in it need not be kept

// An image as StreamIndex::image() writes it, with arbitrary fields. Without it, only seeds would have fitting sizes.
std::vector<uint8_t> composed(fuzz::Input &input) {
  const auto units = input.between<uint64_t>(0, 64);
  const std::vector<uint8_t> distances = input.bytes();
  std::vector<uint8_t> image;
  const auto append = [&image](const auto &field) {
    const auto *bytes = reinterpret_cast<const uint8_t *>(&field);
    image.insert(image.end(), bytes, bytes + sizeof field);
  };
  append(static_cast<uint32_t>(sizeof(cps::StreamIndex::AccessUnit)));
  append(uint32_t{0}); // no error of the times
  append(units);
  append(uint64_t{distances.size()});
  append(uint64_t{0}); // no times
  append(input.number<int64_t>());
  append(uint64_t{0});
  image.insert(image.end(), distances.begin(), distances.end());
  for (uint64_t i = 0; i < units * sizeof(cps::StreamIndex::AccessUnit); ++i)
    image.push_back(input.number<uint8_t>());
  return image;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  fuzz::Input input(data, size);
  const auto frames = input.number<uint8_t>();
  const bool raw = input.flag();
  const auto wanted = input.number<uint8_t>();
  const std::vector<uint8_t> image = raw ? input.bytes() : composed(input);
  cps::StreamIndex index;
  if (!index.load(image.data(), image.size(), frames)) {
    REQUIRE(index.units() == 0 && index.frames() == 0);
    return 0;
  }
  REQUIRE(index.frames() == frames);
  const std::string again = index.image();
  REQUIRE(image.size() == again.size() &&
          std::memcmp(image.data() + kHeader, again.data() + kHeader, again.size() - kHeader) == 0);
  for (uint32_t id = 0; id < frames; ++id)
    REQUIRE(index.frame(id).frame == id);
  const cps::NeededUnits needed = cps::needed_units(index, {wanted}, index.traits().order_window);
  REQUIRE(needed.keep.size() == index.units() && needed.end <= index.units());
  return 0;
}
