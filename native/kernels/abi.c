#include "gatun.h"

#include "ggml_tensor.h"

#include <stdatomic.h>

int32_t gatun_abi_version(void) { return GATUN_ABI_VERSION; }

bool gatun_abort_requested(void *flag) {
    /* Java writes the byte with a volatile store from any thread. */
    return atomic_load_explicit((_Atomic unsigned char *)flag, memory_order_relaxed) != 0;
}

int64_t gatun_tensor_offset(int32_t field) {
    switch (field) {
    case 0: return offsetof(struct ggml_tensor, type);
    case 1: return offsetof(struct ggml_tensor, ne);
    case 2: return offsetof(struct ggml_tensor, nb);
    case 3: return offsetof(struct ggml_tensor, op_params);
    case 4: return offsetof(struct ggml_tensor, src);
    case 5: return offsetof(struct ggml_tensor, data);
    default: return -1;
    }
}
