package io.gatun.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.gatun.tests.kit.ModelCopy;
import io.gatun.tests.kit.SharedFiles;
import java.io.File;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The program as a shell sees it: output, exit codes, pipes. */
@Timeout(120)
class CommandLineTest {
  @TempDir Path folder;

  record Result(int code, String out, String err) {}

  @Test
  void run_prints_the_completion_and_nothing_else() throws Exception {
    Result result = gatun("", "run", stories(), "-p", "Once upon a time", "-n", "12", "--greedy");
    assertThat(result.code()).isZero();
    assertThat(result.out()).startsWith(", there was a little").endsWith("\n").hasLineCount(1);
    assertThat(result.err()).isEmpty();
  }

  @Test
  void run_without_a_model_tells_a_story() throws Exception {
    Result story = gatun("", "run", "-n", "100", "--seed", "1");
    assertThat(story.code()).as(story.err()).isZero();
    assertThat(story.out()).startsWith("Once upon a time").hasSizeGreaterThan(200);
    assertThat(gatun("", "run", "-p", "One day, Tom", "-n", "20", "--greedy").out()).contains(" ");
    Result pirate = gatun("", "run", "--adapter", "pirate=0.9", "-n", "40", "--seed", "2");
    assertThat(pirate.out()).startsWith("Once upon a time").isNotEqualTo(story.out());
    Result wrong = gatun("", "run", stories(), "-p", "One", "--adapter", "pirate");
    assertThat(wrong.code()).isEqualTo(1);
    assertThat(wrong.err()).hasLineCount(1).contains("adapter pirate");
    Result nothing = gatun("", "chat");
    assertThat(nothing.code()).isEqualTo(1);
    assertThat(nothing.err()).hasLineCount(1).contains("name a .gguf file");
  }

  @ParameterizedTest
  @ValueSource(strings = {"lora --dora --dropout 0.1", "prefix --prompt-rows 4"})
  void doras_and_prefixes_are_trained_and_act(String what) throws Exception {
    Path text = Files.writeString(folder.resolve("t.txt"), "The king is dead. ".repeat(40));
    String adapter = folder.resolve("king.gguf").toString();
    String[] kind = what.split(" ", 2);
    String line =
        "train %s %s -f %s -o %s --steps 12 --rows 128 --sequence 64 --rate 0.01 -t 1 %s"
            .formatted(kind[0], stories(), text, adapter, kind[1]);
    Result trained = gatun("", line.split(" "));
    assertThat(trained.code()).as(trained.err()).isZero();
    assertThat(gatun("", "adapters", "inspect", adapter).code()).isZero();
    String[] run = {
      "run", stories(), "-p", "The king", "-n", "8", "--greedy", "--adapter", adapter
    };
    assertThat(gatun("", run).out()).isNotEqualTo(gatun("", java.util.Arrays.copyOf(run, 7)).out());
  }

  @Test
  void a_lora_is_trained_and_acts() throws Exception {
    Path text = Files.writeString(folder.resolve("t.txt"), "The king is dead. ".repeat(40));
    String adapter = folder.resolve("king.gguf").toString();
    String report = folder.resolve("report.jsonl").toString();
    Result trained =
        gatun(
            "",
            "train",
            "lora",
            stories(),
            "-f",
            text.toString(),
            "-o",
            adapter,
            "--steps",
            "12",
            "--rows",
            "128",
            "--sequence",
            "64",
            "--rate",
            "0.01",
            "--report",
            report,
            "-t",
            "1");
    assertThat(trained.code()).as(trained.err()).isZero();
    assertThat(trained.out()).contains("after 12 steps").hasLineCount(1);
    assertThat(Files.readAllLines(Path.of(report))).hasSize(12);
    assertThat(Files.readString(Path.of(report + ".svg"))).startsWith("<svg");
    String[] run = {
      "run", stories(), "-p", "The king", "-n", "8", "--greedy", "--adapter", adapter
    };
    assertThat(gatun("", run).out()).isNotEqualTo(gatun("", java.util.Arrays.copyOf(run, 7)).out());
    Result missing = gatun("", "run", stories(), "-p", "x", "--adapter", "nothing.gguf=2");
    assertThat(missing.code()).isEqualTo(1);
    assertThat(missing.err()).hasLineCount(1).contains("nothing.gguf");
    Result model = gatun("", "run", stories(), "-p", "x", "--adapter", stories());
    assertThat(model.err()).hasLineCount(1).contains("not an adapter");
    Result empty = gatun("", "train", "lora", stories(), "-f", "/dev/null", "-o", adapter);
    assertThat(empty.code()).isEqualTo(1);
    assertThat(empty.err()).contains("no text");
  }

