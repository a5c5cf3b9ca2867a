// SPDX-License-Identifier: LGPL-2.1-or-later
// Text that comes from outside: options of sessions, the structures of plan requests, and JSON of whatever there is.
#include "gst/codecpatch/cpsplan.h"
#include "gst/codecpatch/json.h"
#include "gst/codecpatch/session/sessionoptions.h"
#include "tests/fuzz/input.h"

namespace {

using namespace fuzz;

void read_options(Input &input) {
  std::vector<std::string> texts;
  for (size_t count = input.between<size_t>(0, 9); count > 0; count--)
    texts.push_back(input.text());
  std::vector<const gchar *> list;
  for (const std::string &text : texts)
    list.push_back(text.c_str());
  list.push_back(nullptr);
  cps::SessionOptions options;
  GError *error = nullptr;
  const bool read = cps::read_options(list.data(), options, &error);
  REQUIRE(read == (error == nullptr));
  g_clear_error(&error);
}

void check_json(const std::string &text) {
  const std::string json = cps::json_string(text.c_str());
  REQUIRE(json.size() >= 2 && json.front() == '"' && json.back() == '"');
  REQUIRE(g_utf8_validate(json.c_str(), -1, nullptr));
  for (const char c : json)
    REQUIRE(static_cast<unsigned char>(c) >= 0x20);
}

void ask_for_plan(const std::string &text) {
  const Owned<GstStructure> structure(gst_structure_from_string(text.c_str(), nullptr));
  if (!structure)
    return;
  for (gint i = 0; i < gst_structure_n_fields(structure.get()); i++)
    cps::value_text(gst_structure_get_value(structure.get(), gst_structure_nth_field_name(structure.get(), i)));
  const Owned<GstQuery> query(cps_query_new_plan_request());
  cps_query_set_plan_request(query.get(), structure.get());
  const Owned<GstStructure> answer(cps_query_get_plan_request(query.get()));
  REQUIRE(answer != nullptr);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  start();
  Input input(data, size);
  read_options(input);
  const std::string text = input.text();
  check_json(text);
  ask_for_plan(text);
  return 0;
}
