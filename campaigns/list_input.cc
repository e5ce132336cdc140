#include "campaigns/list_input.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "engine/base/check.h"

namespace posthorn {

class ListInput::Bytes {
  public:
    Bytes() : hash_(XXH3_createState()) {
        CHECK(hash_ != nullptr);
        XXH3_64bits_reset(hash_);
    }
    Bytes(const Bytes&) = delete;
    Bytes& operator=(const Bytes&) = delete;
    ~Bytes() {
        if (gzip_ != nullptr) gzclose(gzip_);
        if (file_ >= 0) close(file_);
        XXH3_freeState(hash_);
    }

    Status open(const std::string& path, bool gzip, ListIdentity& identity) {
        path_ = path;
        file_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
        struct stat status;
        if (file_ < 0 || fstat(file_, &status) != 0) return failure("cannot be opened");
        if (!S_ISREG(status.st_mode))
            return Error{ErrorKind::kInvalid, path + " is not a regular file"};
        identity.bytes = static_cast<std::uint64_t>(status.st_size);
        identity.modified_micros = static_cast<std::int64_t>(status.st_mtim.tv_sec) * 1'000'000 +
                                   status.st_mtim.tv_nsec / 1000;
        if (!gzip) return {};
        gzip_ = gzdopen(file_, "rb");
        if (gzip_ == nullptr) return failure("cannot be opened");
        file_ = -1;  // gzip_ owns it
        gzbuffer(gzip_, kListBlockBytes / 2);
        return {};
    }

    // 0 at the end.
    Result<std::size_t> read(char* to, std::size_t count) {
        if (gzip_ != nullptr) return read_gzip(to, count);
        if (file_ < 0) return std::size_t{0};
        while (true) {
            const ssize_t got = ::read(file_, to, count);
            if (got >= 0) return static_cast<std::size_t>(got);
            if (errno != EINTR) return failure("cannot be read");
        }
    }

    void hash(const char* bytes, std::size_t count) { XXH3_64bits_update(hash_, bytes, count); }
    std::uint64_t digest() const { return XXH3_64bits_digest(hash_); }

  private:
    Error failure(const char* what) const {
        return Error{ErrorKind::kIo, path_ + " " + what + ": " + std::strerror(errno)};
    }

    Result<std::size_t> read_gzip(char* to, std::size_t count) {
        const int got = gzread(gzip_, to, static_cast<unsigned>(count));
        int code = Z_OK;
        const char* const words = gzerror(gzip_, &code);
        if (got < 0 || code == Z_BUF_ERROR)
            return Error{ErrorKind::kInvalid,
                         path_ + " is not a whole gzip file: " + (words ? words : "")};
        return static_cast<std::size_t>(got);
    }

    std::string path_;
    int file_ = -1;
    gzFile gzip_ = nullptr;
    XXH3_state_t* hash_;
};

ListInput::ListInput() : bytes_(std::make_unique<Bytes>()) {}
ListInput::~ListInput() = default;

Result<std::unique_ptr<ListInput>> ListInput::of_file(const std::string& path, bool gzip) {
    std::unique_ptr<ListInput> input(new ListInput);
    RETURN_IF_ERROR(input->bytes_->open(path, gzip, input->identity_));
    input->capacity_ = kMaxListRowBytes + 2 * kListBlockBytes;
    input->owned_ = std::make_unique_for_overwrite<char[]>(input->capacity_);
    input->buffer_ = input->owned_.get();
    return input;
}

std::unique_ptr<ListInput> ListInput::of_text(std::string_view text) {
    std::unique_ptr<ListInput> input(new ListInput);
    input->buffer_ = const_cast<char*>(text.data());  // never written: the whole text is read
    input->capacity_ = input->back_ = text.size();
    input->at_end_ = true;
    input->identity_.bytes = text.size();
    return input;
}

void ListInput::hash_consumed() {
    bytes_->hash(buffer_ + hashed_, front_ - hashed_);
    hashed_ = front_;
}

std::uint64_t ListInput::prefix_hash() {
    hash_consumed();
    return bytes_->digest();
}

Status ListInput::fill() {
    if (at_end_) return {};
    if (capacity_ - back_ < kListBlockBytes) {
        hash_consumed();
        std::memmove(buffer_, buffer_ + front_, back_ - front_);
        base_ += front_;
        back_ -= front_;
        front_ = hashed_ = 0;
    }
    CHECK(capacity_ - back_ >= kListBlockBytes);  // readers refuse longer rows
    Result<std::size_t> got = bytes_->read(buffer_ + back_, kListBlockBytes);
    if (!got) return got.error();
    back_ += *got;
    at_end_ = *got == 0;
    return {};
}

Result<bool> ListInput::skip_to(std::uint64_t target) {
    CHECK(target >= offset());
    while (offset() + window().size() < target) {
        if (at_end_) return false;
        consume(window().size());
        RETURN_IF_ERROR(fill());
    }
    consume(static_cast<std::size_t>(target - offset()));
    return true;
}

}  // namespace posthorn
