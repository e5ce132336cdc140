// What a client may say, parsed strictly: one command line without its CRLF in, views into it out.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "engine/smtp/capabilities.h"

namespace posthorn {

enum class Verb : std::uint8_t {
    kUnknown,
    kHelo,
    kEhlo,
    kMail,
    kRcpt,
    kData,
    kBdat,
    kRset,
    kNoop,
    kQuit,
    kVrfy,
    kHelp,
    kStartTls
};

struct Command {
    Verb verb = Verb::kUnknown;
    std::string_view argument;  // after the space; empty if there is none
};

Command parse_command(std::string_view line);

// "FROM:<a@b> SIZE=10" with keyword "FROM:": the address without brackets and source route, and
// what follows it. A path that breaks the grammar gives nullopt.
struct PathArgument {
    std::string_view address;
    std::string_view parameters;
};
std::optional<PathArgument> parse_path(std::string_view argument, std::string_view keyword);

// Whether an address may stand between brackets: no octet that could end the path or the line, a
// local part and a domain; octets above 127 only if utf8. Not the whole grammar of RFC 5321.
bool plausible_address(std::string_view address, bool utf8);

struct MailParameters {
    std::optional<std::uint64_t> size;
    bool eight_bit = false;
    bool smtputf8 = false;
};

// nullopt: a parameter that was not offered, is unknown, malformed or repeated.
std::optional<MailParameters> parse_mail_parameters(std::string_view parameters,
                                                    const Capabilities& offered);

struct ChunkArgument {
    std::uint64_t bytes = 0;
    bool last = false;
};
std::optional<ChunkArgument> parse_chunk(std::string_view argument);

}  // namespace posthorn
