// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/bitstream/subsets.h"

namespace {

const char *const kDecoder = "avdec_mpeg2video"; // mpeg2dec keeps the last frames for itself
const char *const kGops = "format=3 max-gop-size=12 min-gop-size=12 quantisation=4 b-per-refframe=";

Clip encode(const std::string &options, const std::string &path = "", const std::string &caps = "") {
  return run("videotestsrc num-buffers=40 pattern=ball ! video/x-raw,width=64,height=64,framerate=25/1" + caps +
             " ! mpeg2enc " + options + " ! " + path + "mpegvideoparse ! appsink name=out");
}

bool have_codec() {
  return have_elements({"mpeg2enc", "mpegvideoparse", "avdec_mpeg2video"});
}

// A unit's packets: from one start code to the next.
std::vector<Bytes> packets_of(const Bytes &unit) {
  std::vector<Bytes> packets;
  for (size_t i = 0; i < unit.size(); ++i) {
    if (i + 3 < unit.size() && unit[i] == 0 && unit[i + 1] == 0 && unit[i + 2] == 1)
      packets.emplace_back();
    if (!packets.empty())
      packets.back().push_back(unit[i]);
  }
  return packets;
}

// `edit` changes the packets of each unit.
template <typename Edit> Clip edit_packets(const Clip &clip, Edit edit) {
  Clip edited;
  for (const auto &sample : clip) {
    GstBuffer *buffer = gst_sample_get_buffer(sample.get());
    std::vector<Bytes> packets = packets_of(bytes_of(buffer));
    edit(edited.size(), packets);
    Bytes bytes;
    for (const Bytes &packet : packets)
      bytes = bytes + packet;
    edited.push_back(sample_of(bytes, gst_sample_get_caps(sample.get()), GST_BUFFER_PTS(buffer)));
  }
  return edited;
}

bool is_sequence_packet(const Bytes &packet) {
  return packet[3] == 0xb3 || (packet[3] == 0xb5 && packet[4] >> 4 != 8);
}

// The encoder writes one sequence header: repeats it before every GOP.
Clip repeat_sequence_headers(const Clip &clip) {
  std::vector<Bytes> headers;
  return edit_packets(clip, [&](size_t unit, std::vector<Bytes> &packets) {
    if (unit == 0)
      std::copy_if(packets.begin(), packets.end(), std::back_inserter(headers), is_sequence_packet);
    else if (packets[0][3] == 0xb8)
      packets.insert(packets.begin(), headers.begin(), headers.end());
  });
}

Clip encode_open_gops() {
  return repeat_sequence_headers(encode(kGops + std::string("2")));
}

Clip slice_of(const Clip &clip, size_t first, size_t last) {
  Clip part;
  for (size_t i = first; i < last; ++i)
    part.emplace_back(gst_sample_ref(clip[i].get()));
  return part;
}

bool refers_to(const cps::CodedPicture &picture, uint32_t unit) {
  const uint32_t *end = picture.references.units + picture.references.count;
  return picture.references.known && std::find(picture.references.units, end, unit) != end;
}

const Bytes kGopHeader = {0, 0, 1, 0xb8, 0, 8, 0, 0};

// A field picture with a slice; `structure`: 1 top, 2 bottom.
Bytes field(unsigned type, unsigned temporal_reference, unsigned structure) {
  BitWriter picture, extension;
  picture.u(10, temporal_reference)
      .u(3, type)
      .u(16, 0xffff)
      .u(type > 1 ? 4 : 0, 7)
      .u(type > 2 ? 4 : 0, 7)
      .u(1, 0)
      .align();
  extension.u(4, 8).u(16, 0xffff).u(2, 0).u(2, structure).u(10, 0).align();
  return Bytes{0, 0, 1, 0} + picture.data() + Bytes{0, 0, 1, 0xb5} + extension.data() + Bytes{0, 0, 1, 1, 0x12, 0x34};
}

Clip hand_made(const std::vector<Bytes> &units) {
  Ref<GstCaps> caps(gst_caps_from_string("video/mpeg,mpegversion=2,systemstream=false,parsed=true"));
  Clip clip;
  for (const Bytes &unit : units)
    clip.push_back(sample_of(unit, caps.get(), GST_CLOCK_TIME_NONE));
  return clip;
}

void check_references(const cps::CodedPicture &picture, std::vector<uint32_t> expected) {
  std::vector<uint32_t> units(picture.references.units, picture.references.units + picture.references.count);
  std::sort(units.begin(), units.end());
  std::sort(expected.begin(), expected.end());
  fail_unless(picture.references.known && units == expected);
}

} // namespace

GST_START_TEST(test_clips) {
  if (!have_codec())
    return;
  const std::string gops = kGops;
  fail_unless(check_clip(encode(gops + "2"), kDecoder, "open GOPs") >= 65);
  fail_unless(check_clip(encode(gops + "2 closed-gop=true"), kDecoder, "closed GOPs") >= 70);
  check_clip(encode(gops + "0"), kDecoder, "no B pictures");
  check_clip(encode("format=0 max-gop-size=12 min-gop-size=9 quantisation=4 b-per-refframe=2"), kDecoder, "MPEG-1");
  check_clip(encode("format=3 max-gop-size=100 min-gop-size=100 quantisation=4 b-per-refframe=1"), kDecoder, "one GOP");
  check_clip(encode(gops + "2 interlace-mode=1", "", ",interlace-mode=interleaved,field-order=top-field-first"),
             kDecoder, "interlaced");
}
GST_END_TEST;

