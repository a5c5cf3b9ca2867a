// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/video/gstvideodecoder.h>

G_BEGIN_DECLS

#define CPS_TYPE_AVCODEC_DEC (cps_avcodec_dec_get_type())
G_DECLARE_FINAL_TYPE(CpsAvcodecDec, cps_avcodec_dec, CPS, AVCODEC_DEC, GstVideoDecoder)

GST_ELEMENT_REGISTER_DECLARE(avcodecdec)

G_END_DECLS
