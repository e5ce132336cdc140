// A directory of one test, gone with it. A death test's second process finds the first's.
#pragma once

#include <string>

namespace posthorn {

class TestDirectory {
  public:
    TestDirectory();
    ~TestDirectory();
    TestDirectory(const TestDirectory&) = delete;
    TestDirectory& operator=(const TestDirectory&) = delete;

    const std::string& path() const { return path_; }

  private:
    std::string path_;
    bool owner_ = false;
};

}  // namespace posthorn
