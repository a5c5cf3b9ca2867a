// SPDX-License-Identifier: LGPL-2.1-or-later
// Reads safetensors files strictly, by the format's specification and without the library's code.
#pragma once

#include <gst/check/gstcheck.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace test {

// A JSON value: an object, an array, a string, or the text of anything else.
struct Json {
  enum { Object, Array, String, Other } kind = Other;
  std::map<std::string, Json> members;
  std::vector<std::string> names; // of the members, in order
  std::vector<Json> items;
  std::string text;

  const Json &operator[](const std::string &name) const {
    const auto found = members.find(name);
    fail_unless(found != members.end(), "no %s", name.c_str());
    return found->second;
  }
};

class JsonReader {
public:
  static Json read(const std::string &text) {
    JsonReader reader(text);
    Json value = reader.value();
    reader.skip_space();
    fail_unless(reader.at_ == text.size(), "text after JSON: %s", text.c_str() + reader.at_);
    return value;
  }

private:
  explicit JsonReader(const std::string &text) : text_(text) {}

  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void skip_space() {
    while (peek() == ' ')
      at_++;
  }
  void expect(char c) {
    skip_space();
    fail_unless(peek() == c, "no %c at %zu of %s", c, at_, text_.c_str());
    at_++;
  }
  bool next_of(char end) { // within a list
    skip_space();
    if (peek() == end) {
      at_++;
      return false;
    }
    expect(',');
    return true;
  }

  Json value() {
    skip_space();
    Json out;
    if (peek() == '{') {
      out.kind = Json::Object;
      at_++;
      skip_space();
      for (bool more = peek() != '}' || (at_++, false); more; more = next_of('}')) {
        skip_space();
        const std::string name = string();
        expect(':');
        fail_unless(out.members.emplace(name, value()).second, "%s twice", name.c_str());
        out.names.push_back(name);
      }
    } else if (peek() == '[') {
      out.kind = Json::Array;
      at_++;
      skip_space();
      for (bool more = peek() != ']' || (at_++, false); more; more = next_of(']'))
        out.items.push_back(value());
    } else if (peek() == '"') {
      out.kind = Json::String;
      out.text = string();
    } else {
      const size_t end = text_.find_first_of(",]} ", at_);
      out.text = text_.substr(at_, end - at_);
      fail_if(out.text.empty());
      at_ += out.text.size();
    }
    return out;
  }

  std::string string() {
    expect('"');
    std::string out;
    while (peek() != '"') {
      const char c = peek();
      fail_unless(static_cast<unsigned char>(c) >= 0x20, "control character in a string");
      at_++;
      out += c == '\\' ? escape() : std::string(1, c);
    }
    at_++;
    fail_unless(g_utf8_validate(out.c_str(), static_cast<gssize>(out.size()), nullptr));
    return out;
  }

  std::string escape() {
    const char c = peek();
    at_++;
    if (c == '"' || c == '\\')
      return std::string(1, c);
    fail_unless(c == 'u');
    const std::string digits = text_.substr(at_, 4);
    at_ += 4;
    const auto code = static_cast<char>(std::stoi(digits, nullptr, 16));
    fail_unless(static_cast<unsigned char>(code) < 0x80); // the library escapes only these
    return std::string(1, code);
  }

  const std::string &text_;
  size_t at_ = 0;
};

struct FileTensor {
  std::string dtype;
  std::vector<int64_t> shape;
  std::string bytes;

  template <typename T> std::vector<T> as() const {
    std::vector<T> out(bytes.size() / sizeof(T));
    std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char *>(out.data()));
    return out;
  }
};

struct Safetensors {
  std::map<std::string, std::string> metadata;
  std::vector<std::string> order; // of the tensors in the header
  std::map<std::string, FileTensor> tensors;
};

inline std::string read_bytes(const std::string &path) {
  gchar *data = nullptr;
  gsize size = 0;
  fail_unless(g_file_get_contents(path.c_str(), &data, &size, nullptr), "no file %s", path.c_str());
  std::string bytes(data, size);
  g_free(data);
  return bytes;
}

inline Safetensors read_safetensors(const std::string &path) {
  const std::string bytes = read_bytes(path);
  fail_unless(bytes.size() >= 8);
  const guint64 header = GST_READ_UINT64_LE(bytes.data());
  fail_unless(header % 8 == 0 && header <= bytes.size() - 8, "header of %d bytes", static_cast<int>(header));
  fail_unless(bytes[8] == '{');
  const Json json = JsonReader::read(bytes.substr(8, header));
  const std::string data = bytes.substr(8 + header);

  Safetensors file;
  guint64 end = 0;
  for (const std::string &name : json.names) {
    const Json &entry = json[name];
    if (name == "__metadata__") {
      for (const std::string &key : entry.names) {
        fail_unless(entry[key].kind == Json::String, "%s is no string", key.c_str());
        file.metadata[key] = entry[key].text;
      }
      continue;
    }
    FileTensor tensor;
    tensor.dtype = entry["dtype"].text;
    const std::map<std::string, size_t> sizes = {{"U8", 1}, {"F16", 2}, {"BF16", 2}, {"F32", 4}, {"I64", 8}};
    fail_unless(sizes.count(tensor.dtype) == 1);
    size_t size = sizes.at(tensor.dtype);
    for (const Json &side : entry["shape"].items) {
      tensor.shape.push_back(std::stoll(side.text));
      size *= static_cast<size_t>(tensor.shape.back());
    }
    const auto &offsets = entry["data_offsets"].items;
    fail_unless(offsets.size() == 2);
    const guint64 from = std::stoull(offsets[0].text), to = std::stoull(offsets[1].text);
    fail_unless(from == end, "%s begins at %d, not at %d", name.c_str(), static_cast<int>(from), static_cast<int>(end));
    fail_unless(to - from == size && to <= data.size());
    fail_unless(from % sizes.at(tensor.dtype) == 0, "%s is not aligned", name.c_str());
    tensor.bytes = data.substr(from, size);
    end = to;
    file.order.push_back(name);
    file.tensors[name] = tensor;
  }
  fail_unless(end == data.size(), "bytes after the tensors");
  return file;
}

} // namespace test
