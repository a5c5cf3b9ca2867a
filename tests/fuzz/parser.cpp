// SPDX-License-Identifier: LGPL-2.1-or-later
// The headers of coded pictures, the index of a stream, and what of it a decoder must see.
//
// FUZZ_CAPS are the caps of the stream. An input is the length of its codec_data and these, where FUZZ_CODEC_DATA is
// set, then access units, each behind its length and what happens before it.
#include "gst/bitstream/neededunits.h"
#include "gst/bitstream/pictureparser.h"
#include "tests/fuzz/input.h"

#include <algorithm>
#include <memory>
#include <set>

#ifndef FUZZ_CODEC_DATA
#define FUZZ_CODEC_DATA false
#endif

namespace {

using namespace fuzz;

constexpr size_t kMostUnits = 300;

Owned<GstCaps> caps_with(const std::vector<uint8_t> &codec_data) {
  Owned<GstCaps> caps(gst_caps_from_string(FUZZ_CAPS));
  if (FUZZ_CODEC_DATA)
    gst_caps_set_simple(caps.get(), "codec_data", GST_TYPE_BUFFER, buffer_of(codec_data).get(), nullptr);
  return caps;
}

GstClockTime take_time(Input &input) {
  const auto time = input.number<uint32_t>();
  return time == UINT32_MAX ? GST_CLOCK_TIME_NONE : time * GST_USECOND;
}

void add_units(Input &input, cps::PictureParser &parser, cps::StreamIndex &index) {
  for (size_t i = 0; i < kMostUnits && !input.at_end(); i++) {
    const uint8_t before = input.number<uint8_t>();
    if (before % 64 == 63)
      parser.set_caps(caps_with(input.bytes()).get());
    const Owned<GstBuffer> unit = buffer_of(input.bytes());
    cps::CodedPicture picture;
    parser.parse(unit.get(), picture);
    const cps::UnitSummary summary = parser.summarize(unit.get());
    REQUIRE(summary.fingerprint == picture.fingerprint);
    for (const cps::Part &header : summary.parameter_sets)
      REQUIRE(header.offset + header.size <= gst_buffer_get_size(unit.get()));
    const GstClockTime pts = take_time(input), dts = take_time(input);
    index.add(picture, {pts, dts}, before % 32 == 31);
  }
}

// Frames are numbered without gaps, and each is some unit's.
void check_numbers(const cps::StreamIndex &index) {
  std::set<uint32_t> frames;
  for (size_t i = 0; i < index.units(); i++)
    if (index.unit(i).frame != cps::kNoFrame)
      frames.insert(index.unit(i).frame);
  REQUIRE(frames.size() == index.frames());
  REQUIRE(frames.empty() || *frames.rbegin() + 1 == index.frames());
  REQUIRE(std::is_sorted(index.times().begin(), index.times().end()));
}

// What is wanted is kept, with all that it says it refers to.
void check_needed(const cps::StreamIndex &index, const cps::PictureParser &parser,
                  const std::vector<uint64_t> &wanted) {
  const cps::NeededUnits needed = cps::needed_units(index, wanted, parser.order_window());
  REQUIRE(needed.keep.size() == index.units() && needed.end <= index.units());
  for (size_t i = 0; i < index.units(); i++) {
    const bool is_wanted =
        index.unit(i).frame != cps::kNoFrame && std::binary_search(wanted.begin(), wanted.end(), index.unit(i).frame);
    REQUIRE(!is_wanted || (needed.keep[i] && i < needed.end));
    if (needed.keep[i] && index.unit(i).has_picture && index.unit(i).references != cps::StreamIndex::kUnknownReferences)
      index.visit_references(i, [&](size_t reference) { REQUIRE(needed.keep[reference]); });
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  start();
  Input input(data, size);
  const std::unique_ptr<cps::PictureParser> parser =
      cps::PictureParser::create(caps_with(FUZZ_CODEC_DATA ? input.bytes() : std::vector<uint8_t>()).get());
  if (!parser)
    return 0;
  std::vector<uint64_t> wanted;
  for (size_t count = input.between<size_t>(0, 8); count > 0; count--)
    wanted.push_back(input.number<uint8_t>());
  std::sort(wanted.begin(), wanted.end());
  cps::StreamIndex index;
  add_units(input, *parser, index);
  index.finish(parser->orders_by_pts(), 40 * GST_MSECOND);
  check_numbers(index);
  check_needed(index, *parser, wanted);
  return 0;
}
