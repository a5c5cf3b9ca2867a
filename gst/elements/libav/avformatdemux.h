// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define CPS_TYPE_AVFORMAT_DEMUX (cps_avformat_demux_get_type())
G_DECLARE_FINAL_TYPE(CpsAvformatDemux, cps_avformat_demux, CPS, AVFORMAT_DEMUX, GstElement)

GST_ELEMENT_REGISTER_DECLARE(avformatdemux)

G_END_DECLS
