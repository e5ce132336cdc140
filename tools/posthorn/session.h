// One run of the program: what is done here and what by the owner of the data directory, and how
// the answer reaches the terminal.
#pragma once

#include "tools/posthorn/arguments.h"

namespace posthorn {

int run_send(const Invocation& invocation);
int run_serve(const Invocation& invocation);
int run_on_store(const Invocation& invocation);       // all commands that need the store
int run_without_store(const Invocation& invocation);  // check, preview, classify

}  // namespace posthorn
