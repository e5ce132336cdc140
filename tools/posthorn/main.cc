// posthorn: see posthorn help.
#include <malloc.h>
#include <unistd.h>

#include <csignal>
#include <string_view>

#include "tools/posthorn/arguments.h"
#include "tools/posthorn/output.h"
#include "tools/posthorn/session.h"

namespace posthorn {
namespace {

// Larger blocks go back to the system when they are freed. By default glibc raises the threshold to
// the largest block it has seen, and the holes that compactions and imports leave add up.
constexpr int kOwnMappingBytes = 256 * 1024;

int run(const Invocation& invocation) {
    const std::string_view command = invocation.command;
    if (command == "send") return run_send(invocation);
    if (command == "serve") return run_serve(invocation);
    if (command == "check" || command == "preview" || command == "classify")
        return run_without_store(invocation);
    return run_on_store(invocation);
}

int run(int argc, char** argv) {
    mallopt(M_MMAP_THRESHOLD, kOwnMappingBytes);
    std::signal(SIGPIPE, SIG_IGN);  // whoever stops reading is noticed when written to
    const auto parsed = parse_arguments({argv + 1, argv + argc});
    if (const auto* usage = std::get_if<UsageText>(&parsed)) {
        TextOutput(usage->exit == kDone ? STDOUT_FILENO : STDERR_FILENO).write(usage->text);
        return usage->exit;
    }
    return run(std::get<Invocation>(parsed));
}

}  // namespace
}  // namespace posthorn

int main(int argc, char** argv) { return posthorn::run(argc, argv); }
