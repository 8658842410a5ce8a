package io.gatun.server.openai;

import io.gatun.server.http.Json;

/**
 * What stands at the beginning of a chat completion and of each of its chunks.
 *
 * @param created in seconds since 1970
 */
record ChatHead(String id, long created, String model) {
  ChatHead(String model) {
    this(OpenAi.id("chatcmpl-"), OpenAi.now(), model);
  }

  Json of(String kind) {
    return Json.object()
        .put("id", id)
        .put("object", kind)
        .put("created", created)
        .put("model", model);
  }
}
