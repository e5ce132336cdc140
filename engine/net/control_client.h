// The client's side of a control socket, for one command at a time: blocking, no loop.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/base/bytes.h"
#include "engine/base/result.h"

namespace posthorn {

class ControlClient {
  public:
    // kNotFound: nobody listens there.
    static Result<ControlClient> connect(const std::string& path);
    ControlClient(ControlClient&& other) noexcept;
    ControlClient& operator=(ControlClient&&) = delete;
    ~ControlClient();

    Status send(std::string_view line);              // without its line end
    Result<std::optional<std::string>> read_line();  // nullopt: the server has closed

  private:
    explicit ControlClient(int descriptor) : descriptor_(descriptor) {}
    int descriptor_;
    ByteQueue received_;
};

}  // namespace posthorn
