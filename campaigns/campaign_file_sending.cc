// Who of the list gets the campaign, which variant, and when.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "campaigns/campaign_file_sections.h"
#include "campaigns/segment.h"

namespace posthorn {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMaxVariantNameBytes = 64;

// The object at an index of an array; nothing, and a fault, when it is none.
std::optional<ObjectReader> element(const ObjectReader& file, const Json& items, std::size_t index,
                                    const std::string& path, std::string_view what) {
    if (items[index].is_object()) return ObjectReader(file.reading(), items[index], path);
    file.reading().error(CampaignErrorCode::kType, path, std::string(what) + " is an object");
    return std::nullopt;
}

bool is_variant_name(std::string_view name) {
    return !name.empty() && name.size() <= kMaxVariantNameBytes && !has_controls(name);
}

void read_window(const ObjectReader& object, CampaignSchedule& schedule) {
    CampaignReading& reading = object.reading();
    SendingWindow window;
    window.days = parse_weekdays("daily");
    if (const auto days = object.text("days")) {
        window.days = parse_weekdays(*days);
        if (window.days == 0)
            reading.error(CampaignErrorCode::kBadTime, object.path_of("days"),
                          in_quotes(*days) + " are not days", "use mon-fri, sat,sun or daily");
    }
    const auto time_of = [&](std::string_view key, std::chrono::minutes& out) {
        const auto written = object.text(key);
        if (!written) {
            if (object.value(key) == nullptr)
                reading.error(CampaignErrorCode::kRequired, object.path(),
                              "`" + std::string(key) + "` is missing here", "use \"08:00\"");
            return;
        }
        const auto time = parse_time_of_day(*written);
        if (time)
            out = *time;
        else
            reading.error(CampaignErrorCode::kBadTime, object.path_of(key),
                          in_quotes(*written) + " is not a time of day", "use \"08:00\"");
    };
    time_of("start", window.start);
    time_of("end", window.end);
    schedule.windows.push_back(window);
}

void read_windows(const ObjectReader& object, CampaignSchedule& schedule) {
    const Json* const windows = object.array("windows");
    if (windows == nullptr) return;
    const std::string path = object.path_of("windows");
    if (windows->empty() || windows->size() > kMaxWindows) {
        object.reading().error(CampaignErrorCode::kRange, path,
                               "there are " + std::to_string(windows->size()) + " windows",
                               "1 to 100; without `windows` any time is good");
        return;
    }
    for (std::size_t i = 0; i < windows->size(); ++i)
        if (const auto window =
                element(object, *windows, i, path + "/" + std::to_string(i), "a window"))
            read_window(*window, schedule);
}

void read_send_at(const ObjectReader& object, CampaignSchedule& schedule) {
    const auto written = object.text("send_at");
    if (!written) return;
    schedule.send_at = parse_send_at(*written, schedule.timezone);
    if (!schedule.send_at) {
        object.reading().error(CampaignErrorCode::kBadTime, object.path_of("send_at"),
                               in_quotes(*written) + " is not a time",
                               "use 2026-04-02T09:00:00+02:00, or leave the offset out and set "
                               "`timezone`");
    } else if (*schedule.send_at >=
               *parse_send_at(std::to_string(kLastScheduleYear + 1) + "-01-01T00:00:00Z", "")) {
        object.reading().error(CampaignErrorCode::kRange, object.path_of("send_at"),
                               "time zones are known up to 2037", "give an earlier time");
    }
}

}  // namespace

void read_segment(const ObjectReader& file, Campaign& campaign) {
    const auto text = file.text("segment");
    if (!text) return;
    SegmentFault fault;
    if (Segment::parse(*text, fault))
        campaign.segment = *text;
    else
        file.reading().error_inside(fault.code, "/segment",
                                    std::string_view(*text).substr(0, fault.offset), fault.message,
                                    fault.hint);
}

void read_variant(const ObjectReader& object, Variant& variant) {
    CampaignReading& reading = object.reading();
    if (const auto name = object.text("name")) {
        variant.name = *name;
        if (!is_variant_name(*name))
            reading.error(CampaignErrorCode::kRange, object.path_of("name"),
                          "a variant's name has 1 to 64 bytes and no control characters");
    } else if (object.value("name") == nullptr) {
        reading.error(CampaignErrorCode::kRequired, object.path(), "`name` is missing here",
                      "reports need it: \"name\": \"A\"");
    }
    variant.weight = object.number("weight", 0, kMaxVariantWeight).value_or(variant.weight);
    variant.from = read_mailbox(object, "from");
    variant.subject = object.line("subject");
    if (variant.subject && variant.subject->find_first_not_of(" \t") == std::string::npos)
        reading.error(CampaignErrorCode::kRequired, object.path_of("subject"), "`subject` is empty",
                      "leave it out to use the campaign's");
    variant.preheader = object.text("preheader");
    variant.vars = read_constants(object);
}

void read_variants(const ObjectReader& file, Campaign& campaign) {
    const Json* const variants = file.array("variants");
    if (variants == nullptr) return;
    CampaignReading& reading = file.reading();
    if (variants->empty() || variants->size() > kMaxVariants) {
        reading.error(CampaignErrorCode::kRange, "/variants",
                      "there are " + std::to_string(variants->size()) + " variants", "1 to 100");
        return;
    }
    double weights = 0;
    for (std::size_t i = 0; i < variants->size(); ++i) {
        const std::string path = "/variants/" + std::to_string(i);
        const auto object = element(file, *variants, i, path, "a variant");
        if (!object) return;
        Variant variant;
        read_variant(*object, variant);
        variant.html = read_text(*object, "html", "html_file");
        read_text_source(*object, variant.html.present() || campaign.html.present(),
                         variant.text_source, variant.text);
        weights += variant.weight;
        for (const Variant& other : campaign.variants)
            if (other.name == variant.name && !variant.name.empty())
                reading.error(CampaignErrorCode::kConflict, path + "/name",
                              "two variants are called " + in_quotes(variant.name),
                              "give each a name of its own");
        campaign.variants.push_back(std::move(variant));
    }
    if (weights > 0) return;
    reading.error(CampaignErrorCode::kRange, "/variants", "no variant has any weight",
                  "give one a weight of 1 or more");
    campaign.variants.clear();
}

void read_schedule(const ObjectReader& file, Campaign& campaign) {
    const auto object = file.object("schedule");
    if (!object) return;
    CampaignReading& reading = file.reading();
    CampaignSchedule& schedule = campaign.schedule;
    if (const auto name = object->text("timezone")) {
        if (timezone_known(*name)) {
            schedule.timezone = *name;
        } else {
            const std::string near = nearest_timezone(*name);
            reading.error(CampaignErrorCode::kBadTime, object->path_of("timezone"),
                          in_quotes(*name) + " is not a time zone",
                          near.empty() ? "use a name of the IANA database: Europe/Vienna"
                                       : "did you mean `" + near + "`?");
        }
    }
    read_send_at(*object, schedule);
    read_windows(*object, schedule);
    if (const auto lateness = object->duration("max_lateness")) schedule.max_lateness = *lateness;
}

}  // namespace posthorn
