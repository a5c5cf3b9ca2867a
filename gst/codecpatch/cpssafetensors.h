/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/codecpatch/codecpatch-prelude.h>

G_BEGIN_DECLS

CPS_API gboolean cps_buffer_save_safetensors(GstBuffer *buffer, const gchar *path, GError **error);

G_END_DECLS
