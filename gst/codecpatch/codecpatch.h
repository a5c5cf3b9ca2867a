/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Umbrella header of the codecpatch library. The API is C. Objects are as thread-safe as a GstMiniObject: any thread
 * may read them, only an exclusive owner may write to them. */
#pragma once

#include <gst/codecpatch/codecpatch-prelude.h>
#include <gst/codecpatch/cpsclip.h>
#include <gst/codecpatch/cpsdlpack.h>
#include <gst/codecpatch/cpsenergymeta.h>
#include <gst/codecpatch/cpsframemeta.h>
#include <gst/codecpatch/cpsindex.h>
#include <gst/codecpatch/cpspictures.h>
#include <gst/codecpatch/cpsplan.h>
#include <gst/codecpatch/cpsreplenishment.h>
#include <gst/codecpatch/cpssafetensors.h>
#include <gst/codecpatch/cpssession.h>
#include <gst/codecpatch/cpstensormeta.h>
#include <gst/codecpatch/cpsvideo.h>
