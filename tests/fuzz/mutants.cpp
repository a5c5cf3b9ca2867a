// SPDX-License-Identifier: LGPL-2.1-or-later
// mutants FOLDER [--count N] [--jobs N] [--first N] [--seconds N] [--mebibytes N]
//
// Damages the files of a folder, each mutant by a number of its own, and reads it with patchstreambin in a process of
// its own, forked from this one, in which the plugins are loaded. A watch ends what takes too long or too much memory.
// A clip or an error must come out; never a crash, a hang, a critical, or half a file.
#include <gst/gst.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <random>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace {

namespace files = std::filesystem;
using Clock = std::chrono::steady_clock;
using Random = std::mt19937_64;

struct Settings {
  std::vector<files::path> seeds;
  files::path work;
  uint64_t count = 1000, first = 0;
  size_t jobs = 2;
  int seconds = 20;
  long mebibytes = 1024;
};

// Mutations

constexpr size_t kHeader = 4096; // where most of what demuxers read lies

size_t place(const std::string &bytes, Random &random) {
  const size_t range = random() % 2 ? std::min(bytes.size(), kHeader) : bytes.size();
  return random() % range;
}

void flip(std::string &bytes, Random &random) {
  bytes[place(bytes, random)] ^= static_cast<char>(1u << random() % 8);
}

// Sizes and counts, in either byte order.
void overwrite(std::string &bytes, Random &random) {
  constexpr uint64_t kNumbers[] = {0,
                                   1,
                                   0x7f,
                                   0x80,
                                   0xff,
                                   0x7fff,
                                   0xffff,
                                   0x7fffffff,
                                   0x80000000,
                                   0xffffffff,
                                   0x7fffffffffffffff,
                                   0xffffffffffffffff};
  uint64_t number = kNumbers[random() % std::size(kNumbers)] + random() % 2;
  if (random() % 2)
    number = __builtin_bswap64(number);
  const size_t at = place(bytes, random), size = std::min<size_t>(size_t{1} << random() % 4, bytes.size() - at);
  std::memcpy(&bytes[at], &number, size);
}

void cut_off(std::string &bytes, Random &random) {
  bytes.resize(1 + random() % bytes.size());
}

void erase(std::string &bytes, Random &random) {
  bytes.erase(place(bytes, random), 1 + random() % 2000);
}

void repeat(std::string &bytes, Random &random) {
  const size_t at = place(bytes, random);
  bytes.insert(place(bytes, random), bytes.substr(at, 1 + random() % 2000));
}

void blank(std::string &bytes, Random &random) {
  const size_t at = place(bytes, random);
  std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), std::min<size_t>(1 + random() % 500, bytes.size() - at),
              static_cast<char>(random() % 2 ? 0 : 255));
}

std::string mutant(std::string bytes, Random &random) {
  constexpr void (*kMutations[])(std::string &, Random &) = {flip,  flip,   flip,  overwrite, overwrite,
                                                             erase, repeat, blank, cut_off};
  for (uint64_t left = 1 + random() % 12; left > 0; left--) {
    kMutations[random() % std::size(kMutations)](bytes, random);
    if (bytes.empty())
      bytes = "x";
  }
  return bytes;
}

