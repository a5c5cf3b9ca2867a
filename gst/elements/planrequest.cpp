// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/planrequest.h"

#include "gst/elements/indexplan.h"
#include "gst/elements/options.h"
#include "gst/elements/upstream.h"

namespace cps {

Owned<GstStructure> request_plan(GstPad *srcpad) {
  const Owned<GstQuery> query(cps_query_new_plan_request());
  gst_pad_peer_query(srcpad, query.get());
  return Owned<GstStructure>(cps_query_get_plan_request(query.get()));
}

// Where the file ends long before its container does, what is sampled is not what it once was. False after an error.
static bool check_duration(const IndexedStream &stream, const CpsPlan &plan, bool fail) {
  const GstClockTime declared = declared_duration(stream.sinkpad);
  if (!GST_CLOCK_TIME_IS_VALID(declared) || !GST_CLOCK_TIME_IS_VALID(plan.duration) ||
      plan.duration + GST_SECOND >= declared)
    return true;
  const double is = static_cast<double>(plan.duration) / GST_SECOND,
               should_be = static_cast<double>(declared) / GST_SECOND;
  if (fail) {
    GST_ELEMENT_ERROR(stream.element, STREAM, DEMUX,
                      ("The file is truncated: it has %.1f of %.1f seconds of pictures.", is, should_be),
                      ("on-error=substitute would sample what is there"));
    return false;
  }
  GST_ELEMENT_WARNING(stream.element, STREAM, DEMUX,
                      ("The file is truncated: it has %.1f of %.1f seconds of pictures. The frames to sample are taken "
                       "from what is there.",
                       is, should_be),
                      (nullptr));
  return true;
}

Owned<CpsPlan> answer_request(const IndexedStream &stream, const GstStructure *request) {
  std::string error;
  Owned<CpsPlan> plan =
      plan_from_index(stream.index, request, stream.segment, stream.partial, stream.nominal_fps, error);
  if (!plan) {
    GST_ELEMENT_ERROR(stream.element, LIBRARY, SETTINGS, ("%s", error.c_str()),
                      ("asked for by the sampler downstream"));
    return nullptr;
  }
  const bool fail = option_enum(request, "on-error") == static_cast<gint>(OnError::Fail);
  return check_duration(stream, *plan, fail) ? std::move(plan) : nullptr;
}

} // namespace cps
