#include "gatun.h"

#include <stdatomic.h>

int32_t gatun_abi_version(void) { return GATUN_ABI_VERSION; }

bool gatun_abort_requested(void *flag) {
    /* Java writes the byte with a volatile store from any thread. */
    return atomic_load_explicit((_Atomic unsigned char *)flag, memory_order_relaxed) != 0;
}
