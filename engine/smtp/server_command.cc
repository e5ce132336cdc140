#include "engine/smtp/server_command.h"

#include <array>

#include "engine/smtp/limits.h"

namespace posthorn {

namespace {

struct VerbName {
    std::string_view name;
    Verb verb;
};

// The busiest first.
constexpr std::array<VerbName, 12> kVerbs = {{{"RCPT", Verb::kRcpt},
                                              {"MAIL", Verb::kMail},
                                              {"DATA", Verb::kData},
                                              {"BDAT", Verb::kBdat},
                                              {"EHLO", Verb::kEhlo},
                                              {"QUIT", Verb::kQuit},
                                              {"RSET", Verb::kRset},
                                              {"HELO", Verb::kHelo},
                                              {"STARTTLS", Verb::kStartTls},
                                              {"NOOP", Verb::kNoop},
                                              {"VRFY", Verb::kVrfy},
                                              {"HELP", Verb::kHelp}}};

// The position of the bracket that closes a path whose text starts at 1, respecting quoted strings.
std::size_t find_closing_bracket(std::string_view path) {
    bool quoted = false;
    for (std::size_t i = 1; i < path.size(); ++i) {
        if (quoted && path[i] == '\\') {
            ++i;
        } else if (path[i] == '"') {
            quoted = !quoted;
        } else if (path[i] == '>' && !quoted) {
            return i;
        }
    }
    return std::string_view::npos;
}

bool apply_parameter(MailParameters& parameters, std::string_view word,
                     const Capabilities& offered) {
    const std::size_t equals = word.find('=');
    const std::string_view name = word.substr(0, equals);
    const bool valued = equals != std::string_view::npos;
    const std::string_view value = valued ? word.substr(equals + 1) : std::string_view();
    if (equal_ignoring_case(name, "SIZE")) {
        if (!offered.size || parameters.size) return false;
        parameters.size = parse_decimal(value);
        return parameters.size.has_value();
    }
    if (equal_ignoring_case(name, "BODY")) {
        parameters.eight_bit = equal_ignoring_case(value, "8BITMIME");
        return offered.eight_bit_mime &&
               (parameters.eight_bit || equal_ignoring_case(value, "7BIT"));
    }
    if (equal_ignoring_case(name, "SMTPUTF8")) {
        parameters.smtputf8 = true;
        return offered.smtputf8 && !valued;
    }
    return false;
}

}  // namespace

Command parse_command(std::string_view line) {
    const std::size_t space = line.find(' ');
    const std::string_view word = line.substr(0, space);
    for (const VerbName& entry : kVerbs) {
        if (!equal_ignoring_case(word, entry.name)) continue;
        std::string_view argument =
            space == std::string_view::npos ? std::string_view() : line.substr(space + 1);
        while (!argument.empty() && argument.back() == ' ') argument.remove_suffix(1);
        return {entry.verb, argument};
    }
    return {Verb::kUnknown, line};
}

std::optional<PathArgument> parse_path(std::string_view argument, std::string_view keyword) {
    if (!equal_ignoring_case(argument.substr(0, keyword.size()), keyword)) return std::nullopt;
    argument.remove_prefix(keyword.size());
    if (argument.empty() || argument.front() != '<') return std::nullopt;
    const std::size_t end = find_closing_bracket(argument);
    if (end == std::string_view::npos || end > kPathBytesMax) return std::nullopt;
    PathArgument path{argument.substr(1, end - 1), argument.substr(end + 1)};
    if (!path.parameters.empty() && path.parameters.front() != ' ') return std::nullopt;
    if (!path.address.empty() && path.address.front() == '@') {  // source route: ignored
        const std::size_t colon = path.address.find(':');
        if (colon == std::string_view::npos) return std::nullopt;
        path.address.remove_prefix(colon + 1);
    }
    return path;
}

bool plausible_address(std::string_view address, bool utf8) {
    if (address.size() > kPathBytesMax) return false;
    bool quoted = false;
    std::size_t at = std::string_view::npos;
    for (std::size_t i = 0; i < address.size(); ++i) {
        const auto c = static_cast<unsigned char>(address[i]);
        if (c < 0x20 || c == 0x7f || (c > 0x7f && !utf8)) return false;
        if (quoted && c == '\\') {
            const bool printable =
                i + 1 < address.size() && address[i + 1] >= 0x20 && address[i + 1] < 0x7f;
            if (!printable) return false;
            ++i;
        } else if (c == '"') {
            quoted = !quoted;
        } else if (!quoted) {
            if (c == ' ' || c == '<' || c == '>' || c == '\\') return false;
            if (c == '@') at = i;
        }
    }
    return !quoted && at != std::string_view::npos && at > 0 && at + 1 < address.size();
}

std::optional<MailParameters> parse_mail_parameters(std::string_view parameters,
                                                    const Capabilities& offered) {
    MailParameters parsed;
    while (!parameters.empty()) {
        if (parameters.front() == ' ') {
            parameters.remove_prefix(1);
            continue;
        }
        const std::string_view word = parameters.substr(0, parameters.find(' '));
        parameters.remove_prefix(word.size());
        if (!apply_parameter(parsed, word, offered)) return std::nullopt;
    }
    return parsed;
}

std::optional<ChunkArgument> parse_chunk(std::string_view argument) {
    const std::size_t space = argument.find(' ');
    const auto bytes = parse_decimal(argument.substr(0, space));
    if (!bytes || *bytes > kChunkBytesMax) return std::nullopt;
    if (space == std::string_view::npos) return ChunkArgument{*bytes, false};
    if (!equal_ignoring_case(argument.substr(space + 1), "LAST")) return std::nullopt;
    return ChunkArgument{*bytes, true};
}

}  // namespace posthorn
