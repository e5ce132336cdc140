#include <algorithm>
#include <array>

#include "tests/sim/coverage.h"
#include "tests/sim/knobs.h"

namespace posthorn::sim {

namespace {

constexpr std::array<std::string_view, kMoodCount> kMoods = {"mood greylists",
                                                             "mood closes after some",
                                                             "mood tarpits",
                                                             "mood resets in data",
                                                             "mood drops after dot",
                                                             "mood refuses some",
                                                             "mood defers some",
                                                             "mood lies about pipelining",
                                                             "mood slows when pushed",
                                                             "mood few sessions",
                                                             "mood talks garbage",
                                                             "mood shuts door",
                                                             "mood refuses greeting",
                                                             "mood refuses sender",
                                                             "mood refuses content",
                                                             "mood falls silent",
                                                             "mood plain",
                                                             "mood small size"};
constexpr std::array<std::string_view, kTlsMoodCount> kTlsMoods = {
    "tls not offered", "tls fine",  "tls untrusted",  "tls refused",
    "tls breaks",      "tls hangs", "tls talks early"};
constexpr std::array<std::string_view, 6> kDnsMoods = {
    "dns fine", "dns no domain", "dns null mx", "dns flaps", "dns fails at times", "dns moves"};
constexpr std::array<std::string_view, kCrashPointCount> kCrashPoints = {
    "crash any time",   "crash before sync", "crash after sync",     "crash lease handed out",
    "crash in message", "crash after dot",   "crash while stopping", "crash in recovery"};
constexpr std::array kOthers = {
    "fault reset",          "fault sync failed", "fault clock back", "fault clock ahead",
    "fault disk full",      "fault split",       "operator pause",   "operator resume",
    "operator cancel",      "operator hold",     "operator release", "operator flush",
    "operator suppress",    "operator set plan", "operator stop",    "operator late campaign",
    "crash batch survived", "uncertain held",    "uncertain resent", "unrendered",
    "local refusal",        "expired",           "invalid domain",   "suppressed"};

}  // namespace

std::string_view name_of(Mood mood) { return kMoods[static_cast<std::size_t>(mood)]; }
std::string_view name_of(TlsMood mood) { return kTlsMoods[static_cast<std::size_t>(mood)]; }
std::string_view name_of(DnsMood mood) { return kDnsMoods[static_cast<std::size_t>(mood)]; }
std::string_view name_of(CrashPoint point) { return kCrashPoints[static_cast<std::size_t>(point)]; }

std::vector<std::string_view> Coverage::missing() const {
    std::vector<std::string_view> missing;
    const auto look_for = [&](const auto& names) {
        for (const std::string_view name : names)
            if (!times_.contains(name)) missing.push_back(name);
    };
    look_for(kMoods);
    look_for(kDnsMoods);
    look_for(kTlsMoods);
    look_for(kCrashPoints);
    look_for(kOthers);
    return missing;
}

bool HostKnobs::has(Mood mood) const {
    return std::find(moods.begin(), moods.end(), mood) != moods.end();
}

}  // namespace posthorn::sim
