// SPDX-License-Identifier: LGPL-2.1-or-later
// Every wait of a session has an end: by stall-timeout, by timeout, or by closing it, whatever the source does.
#include "tests/pipelines/sessions.h"

#include <csignal>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace {

using namespace pipes;

// What closing may take, and a little more for a machine that is busy with other things.
constexpr gint64 kMostToClose = 1200 * G_TIME_SPAN_MILLISECOND;

std::string clip_bytes() {
  const TempDir folder;
  encode(folder.file("clip.mp4"), kH264B, "mp4mux faststart=true", 50);
  return read_file(folder.file("clip.mp4"));
}

// A pipe that somebody may have open to write.
class Fifo {
public:
  explicit Fifo(bool has_writer) : path_(folder_.file("pipe")) {
    fail_unless(mkfifo(path_.c_str(), 0600) == 0);
    if (has_writer)
      writer_ = open(path_.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK);
  }
  ~Fifo() {
    if (writer_ >= 0)
      close(writer_);
  }
  Fifo(const Fifo &) = delete;
  Fifo &operator=(const Fifo &) = delete;

  const std::string &path() const { return path_; }
  void write(const std::string &bytes) const {
    fail_unless(::write(writer_, bytes.data(), bytes.size()) == static_cast<gssize>(bytes.size()));
  }

private:
  TempDir folder_;
  std::string path_;
  int writer_ = -1;
};

// An HTTP server of this machine that sends a header, and then nothing, to whoever connects.
class Tarpit {
public:
  Tarpit() : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    fail_unless(bind(socket_, reinterpret_cast<sockaddr *>(&address), size) == 0 && listen(socket_, 8) == 0);
    fail_unless(getsockname(socket_, reinterpret_cast<sockaddr *>(&address), &size) == 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~Tarpit() {
    shutdown(socket_, SHUT_RDWR);
    thread_.join();
    close(socket_);
  }
  Tarpit(const Tarpit &) = delete;
  Tarpit &operator=(const Tarpit &) = delete;

  std::string uri() const { return "http://127.0.0.1:" + std::to_string(port_) + "/v.mp4"; }

private:
  void serve() const {
    std::vector<int> clients;
    for (int client = 0; (client = accept(socket_, nullptr, nullptr)) >= 0;) {
      const std::string header = "HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nContent-Length: 1000000\r\n\r\n";
      if (send(client, header.data(), header.size(), MSG_NOSIGNAL) > 0)
        clients.push_back(client);
    }
    for (const int client : clients)
      close(client);
  }

  int socket_;
  int port_ = 0;
  std::thread thread_;
};

// An error of the time, and it stays.
void check_late(const Session &session, const char *option) {
  for (int i = 0; i < 2; i++) {
    Failure failure;
    const Clip clip(cps_session_next(session.get(), failure));
    fail_if(clip != nullptr);
    fail_unless(failure.code() == CPS_SESSION_ERROR_TIMEOUT, "code %d: %s", failure.code(), failure.text().c_str());
    fail_unless(failure.text().find(std::string("; ") + option + " sets how long") != std::string::npos, "%s",
                failure.text().c_str());
  }
}

// The same, where it may be as early as while it opens: on a slow machine that alone takes that long.
void check_late_from(Session session, const Failure &of_opening, const char *option) {
  if (session)
    check_late(session, option);
  else
    fail_unless(of_opening.code() == CPS_SESSION_ERROR_TIMEOUT &&
                    of_opening.text().find(std::string("; ") + option + " sets how long") != std::string::npos,
                "code %d: %s", of_opening.code(), of_opening.text().c_str());
}

void check_late_path(const std::string &path, const OptionList &options, const char *option) {
  Failure failure;
  Session session(cps_session_open_path(path.c_str(), options, failure));
  check_late_from(std::move(session), failure, option);
}

void check_freed_in_time(Session session) {
  const gint64 before = g_get_monotonic_time();
  session.reset();
  fail_unless(g_get_monotonic_time() - before < kMostToClose);
}

void wait_until_none_is_abandoned() {
  for (int i = 0; i < 4000 && cps_session_abandoned() > 0; i++)
    g_usleep(10000);
  fail_unless_equals_int(static_cast<int>(cps_session_abandoned()), 0);
}

const OptionList kStall = {"stall-timeout", "0.4"};
const OptionList kTimeout = {"timeout", "0.4"};
const OptionList kNone = {"stall-timeout", "0"};

} // namespace

