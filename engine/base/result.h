// Result<T>: a value, or an operating error that says what happened and what to do. Shaped like
// std::expected. Not for outcomes of mail (those are data) nor for bugs (those are CHECKs).
#pragma once

#include <string>
#include <utility>
#include <variant>

#include "engine/base/check.h"

namespace posthorn {

enum class ErrorKind {
    kInvalid,   // bad input: a file, an option, a row; nothing was changed
    kNotFound,  // what was named does not exist
    kConflict,  // refused because of the present state
    kIo,        // disk, socket, operating system
    kCorrupt,   // stored bytes are not what was written
    kBusy,      // owned or limited by somebody else; try again
};

struct Error {
    ErrorKind kind = ErrorKind::kInvalid;
    std::string message;  // one sentence for a person, with the place and what to do
};

template <class T>
class [[nodiscard]] Result {
  public:
    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

    bool has_value() const { return state_.index() == 0; }
    explicit operator bool() const { return has_value(); }

    T& value() & {
        CHECK(has_value());
        return *std::get_if<0>(&state_);
    }
    const T& value() const& {
        CHECK(has_value());
        return *std::get_if<0>(&state_);
    }
    T&& value() && {
        CHECK(has_value());
        return std::move(*std::get_if<0>(&state_));
    }
    T& operator*() & { return value(); }
    const T& operator*() const& { return value(); }
    T&& operator*() && { return std::move(*this).value(); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }

    const Error& error() const {
        CHECK(!has_value());
        return *std::get_if<1>(&state_);
    }

  private:
    std::variant<T, Error> state_;
};

// Done, or an error: what a function returns that has no value to give.
template <>
class [[nodiscard]] Result<void> {
  public:
    Result() = default;
    Result(Error error) : error_(std::move(error)), failed_(true) {}

    bool has_value() const { return !failed_; }
    explicit operator bool() const { return has_value(); }
    const Error& error() const {
        CHECK(failed_);
        return error_;
    }

  private:
    Error error_;
    bool failed_ = false;
};

using Status = Result<void>;

}  // namespace posthorn

// Evaluates a Result and returns its error from the enclosing function, if it has one.
#define RETURN_IF_ERROR(expression)                                                    \
    do {                                                                               \
        if (auto status_ = (expression); !status_.has_value()) return status_.error(); \
    } while (false)
