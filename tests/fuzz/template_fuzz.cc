// Any bytes as a template, of every kind: compiling reports faults or gives a program that runs
// to an end, within its bounds, over values that are as hostile as the template.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "campaigns/template_run.h"
#include "tests/fuzz/input.h"

namespace posthorn {
namespace {

void fuzz(FuzzInput input) {
    const auto kind = static_cast<TemplateKind>(input.octet() % 4);
    const auto missing = static_cast<MissingPolicy>(input.octet() % 3);
    const std::string value(input.text(input.octet()));
    const std::string text(input.text(8192));
    const std::vector<std::string> columns = {"a", "b", "c"};
    const std::vector<TemplateConstant> constants = {{"k", value, true}};
    const std::vector<TemplatePartial> partials = {{"p", text.substr(0, 64)}};
    const TemplateNames names{&columns, &constants, nullptr, &partials};
    std::vector<CampaignError> faults;
    const Program program = compile_template(text, kind, missing, names, {"/html", ""}, faults);
    if (has_errors(faults)) return;
    std::vector<TemplateValue> slots(kBuiltInCount);
    slots.push_back({value, false});
    slots.push_back({value, true});
    slots.push_back({"[1,[2,3],{\"a\":\"x\"}]", true});
    std::string out;
    TemplateScratch scratch;
    StringSink sink(program, out, 1u << 16);
    run_program(program, slots, scratch, sink);
}

}  // namespace
}  // namespace posthorn

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    posthorn::fuzz(posthorn::FuzzInput(bytes, size));
    return 0;
}