// Opening it returns at once.
GST_START_TEST(test_pipes_without_data) {
  for (const bool has_writer : {false, true}) {
    const Fifo fifo(has_writer);
    check_late_path(fifo.path(), kStall, "stall-timeout");
    check_late_path(fifo.path(), kTimeout, "timeout");
    check_freed_in_time(open_path(fifo.path(), kNone));
    Session waited = open_path(fifo.path(), kNone);
    fail_if(cps_session_wait_next(waited.get(), 100));
    std::thread closer([&] { cps_session_close(waited.get()); });
    Failure failure;
    fail_if(cps_session_next(waited.get(), failure) != nullptr);
    fail_unless_equals_int(failure.code(), CPS_SESSION_ERROR_CLOSED);
    closer.join();
  }
  fail_unless_equals_int(static_cast<int>(cps_session_abandoned()), 0);
}
GST_END_TEST;

GST_START_TEST(test_pipe_that_falls_silent) {
  const std::string bytes = clip_bytes();
  const Fifo fifo(true);
  fifo.write(bytes.substr(0, std::min<size_t>(bytes.size() / 2, 4096)));
  check_late_path(fifo.path(), {"total-frames", "50", "stall-timeout", "0.4"}, "stall-timeout");
}
GST_END_TEST;

GST_START_TEST(test_tarpit) {
  if (!have_elements({"souphttpsrc"}))
    return;
  const Tarpit server;
  for (const bool by_stall : {true, false}) {
    Failure failure;
    Session session(cps_session_open_uri(server.uri().c_str(), by_stall ? kStall : kTimeout, failure));
    check_late_from(std::move(session), failure, by_stall ? "stall-timeout" : "timeout");
  }
  Failure failure;
  Session session(cps_session_open_uri(server.uri().c_str(), kNone, failure));
  fail_unless(session != nullptr, "%s", failure.text().c_str());
  fail_if(cps_session_wait_next(session.get(), 300));
  check_freed_in_time(std::move(session));
}
GST_END_TEST;

// What the application does without returning is left alone, and freed once it returns.
GST_START_TEST(test_functions_that_block) {
  const std::string bytes = clip_bytes();
  Feed::each_that_blocks(bytes, [](Feed &feed) {
    Failure failure;
    Session session = feed.open({"stall-timeout", "0", "total-frames", "50", "background", "true"}, failure);
    fail_unless(session != nullptr, "%s", failure.text().c_str());
    feed.wait_until_blocked();
    check_freed_in_time(std::move(session));
    fail_unless_equals_int(feed.released, 0);
    fail_unless_equals_int(static_cast<int>(cps_session_abandoned()), 1);
    feed.go_on();
    wait_until_none_is_abandoned();
    fail_unless_equals_int(feed.released, 1);
  });
}
GST_END_TEST;

GST_START_TEST(test_functions_that_block_for_long) {
  const std::string bytes = clip_bytes();
  Feed::each_that_blocks(bytes, [](Feed &feed) {
    Failure failure;
    check_late_from(feed.open({"stall-timeout", "0.4", "total-frames", "50"}, failure), failure, "stall-timeout");
    feed.go_on();
    wait_until_none_is_abandoned();
    fail_unless_equals_int(feed.released, 1);
  });
}
GST_END_TEST;

