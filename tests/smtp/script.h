// Transcripts of SMTP sessions as tests: reads the files under dialogs/ and cuts input into pieces.
//
// A line is "verb rest". "#" starts a comment, " | " separates lines of SMTP, a bare "|" at the end
// an empty one, and \r \n \0 \\ are escapes within them. See client_dialogs_test.cc and
// server_dialogs_test.cc for the verbs of each kind.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/random.h"
#include "engine/base/time.h"
#include "engine/mail/reply.h"

namespace posthorn {

struct ScriptLine {
    int number = 0;
    std::string verb;
    std::string rest;
};

std::vector<ScriptLine> read_script(const std::string& path);
std::vector<std::string> list_scripts(const std::string& folder);  // paths, sorted

std::string unescape(std::string_view text);
std::string smtp_lines(std::string_view text);  // "a | b" is a CRLF b CRLF
std::string visible(std::string_view bytes);    // with escapes, for messages about failures

// "from=a@x to=b@y,c@y 8bit": values by name, flags with an empty value.
std::map<std::string, std::string> parse_settings(std::string_view text);
std::vector<std::string> split(std::string_view text, std::string_view separator);

Reply parse_reply_words(std::string_view words);  // "550 5.1.1 no such user"

// How a test cuts what it feeds: not at all, into single octets, or at seeded random places.
class Cutter {
  public:
    static Cutter whole() { return Cutter(0, 0); }
    static Cutter octets() { return Cutter(1, 0); }
    static Cutter random(std::uint64_t seed) { return Cutter(2, seed); }

    std::size_t next_piece(std::size_t left);  // 1 to left

  private:
    Cutter(int kind, std::uint64_t seed) : kind_(kind), random_(seed) {}

    int kind_;
    Random random_;
};

// Runs play(script, cutter) for every way of cutting that a dialog is tried with.
template <class Play>
void play_in_all_pieces(const std::string& path, Play play) {
    constexpr std::uint64_t kRandomRuns = 20;
    const auto script = read_script(path);
    play(script, Cutter::whole());
    play(script, Cutter::octets());
    for (std::uint64_t seed = 1; seed <= kRandomRuns; ++seed) play(script, Cutter::random(seed));
}

}  // namespace posthorn
