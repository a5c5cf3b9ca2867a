/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gst/codecpatch/codecpatch-prelude.h>

G_BEGIN_DECLS

#define CPS_TYPE_INDEX (cps_index_get_type())

/**
 * CpsIndex:
 *
 * What frameplanner has learned of a stream in its first pass: how many frames it has, their times, at which of them
 * decoding can start, its size, rate and codec, and what the planner needs to plan any sampling without another first
 * pass. Reference counted and immutable, so any thread may use it. It describes the source that it was made from: a
 * frameplanner with #frameplanner:index that reads another stream fails.
 */
typedef struct _CpsIndex CpsIndex;

CPS_API GType cps_index_get_type(void);
CPS_API CpsIndex *cps_index_new(const GstStructure *info, guint n_frames, const GstClockTime *times,
                                const guint8 *random_access, gconstpointer units, gsize units_size);
CPS_API CpsIndex *cps_index_ref(CpsIndex *index);
CPS_API void cps_index_unref(CpsIndex *index);

CPS_API guint cps_index_get_n_frames(const CpsIndex *index);
CPS_API const GstClockTime *cps_index_get_times(const CpsIndex *index);
CPS_API const guint8 *cps_index_get_random_access(const CpsIndex *index);
CPS_API const GstStructure *cps_index_get_info(const CpsIndex *index);
CPS_API gchar *cps_index_get(const CpsIndex *index, const gchar *name);
CPS_API gconstpointer cps_index_get_units(const CpsIndex *index, gsize *size);

CPS_API gpointer cps_index_serialize(const CpsIndex *index, gsize *size);
CPS_API CpsIndex *cps_index_deserialize(gconstpointer data, gsize size);

CPS_API gboolean cps_index_save(const CpsIndex *index, const gchar *file, const gchar *source, GError **error);
CPS_API CpsIndex *cps_index_load(const gchar *file, const gchar *source, GError **error);

CPS_API GstMessage *cps_message_new_index(GstObject *source, CpsIndex *index);
CPS_API CpsIndex *cps_message_parse_index(GstMessage *message);

G_END_DECLS
