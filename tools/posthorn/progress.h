// One campaign while it is sent, as pictures taken some times a second, and what a person sees of
// them. Everything here is a function of pictures: no terminal, no clock. Pictures travel as JSON
// from the owner of the data directory to whoever follows.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "engine/queue/model.h"

namespace posthorn {

struct SitePicture {
    std::string name;
    std::uint32_t sessions = 0;
    std::uint64_t accepted = 0, deferred = 0, refused = 0;
    std::string waits_for;     // in words; empty: nothing
    std::string last_failure;  // in words; empty: none
};

struct ProgressPicture {
    double at_s = 0;  // of a clock that does not jump
    std::string id, name;
    CampaignState state = CampaignState::kImporting;
    std::string pause_reason;
    std::uint64_t rows_read = 0;  // while importing
    std::uint64_t recipients = 0;
    std::array<std::uint64_t, kOutcomeStateCount> by_state{};  // pending derived
    std::uint64_t attempts = 0, in_flight = 0;
    std::uint32_t sessions = 0, opening = 0;
    std::vector<SitePicture> sites;    // busiest first, at most kSitesShown
    std::vector<std::string> notices;  // since the last picture
    std::string trouble;               // why nothing is granted; empty: nothing

    static constexpr std::size_t kSitesShown = 8;

    std::uint64_t count(OutcomeState of) const { return by_state[static_cast<std::size_t>(of)]; }
    std::uint64_t settled() const;  // with a final outcome
};

nlohmann::json to_json(const ProgressPicture& picture);
std::optional<ProgressPicture> progress_from_json(const nlohmann::json& json);

// Pictures of the last while, oldest first, and what follows from their differences.
class ProgressHistory {
  public:
    void add(ProgressPicture picture);

    bool empty() const { return kept_.empty(); }
    const ProgressPicture& latest() const { return kept_.back(); }

    double rate_now() const;                     // delivered per second, over the last second or so
    double rate_average() const;                 // since the first picture of delivering
    std::optional<double> seconds_left() const;  // nullopt: not to be told yet
    double seconds_seen() const;                 // since the first picture
    double site_rate(const std::string& site) const;                     // accepted per second
    const std::deque<std::string>& notices() const { return notices_; }  // the last few

  private:
    static constexpr double kKeptSeconds = 30;
    static constexpr double kPictureEverySeconds = 0.2;  // closer ones replace the last
    static constexpr std::size_t kNoticesKept = 4;

    const ProgressPicture& about_seconds_ago(double seconds) const;

    std::deque<ProgressPicture> kept_;
    std::optional<ProgressPicture> first_, first_running_;
    std::deque<std::string> notices_;
};

struct Terminal {
    std::size_t columns = 80;
    std::size_t rows = 24;
    bool colours = false;
};

// The screen, a line per entry, none wider than the terminal or more than its rows less one.
std::vector<std::string> progress_screen(const ProgressHistory& history, const Terminal& terminal);

// The same as one line, for logs.
std::string progress_line(const ProgressHistory& history);

}  // namespace posthorn
