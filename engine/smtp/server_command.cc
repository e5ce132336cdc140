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
