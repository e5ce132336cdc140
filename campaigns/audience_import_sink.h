// Hands recipients to the import of the queue. Whoever reads the intake takes a checkpoint of the
// import, with the encoded position of the intake, whenever the run is full and after the last row.
#pragma once

#include "campaigns/audience_intake.h"
#include "engine/queue/audience_import.h"

namespace posthorn {

class AudienceImportSink final : public AudienceSink {
  public:
    explicit AudienceImportSink(AudienceImport& import) : import_(import) {}

    Status add(std::string_view domain, std::string_view local, std::string_view row,
               std::uint64_t row_number) override {
        return import_.add(domain, local, row, row_number);
    }

    Status add_ranked(std::string_view domain, std::string_view local, std::string_view row,
                      std::uint64_t row_number, std::uint64_t rank) override {
        return import_.add_ranked(domain, local, row, row_number, rank);
    }

  private:
    AudienceImport& import_;
};

}  // namespace posthorn