namespace {

// A seek that waits, in which the session is being opened.
struct Gate {
  std::atomic<bool> open{false};
  std::atomic<int> released{0};

  static gint64 seek(gpointer gate, gint64, gint) {
    while (!static_cast<Gate *>(gate)->open)
      g_usleep(1000);
    return -1;
  }
  static gssize read(gpointer, gpointer, gsize) { return 0; }
  static void release(gpointer gate) { static_cast<Gate *>(gate)->released++; }
};

} // namespace

GST_START_TEST(test_opening_that_blocks) {
  for (const char *option : {"timeout", "stall-timeout"}) {
    Gate gate;
    Failure failure;
    const gint64 before = g_get_monotonic_time();
    fail_if(cps_session_open_stream(Gate::read, Gate::seek, Gate::release, &gate, "gate", OptionList{option, "0.4"},
                                    failure) != nullptr);
    fail_unless(g_get_monotonic_time() - before < 400 * G_TIME_SPAN_MILLISECOND + kMostToClose);
    fail_unless_equals_int(failure.code(), CPS_SESSION_ERROR_TIMEOUT);
    fail_unless(failure.text().find(std::string("; ") + option + " sets how long") != std::string::npos, "%s",
                failure.text().c_str());
    fail_unless_equals_int(gate.released, 0);
    gate.open = true;
    wait_until_none_is_abandoned();
    fail_unless_equals_int(gate.released, 1);
  }
}
GST_END_TEST;

GST_START_TEST(test_opening_in_the_background) {
  const std::string bytes = clip_bytes();
  Failure failure, of_an_option, of_the_source;
  Gate gate;
  Session session(cps_session_open_stream(Gate::read, Gate::seek, Gate::release, &gate, "gate",
                                          OptionList{"background", "true"}, failure));
  fail_unless(session != nullptr, "%s", failure.text().c_str());
  fail_unless_equals_int(cps_session_wait_open(session.get(), 50, failure), 0);
  fail_if(cps_session_get(session.get(), "k-keep") != nullptr); // there is nothing to ask yet
  gate.open = true;
  while (cps_session_wait_open(session.get(), 50, failure) == 0)
    ;
  fail_unless_equals_int(cps_session_wait_open(session.get(), 50, failure), 1);
  session.reset();

  session.reset(cps_session_open_path("/dev/null", OptionList{"background", "true", "foo", "1"}, failure));
  fail_unless(session != nullptr, "%s", failure.text().c_str());
  gint state = 0;
  while ((state = cps_session_wait_open(session.get(), 50, of_an_option)) == 0)
    ;
  fail_unless_equals_int(state, -1);
  fail_unless_equals_int(of_an_option.code(), CPS_SESSION_ERROR_OPTION);

  session.reset(cps_session_open_path("/no/such", OptionList{"background", "true"}, failure));
  fail_if(cps_session_next(session.get(), of_the_source) != nullptr);
  fail_unless_equals_int(of_the_source.code(), CPS_SESSION_ERROR_SOURCE);
}
GST_END_TEST;

GST_START_TEST(test_options_of_time) {
  const std::string bytes = clip_bytes();
  for (const char *name : {"timeout", "stall-timeout"}) {
    Feed feed;
    feed.bytes = bytes;
    for (const char *value : {"-1", "x", "", "nan", "1e10", "1s"}) {
      Failure failure;
      fail_if(feed.open({name, value}, failure) != nullptr, "%s=%s", name, value);
      fail_unless_equals_int(failure.code(), CPS_SESSION_ERROR_OPTION);
    }
    Failure failure;
    const Session session = feed.open({name, "12.5"}, failure);
    fail_unless(session != nullptr, "%s", failure.text().c_str());
    const Owned<gchar> value(cps_session_get(session.get(), name));
    fail_unless_equals_string(value.get(), "12.5");
  }
  Feed feed;
  feed.bytes = bytes;
  Failure failure;
  const Session session = feed.open({}, failure);
  const Owned<gchar> stall(cps_session_get(session.get(), "stall-timeout"));
  fail_unless_equals_string(stall.get(), "30");
  next_clip(session);
}
GST_END_TEST;

