/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/codecpatch/codecpatch-prelude.h>

G_BEGIN_DECLS

/**
 * CpsSaveFlags:
 * @CPS_SAVE_FLAG_NONE: the system decides when it writes to the disk; a power failure may leave an empty file
 * @CPS_SAVE_FLAG_FSYNC: the file and its name are on the disk before the function returns
 *
 * How a file is written.
 */
typedef enum {
  CPS_SAVE_FLAG_NONE = 0,
  CPS_SAVE_FLAG_FSYNC = 1 << 0,
} CpsSaveFlags;

CPS_API gboolean cps_safetensors_check_path(const gchar *path, GError **error);
CPS_API gboolean cps_buffer_save_safetensors(GstBuffer *buffer, const gchar *path, GError **error);
CPS_API gboolean cps_buffer_save_safetensors_full(GstBuffer *buffer, const gchar *path, CpsSaveFlags flags,
                                                  GError **error);

G_END_DECLS