  @Test
  void run_reads_a_piped_prompt() throws Exception {
    Result result = gatun("Once upon a time\n", "run", stories(), "-n", "12", "--greedy", "--echo");
    assertThat(result.out()).startsWith("Once upon a time, there was");
  }

  @Test
  void the_form_of_the_text_can_be_asked_for() throws Exception {
    Result choice = gatun("", "run", stories(), "-p", "A", "--choices", "cat,dog", "--seed", "1");
    assertThat(choice.out().strip()).isIn("cat", "dog");
    Result pattern = gatun("", "run", stories(), "-p", "A", "--regex", "[ab]{3}", "--seed", "1");
    assertThat(pattern.out().strip()).matches("[ab]{3}");
    Path schema = Files.writeString(folder.resolve("s.json"), "{\"enum\":[{\"a\":1}]}");
    Result json = gatun("", "run", stories(), "-p", "A", "--json-schema", schema.toString());
    assertThat(json.out().strip()).isEqualTo("{\"a\":1}");
    Path grammar = Files.writeString(folder.resolve("g.gbnf"), "root ::= \"x\"");
    Result gbnf = gatun("", "run", stories(), "-p", "A", "--grammar", grammar.toString());
    assertThat(gbnf.out().strip()).isEqualTo("x");
    Result refused = gatun("", "run", stories(), "-p", "A", "--json-schema", "{\"not\":{}}");
    assertThat(refused.code()).isNotZero();
    assertThat(refused.err()).contains("#: not is not supported").hasLineCount(1);
  }

  @Test
  void a_text_goes_on_beyond_the_context_when_asked() throws Exception {
    Result endless =
        gatun(
            "",
            "run",
            stories(),
            "-p",
            "Once",
            "-n",
            "400",
            "--greedy",
            "--stats",
            "--regex",
            "[a-z ]{2000}",
            "--context-policy",
            "sinks:4,100");
    assertThat(endless.out()).matches("[a-z ]+\n");
    assertThat(endless.err()).containsPattern("completion 400 tokens.*forgotten 3\\d\\d tokens");
    assertThat(gatun("", "run", stories(), "-p", "x", "--context-policy", "sink").err())
        .contains("there are heavy, shift, sinks, stop");
    assertThat(gatun("", "chat", stories(), "--overflow", "explode").err())
        .contains("error, forget or shift");
  }

  @Test
  void a_closed_pipe_ends_it_quietly() throws Exception {
    Process process = start("run", stories(), "-p", "Once", "-n", "2000", "--seed", "1");
    process.getOutputStream().close();
    byte[] some = process.getInputStream().readNBytes(10);
    process.getInputStream().close();
    assertThat(some).hasSize(10);
    String err = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(err).isEmpty();
    assertThat(process.exitValue()).isIn(0, 141);
  }

  @Test
  void failures_are_one_line_and_a_code() throws Exception {
    for (List<String> args :
        List.of(
            List.of("run", "/nowhere/model.gguf", "-p", "x"),
            List.of("run", folder.toString(), "-p", "x"),
            List.of("inspect", notGguf()),
            List.of("run", stories(), "-p", "x", "--top-p", "3"),
            List.of("run", stories(), "-p", "x", "--sampler-order", "nonsense"),
            List.of("perplexity", stories(), "-f", notGguf()),
            List.of("perplexity", stories(), "-f", notGguf(), "--chunk", "0"),
            List.of("perplexity", stories(), "-f", notGguf(), "--chunk", "-4"),
            List.of("perplexity", stories(), "-f", notGguf(), "--chunks", "0"),
            List.of("perplexity", stories(), "-f", notGguf(), "--chunks", "-3"),
            List.of("run", "", "-p", "x"),
            List.of("chat", stories()),
            List.of("run", withoutVocabulary(), "-p", "x"),
            List.of("tokenize", withoutVocabulary(), "x"),
            List.of("bench", stories(), "-p", "0", "-n", "0"))) {
      Result result = gatun("", args.toArray(String[]::new));
      assertThat(result.code()).as("%s", args).isEqualTo(1);
      assertThat(result.err().strip().lines()).as("%s", args).hasSize(1);
      assertThat(result.err())
          .startsWith("gatun: ")
          .doesNotContain("Exception", "by zero", "SEVERE");
      assertThat(result.out()).isEmpty();
    }
    Result usage = gatun("", "run", "--no-such-option");
    assertThat(usage.code()).isEqualTo(2);
    assertThat(usage.err().strip().lines()).hasSize(1);
  }

