// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/bitstream/subsets.h"

namespace {

// STRUCT_C of the simple and main profile.
Bytes simple_sequence(bool range, unsigned b_frames, bool interpolation) {
  BitWriter bits;
  bits.u(2, 1); // main profile
  bits.u(22, 0);
  bits.u(1, range ? 1 : 0);
  bits.u(3, b_frames);
  bits.u(2, 0);
  bits.u(1, interpolation ? 1 : 0);
  bits.u(1, 1);
  return bits.data();
}

Bytes advanced_sequence(bool interlaced) {
  BitWriter bits;
  bits.u(2, 3);
  bits.u(3 + 2 + 3 + 5 + 1, 0x1555);
  bits.u(12, 88 - 1);
  bits.u(12, 72 - 1);
  bits.u(1, 0);
  bits.u(1, interlaced ? 1 : 0);
  bits.u(6, 0x2a);
  return Bytes{0, 0, 1, 0x0f} + bits.data();
}

const Bytes kEntryPoint{0, 0, 1, 0x0e, 0x48, 0x80};

// A picture header of the advanced profile that begins with these bits, behind its start code.
Bytes advanced(const std::string &header, bool start_code = true) {
  BitWriter bits;
  for (const char bit : header + "10110111") // what follows
    bits.u(1, bit == '1');
  return (start_code ? Bytes{0, 0, 1, 0x0d} : Bytes()) + bits.data();
}

Clip clip_of(const Bytes &codec_data, const std::vector<Bytes> &units, const char *format) {
  const auto config = buffer_of(codec_data);
  Ref<GstCaps> caps(gst_caps_new_simple("video/x-wmv", "wmvversion", G_TYPE_INT, 3, "format", G_TYPE_STRING, format,
                                        "codec_data", GST_TYPE_BUFFER, config.get(), nullptr));
  Clip clip;
  for (const Bytes &unit : units) // times go by decode order, and every unit is called a key
    clip.push_back(sample_of(unit, caps.get(), clip.size() * 40 * GST_MSECOND));
  return clip;
}

std::vector<Bytes> units_of(const std::vector<std::string> &headers, bool start_code = true) {
  std::vector<Bytes> units;
  for (const std::string &header : headers)
    units.push_back(advanced(header, start_code));
  return units;
}

} // namespace

// What precedes the type depends on the sequence header, and so does what the type is.
GST_START_TEST(test_simple_profile) {
  const struct {
    Bytes sequence;
    std::vector<std::string> headers;
    std::vector<uint32_t> frames;
    std::vector<uint32_t> keys;
  } streams[] = {
      {simple_sequence(false, 0, false), {"000", "111", "001", "010"}, {0, 1, 2, 3}, {0, 3}},
      {simple_sequence(true, 0, false), {"0010", "1111", "0001", "1110"}, {0, 1, 2, 3}, {0, 3}},
      {simple_sequence(false, 0, true), {"1000", "1111", "0001", "1110"}, {0, 1, 2, 3}, {0, 3}},
      {simple_sequence(true, 2, true),
       {"000001", "000010", "000000", "000000", "000001", "000000"},
       {0, 3, 1, 2, 5, 4},
       {0, 4}},
      // Cut at an I picture whose B pictures refer to what is missing.
      {simple_sequence(false, 1, false), {"0001", "0000", "001"}, {0, cps::kNoFrame, 1}, {0}},
  };
  for (const auto &[sequence, headers, frames, keys] : streams) {
    const Parsed parsed = parse(clip_of(sequence, units_of(headers, false), "WMV3"));
    check_frames(parsed.index, frames);
    fail_unless(random_access_units(parsed) == keys);
  }
}
GST_END_TEST;

GST_START_TEST(test_advanced_profile) {
  const Bytes progressive = advanced_sequence(false), interlaced = advanced_sequence(true);
  // I, P, B, BI, skipped; the configuration of MP4 files has something before the start code.
  const std::vector<std::string> types = {"110", "0", "10", "1110", "1111", "110", "10"};
  for (const bool start_code : {true, false}) {
    const Parsed parsed =
        parse(clip_of(Bytes{0xc8, 0x80, 0x24} + progressive + kEntryPoint, units_of(types, start_code), "WVC1"));
    check_frames(parsed.index, {0, 3, 1, 2, 4, 6, 5});
    fail_unless(random_access_units(parsed) == std::vector<uint32_t>({0, 5}));
    for (size_t i = 0; i < types.size(); ++i)
      fail_unless(parsed.pictures[i].reference == (i != 2 && i != 3 && i != 6));
  }
  // Frames of an interlaced stream: progressive, interlaced, and two fields I/I, I/P, P/I, P/P, B/B, BI/BI.
  const Parsed fields = parse(
      clip_of(interlaced, units_of({"0110", "100", "11000", "11001", "11010", "11011", "11100", "11111"}), "WVC1"));
  check_frames(fields.index, {0, 1, 2, 3, 4, 7, 5, 6});
  fail_unless(random_access_units(fields) == std::vector<uint32_t>({0, 2, 3}));
}
GST_END_TEST;

// Where entry points come in the stream, only they are some: what they set holds up to the next one.
GST_START_TEST(test_entry_points) {
  std::vector<Bytes> units = units_of({"110", "0", "110", "0", "110", "0"});
  for (const size_t i : {size_t{0}, size_t{4}})
    units[i] = advanced_sequence(false) + kEntryPoint + units[i];
  const Parsed parsed = parse(clip_of(advanced_sequence(true) + kEntryPoint, units, "WVC1"));
  fail_unless(random_access_units(parsed) == std::vector<uint32_t>({0, 4}));
  // Headers alone are no picture.
  units[2] = advanced_sequence(false) + kEntryPoint;
  check_frames(parse(clip_of(advanced_sequence(false), units, "WVC1")).index, {0, 1, cps::kNoFrame, 2, 3, 4});
}
GST_END_TEST;

GST_START_TEST(test_other_caps_and_damage) {
  const Clip clip = clip_of(advanced_sequence(false) + kEntryPoint, units_of({"110", "0", "10"}), "WVC1");
  check_survives_damage(clip);
  // Nothing is known without a configuration: all are decoded.
  for (const Bytes &none : {Bytes{0x40}, Bytes{0, 0, 1, 0x0f, 0xc0}}) {
    const Parsed parsed = parse(clip_of(none, units_of({"110", "0", "10"}, false), "WMV3"));
    check_frames(parsed.index, {0, 1, 2});
    fail_unless(random_access_units(parsed).empty());
  }
  Ref<GstCaps> screen(gst_caps_from_string("video/x-wmv,wmvversion=3,format=MSS2"));
  auto parser = cps::PictureParser::create(screen.get());
  fail_unless(parser && parser->orders_by_pts());
}
GST_END_TEST;

static Suite *vc1_suite(void) {
  Suite *s = suite_create("vc1");
  TCase *tc = tcase_create("general");
  suite_add_tcase(s, tc);
  tcase_add_test(tc, test_simple_profile);
  tcase_add_test(tc, test_advanced_profile);
  tcase_add_test(tc, test_entry_points);
  tcase_add_test(tc, test_other_caps_and_damage);
  return s;
}

GST_CHECK_MAIN(vc1);
