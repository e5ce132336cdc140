#include "campaigns/nearest_name.h"

#include <algorithm>
#include <array>
#include <numeric>

namespace posthorn {

std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::array<std::size_t, kMaxComparedNameBytes + 1> row;
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i + 1;
        for (std::size_t j = 0; j < b.size(); ++j) {
            const std::size_t above = row[j + 1];
            const std::size_t change = diagonal + (a[i] == b[j] ? 0 : 1);
            row[j + 1] = std::min({change, above + 1, row[j] + 1});
            diagonal = above;
        }
    }
    return row[b.size()];
}

std::string_view nearest_name(std::string_view wrong, std::span<const std::string_view> known) {
    if (wrong.size() > kMaxComparedNameBytes) return {};
    std::string_view nearest;
    std::size_t least = nearness(wrong.size()) + 1;
    for (const std::string_view name : known) {
        if (name.size() > kMaxComparedNameBytes) continue;
        const std::size_t distance = edit_distance(wrong, name);
        if (distance >= least) continue;
        least = distance;
        nearest = name;
    }
    return nearest;
}

}  // namespace posthorn