// The application takes its time, of which the limits know nothing.
GST_START_TEST(test_slow_application) {
  const std::string bytes = clip_bytes();
  Feed feed;
  feed.bytes = bytes;
  Failure failure;
  const Session session = feed.open({"stall-timeout", "5", "timeout", "5"}, failure);
  fail_unless(session != nullptr, "%s", failure.text().c_str());
  g_usleep(7 * G_USEC_PER_SEC);
  next_clip(session);
  g_usleep(6 * G_USEC_PER_SEC);
  check_end(session);
}
GST_END_TEST;

// Sessions of all kinds of sources, closed at any moment, by many threads.
GST_START_TEST(test_closed_at_any_moment) {
  const TempDir folder;
  const std::string bytes = clip_bytes(), path = folder.file("clip.mp4");
  write_file(path, bytes);
  const Fifo fifo(false);
  std::vector<std::thread> threads;
  for (guint32 number = 0; number < 16; number++)
    threads.emplace_back([&, number] {
      GRand *random = g_rand_new_with_seed(number);
      for (int round = 0; round < 12; round++) {
        Feed feed;
        feed.bytes = bytes;
        Failure failure;
        const OptionList background = {"background", "true", "stall-timeout", "0", "k-keep", "16"};
        Session session;
        if (round % 3 == 0)
          session = open_path(path, background);
        else if (round % 3 == 1)
          session = open_path(fifo.path(), background);
        else
          session = feed.open(background, failure);
        std::thread reader([&] {
          Failure ignored;
          const Clip clip(cps_session_next(session.get(), ignored));
        });
        g_usleep(static_cast<gulong>(g_rand_int_range(random, 0, 60000)));
        if (round % 2 == 0)
          cps_session_interrupt(session.get());
        cps_session_close(session.get());
        reader.join();
        session.reset();
        while (feed.released == 0 && round % 3 == 2)
          g_usleep(1000); // where the machine is so slow that it has been left
      }
      g_rand_free(random);
    });
  for (std::thread &thread : threads)
    thread.join();
  wait_until_none_is_abandoned();
}
GST_END_TEST;

// For an application that goes before what it has left does.
GST_START_TEST(test_functions_that_are_forgotten) {
  const std::string bytes = clip_bytes();
  Feed feed;
  feed.bytes = bytes;
  feed.blocks_at = 0;
  Failure failure;
  Session session = feed.open({}, failure);
  fail_unless(session != nullptr, "%s", failure.text().c_str());
  feed.wait_until_blocked();
  session.reset();
  cps_session_forget_functions();
  feed.go_on();
  wait_until_none_is_abandoned();
  fail_unless_equals_int(feed.released, 0);
  feed.forget();
}
GST_END_TEST;

static Suite *session_waits_suite() {
  signal(SIGPIPE, SIG_IGN);
  Suite *suite = suite_create("sessionwaits");
  TCase *tests = make_tests(suite, 200);
  tcase_add_test(tests, test_pipes_without_data);
  tcase_add_test(tests, test_pipe_that_falls_silent);
  tcase_add_test(tests, test_tarpit);
  tcase_add_test(tests, test_functions_that_block);
  tcase_add_test(tests, test_functions_that_block_for_long);
  tcase_add_test(tests, test_opening_that_blocks);
  tcase_add_test(tests, test_opening_in_the_background);
  tcase_add_test(tests, test_options_of_time);
  tcase_add_test(tests, test_slow_application);
  tcase_add_test(tests, test_closed_at_any_moment);
  tcase_add_test(tests, test_functions_that_are_forgotten);
  return suite;
}

GST_CHECK_MAIN(session_waits)
