/* What `gatun run --ids` does, with libllama alone: load, compute a prompt, choose one token. For the
 * comparison of start-up times and memory in docs/benchmarks.md.
 *
 *   first_token LIBRARY_FOLDER MODEL REPACK(0|1) THREADS ID...
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "llama.h"

static void quiet(enum ggml_log_level level, const char *text, void *data) {
    (void) data;
    if (level == GGML_LOG_LEVEL_ERROR) {
        fputs(text, stderr);
    }
}

int main(int argc, char **argv) {
    if (argc < 6) {
        fprintf(stderr, "usage: first_token LIBRARIES MODEL REPACK THREADS ID...\n");
        return 2;
    }
    llama_log_set(quiet, NULL);
    ggml_backend_load_all_from_path(argv[1]);

    struct llama_model_params loading = llama_model_default_params();
    loading.use_extra_bufts = atoi(argv[3]) != 0;
    struct llama_model *model = llama_model_load_from_file(argv[2], loading);
    if (!model) {
        return 1;
    }
    struct llama_context_params running = llama_context_default_params();
    running.n_ctx = 2048;
    running.n_threads = running.n_threads_batch = atoi(argv[4]);
    running.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_ENABLED;
    struct llama_context *context = llama_init_from_model(model, running);

    llama_token ids[512];
    int count = 0;
    for (int i = 5; i < argc && count < 512; i++) {
        ids[count++] = atoi(argv[i]);
    }
    if (llama_decode(context, llama_batch_get_one(ids, count)) != 0) {
        return 1;
    }
    const float *logits = llama_get_logits_ith(context, -1);
    int vocabulary = llama_vocab_n_tokens(llama_model_get_vocab(model));
    int best = 0;
    for (int i = 1; i < vocabulary; i++) {
        if (logits[i] > logits[best]) {
            best = i;
        }
    }
    printf("%d\n", best);

    char line[256];
    FILE *status = fopen("/proc/self/status", "r");
    while (status && fgets(line, sizeof line, status)) {
        if (strncmp(line, "VmHWM", 5) == 0) {
            fputs(line, stderr);
        }
    }
    llama_free(context);
    llama_model_free(model);
    return 0;
}
