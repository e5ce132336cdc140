// What a client may say, parsed strictly: one command line without its CRLF in, views into it out.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "engine/smtp/capabilities.h"
#include "engine/smtp/path.h"

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
