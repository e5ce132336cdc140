// Runs a fuzz target over every file of the folders named, and over every beginning of each file,
// where libFuzzer is not at hand. An empty folder is a failure: it tests nothing.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size);

namespace {

constexpr std::size_t kPrefixesMax = 2000;

void run(const std::string& input) {
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

}  // namespace

int main(int argc, char** argv) {
    int files = 0;
    for (int i = 1; i < argc; ++i) {
        for (const auto& entry : std::filesystem::directory_iterator(argv[i])) {
            std::ifstream file(entry.path(), std::ios::binary);
            const std::string whole{std::istreambuf_iterator<char>(file), {}};
            run(whole);
            const std::size_t step = whole.size() / kPrefixesMax + 1;
            for (std::size_t size = 0; size < whole.size(); size += step)
                run(whole.substr(0, size));
            ++files;
        }
    }
    std::printf("%d inputs replayed\n", files);
    return files > 0 ? 0 : 1;
}
