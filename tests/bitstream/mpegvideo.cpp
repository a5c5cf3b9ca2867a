#include "tests/bitstream/subsets.h"

namespace {

const char *const kDecoders[] = {"avdec_mpeg2video", "mpeg2dec"};

Clip encode(const std::string &encoder, int frames = 40, const std::string &caps = "", const std::string &path = "") {
  return run(source(frames, "ball", caps) + encoder + " ! " + path + "mpegvideoparse ! appsink name=out");
}

} // namespace

GST_START_TEST(test_clips) {
  if (!have_elements({"avenc_mpeg2video", "mpegvideoparse"}))
    return;
  const char *encoders[] = {
      "avenc_mpeg2video gop-size=12 max-bframes=0",
      "avenc_mpeg2video gop-size=12 max-bframes=2 b-strategy=0",
      "avenc_mpeg2video gop-size=12 max-bframes=2 b-strategy=0 flags=+cgop",
      "avenc_mpeg2video gop-size=12 max-bframes=2 b-strategy=0 flags=+ildct+ilme",
      "avenc_mpeg1video gop-size=12 max-bframes=2 b-strategy=0",
      "avenc_mpeg2video gop-size=100 max-bframes=3 b-strategy=0",
  };
  for (const char *encoder : encoders)
    for (const char *decoder : kDecoders)
      if (have_elements({decoder}))
        check_clip(encode(encoder), decoder, std::string(encoder) + " ! " + decoder);
}
GST_END_TEST;

static Suite *mpegvideo_suite(void) {
  Suite *s = suite_create("mpegvideo");
  TCase *tc = tcase_create("general");
  suite_add_tcase(s, tc);
  tcase_set_timeout(tc, 60);
  tcase_add_test(tc, test_clips);
  return s;
}

GST_CHECK_MAIN(mpegvideo);
