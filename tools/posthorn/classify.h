// posthorn classify: one SMTP reply per line in, "category<TAB>action" per line out.
#pragma once

#include "engine/mail/classifier.h"

namespace posthorn {

// Until the end of input, or until nobody reads the output. json: one object a line instead.
int run_classify(int input, int output, const Classifier& classifier, Stage stage, bool json);

}  // namespace posthorn
