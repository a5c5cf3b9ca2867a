// SPDX-License-Identifier: LGPL-2.1-or-later
// Video that is stored rotated or mirrored: apply-rotation against videoflip, which turns the pixels.
#include "tests/pipelines/clips.h"

#include <array>

namespace {

using namespace pipes;

// What a track header says, in the order of its matrix: a b c d; or only a tag, where demuxers know no such track.
struct Rotation {
  const char *tag;
  std::array<int, 4> matrix;
  bool in_file;
};

constexpr Rotation kRotations[] = {
    {"rotate-0", {{1, 0, 0, 1}}, true},          {"rotate-90", {{0, 1, -1, 0}}, true},
    {"rotate-180", {{-1, 0, 0, -1}}, true},      {"rotate-270", {{0, -1, 1, 0}}, true},
    {"flip-rotate-0", {{-1, 0, 0, 1}}, true},    {"flip-rotate-180", {{1, 0, 0, -1}}, true},
    {"flip-rotate-90", {{0, -1, -1, 0}}, false}, {"flip-rotate-270", {{0, 1, 1, 0}}, false},
};

std::string reading(const TempDir &folder, const Rotation &rotation) {
  const std::string path = folder.file(rotation.tag);
  write_file(path, read_file(folder.file("clip.mp4")));
  turn(path, rotation.in_file ? rotation.matrix : kRotations[0].matrix);
  const std::string tag = std::string(" ! taginject tags=image-orientation=") + rotation.tag;
  return "filesrc location=" + path + " ! qtdemux ! h264parse" + (rotation.in_file ? "" : tag) +
         " ! frameplanner ! avdec_h264 ! ";
}

const char *const kOurs = "uniformsampler sequence-length=5 apply-rotation=true ! ";
const char *const kTheirs = "uniformsampler sequence-length=5 ! videoflip video-direction=auto ! ";

// framestack's tensor and the size that it tells.
struct Stack {
  std::vector<uint8_t> frames;
  guint width = 0, height = 0;
};

Stack stack(const std::string &line) {
  Line running(line + "framestack ! tensormetasink name=stack");
  const Outcome outcome = running.run();
  fail_unless(outcome.eos && !outcome.failed(), "%s: %s", line.c_str(), outcome.error.c_str());
  const Owned<GstElement> sink = running.get("stack");
  GstSample *pulled = nullptr;
  g_signal_emit_by_name(sink.get(), "try-pull-tensors", guint64{0}, &pulled);
  const Owned<GstSample> sample(pulled);
  fail_unless(sample != nullptr);
  GstBuffer *buffer = gst_sample_get_buffer(sample.get());
  const CpsClip *clip = cps_buffer_get_tensor_meta(buffer)->clip;
  return {tensor_values<uint8_t>(buffer, "frames"), clip->source_width, clip->source_height};
}

bool is_transposed(const Rotation &rotation) {
  return rotation.matrix[0] == 0;
}

} // namespace

GST_START_TEST(test_patches) {
  if (!have_elements({"videoflip", "taginject"}))
    return;
  const TempDir folder;
  encode(folder.file("clip.mp4"), kH264B, "mp4mux", 30);
  for (const Rotation &rotation : kRotations) {
    const std::string from = reading(folder, rotation),
                      to = "patchenergy ! patchselect k-keep=600 output-dtype=f32 ! tensormetasink name=sink";
    const Outcome ours = run(from + kOurs + to), theirs = run(from + kTheirs + to);
    const Tensors &tensors = ours.only_clip(), &expected = theirs.only_clip();
    fail_unless(tensors.fields == expected.fields, "%s: other patches", rotation.tag);
    fail_unless(tensors.scores == expected.scores, "%s: other scores", rotation.tag);
    fail_unless(tensors.pixels == expected.pixels, "%s: other pixels", rotation.tag);
    fail_unless(tensors.count() == 600 && tensors.scores.back() > 0);
    for (const Tensors *clip : {&tensors, &expected}) {
      assert_equals_int(clip->clip->source_width, is_transposed(rotation) ? kClipHeight : kClipWidth);
      assert_equals_int(clip->clip->source_height, is_transposed(rotation) ? kClipWidth : kClipHeight);
    }
    assert_equals_int(tensors.clip->target_width, expected.clip->target_width);
    assert_equals_int(tensors.clip->grid_height, expected.clip->grid_height);
  }
}
GST_END_TEST;

GST_START_TEST(test_frames) {
  if (!have_elements({"videoflip", "taginject"}))
    return;
  const TempDir folder;
  encode(folder.file("clip.mp4"), kH264B, "mp4mux", 30);
  std::vector<std::vector<uint8_t>> all;
  for (const Rotation &rotation : kRotations) {
    const std::string from = reading(folder, rotation);
    const Stack ours = stack(from + kOurs), theirs = stack(from + kTheirs);
    assert_equals_int(ours.width, theirs.width);
    assert_equals_int(ours.height, theirs.height);
    fail_unless(ours.frames == theirs.frames, "%s: other frames", rotation.tag);
    all.push_back(ours.frames);
  }
  for (size_t i = 0; i < all.size(); i++) // each rotation has been noticed
    for (size_t j = 0; j < i; j++)
      fail_unless(all[i] != all[j], "%s is like %s", kRotations[i].tag, kRotations[j].tag);
}
GST_END_TEST;

// Without apply-rotation, frames are as they were stored.
GST_START_TEST(test_stored) {
  if (!have_elements({"taginject"}))
    return;
  const TempDir folder;
  encode(folder.file("clip.mp4"), kH264B, "mp4mux", 30);
  const std::string line = "uniformsampler sequence-length=5 ! ";
  const Stack upright = stack(reading(folder, kRotations[0]) + line);
  for (const Rotation &rotation : kRotations)
    fail_unless(stack(reading(folder, rotation) + line).frames == upright.frames);
}
GST_END_TEST;

// In a bin, too, whose frames are read as the sampler marks them, or turned for what does not read them so.
GST_START_TEST(test_bins) {
  const TempDir folder;
  encode(folder.file("clip.mp4"), kH264B, "mp4mux", 30);
  for (const Rotation &rotation : kRotations) {
    if (!rotation.in_file)
      continue;
    const Stack expected = stack(reading(folder, rotation) + kOurs);
    const std::string start = "uniformdecodebin decode-backend=cpu sequence-length=5 uri=file://";
    const Stack bin = stack(start + folder.file(rotation.tag) + " ! "),
                queued = stack(start + folder.file(rotation.tag) + " ! queue ! ");
    fail_unless(bin.frames == expected.frames && bin.width == expected.width && bin.height == expected.height, "%s",
                rotation.tag);
    fail_unless(queued.frames == expected.frames && queued.width == expected.width, "%s: turned by videoflip",
                rotation.tag);
  }
}
GST_END_TEST;

static Suite *rotation_suite() {
  Suite *suite = suite_create("pipelines-rotation");
  TCase *tests = make_tests(suite);
  tcase_add_test(tests, test_patches);
  tcase_add_test(tests, test_frames);
  tcase_add_test(tests, test_bins);
  tcase_add_test(tests, test_stored);
  return suite;
}

GST_CHECK_MAIN(rotation)
