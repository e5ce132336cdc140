// Values of options that are words or times: empty when one is good, else what is wrong with it.
#pragma once

#include <string>

namespace posthorn {

std::string check_outcome(const std::string& text);
std::string check_stage(const std::string& text);
std::string check_time(const std::string& text);

}  // namespace posthorn
