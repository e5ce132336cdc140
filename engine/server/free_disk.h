// How much room the disk of a directory has, and the words for too little of it.
#pragma once

#include <string>

namespace posthorn {

// Of the file system that holds the directory, what its user may still fill; 100 when it cannot be
// told.
double free_disk_percent(const std::string& directory);

std::string words_for_little_room(double percent_min);

}  // namespace posthorn
