#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "engine/mail/reply.h"
#include "tools/sink/json_keys.h"
#include "tools/sink/profile.h"

namespace posthorn::sink {

namespace {

constexpr double kSecondsMax = 86400.0 * 30;
constexpr double kMillisecondsMax = 3600e3;
constexpr std::uint32_t kCountMax = 1'000'000'000;
constexpr std::size_t kFileBytesMax = std::size_t{16} << 20;
constexpr std::size_t kFaultsShown = 20;

constexpr std::array<std::string_view, kPlaceCount> kPlaces = {
    "connect", "ehlo", "starttls", "mail", "rcpt", "data", "dot", "body"};

const std::vector<std::string> kUsualOffers = {
    "PIPELINING", "CHUNKING", "8BITMIME", "SMTPUTF8", "SIZE 52428800", "ENHANCEDSTATUSCODES"};

Duration from_seconds(double seconds) {
    return Duration(static_cast<std::int64_t>(std::llround(seconds * 1e6)));
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// "550 5.1.1 text", further lines after \n with or without the code repeated.
std::optional<Reply> parse_reply(std::string_view text) {
    const auto code_at = [](std::string_view line) {
        return line.size() >= 3 && line[0] >= '2' && line[0] <= '5' && is_digit(line[1]) &&
               is_digit(line[2]) && (line.size() == 3 || line[3] == ' ' || line[3] == '-');
    };
    if (!code_at(text)) return std::nullopt;
    Reply reply;
    reply.code =
        static_cast<std::uint16_t>((text[0] - '0') * 100 + (text[1] - '0') * 10 + (text[2] - '0'));
    const std::string_view code = text.substr(0, 3);
    for (bool first = true; !text.empty(); first = false) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (code_at(line) && line.substr(0, 3) == code)
            line.remove_prefix(std::min<std::size_t>(4, line.size()));
        if (const auto enhanced = parse_enhanced_code(line)) {
            reply.enhanced = enhanced;
            line.remove_prefix(std::min(line.find(' '), line.size() - 1) + 1);
        }
        if (!first) reply.text += '\n';
        reply.text += line;
    }
    const bool printable = std::none_of(reply.text.begin(), reply.text.end(), [](char c) {
        return c != '\n' && static_cast<unsigned char>(c) < ' ';
    });
    return printable ? std::optional(reply) : std::nullopt;
}

std::optional<Reply> read_reply(JsonKeys& keys, std::string_view key) {
    const auto text = keys.text(key);
    if (!text) return std::nullopt;
    auto reply = parse_reply(*text);
    if (!reply) keys.fault(key, "must be an SMTP reply such as \"550 5.1.1 No such user\"");
    return reply;
}

std::optional<Place> read_place(JsonKeys& keys, bool with_body) {
    const auto index = keys.choice("stage", {kPlaces.begin(), kPlaces.end()});
    if (!index) {
        if (!keys.find("stage")) keys.fault("stage", "is missing");
        return std::nullopt;
    }
    const auto place = static_cast<Place>(*index);
    if (place == Place::kBody && !with_body) {
        keys.fault("stage", "no command is answered within the body; use dot, or a fault");
        return std::nullopt;
    }
    return place;
}

void read_replies(JsonKeys& keys, std::vector<ReplyRule>& replies) {
    keys.each("replies", [&](JsonKeys& each) {
        ReplyRule rule;
        const auto place = read_place(each, false);
        rule.place = place.value_or(Place::kRcpt);
        rule.share = each.share("share").value_or(1);
        auto reply = read_reply(each, "reply");
        if (!reply && !each.find("reply")) each.fault("reply", "is missing");
        if (reply) rule.reply = std::move(*reply);
        rule.close = each.flag("close").value_or(false);
        rule.has_holes = rule.reply.text.find('{') != std::string::npos;
        // Whoever does not exist, does not exist at the next attempt either.
        const bool about_recipient = rule.place == Place::kRcpt && rule.reply.permanent();
        rule.sticky = each.flag("sticky").value_or(about_recipient);
        if (rule.sticky && rule.place != Place::kRcpt)
            each.fault("sticky", "only a recipient's reply can stay the same; use stage rcpt");
        replies.push_back(std::move(rule));
    });
}

void read_limits(JsonKeys& keys, Limits& limits) {
    if (const auto n = keys.whole("connections", kCountMax)) limits.connections = *n;
    if (const auto n = keys.whole("messages_per_connection", kCountMax))
        limits.messages_per_connection = *n;
    if (const auto text = keys.text("rate")) {
        const auto rate = parse_rate(*text);
        if (rate)
            limits.rate = *rate;
        else
            keys.fault("rate", "must be a rate such as \"20/s\" or \"600/m\"");
    }
    if (const auto n = keys.whole("burst", kCountMax)) limits.burst = *n;
    if (auto reply = read_reply(keys, "over")) {
        if (reply->code < 400)
            keys.fault("over", "must be a 4yz or 5yz reply");
        else
            limits.over = std::move(*reply);
    }
    if (const auto s = keys.number("penalty_s", 0, kSecondsMax)) limits.penalty = from_seconds(*s);
}

void read_limits_of(JsonKeys& keys, Limits& limits, Faults& faults) {
    const nlohmann::json* object = keys.find("limits");
    if (!object) return;
    JsonKeys inner(*object, keys.pointer("limits"), faults);
    read_limits(inner, limits);
}

// [50, 800] or one number, in milliseconds.
std::optional<LatencyRange> read_latency(JsonKeys& keys) {
    const nlohmann::json* value = keys.find("latency_ms");
    if (!value) return std::nullopt;
    const auto valid = [](const nlohmann::json& number) {
        return number.is_number() && number.get<double>() >= 0 &&
               number.get<double>() <= kMillisecondsMax;
    };
    const auto ms = [](const nlohmann::json& number) {
        return from_seconds(number.get<double>() / 1e3);
    };
    if (valid(*value)) return LatencyRange{ms(*value), ms(*value)};
    if (value->is_array() && value->size() == 2 && valid((*value)[0]) && valid((*value)[1]) &&
        ms((*value)[0]) <= ms((*value)[1]))
        return LatencyRange{ms((*value)[0]), ms((*value)[1])};
    keys.fault("latency_ms", "must be a number of milliseconds or [lowest, highest]");
    return std::nullopt;
}

void read_faults(JsonKeys& keys, std::vector<Fault>& out) {
    keys.each("faults", [&](JsonKeys& each) {
        Fault fault;
        const auto kind = each.choice("kind", {"reset", "close", "stall", "tarpit", "drip",
                                               "garbage", "early", "extra", "after_dot"});
        if (!kind && !each.find("kind")) each.fault("kind", "is missing");
        fault.kind = static_cast<FaultKind>(kind.value_or(0));
        if (fault.kind == FaultKind::kAfterDot) {
            if (each.choice("stage", {"dot"})) fault.place = Place::kDot;
            fault.place = Place::kDot;
        } else {
            fault.place = read_place(each, true).value_or(Place::kBody);
        }
        fault.share = each.share("share").value_or(1);
        const double usual = fault.kind == FaultKind::kTarpit ? 20
                             : fault.kind == FaultKind::kDrip ? 0.2
                                                              : 0;
        fault.delay = from_seconds(each.number("delay_s", 0, kSecondsMax).value_or(usual));
        out.push_back(fault);
    });
}

std::vector<std::string> read_texts(JsonKeys& keys, std::string_view key,
                                    std::vector<std::string> usual) {
    const nlohmann::json* value = keys.find(key);
    if (!value) return usual;
    std::vector<std::string> out;
    const bool texts = value->is_array() && std::all_of(value->begin(), value->end(), [](auto& t) {
                           return t.is_string() && !t.template get<std::string>().empty();
                       });
    if (!texts) {
        keys.fault(key, "must be a list of strings");
        return usual;
    }
    for (const auto& text : *value) out.push_back(text.get<std::string>());
    return out;
}

std::string lower(std::string text) {
    for (char& c : text)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
    return text;
}

void read_names(JsonKeys& keys, Entry& entry) {
    entry.match = lower(keys.text("match").value_or(""));
    const std::size_t star = entry.match.rfind('*');
    if (entry.match.empty())
        keys.fault("match", "is missing; use a domain, \"*.suffix\" or \"*\"");
    else if (star != std::string::npos && entry.match != "*" &&
             (star != 0 || entry.match[1] != '.'))
        keys.fault("match", "a star stands alone or as \"*.suffix\"");
    entry.share = keys.share("share").value_or(1);
    entry.provider = keys.text("provider").value_or("");
    entry.mx = read_texts(keys, "mx", entry.mx);
    for (std::string& host : entry.mx) host = lower(std::move(host));
    if (entry.mx.empty()) keys.fault("mx", "must name a host; for none use \"dns\": \"nullmx\"");
    entry.dead_mx = keys.whole("dead_mx", 100).value_or(0);
    if (entry.dead_mx > entry.mx.size()) keys.fault("dead_mx", "more than there are in mx");
}

void read_tls(JsonKeys& keys, Entry& entry) {
    const auto tls =
        keys.choice("tls", {"off", "selfsigned", "valid", "expired", "wrongname", "broken"});
    const auto offered = std::find(entry.offers.begin(), entry.offers.end(), "STARTTLS");
    if (!tls) {
        if (offered != entry.offers.end()) entry.tls = TlsMode::kSelfSigned;
        return;
    }
    entry.tls = static_cast<TlsMode>(*tls);
    if (entry.tls == TlsMode::kOff && offered != entry.offers.end()) entry.offers.erase(offered);
    if (entry.tls != TlsMode::kOff && offered == entry.offers.end())
        entry.offers.emplace_back("STARTTLS");
}

Entry read_entry(JsonKeys& keys, Faults& faults) {
    Entry entry;
    read_names(keys, entry);
    entry.dns = static_cast<DnsMode>(
        keys.choice("dns", {"ok", "nxdomain", "nullmx", "servfail", "timeout", "loop", "cname"})
            .value_or(0));
    entry.dane = static_cast<Dane>(
        keys.choice("dane", {"off", "ok", "wrong", "missing", "servfail"}).value_or(0));
    entry.sts = keys.text("sts").value_or("");
    entry.ttl_s = keys.whole("ttl_s", 604800).value_or(entry.ttl_s);
    entry.offers = read_texts(keys, "offers", kUsualOffers);
    read_tls(keys, entry);
    entry.latency = read_latency(keys).value_or(LatencyRange{});
    read_replies(keys, entry.replies);
    entry.greylist = from_seconds(keys.number("greylist_s", 0, kSecondsMax).value_or(0));
    read_limits_of(keys, entry.limits, faults);
    Limits limits = entry.limits;  // a change alters what the one before it left
    keys.each("changes", [&](JsonKeys& each) {
        Change change;
        change.after = from_seconds(each.number("after_s", 0, kSecondsMax).value_or(0));
        read_limits_of(each, limits, faults);
        if (each.find("limits")) change.limits = limits;
        if (each.find("replies")) read_replies(each, change.replies.emplace());
        change.latency = read_latency(each);
        if (!entry.changes.empty() && change.after < entry.changes.back().after)
            each.fault("after_s", "changes are listed by time");
        entry.changes.push_back(std::move(change));
    });
    read_faults(keys, entry.faults);
    return entry;
}

std::string line_and_column(std::string_view text, std::size_t offset) {
    const std::string_view before = text.substr(0, std::min(offset, text.size()));
    const auto lines = std::count(before.begin(), before.end(), '\n');
    const std::size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
    return std::to_string(lines + 1) + ":" + std::to_string(before.size() - line_start + 1);
}

Error all_of(const Faults& faults, std::string_view file_name) {
    std::string message;
    for (std::size_t i = 0; i < std::min(faults.size(), kFaultsShown); ++i)
        message += (i ? "\n" : "") + std::string(file_name) + ": " + faults[i];
    if (faults.size() > kFaultsShown) message += "\nand more";
    return {ErrorKind::kInvalid, message};
}

}  // namespace

std::string_view name_of(Place place) { return kPlaces[static_cast<std::size_t>(place)]; }

Result<Profile> parse_profile(std::string_view json, std::string_view file_name) {
    nlohmann::json root;
    try {
        root = nlohmann::json::parse(json, nullptr, true, true);
    } catch (const nlohmann::json::parse_error& error) {
        const std::string_view what = error.what();
        return Error{ErrorKind::kInvalid,
                     std::string(file_name) + ":" +
                         line_and_column(json, error.byte > 0 ? error.byte - 1 : 0) +
                         ": not JSON: " + std::string(what.substr(what.rfind(": ") + 2))};
    }
    Profile profile;
    Faults faults;
    {
        JsonKeys keys(root, "", faults);
        if (!keys.find("domains")) keys.fault("domains", "is missing");
        keys.each("domains",
                  [&](JsonKeys& each) { profile.entries.push_back(read_entry(each, faults)); });
    }
    if (!faults.empty()) return all_of(faults, file_name);
    Entry rest;  // for whom nothing matched: all is well
    rest.offers = kUsualOffers;
    profile.entries.push_back(std::move(rest));
    return profile;
}

Result<Profile> load_profile(const std::string& name_or_file) {
    if (const auto text = preset_text(name_or_file))
        return parse_profile(*text, "preset " + name_or_file);
    std::ifstream file(name_or_file, std::ios::binary);
    if (!file) {
        const auto near = nearest(name_or_file, preset_names());
        std::string all;
        for (const std::string_view name : preset_names()) all += " " + std::string(name);
        return Error{ErrorKind::kInvalid,
                     "profile " + name_or_file + ": neither a file nor a preset (" + all.substr(1) +
                         ")" + (near ? "; did you mean " + std::string(*near) + "?" : "")};
    }
    std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    if (text.size() > kFileBytesMax)
        return Error{ErrorKind::kInvalid, name_or_file + ": larger than 16 MiB"};
    return parse_profile(text, name_or_file);
}

}  // namespace posthorn::sink
