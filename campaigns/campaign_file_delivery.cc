// How the campaign is delivered and labelled: headers, throttle, retry, tags, metadata.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "campaigns/campaign_file_sections.h"
#include "engine/base/ascii.h"

namespace posthorn {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint64_t kMaxConnections = 100'000;
constexpr Duration kMinRetryStep = std::chrono::seconds(1);

// RFC 5322 section 2.2: printable US-ASCII but the colon.
bool is_header_name(std::string_view name) {
    return !name.empty() && name.size() <= 76 && std::all_of(name.begin(), name.end(), [](char c) {
        return c > 0x20 && c < 0x7f && c != ':';
    });
}

ThrottleLimit read_limit(const ObjectReader& object) {
    ThrottleLimit limit;
    limit.rate = object.rate("rate");
    if (const auto connections = object.integer("max_connections", 1, kMaxConnections))
        limit.connections_max = static_cast<std::uint32_t>(*connections);
    return limit;
}

void read_domain_limits(const ObjectReader& domains, Throttle& throttle) {
    CampaignReading& reading = domains.reading();
    if (domains.json().size() > kMaxThrottledDomains) {
        reading.error(CampaignErrorCode::kRange, domains.path(), "over 10,000 domains");
        return;
    }
    for (const auto& [name, unused] : domains.json().items()) {
        const std::string path = domains.path_of(name);
        std::string domain;
        const AddressFault fault = parse_domain(name, domain);
        if (fault != AddressFault::kNone) {
            reading.key_error(CampaignErrorCode::kBadAddress, path,
                              in_quotes(name) + " is not a domain: " + std::string(reason(fault)),
                              "use a name like gmail.com");
            continue;
        }
        const auto object = domains.object(name);
        if (!object) continue;
        if (!throttle.per_domain.emplace(domain, read_limit(*object)).second)
            reading.key_error(CampaignErrorCode::kConflict, path,
                              in_quotes(name) + " is the same domain as another key");
    }
}

}  // namespace

HeaderLines read_header_lines(const ObjectReader& object) {
    HeaderLines lines;
    const auto headers = object.object("headers");
    if (!headers) return lines;
    CampaignReading& reading = object.reading();
    if (headers->json().size() > kMaxHeaders) {
        reading.error(CampaignErrorCode::kRange, headers->path(), "over 50 headers");
        return lines;
    }
    std::vector<std::string> seen;
    for (const auto& [name, unused] : headers->json().items()) {
        const std::string path = headers->path_of(name);
        std::string folded = ascii_lowered(name);
        if (has_controls(name)) {
            reading.key_error(CampaignErrorCode::kHeaderInjection, path,
                              "a header's name holds a line break or a control character");
        } else if (!is_header_name(name)) {
            reading.key_error(CampaignErrorCode::kHeaderForbidden, path,
                              in_quotes(name) + " is not the name of a header",
                              "use letters, digits and -");
        } else if (!header_permitted(name)) {
            reading.key_error(CampaignErrorCode::kHeaderForbidden, path,
                              in_quotes(name) + " is written by Posthorn", "leave it out");
        } else if (std::find(seen.begin(), seen.end(), folded) != seen.end()) {
            reading.key_error(CampaignErrorCode::kConflict, path,
                              in_quotes(name) + " is given twice", "keep one of them");
        } else if (const auto value = headers->line(name)) {
            lines.emplace_back(name, *value);
        }
        seen.push_back(std::move(folded));
    }
    return lines;
}

void read_headers(const ObjectReader& file, Campaign& campaign) {
    campaign.headers = read_header_lines(file);
}

void read_throttle(const ObjectReader& file, Campaign& campaign) {
    const auto throttle = file.object("throttle");
    if (!throttle) return;
    campaign.throttle.all = read_limit(*throttle);
    if (const auto domains = throttle->object("per_domain"))
        read_domain_limits(*domains, campaign.throttle);
    const auto stop = throttle->object("stop_if");
    if (!stop) return;
    campaign.throttle.stop_bounce_percent = stop->number("bounce_percent", 0.01, 100);
    campaign.throttle.stop_after =
        stop->integer("after", 1, 1'000'000'000).value_or(campaign.throttle.stop_after);
}

void read_retry(const ObjectReader& file, Campaign& campaign) {
    const auto retry = file.object("retry");
    if (!retry) return;
    CampaignReading& reading = file.reading();
    if (const Json* const steps = retry->array("schedule")) {
        if (steps->empty() || steps->size() > kMaxRetrySteps)
            reading.error(CampaignErrorCode::kRange, "/retry/schedule",
                          "the schedule has " + std::to_string(steps->size()) + " steps",
                          "1 to " + std::to_string(kMaxRetrySteps));
        else
            campaign.retry.schedule.clear();
        for (std::size_t i = 0; i < std::min(steps->size(), kMaxRetrySteps); ++i) {
            const Json& step = (*steps)[i];
            const std::string path = "/retry/schedule/" + std::to_string(i);
            const auto wait = step.is_string() ? parse_duration(step.get_ref<const std::string&>())
                                               : std::nullopt;
            if (!wait)
                reading.error(CampaignErrorCode::kBadDuration, path,
                              in_quotes(step.is_string() ? step.get<std::string>() : step.dump()) +
                                  " is not a duration",
                              "a number and s, m, h or d in quotes: \"15m\"");
            else if (*wait < kMinRetryStep)
                reading.error(CampaignErrorCode::kRange, path, "a step is shorter than a second");
            else
                campaign.retry.schedule.push_back(*wait);
        }
    }
    if (const auto attempts = retry->integer("max_attempts", 1, 1000))
        campaign.retry.attempts_max = static_cast<std::uint32_t>(*attempts);
    if (const auto age = retry->duration("max_age")) {
        if (*age < std::chrono::minutes(1) || *age > std::chrono::hours(24 * 30))
            reading.error(CampaignErrorCode::kRange, "/retry/max_age", "out of range", "1m to 30d");
        else
            campaign.retry.age_max = *age;
    }
    campaign.retry.hold_uncertain = retry->choice("uncertain", {"resend", "hold"}).value_or(0) == 1;
}

void read_labels(const ObjectReader& file, Campaign& campaign) {
    CampaignReading& reading = file.reading();
    if (const Json* const tags = file.array("tags")) {
        if (tags->size() > kMaxTags)
            reading.error(CampaignErrorCode::kRange, "/tags", "over 50 tags");
        for (std::size_t i = 0; i < std::min(tags->size(), kMaxTags); ++i) {
            const Json& tag = (*tags)[i];
            const std::string path = "/tags/" + std::to_string(i);
            if (!tag.is_string())
                reading.error(CampaignErrorCode::kType, path, "a tag is a string");
            else if (has_controls(tag.get_ref<const std::string&>()))
                reading.error(CampaignErrorCode::kHeaderInjection, path,
                              "a tag holds a line break or a control character");
            else if (const auto size = tag.get_ref<const std::string&>().size();
                     size == 0 || size > kMaxTagBytes)
                reading.error(CampaignErrorCode::kRange, path, "a tag has 1 to 128 bytes");
            else
                campaign.tags.push_back(tag.get<std::string>());
        }
    }
    if (const auto metadata = file.object("metadata"))
        campaign.metadata = nlohmann::json(metadata->json()).dump();
}

}  // namespace posthorn