  @Test
  void a_folder_names_the_models_in_it() throws Exception {
    Files.copy(SharedFiles.stories(), folder.resolve("here.gguf"));
    assertThat(gatun("", "run", folder.toString(), "-p", "x").err()).contains("here.gguf");
    Path deep = Files.createDirectories(folder.resolve("author/name")).resolve("deep.gguf");
    Files.move(folder.resolve("here.gguf"), deep);
    assertThat(gatun("", "run", folder.toString(), "-p", "x").err())
        .contains(Path.of("author", "name", "deep.gguf").toString());
    assertThat(gatun("", "run", deep.toString().replace(".gguf", ""), "-p", "x").err())
        .contains("is %s meant?".formatted(deep));
  }

  @Test
  void a_pipe_is_no_model() throws Exception {
    Path pipe = folder.resolve("pipe.gguf");
    assumeTrue(!System.getProperty("os.name").startsWith("Windows"));
    assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor()).isZero();
    assertThat(gatun("", "inspect", pipe.toString()).err())
        .isEqualTo("gatun: %s is not a file on a disk\n".formatted(pipe));
  }

  @Test
  void what_is_not_text_is_named() throws Exception {
    Path binary = Files.write(folder.resolve("binary"), new byte[] {'a', (byte) 0xff, 'b'});
    for (String command : List.of("run", "perplexity")) {
      assertThat(gatun("", command, stories(), "-f", binary.toString()).err())
          .isEqualTo("gatun: %s is not text in UTF-8\n".formatted(binary));
    }
    ProcessBuilder piped = builder("run", stories(), "-n", "1").redirectInput(binary.toFile());
    assertThat(finish("", piped.start()).err()).contains("standard input is not text in UTF-8");
  }

  @Test
  void a_full_disk_is_a_failure() throws Exception {
    File full = new File("/dev/full");
    assumeTrue(full.exists());
    for (List<String> args :
        List.of(List.of("run", stories(), "-p", "x", "-n", "4", "--greedy"), List.of("--help"))) {
      ProcessBuilder builder = builder(args.toArray(String[]::new)).redirectOutput(full);
      Result result = finish("", builder.start());
      assertThat(result.code()).as("%s", args).isEqualTo(1);
      assertThat(result.err()).startsWith("gatun: cannot write the output: ").hasLineCount(1);
    }
  }

  @Test
  void what_the_libraries_log_is_for_the_curious() throws Exception {
    Result result = gatun("", "run", withoutVocabulary(), "-p", "x", "--verbose");
    assertThat(result.err()).contains("ggml: ").contains("at io.gatun");
  }

  @Test
  void inspect_and_stats_tell_what_was_chosen() throws Exception {
    assertThat(gatun("", "inspect", stories()).out())
        .contains("\ngraphs    Gatun's graphs: there is one for llama")
        .contains("\nrepack    auto: ")
        .contains("640 B per token");
    assertThat(gatun("", "inspect", stories(), "--kv-type", "f32", "--graphs", "libllama").out())
        .contains("\ngraphs    libllama: it was asked for")
        .contains("1.3 KiB per token");
    assertThat(gatun("", "run", stories(), "-p", "x", "-n", "1", "--stats", "-t", "1").err())
        .contains("1 thread: as asked");
    assertThat(gatun("", "run", stories(), "-p", "x", "-n", "1", "--stats").err())
        .containsPattern("\\d+ threads?: ");
  }

  @Test
  void arguments_that_the_locale_spoilt_are_refused() throws Exception {
    ProcessBuilder builder = builder("tokenize", stories(), "ü", "--ids");
    builder.environment().put("LC_ALL", "C");
    Result result = finish("", builder.start());
    assumeTrue(!System.getProperty("os.name").matches("(Mac|Windows).*"));
    assertThat(result.code()).isEqualTo(2);
    assertThat(result.err()).contains("LC_ALL=C.UTF-8").hasLineCount(1);
  }

  @Test
  void verbose_shows_where_it_failed() throws Exception {
    Result result = gatun("", "run", "/nowhere/model.gguf", "-p", "x", "--verbose");
    assertThat(result.code()).isEqualTo(1);
    assertThat(result.err()).contains("at io.gatun");
  }

  @Test
  void inspect_and_tokenize_speak_json() throws Exception {
    JsonNode file = JsonMapper.shared().readTree(gatun("", "inspect", stories(), "--json").out());
    assertThat(file.get("weights").asInt()).isEqualTo(292_800);
    assertThat(file.get("tensors").size()).isEqualTo(48);
    assertThat(file.get("memory").get("kvBytesPerToken").asInt()).isEqualTo(640);
    JsonNode tokens =
        JsonMapper.shared().readTree(gatun("", "tokenize", stories(), "Hello ü", "--json").out());
    assertThat(tokens.get(0).get("id").asInt()).isEqualTo(1);
    assertThat(gatun("Hello", "tokenize", stories(), "--ids").out()).isEqualTo("1 346 306 414\n");
    assertThat(gatun("", "tokenize", stories(), "Hello", "--count", "--no-special").out())
        .isEqualTo("3\n");
  }

  @Test
  void bench_against_llama_prints_a_ratio() throws Exception {
    Result result =
        gatun(
            "",
            "bench",
            stories(),
            "-p",
            "16",
            "-n",
            "4",
            "-r",
            "1",
            "--against",
            "llama",
            "-o",
            "json");
    JsonNode tests = JsonMapper.shared().readTree(result.out());
    assertThat(tests.size()).isEqualTo(2);
    assertThat(tests.get(0).get("test").asString()).isEqualTo("pp16");
    assertThat(tests.get(1).get("ratio").asDouble()).isPositive();
  }

  @Test
  void doctor_is_well_and_completion_is_a_script() throws Exception {
    Result doctor = gatun("", "doctor");
    assertThat(doctor.code()).isZero();
    assertThat(doctor.out()).contains("computes     yes").contains("qwen3moe");
    assertThat(gatun("", "completion").out())
        .startsWith("#!/usr/bin/env bash")
        .contains("perplexity");
    assertThat(gatun("", "warm-up").code()).isZero();
  }

  /** An error and no exception, which a program's last handler is easily not made for. */
  @Test
  void a_heap_that_is_too_small_is_one_line_too() throws Exception {
    Path file = folder.resolve("large.gguf");
    ByteBuffer header = ByteBuffer.allocate(64).order(ByteOrder.LITTLE_ENDIAN);
    header.putInt(0x46554747).putInt(3).putLong(0).putLong(1); // no tensors, one key
    header.putLong(1).put((byte) 'k').putInt(9).putInt(0).putLong(100 << 20); // bytes
    Files.write(file, header.array());
    try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
      sparse.setLength(101 << 20);
    }
    Process process = builder(List.of("-Xmx32m"), "inspect", file.toString()).start();
    process.getOutputStream().close();
    String err = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).isEqualTo(1);
    assertThat(err.strip().lines()).hasSize(1);
    assertThat(err).startsWith("gatun: the Java heap is too small");
  }

  private String notGguf() throws IOException {
    return Files.writeString(folder.resolve("text.gguf"), "too short").toString();
  }

  /** A tokenizer that libllama refuses. */
  private String withoutVocabulary() throws IOException {
    Path file = folder.resolve("vocabulary.gguf");
    return ModelCopy.with(SharedFiles.stories(), file, "tokenizer.ggml.model", "nonsense")
        .toString();
  }

  private static String stories() {
    return SharedFiles.stories().toString();
  }

  static Result gatun(String input, String... args) throws Exception {
    return finish(input, start(args));
  }

  static Result gatun(Map<String, String> environment, String... args) throws Exception {
    ProcessBuilder builder = builder(args);
    builder.environment().putAll(environment);
    return finish("", builder.start());
  }

  private static Result finish(String input, Process process) throws Exception {
    try (var in = process.getOutputStream()) {
      in.write(input.getBytes(StandardCharsets.UTF_8));
    } catch (IOException alreadyEnded) {
      // A program that failed early does not read its input.
    }
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    String err = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Result(process.waitFor(), out, err);
  }

  private static Process start(String... args) throws IOException {
    return builder(List.of(), args).start();
  }

  private static ProcessBuilder builder(String... args) {
    return builder(List.of(), args);
  }

  private static ProcessBuilder builder(List<String> jvmOptions, String... args) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(jvmOptions);
    command.add("--enable-native-access=ALL-UNNAMED");
    command.add("-XX:TieredStopAtLevel=1");
    command.add("-cp");
    command.add(
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"))
            .replace("\n", File.pathSeparator));
    command.add("io.gatun.cli.Main");
    command.addAll(List.of(args));
    return new ProcessBuilder(command);
  }
}
