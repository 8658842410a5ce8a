package io.gatun.cli;

import io.gatun.adapters.peft.BaseModel;
import io.gatun.adapters.peft.PeftFormat;
import io.gatun.model.adapter.Adapter;
import io.gatun.model.adapter.AdapterCheck;
import io.gatun.model.adapter.AdapterFile;
import io.gatun.model.adapter.LoraAdapter;
import io.gatun.model.gguf.GgufFile;
import io.gatun.tensor.DType;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code gatun adapters convert}. */
@Command(
    name = "convert",
    description = {
      "Turns an adapter of PEFT into GGUF, or a LoRA in GGUF into PEFT's format.",
      "To GGUF when OUTPUT ends with .gguf; otherwise OUTPUT becomes a folder of PEFT's."
    },
    mixinStandardHelpOptions = true)
final class AdaptersConvert implements Callable<Integer> {
  @Parameters(
      index = "0",
      paramLabel = "ADAPTER",
      description = "A folder or safetensors file of PEFT's, or a GGUF file.")
  Path adapter = Path.of("");

  @Option(
      names = {"-m", "--model"},
      required = true,
      paramLabel = "MODEL",
      description = "The model that it is for, as GGUF.")
  Path model = Path.of("");

  @Option(
      names = {"-o", "--output"},
      required = true,
      paramLabel = "OUTPUT",
      description = "A .gguf file or a folder.")
  Path output = Path.of("");

  @Option(
      names = "--type",
      paramLabel = "TYPE",
      description = "f32, f16, or for PEFT bf16 (default: ${DEFAULT-VALUE}).")
  DType type = DType.F32;

  @Override
  public Integer call() throws IOException {
    GgufFile base = GgufFile.open(model);
    Adapter read =
        PeftFormat.recognises(adapter)
            ? PeftFormat.read(adapter, BaseModel.of(base))
            : AdapterFile.read(adapter);
    AdapterCheck.require(read, base);
    if (output.toString().endsWith(".gguf")) {
      AdapterFile.write(read, type, output);
    } else if (read instanceof LoraAdapter lora) {
      PeftFormat.write(lora, BaseModel.of(base), type, output);
    } else {
      throw new IllegalArgumentException("only LoRAs are written for PEFT: " + read);
    }
    Console.println("%s: %s".formatted(output, read));
    return 0;
  }
}