std::string contents(const files::path &path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Children

struct Case {
  uint64_t number;
  files::path seed, input, output;
  Clock::time_point begun;
  const char *ended = nullptr; // why it was killed
};

Case case_of(const Settings &settings, uint64_t number) {
  const files::path &seed = settings.seeds[number % settings.seeds.size()];
  const std::string name = std::to_string(number);
  return {number, seed, settings.work / (name + seed.extension().string()), settings.work / name / "clip.safetensors",
          Clock::now()};
}

int read_clip(const Case &one) {
  const std::string line = "patchstreambin name=bin sequence-length=8 k-keep=64 decode-backend=cpu "
                           "process-backend=cpu on-error=" +
                           std::string(one.number % 2 ? "fail" : "substitute") + " ! tensormetasink name=sink";
  GstElement *pipeline = gst_parse_launch(line.c_str(), nullptr);
  GstElement *bin = gst_bin_get_by_name(GST_BIN(pipeline), "bin"),
             *sink = gst_bin_get_by_name(GST_BIN(pipeline), "sink");
  gchar *uri = gst_filename_to_uri(one.input.c_str(), nullptr);
  g_object_set(bin, "uri", uri, nullptr);
  g_object_set(sink, "location", one.output.c_str(), nullptr);
  GstBus *bus = gst_element_get_bus(pipeline);
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  constexpr auto kEnds = static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  GstMessage *message = gst_bus_timed_pop_filtered(bus, GST_CLOCK_TIME_NONE, kEnds);
  const bool failed = GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR;
  gst_message_unref(message);
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(bus);
  gst_object_unref(bin);
  gst_object_unref(sink);
  gst_object_unref(pipeline);
  g_free(uri);
  return failed ? 1 : 0;
}

[[noreturn]] void run_child(const Case &one) {
  Random random(one.number);
  files::create_directory(one.output.parent_path());
  std::ofstream(one.input, std::ios::binary) << mutant(contents(one.seed), random);
  _exit(read_clip(one));
}

long mebibytes_of(pid_t child) {
  std::ifstream file("/proc/" + std::to_string(child) + "/statm");
  long total = 0, resident = 0;
  file >> total >> resident;
  return resident * sysconf(_SC_PAGESIZE) >> 20;
}

// By the header of the file, whose last offset is where its data end.
bool is_whole(const files::path &path) {
  const std::string bytes = contents(path), key = "\"data_offsets\":[";
  uint64_t header = 0, end = 0;
  if (bytes.size() < sizeof header)
    return false;
  std::memcpy(&header, bytes.data(), sizeof header);
  const std::string json = bytes.substr(sizeof header, header);
  for (size_t at = 0; (at = json.find(key, at)) != std::string::npos; at++)
    end = std::max<uint64_t>(end, std::stoull(json.substr(json.find(',', at) + 1)));
  return json.size() == header && bytes.size() == sizeof header + header + end;
}

// A clip is written before what follows it is decoded, which may fail; whatever is there is whole.
bool left_half_a_file(const Case &one) {
  for (const auto &entry : files::directory_iterator(one.output.parent_path()))
    if (entry.path() != one.output || !is_whole(entry.path()))
      return true;
  return false;
}

// Server

class Server {
public:
  explicit Server(const Settings &settings) : settings_(settings) {}

  // How many have failed.
  size_t run() {
    const uint64_t end = settings_.first + settings_.count;
    for (uint64_t number = settings_.first; number < end || !children_.empty();) {
      while (number < end && children_.size() < settings_.jobs)
        start(number++);
      watch();
      if (!reap())
        usleep(5000);
    }
    for (const auto &[outcome, count] : outcomes_)
      std::cout << count << " " << outcome << "\n";
    return failures_;
  }

private:
  void start(uint64_t number) {
    const Case one = case_of(settings_, number);
    const pid_t child = fork();
    if (child == 0)
      run_child(one);
    children_.emplace(child, one);
  }

  void watch() {
    for (auto &[child, one] : children_) {
      const bool slow = Clock::now() - one.begun > std::chrono::seconds(settings_.seconds);
      if (!one.ended && (slow || mebibytes_of(child) > settings_.mebibytes)) {
        one.ended = slow ? "hang" : "memory";
        kill(child, SIGKILL);
      }
    }
  }

  bool reap() {
    int status = 0;
    const pid_t child = waitpid(-1, &status, WNOHANG);
    if (child <= 0)
      return false;
    judge(children_.at(child), status);
    children_.erase(child);
    return true;
  }

  void judge(const Case &one, int status) {
    const bool failed = !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    std::string outcome = failed ? "error" : "clip";
    if (one.ended)
      outcome = one.ended;
    else if (WIFSIGNALED(status))
      outcome = "crash";
    else if (left_half_a_file(one))
      outcome = "half a file";
    outcomes_[outcome]++;
    const bool bad = outcome != "error" && outcome != "clip";
    if (bad) {
      failures_++;
      std::cout << outcome << ": " << one.number << " of " << one.seed.filename().string() << ", kept as "
                << one.input.string() << (WIFSIGNALED(status) ? std::string(", ") + strsignal(WTERMSIG(status)) : "")
                << std::endl;
    } else {
      files::remove(one.input);
    }
    files::remove_all(one.output.parent_path());
  }

  const Settings &settings_;
  std::map<pid_t, Case> children_;
  std::map<std::string, size_t> outcomes_;
  size_t failures_ = 0;
};

Settings settings_of(int argc, char **argv) {
  Settings settings;
  for (int i = 2; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    const uint64_t value = std::stoull(argv[i + 1]);
    if (name == "--count")
      settings.count = value;
    else if (name == "--jobs")
      settings.jobs = value;
    else if (name == "--first")
      settings.first = value;
    else if (name == "--seconds")
      settings.seconds = static_cast<int>(value);
    else if (name == "--mebibytes")
      settings.mebibytes = static_cast<long>(value);
  }
  if (argc > 1)
    for (const auto &entry : files::directory_iterator(argv[1]))
      if (entry.is_regular_file())
        settings.seeds.push_back(entry.path());
  std::sort(settings.seeds.begin(), settings.seeds.end());
  std::string work = files::temp_directory_path() / "mutants-XXXXXX";
  settings.work = mkdtemp(work.data());
  return settings;
}

// Once, not in each child. No thread starts here, so that forks are whole.
void load_plugins() {
  for (const char *name : {"codecpatch",
                           "coreelements",
                           "playback",
                           "typefindfunctions",
                           "videoparsersbad",
                           "libav",
                           "isomp4",
                           "matroska",
                           "avi",
                           "mpegtsdemux",
                           "mpegpsdemux",
                           "flv",
                           "ogg",
                           "theora",
                           "asf",
                           "realmedia",
                           "vpx",
                           "dav1d",
                           "jpeg",
                           "png",
                           "videoconvertscale"})
    if (GstPlugin *plugin = gst_plugin_load_by_name(name))
      gst_object_unref(plugin);
}

} // namespace

int main(int argc, char **argv) {
  setenv("G_DEBUG", "fatal-criticals", 0);
  gst_init(nullptr, nullptr);
  const Settings settings = settings_of(argc, argv);
  if (settings.seeds.empty()) {
    std::cerr << "usage: mutants FOLDER [--count N] [--jobs N] [--first N] [--seconds N] [--mebibytes N]\n";
    return 2;
  }
  load_plugins();
  const long before = mebibytes_of(getpid());
  const size_t failures = Server(settings).run();
  if (failures == 0)
    files::remove(settings.work);
  std::cout << "this process has grown by " << mebibytes_of(getpid()) - before << " MiB\n";
  return failures > 0 ? 1 : 0;
}
