#include "engine/queue/rocks_sorted_file.h"

#include <rocksdb/sst_file_reader.h>
#include <rocksdb/sst_file_writer.h>

namespace posthorn {

namespace {

class RocksFileWriter final : public SortedFileWriter {
  public:
    RocksFileWriter(const rocksdb::Options& options, std::string path)
        : path_(std::move(path)), writer_(rocksdb::EnvOptions(), options) {}

    Status open() { return check(writer_.Open(path_)); }
    Status put(std::string_view key, std::string_view value) override {
        const rocksdb::Status status = writer_.Put(slice(key), slice(value));
        if (!status.ok()) return check(status);
        ++entries_;
        return {};
    }
    Status finish() override { return check(writer_.Finish()); }
    std::uint64_t entries() const override { return entries_; }

  private:
    Status check(const rocksdb::Status& status) const {
        if (status.ok()) return {};
        Error error = rocks_error("cannot write the sorted file " + path_, status);
        if (status.IsInvalidArgument()) error.kind = ErrorKind::kInvalid;
        return error;
    }

    std::string path_;
    rocksdb::SstFileWriter writer_;
    std::uint64_t entries_ = 0;
};

}  // namespace

Result<std::unique_ptr<SortedFileWriter>> make_sorted_file_writer(const rocksdb::Options& options,
                                                                  const std::string& path) {
    auto writer = std::make_unique<RocksFileWriter>(options, path);
    RETURN_IF_ERROR(writer->open());
    return std::unique_ptr<SortedFileWriter>(std::move(writer));
}

Result<SortedFileRange> sorted_file_range(const rocksdb::Options& options,
                                          const std::string& path) {
    rocksdb::SstFileReader reader(options);
    const rocksdb::Status opened = reader.Open(path);
    if (!opened.ok()) return rocks_error("cannot read the sorted file " + path, opened);
    const std::unique_ptr<rocksdb::Iterator> walk(reader.NewIterator(rocksdb::ReadOptions()));
    SortedFileRange range;
    walk->SeekToFirst();
    if (walk->Valid()) range.first = walk->key().ToString();
    walk->SeekToLast();
    if (walk->Valid()) range.last = walk->key().ToString();
    if (!walk->status().ok())
        return rocks_error("cannot read the sorted file " + path, walk->status());
    return range;
}

}  // namespace posthorn