GST_START_TEST(test_structure) {
  if (!have_codec())
    return;
  const Parsed open = parse(encode_open_gops());
  const Parsed closed = parse(encode(kGops + std::string("2 closed-gop=true")));
  fail_unless(random_access_units(open).size() >= 3 && random_access_units(closed).size() >= 3);
  for (const uint32_t entry : random_access_units(open)) {
    fail_unless(open.pictures[entry].references.known && open.pictures[entry].references.count == 0);
    if (entry == 0)
      continue;
    fail_if(open.pictures[entry].starts_sequence);
    const auto &leading = open.pictures[entry + 1];
    fail_unless(!leading.reference && leading.order < open.pictures[entry].order);
    fail_unless(leading.references.count == 2 && refers_to(leading, entry));
  }
  for (const uint32_t entry : random_access_units(closed))
    fail_unless(closed.pictures[entry].starts_sequence);
}
GST_END_TEST;

// With closed_gop set, B pictures behind the I picture refer to that alone.
GST_START_TEST(test_closed_gop) {
  if (!have_codec())
    return;
  const Clip clip = edit_packets(encode_open_gops(), [](size_t, std::vector<Bytes> &packets) {
    for (Bytes &packet : packets)
      if (packet[3] == 0xb8)
        packet[7] |= 0x40;
  });
  const Parsed parsed = parse(clip);
  const uint32_t entry = random_access_units(parsed)[1];
  fail_unless(parsed.pictures[entry].starts_sequence);
  const auto &leading = parsed.pictures[entry + 1];
  fail_unless(leading.references.count == 1 && refers_to(leading, entry));
  check_frames_are_shown(parsed, decode_units(clip, kDecoder), "closed_gop");
  const auto needed = cps::needed_units(parsed.index, {parsed.index.unit(entry + 1).frame}, INT64_MAX);
  assert_equals_int(std::count(needed.keep.begin(), needed.keep.end(), true), 2);
}
GST_END_TEST;

// Where a stream was cut, decoders leave out what refers to the part that is missing.
GST_START_TEST(test_cut) {
  if (!have_codec())
    return;
  const Clip whole = encode_open_gops();
  const Clip part = slice_of(whole, random_access_units(parse(whole))[1], whole.size());
  const Parsed parsed = parse(part);
  assert_equals_int(count_hidden(parsed), 2);
  fail_unless(!parsed.pictures[1].output && !parsed.pictures[2].output && parsed.pictures[3].output);
  check_clip(part, kDecoder, "cut");
}
GST_END_TEST;

GST_START_TEST(test_one_sequence_header) {
  if (!have_codec())
    return;
  const Clip clip = encode(kGops + std::string("2"));
  const Parsed parsed = parse(clip);
  const auto entries = random_access_units(parsed);
  fail_unless(entries.size() >= 3);
  fail_unless(refers_to(parsed.pictures[entries[1]], 0));
  check_clip(clip, kDecoder, "one sequence header");
}
GST_END_TEST;

// I pictures without any header before them are no entry points.
GST_START_TEST(test_no_headers) {
  if (!have_codec())
    return;
  const Clip clip = edit_packets(encode_open_gops(), [](size_t unit, std::vector<Bytes> &packets) {
    const auto is_header = [](const Bytes &packet) { return is_sequence_packet(packet) || packet[3] == 0xb8; };
    if (unit > 0)
      packets.erase(std::remove_if(packets.begin(), packets.end(), is_header), packets.end());
  });
  assert_equals_uint64(random_access_units(parse(clip)).size(), 1);
  check_clip(clip, kDecoder, "no headers");
}
GST_END_TEST;

// Matrices stay until the next sequence header, whichever picture brings them.
GST_START_TEST(test_matrices) {
  if (!have_codec())
    return;
  const auto add_matrices = [](size_t unit, std::vector<Bytes> &packets) {
    if (unit != 5 && unit != 18)
      return;
    BitWriter writer;
    writer.u(4, 3).u(1, 0).u(1, 1); // quant_matrix_extension() with a non-intra matrix
    for (int i = 0; i < 64; ++i)
      writer.u(8, 20 + unit + static_cast<unsigned>(i) % 3);
    writer.u(2, 0).align();
    const auto is_slice = [](const Bytes &packet) { return packet[3] >= 1 && packet[3] <= 0xaf; };
    packets.insert(std::find_if(packets.begin(), packets.end(), is_slice), Bytes{0, 0, 1, 0xb5} + writer.data());
  };
  const Clip clip = edit_packets(encode_open_gops(), add_matrices);
  const Clip stripped = edit_packets(encode(kGops + std::string("2")), add_matrices);
  const Parsed parsed = parse(clip);
  fail_unless(parsed.pictures[5].reference && refers_to(parsed.pictures[6], 5));
  fail_unless(random_access_units(parsed).size() >= 3);
  check_clip(clip, kDecoder, "matrices");
  const Parsed persistent = parse(stripped);
  assert_equals_uint64(random_access_units(persistent).size(), 1);
  fail_unless(refers_to(persistent.pictures[18], 5) && refers_to(persistent.pictures[19], 18));
  check_clip(stripped, kDecoder, "matrices that stay");
}
GST_END_TEST;

