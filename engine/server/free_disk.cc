#include "engine/server/free_disk.h"

#include <sys/statvfs.h>

#include <array>
#include <charconv>

namespace posthorn {

double free_disk_percent(const std::string& directory) {
    struct statvfs figures {};
    if (directory.empty() || statvfs(directory.c_str(), &figures) != 0 || figures.f_blocks == 0)
        return 100;
    return 100.0 * static_cast<double>(figures.f_bavail) / static_cast<double>(figures.f_blocks);
}

std::string words_for_little_room(double percent_min) {
    std::array<char, 32> digits{};  // as few as are needed: 5, 7.5
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), percent_min).ptr;
    return "less than " + std::string(digits.data(), end) +
           " % of the disk is free: nothing is granted until there is room";
}

}  // namespace posthorn
