#include "tools/sink/tally.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <vector>

#include "engine/base/hash.h"

namespace posthorn::sink {

namespace {

using Json = nlohmann::ordered_json;

std::string text_of(const Json& json, int indent = -1) {
    return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

// A member of the summary, as text: there may be a million names in it.
template <class T>
void append_by_name(std::string& out, std::string_view member, std::vector<const T*> named) {
    std::sort(named.begin(), named.end(), [](const T* a, const T* b) { return a->name < b->name; });
    fmt::format_to(std::back_inserter(out), ",\n  \"{}\": {{", member);
    for (const T* each : named) {
        const Traffic& traffic = each->traffic;
        fmt::format_to(std::back_inserter(out),
                       "{}\n    {}: {{\"recipients\": {}, \"accepted\": {}, "
                       "\"connections_max\": {}, \"rate_1s_max\": {}, \"rate_60s_max\": {}}}",
                       each == named.front() ? "" : ",", text_of(Json(each->name)), traffic.asked,
                       traffic.accepted, traffic.connections_peak, traffic.in_second.peak(),
                       traffic.in_minute.peak());
    }
    out += named.empty() ? "}" : "\n  }";
}

}  // namespace

void Tally::message(std::uint64_t bytes) {
    ++messages_;
    bytes_ += bytes;
}

void Tally::accepted(std::string_view recipient, std::string_view message_id) {
    ++accepted_;
    const std::uint64_t hash = hash64(recipient);
    recipients_.insert(hash);
    deliveries_.insert(hash64(message_id, hash));
}

void Tally::replied(Place place, std::uint16_t code) {
    if (code < kCodes) ++replies_[static_cast<std::size_t>(place)][code];
}

std::string Tally::to_json(const Names& names) const {
    Json replies = Json::object();
    for (std::size_t place = 0; place < kPlaceCount; ++place)
        for (std::size_t code = 0; code < kCodes; ++code)
            if (const std::uint64_t count = replies_[place][code])
                replies[std::string(name_of(static_cast<Place>(place)))][std::to_string(code)] =
                    count;
    std::vector<const Domain*> domains;
    names.each_domain([&](const Domain& domain) { domains.push_back(&domain); });
    std::vector<const Host*> hosts;
    names.each_host([&](const Host& host) {
        if (host.traffic.connections_peak > 0) hosts.push_back(&host);
    });
    const double round_trips =
        messages_ ? static_cast<double>(flights_) / static_cast<double>(messages_) : 0;
    const Json out = {{"accepted", accepted_},
                      {"distinct_recipients", recipients_.size()},
                      {"duplicates", accepted_ - deliveries_.size()},
                      {"messages", messages_},
                      {"bytes", bytes_},
                      {"sessions", sessions_},
                      {"round_trips_per_message", round_trips},
                      {"replies", std::move(replies)}};
    std::string text = text_of(out, 2);
    text.resize(text.size() - std::string_view("\n}").size());
    append_by_name(text, "domains", std::move(domains));
    append_by_name(text, "mx_hosts", std::move(hosts));
    return text + "\n}\n";
}

}  // namespace posthorn::sink
