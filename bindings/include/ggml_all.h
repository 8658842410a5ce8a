/* Everything of GGML that Gatun binds; jextract reads this one header. */
#include "ggml.h"
#include "ggml-alloc.h"
#include "ggml-backend.h"
#include "ggml-cpu.h"
