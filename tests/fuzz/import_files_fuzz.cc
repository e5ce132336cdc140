// Any bytes as a file of an interrupted import: as its manifest (which is saved and loaded to the
// same) and as a run, with the hashes that a fuzzer cannot guess put right.
#include <sys/mman.h>
#include <unistd.h>

#include <string>

#include "engine/base/bytes.h"
#include "engine/base/check.h"
#include "engine/base/hash.h"
#include "engine/queue/import_manifest.h"
#include "engine/queue/import_run.h"
#include "tests/fuzz/input.h"

namespace posthorn {
namespace {

class FileInMemory {
  public:
    explicit FileInMemory(std::string_view bytes) : descriptor_(::memfd_create("import", 0)) {
        CHECK(descriptor_ >= 0);
        CHECK(::write(descriptor_, bytes.data(), bytes.size()) ==
              static_cast<ssize_t>(bytes.size()));
    }
    ~FileInMemory() { ::close(descriptor_); }
    FileInMemory(const FileInMemory&) = delete;
    FileInMemory& operator=(const FileInMemory&) = delete;
    std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

  private:
    int descriptor_;
};

void read_manifest(std::string_view body) {
    std::string bytes(body);
    put_u64(bytes, hash64(body));
    const auto manifest = ImportManifest::load(FileInMemory(bytes).path());
    CHECK(manifest.has_value() ? manifest->has_value()
                               : manifest.error().kind == ErrorKind::kCorrupt);
}

void read_run(std::string_view bytes) {
    auto reader = RunReader::open(FileInMemory(bytes).path());
    CHECK(reader.has_value());
    while (true) {
        const auto more = reader->next();
        CHECK(more.has_value() || more.error().kind == ErrorKind::kCorrupt);
        if (!more || !*more) return;
        CHECK(reader->record().key.size() + reader->record().row.size() <= bytes.size());
    }
}

void fuzz(FuzzInput input) {
    const std::uint8_t choice = input.octet();
    const std::string_view bytes = input.text(std::size_t{1} << 20);
    if (choice % 3 == 0) return read_manifest(bytes);
    if (choice % 3 == 1) return read_run(bytes);
    std::string frame;
    put_u32(frame, static_cast<std::uint32_t>(bytes.size()));
    put_u64(frame, hash64(bytes));
    read_run(frame.append(bytes));
}

}  // namespace
}  // namespace posthorn

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    posthorn::fuzz({bytes, size});
    return 0;
}
