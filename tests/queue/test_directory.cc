#include "tests/queue/test_directory.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

namespace posthorn {

namespace {

constexpr const char* kVariable = "POSTHORN_TEST_DIRECTORY";

}  // namespace

TestDirectory::TestDirectory() {
    if (const char* inherited = ::getenv(kVariable)) {
        path_ = inherited;
        return;
    }
    std::string pattern = testing::TempDir() + "/posthorn-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) ADD_FAILURE() << "no directory for the test";
    path_ = pattern;
    owner_ = true;
    ::setenv(kVariable, path_.c_str(), 1);
}

TestDirectory::~TestDirectory() {
    if (!owner_) return;
    ::unsetenv(kVariable);
    std::error_code error;
    std::filesystem::remove_all(path_, error);
}

}  // namespace posthorn
