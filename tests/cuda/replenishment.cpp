// SPDX-License-Identifier: LGPL-2.1-or-later
// patchselect ranking=replenishment in both kinds of memory.
#include "tests/cuda/line.h"

#include <numeric>

using namespace test;
using cps::Owned;

namespace {

// The tensors of a clip, and its patches as bytes.
struct Selection {
  explicit Selection(GstBuffer *buffer)
      : fields(elements_of<gint64>(buffer, "meta_fields")), scores(elements_of<float>(buffer, "meta_scores")),
        patches(bytes_of(gst_buffer_peek_memory(buffer, 0))) {}
  Selection() = default;

  size_t count() const { return scores.size(); }

  // Adds rows of another.
  void add(const Selection &from, size_t row, size_t rows) {
    const size_t bytes = from.patches.size() / from.count();
    const auto part = [row, rows](const auto &all, size_t size) {
      const auto begin = all.begin() + static_cast<ptrdiff_t>(row * size);
      return std::pair(begin, begin + static_cast<ptrdiff_t>(rows * size));
    };
    const auto [field, fields_end] = part(from.fields, 6);
    const auto [score, scores_end] = part(from.scores, 1);
    const auto [byte, bytes_end] = part(from.patches, bytes);
    fields.insert(fields.end(), field, fields_end);
    scores.insert(scores.end(), score, scores_end);
    patches.insert(patches.end(), byte, bytes_end);
  }

  bool operator==(const Selection &o) const { return fields == o.fields && scores == o.scores && patches == o.patches; }

  std::vector<gint64> fields;
  std::vector<float> scores;
  std::vector<guint8> patches;
};

// The best `count` patches by docs/spec.md#replenishment, from the tensors alone. `rows`: of a unit.
Selection best_of(const Selection &all, size_t count, size_t rows) {
  std::vector<size_t> units(all.count() / rows);
  std::iota(units.begin(), units.end(), size_t{0});
  std::stable_sort(units.begin(), units.end(), [&](size_t a, size_t b) {
    const bool first_a = all.fields[6 * a * rows] == 0, first_b = all.fields[6 * b * rows] == 0;
    return first_a != first_b ? first_a : all.scores[a * rows] > all.scores[b * rows];
  });
  units.resize(count / rows);
  std::sort(units.begin(), units.end());
  Selection best;
  for (const size_t unit : units)
    best.add(all, unit * rows, rows);
  return best;
}

// Noise, some of it as in the frame before.
Frames changing_frames(const GstVideoInfo &info, guint clip) {
  Frames frames;
  for (guint i = 0; i < 5; ++i)
    frames.push_back(
        sampled(noise_frame(info, {0, 0, info.width, info.height}, i - i / 3), 3 * i, i, 5, CPS_FRAME_FLAG_NONE, clip));
  return frames;
}

} // namespace

GST_START_TEST(test_formats) {
  for (const char *format : {"NV12", "P010_10LE", "RGBA", "I420_10LE"})
    for (const char *unit : {"patch", "block2x2"})
      for (const char *least : {"0", "100", "1e9"}) {
        check_clip(Output::Patches, format, 67, 49, nullptr,
                   {{"ranking", "replenishment"}, {"selection-unit", unit}, {"min-score", least}, {"k-keep", "120"}});
      }
}
GST_END_TEST;

// The best of a clip are those of a clip with a smaller budget.
GST_START_TEST(test_nested) {
  const GstVideoInfo info = video_info("NV12", 96, 80);
  for (const bool in_cuda : {false, true})
    for (const size_t rows : {size_t{1}, size_t{4}}) {
      const Line line(in_cuda, {{"ranking", "replenishment"}, {"input-size", "112"}});
      line.select().set("selection-unit", rows == 1 ? "patch" : "block2x2");
      line.start(info);
      guint clip = 0;
      const auto select = [&](size_t count) {
        line.select().set("k-keep", std::to_string(count).c_str());
        Frames frames = changing_frames(info, clip++);
        return Selection(line.run(in_cuda ? upload(shared_context(), info, frames) : std::move(frames)).get());
      };
      const Selection all = select(10000);
      fail_unless(all.count() >= 200);
      for (size_t count = 4; count <= all.count() && count <= 200; count += 4) {
        const Selection fresh = select(count);
        assert_equals_uint64(fresh.count(), count);
        fail_unless(best_of(all, count, rows) == fresh, "the best %zu", count);
      }
    }
}
GST_END_TEST;

static Suite *replenishment_suite() {
  Suite *suite = suite_create("cuda-replenishment");
  TCase *tests = tcase_create("general");
  suite_add_tcase(suite, tests);
  tcase_set_timeout(tests, 120);
  tcase_add_test(tests, test_formats);
  tcase_add_test(tests, test_nested);
  return suite;
}

int main(int argc, char **argv) {
  return run_cuda_tests(argc, argv, replenishment_suite, "replenishment");
}