// Field pictures are one frame a pair, whether they share a unit or not.
GST_START_TEST(test_fields) {
  const unsigned types[] = {1, 2, 3, 2, 3}; // I, P, B, P, B; the second field of the I frame is a P field
  const unsigned times[] = {0, 2, 1, 4, 3};
  std::vector<Bytes> pairs, fields;
  for (size_t i = 0; i < 5; ++i) {
    const Bytes first = field(types[i], times[i], 1), second = field(i == 0 ? 2 : types[i], times[i], 2);
    pairs.push_back((i == 0 ? kGopHeader : Bytes()) + first + second);
    fields.insert(fields.end(), {(i == 0 ? kGopHeader : Bytes()) + first, second});
  }
  const Parsed whole = parse(hand_made(pairs));
  check_frames(whole.index, {0, 2, 1, 4, 3});
  const std::vector<std::vector<uint32_t>> expected = {{}, {0}, {1, 0}, {1}, {3, 1}};
  for (size_t i = 0; i < 5; ++i)
    check_references(whole.pictures[i], expected[i]);
  fail_unless(whole.pictures[0].random_access);

  const Parsed apart = parse(hand_made(fields));
  check_frames(apart.index, {0, 0, 2, 2, 1, 1, 4, 4, 3, 3});
  for (size_t i = 0; i < 5; ++i) {
    std::vector<uint32_t> units;
    for (const uint32_t unit : expected[i])
      units.insert(units.end(), {2 * unit, 2 * unit + 1});
    check_references(apart.pictures[2 * i], units);
    units.push_back(static_cast<uint32_t>(2 * i));
    check_references(apart.pictures[2 * i + 1], units);
    fail_unless(!apart.pictures[2 * i].second_field && apart.pictures[2 * i + 1].second_field);
    fail_unless(apart.pictures[2 * i].reference == (types[i] != 3) &&
                apart.pictures[2 * i + 1].reference == (types[i] != 3));
  }

  // Two fields of the same parity, or of different frames, are no pair.
  check_frames(parse(hand_made({field(1, 0, 1), field(2, 0, 1), field(2, 1, 2)})).index, {0, 1, 2});
}
GST_END_TEST;

// After a picture that cannot be read, what refers to it or past it is not known.
GST_START_TEST(test_damaged_picture) {
  if (!have_codec())
    return;
  const Clip clip = edit_packets(encode_open_gops(), [](size_t unit, std::vector<Bytes> &packets) {
    for (Bytes &packet : packets)
      if (unit == 4 && packet[3] == 0)
        packet[5] &= static_cast<uint8_t>(~0x38u); // picture_coding_type 0
  });
  const Parsed parsed = parse(clip);
  fail_unless(!parsed.understood[4] && parsed.pictures[4].has_picture);
  fail_if(parsed.pictures[5].references.known);
  assert_equals_uint64(parsed.index.frames(), clip.size());
  const uint32_t entry = random_access_units(parsed)[1];
  fail_unless(parsed.pictures[entry].references.known && parsed.pictures[entry + 3].references.known);
}
GST_END_TEST;

GST_START_TEST(test_containers) {
  if (!have_codec() || !have_elements({"mpegtsmux", "tsdemux", "matroskamux", "matroskademux"}))
    return;
  const auto direct = fingerprints_of(encode(kGops + std::string("2")));
  check_unique(direct);
  for (const char *path :
       {"mpegvideoparse ! matroskamux ! matroskademux ! ", "mpegvideoparse ! mpegtsmux ! tsdemux ! "})
    fail_unless(fingerprints_of(encode(kGops + std::string("2"), path)) == direct, "%s", path);
}
GST_END_TEST;

GST_START_TEST(test_damage) {
  if (have_codec())
    check_survives_damage(encode_open_gops());
}
GST_END_TEST;

static Suite *mpegvideo_suite(void) {
  Suite *s = suite_create("mpegvideo");
  TCase *tc = tcase_create("general");
  suite_add_tcase(s, tc);
  tcase_set_timeout(tc, 60);
  tcase_add_test(tc, test_clips);
  tcase_add_test(tc, test_structure);
  tcase_add_test(tc, test_closed_gop);
  tcase_add_test(tc, test_cut);
  tcase_add_test(tc, test_one_sequence_header);
  tcase_add_test(tc, test_no_headers);
  tcase_add_test(tc, test_matrices);
  tcase_add_test(tc, test_fields);
  tcase_add_test(tc, test_damaged_picture);
  tcase_add_test(tc, test_containers);
  tcase_add_test(tc, test_damage);
  return s;
}

GST_CHECK_MAIN(mpegvideo);
