// SPDX-License-Identifier: LGPL-2.1-or-later
// Whole pipelines: their tensors where they are, and as what they say.
#pragma once

// First, for it includes what the macros of check do not go with.
#include "tests/common/pipeline.h"

#include "tests/common/tempdir.h"
#include "tests/cuda/line.h"
#include "tests/pipelines/clips.h"

namespace test {

constexpr const char *kUpload = "cudaupload ! video/x-raw(memory:CUDAMemory)";
constexpr const char *kDownload = "cudadownload ! video/x-raw";

// One clip, with the tensors in the memory that they were made in.
struct Clip {
  Owned<GstSample> sample;
  GstBuffer *buffer() const { return gst_sample_get_buffer(sample.get()); }
  bool on_device() const { return in_device_memory(buffer()); }
};

// The next clip of the tensormetasink `name`, whatever the memory.
inline Clip pull(const pipes::Line &line, const char *name = "sink") {
  const Owned<GstElement> sink = line.get(name);
  GstSample *sample = nullptr;
  g_signal_emit_by_name(sink.get(), "try-pull-tensors", pipes::kPatience, &sample);
  if (!sample) {
    const Owned<GstBus> bus(gst_element_get_bus(line.pipeline()));
    ck_abort_msg("no clip: %s", pop_report(bus.get(), GST_MESSAGE_ERROR).c_str());
  }
  return {Owned<GstSample>(sample)};
}

// All that a clip says, as a file has it. Reads it back.
inline std::string file_of(const Clip &clip) {
  const TempDir folder;
  const std::string path = folder.file("clip.safetensors");
  const Harness writer("tensormetasink", {{"location", path.c_str()}}, false);
  writer.start(gst_sample_get_caps(clip.sample.get()));
  fail_unless(writer.push(Owned<GstBuffer>(gst_buffer_ref(clip.buffer()))) == GST_FLOW_OK);
  writer.check_quiet();
  return pipes::read_file(path);
}

// Says which tensor differs, where the files of two clips do.
inline void check_equal(const Clip &clip, const Clip &expected, const std::string &what) {
  const pipes::Tensors a = pipes::read_tensors(clip.sample.get()), b = pipes::read_tensors(expected.sample.get());
  fail_unless(a.frame_ids() == b.frame_ids(), "%s: other frames", what.c_str());
  fail_unless(a.fields == b.fields, "%s: meta_fields differ", what.c_str());
  fail_unless(a.scores == b.scores, "%s: meta_scores differ", what.c_str());
  fail_unless(a.pixels == b.pixels, "%s: patches differ", what.c_str());
  fail_unless(file_of(clip) == file_of(expected), "%s: files differ", what.c_str());
}

// Pictures that an application stamped: those of one clip, with their places in it.
inline Frames planned_frames(guint clip, guint length, int width = pipes::kClipWidth, int height = pipes::kClipHeight) {
  Frames frames;
  for (guint i = 0; i < length; i++) // of what other clips are not made of
    frames.push_back(sampled(pipes::numbered_frame(static_cast<int>(clip * 37 + i * 5), width, height), 5 * i, i,
                             length, i == 0 ? CPS_FRAME_FLAG_RANDOM_ACCESS : CPS_FRAME_FLAG_NONE, clip));
  return frames;
}

// A pipeline behind an appsrc that is given clip after clip.
class Feed : public pipes::Line {
public:
  explicit Feed(const std::string &rest, int width = pipes::kClipWidth, int height = pipes::kClipHeight)
      : Line("appsrc name=in format=time max-bytes=0 ! " + rest), width_(width), height_(height), in_(get("in")) {
    gst_app_src_set_caps(source(), pipes::clip_caps(width, height).get());
  }

  void push(guint clip, guint length) const {
    for (Owned<GstBuffer> &frame : planned_frames(clip, length, width_, height_))
      gst_app_src_push_buffer(source(), frame.release());
  }
  void end() const { gst_app_src_end_of_stream(source()); }

  Clip run(guint clip, guint length) const {
    push(clip, length);
    return test::pull(*this);
  }

private:
  GstAppSrc *source() const { return GST_APP_SRC(in_.get()); }

  int width_, height_;
  Owned<GstElement> in_;
};

} // namespace test
