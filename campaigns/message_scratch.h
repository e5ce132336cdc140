// The buffers with which one thread renders, grown by the largest message so far; nothing in them
// outlives a call.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "campaigns/message_parts.h"
#include "campaigns/template_run.h"
#include "engine/mail/address.h"

namespace posthorn {

struct CompiledMessage::Scratch {
    TemplateScratch run;
    std::vector<TemplateValue> slots;
    Address address;
    std::string name, token, url, value, plain, hashed;
    std::array<char, 16> hash{};
    std::size_t personal_from = 0;  // where in the message its body's first value stands, or npos
};

}  // namespace posthorn
