// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/sampler/samplingrun.h"

#include "gst/elements/common/frametime.h"
#include "gst/elements/common/options.h"
#include "gst/elements/common/picture.h"
#include "gst/elements/common/samplingoptions.h"
#include "gst/elements/common/sequencefailed.h"
#include "gst/elements/common/upstream.h"
#include "gst/elements/sampler/estimate.h"
#include "gst/elements/sampler/livewindows.h"
#include "gst/elements/sampler/report.h"
#include "gst/elements/sampler/samplerdebug.h"
#include "gst/elements/sampler/sequence.h"

#define GST_CAT_DEFAULT cps::sampler_debug()

namespace cps {

static void set_time(GstStructure *options, const char *name, GstClockTime time) {
  if (GST_CLOCK_TIME_IS_VALID(time))
    gst_structure_set(options, name, G_TYPE_INT64, static_cast<gint64>(time), nullptr);
}

// The property leaky. `live`: as by default for a source that does not wait.
static bool drops_clips(const GstStructure *options, bool live) {
  const auto leaky = static_cast<Leaky>(option_enum(options, "leaky"));
  return leaky == Leaky::Auto ? live : leaky == Leaky::Downstream;
}

// The beginning

// Determines the clips at the first frame. Returns false after posting an error.
bool SamplingRun::begin(GstBuffer *frame) {
  const Owned<GstStructure> options = stream_.options.snapshot();
  const CpsFrameMeta *meta = cps_buffer_get_frame_meta(frame);
  const bool stamped = meta && meta->frame_id != CPS_FRAME_ID_NONE;
  const bool planned = stream_.planned && stream_.planned->n_frames > 0;
  on_error_fails_ = option_enum(options.get(), "on-error") == static_cast<gint>(OnError::Fail);
  apply_rotation_ = option_bool(options.get(), "apply-rotation");
  numbering_ = !stamped && !planned;
  const bool windows = numbering_ && option_uint64(options.get(), "window") > 0;
  return windows ? begin_windows(options.get()) : begin_plan(options.get(), frame);
}

// From the planner's plan, from the frames' identities, or by counting.
bool SamplingRun::begin_plan(const GstStructure *options, GstBuffer *frame) {
  Owned<CpsPlan> plan;
  if (stream_.planned && stream_.planned->n_frames > 0)
    plan.reset(cps_plan_copy(stream_.planned.get()));
  else
    plan = estimate_plan(element_, options,
                         {numbering_ ? 0 : cps_buffer_get_frame_meta(frame)->total, frame_rate(stream_.info),
                          peer_duration(stream_.sinkpad), stream_.segment, stream_.origin});
  if (!plan)
    return false;
  if (stream_.planned)
    merge_options(plan->options, stream_.planned->options);
  merge_options(plan->options, options);
  total_ = plan->total;
  fps_ = plan->fps;
  several_ = plan->n_clips > 1;
  output_.queue_clips(drops_clips(options, false));
  GST_INFO_OBJECT(element_, "%u clips of %u positions, of %" G_GUINT64_FORMAT " frames%s", plan->n_clips,
                  plan->n_frames, plan->total, numbering_ ? ", numbered here" : "");
  source_ = std::make_unique<Sequence>(plan.get());
  begin_clip(0);
  return true;
}

// Of a stream that is not known in advance. Its output has a segment in which positions are running times, because the
// segments of a source that comes back begin anew.
bool SamplingRun::begin_windows(const GstStructure *options) {
  const SamplingPlan plan = sampling_plan(options);
  const std::string error = LiveWindows::check(plan);
  if (!error.empty()) {
    GST_ELEMENT_ERROR(element_, LIBRARY, SETTINGS, ("%s", error.c_str()), (nullptr));
    return false;
  }
  Owned<CpsPlan> all(cps_plan_new(0));
  fps_ = all->fps = frame_rate(stream_.info);
  latency_ = plan.window + (fps_ > 0 ? frame_time(1, fps_) : 0);
  several_ = true;
  if (stream_.planned)
    merge_options(all->options, stream_.planned->options);
  merge_options(all->options, options);
  const bool queued = drops_clips(options, cps::is_live(stream_.sinkpad));
  GST_INFO_OBJECT(element_, "windows by running time%s", queued ? ", dropped where downstream is too slow" : "");
  output_.queue_clips(queued);
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  output_.send(numbered(stream_.seqnum, gst_event_new_segment(&segment)));
  auto windows = std::make_unique<LiveWindows>(plan, std::move(all));
  live_ = windows.get();
  source_ = std::move(windows);
  return true;
}

// Frames

// The number of the first frame in the segment. Decoders cut off the part of a frame that is before the segment, so
// only the middle of the rest is certain to lie within the frame's time.
guint64 SamplingRun::first_number(GstBuffer *frame) const {
  const GstSegment &segment = stream_.segment;
  if (live_ || segment.format != GST_FORMAT_TIME || segment.time <= stream_.origin || fps_ <= 0)
    return 0;
  GstClockTime time = GST_CLOCK_TIME_NONE;
  const GstClockTime pts = GST_BUFFER_PTS(frame), duration = GST_BUFFER_DURATION(frame);
  const bool lasts = GST_CLOCK_TIME_IS_VALID(pts) && GST_CLOCK_TIME_IS_VALID(duration) && duration > 0;
  if (GST_CLOCK_TIME_IS_VALID(pts))
    time = gst_segment_to_stream_time(&segment, GST_FORMAT_TIME, lasts ? pts + duration / 2 : pts);
  if (!GST_CLOCK_TIME_IS_VALID(time) || time < stream_.origin)
    return frame_at(segment.time - stream_.origin, fps_);
  const GstClockTime since = time - stream_.origin;
  return lasts ? static_cast<guint64>(static_cast<double>(since) * fps_ / GST_SECOND) : frame_at(since, fps_);
}

// Gives a frame without identity its number and its time. Returns false if it is outside of its segment.
bool SamplingRun::number(Owned<GstBuffer> &frame) {
  GstClockTime time = GST_BUFFER_PTS(frame.get());
  if (live_) {
    const GstClockTime interval = fps_ > 0 ? frame_time(1, fps_) : 0;
    const std::optional<LiveClock::Moment> moment = clock_.next(frame.get(), stream_.segment, interval);
    if (!moment)
      return false;
    if (!moment->continues)
      live_->restart();
    time = moment->time;
  } else if (!in_segment(stream_.segment, time)) {
    return false;
  }
  if (!next_number_)
    next_number_ = first_number(frame.get());
  frame.reset(gst_buffer_make_writable(frame.release()));
  if (CpsFrameMeta *unknown = cps_buffer_get_frame_meta(frame.get()))
    gst_buffer_remove_meta(frame.get(), &unknown->meta);
  cps_buffer_add_frame_meta(frame.get(), (*next_number_)++, total_, time, CPS_FRAME_FLAG_NONE);
  return true;
}

// Sets the orientation when the frame arrives, because the frame may be held or may be used as a substitute.
Owned<GstBuffer> SamplingRun::with_orientation(Owned<GstBuffer> frame) const {
  const CpsOrientation orientation = apply_rotation_ ? stream_.orientation.now() : CPS_ORIENTATION_IDENTITY;
  if (cps_buffer_get_frame_meta(frame.get())->orientation != orientation) {
    frame.reset(gst_buffer_make_writable(frame.release()));
    cps_buffer_get_frame_meta(frame.get())->orientation = orientation;
  }
  return frame;
}

GstFlowReturn SamplingRun::take(Owned<GstBuffer> frame) {
  if (ended_)
    return GST_FLOW_EOS;
  if (!stream_.caps) // pngdec (1.22) pushes frames whose format it does not know
    return GST_FLOW_NOT_NEGOTIATED;
  if (!source_ && !begin(frame.get()))
    return GST_FLOW_ERROR;
  if (numbering_ && !number(frame))
    return GST_FLOW_OK;
  const CpsFrameMeta *meta = cps_buffer_get_frame_meta(frame.get());
  if (!meta || meta->frame_id == CPS_FRAME_ID_NONE) {
    GST_LOG_OBJECT(element_, "a frame without a number is dropped");
    return GST_FLOW_OK;
  }
  GST_LOG_OBJECT(element_, "frame %" G_GUINT64_FORMAT " arrives", meta->frame_id);
  source_->arrive({with_orientation(std::move(frame)), Owned<GstCaps>(gst_caps_ref(stream_.caps.get()))});
  return push_ready();
}

void SamplingRun::change_caps() {
  if (live_)
    live_->restart();
}

bool SamplingRun::finish() {
  if (refused_) // not an error, because decoders drop their frames on shutdown
    return true;
  if (!source_) {
    GST_ELEMENT_ERROR(element_, STREAM, DECODE, ("The stream ended without a decoded frame."), (nullptr));
    return false;
  }
  source_->finish();
  return push_ready() != GST_FLOW_ERROR;
}

// Clips

// Sends the plan of a clip downstream. Its options are those by which the clip can be made alone.
void SamplingRun::begin_clip(guint index) {
  index_ = index;
  pushed_ = 0;
  clip_ = source_->plan_of(index);
  GstStructure *options = clip_->options;
  set_time(options, "start", clip_->clips[0].start);
  set_time(options, "stop", clip_->clips[0].stop);
  gst_structure_remove_fields(options, "window", "hop", "leaky", nullptr);
  if (option_uint(options, "clip-length") == 0)
    gst_structure_remove_field(options, "clip-length");
  if (option_uint64(options, "total-frames") == 0) // so that nobody takes it for the number of frames
    gst_structure_remove_field(options, "total-frames");
  GST_DEBUG_OBJECT(element_, "clip %u: %u frames", first_index_ + index, clip_->n_frames);
  output_.begin_clip(first_index_ + index, numbered(stream_.seqnum, cps_event_new_plan(cps_plan_ref(clip_.get()))));
}

// Leaves out the rest of the item's clip. Returns false after posting an error.
bool SamplingRun::leave_out(const ClipSource::Item &item) {
  if (!several_ || (on_error_fails_ && !live_)) {
    post_nothing_decoded(element_);
    return false;
  }
  report_lost_clip({element_, first_index_ + item.clip, on_error_fails_, false}, item);
  if (item.position > 0)
    output_.send(Owned<GstEvent>(new_sequence_failed()));
  if (!item.frame.buffer || item.position + 1 < clip_->n_frames)
    source_->skip_clip();
  return true;
}

// Gives a frame its place in the clip.
Frame SamplingRun::place(ClipSource::Item item) const {
  const CpsPlanFrame &frame = clip_->frames[item.position];
  Owned<GstBuffer> buffer(gst_buffer_make_writable(item.frame.buffer.release()));
  CpsFrameMeta *meta = cps_buffer_get_frame_meta(buffer.get());
  if (!is_own_picture(item.status)) {
    meta->frame_id = frame.frame_id;
    meta->pts = frame.pts;
    meta->flags = frame.random_access ? CPS_FRAME_FLAG_RANDOM_ACCESS : CPS_FRAME_FLAG_NONE;
  }
  if (!GST_CLOCK_TIME_IS_VALID(meta->pts) && fps_ > 0)
    meta->pts = synthesized_pts(stream_.segment, item.id, fps_);
  meta->flags = static_cast<CpsFrameFlags>(meta->flags | CPS_FRAME_FLAG_WANTED);
  meta->total = total_;
  meta->clip_index = first_index_ + item.clip;
  meta->seq_pos = item.position;
  meta->seq_len = clip_->n_frames;
  meta->status = item.status;
  GST_BUFFER_PTS(buffer.get()) = meta->pts;
  GST_BUFFER_DTS(buffer.get()) = GST_CLOCK_TIME_NONE;
  return {std::move(buffer), std::move(item.frame.caps)};
}

// True if a clip that is one of several would have frames of two formats, which no tensor can hold.
bool SamplingRun::changes_format(const Frame &frame) const {
  GstVideoInfo before, now;
  return pushed_ > 0 && several_ && !on_error_fails_ && !gst_caps_is_equal(caps_.get(), frame.caps.get()) &&
         video_info_from_caps(before, caps_.get()) && video_info_from_caps(now, frame.caps.get()) &&
         !same_layout(before, now);
}

// Pushes all positions whose frames are available, and EOS after the last.
GstFlowReturn SamplingRun::push_ready() {
  while (std::optional<ClipSource::Item> item = source_->pop()) {
    const bool same_clip = item->clip == index_ && pushed_ > 0;
    if (!item->loss && same_clip && changes_format(item->frame))
      item->loss = "the format of the video changes in it";
    if (item->loss) {
      if (!leave_out(*item))
        return GST_FLOW_ERROR;
      continue;
    }
    const guint clip_index = first_index_ + item->clip;
    if (!report_item({element_, clip_index, on_error_fails_, same_clip && item->id == last_id_}, *item))
      return GST_FLOW_ERROR;
    if (item->clip != index_ || !clip_)
      begin_clip(item->clip);
    last_id_ = item->id;
    caps_.reset(gst_caps_ref(item->frame.caps.get()));
    const GstFlowReturn flow = output_.push(clip_index, place(std::move(*item)));
    if (flow != GST_FLOW_OK) {
      GST_DEBUG_OBJECT(element_, "downstream answers %s", gst_flow_get_name(flow));
      refused_ = true;
      return flow;
    }
    pushed_++;
    begun_ = true;
  }
  if (!source_->done())
    return GST_FLOW_OK;
  if (!begun_) {
    post_nothing_decoded(element_);
    return GST_FLOW_ERROR;
  }
  ended_ = true;
  output_.send(numbered(stream_.seqnum, gst_event_new_eos()));
  return GST_FLOW_EOS;
}

} // namespace cps
