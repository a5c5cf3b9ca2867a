/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Umbrella header of the codecpatch library. Everything here is C, and thread-safe as GstMiniObject is: read from any
 * thread, write only what you alone hold. */
#pragma once

#include <gst/codecpatch/codecpatch-prelude.h>
#include <gst/codecpatch/cpsclip.h>
#include <gst/codecpatch/cpsdlpack.h>
#include <gst/codecpatch/cpsenergymeta.h>
#include <gst/codecpatch/cpsframemeta.h>
#include <gst/codecpatch/cpsplan.h>
#include <gst/codecpatch/cpssafetensors.h>
#include <gst/codecpatch/cpssession.h>
#include <gst/codecpatch/cpstensormeta.h>
