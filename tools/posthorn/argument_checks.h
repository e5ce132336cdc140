// Values of options: what is wrong with words and times, empty when they are good; and paths.
#pragma once

#include <string>

namespace posthorn {

std::string check_outcome(const std::string& text);
std::string check_stage(const std::string& text);
std::string check_time(const std::string& text);

// The owner of the data directory may run in another one than who asks it.
std::string absolute(const std::string& path);

}  // namespace posthorn
