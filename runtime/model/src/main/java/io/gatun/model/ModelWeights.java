package io.gatun.model;

import io.gatun.tensor.NativeException;
import io.gatun.tensor.NativeThread;
import io.gatun.tensor.TensorStore;
import io.gatun.tensor.llama.LlamaModel;
import java.io.IOException;
import java.util.Optional;

/**
 * A model's weights: in Gatun's memory, or in libllama's when it computes the model.
 *
 * @owner the model
 */
record ModelWeights(Optional<TensorStore> own, Optional<LlamaModel> llama)
    implements AutoCloseable {

  static ModelWeights load(Loading loading) throws IOException {
    return loading.placement().isPresent()
        ? new ModelWeights(
            Optional.of(loading.placement().get().load(loading.file())), Optional.empty())
        : new ModelWeights(Optional.empty(), Optional.of(foreign(loading)));
  }

  /**
   * Loads with libllama, on a thread that may be lost: this far only the file's structure has been
   * checked, not what libllama expects of the architecture.
   */
  private static LlamaModel foreign(Loading loading) {
    boolean repack = loading.plan().rearranged() > 0;
    try (NativeThread thread = new NativeThread("gatun-libllama")) {
      return thread.call(() ->
          LlamaModel.load(loading.file().parts().getFirst(), repack, loading.devices().onGpu()));
    } catch (NativeException e) {
      throw new UnsupportedModelException(
          "%s: %s (only for %s); %s"
              .formatted(
                  loading.file().metadata().file(),
                  loading.choice().reason(),
                  String.join(", ", Architectures.names()),
                  e.getMessage()),
          e);
    }
  }

  @Override
  public void close() {
    own.ifPresent(TensorStore::close);
    llama.ifPresent(LlamaModel::close);
  }
}
