package io.gatun.hub;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which files of a repository make up the model that a reference means: one, or all parts of a
 * split one. Files of projectors and importance matrices are no models.
 */
final class FileChoice {
  /** From what most people want to what few do: small with little loss first. */
  private static final List<String> PREFERRED =
      List.of(
          "Q4_K_M", "Q4_K_S", "Q4_0", "MXFP4", "IQ4_NL", "IQ4_XS", "Q5_K_M", "Q5_K_S", "Q6_K",
          "Q8_0", "BF16", "F16", "F32");

  private static final Pattern PART = Pattern.compile("(.*)-(\\d{5})-of-(\\d{5})\\.gguf");
  private static final Pattern QUANTIZATION =
      Pattern.compile(
          "(?i)(?:^|[-._/])((?:UD-)?(?:I?Q\\d[A-Z0-9_]*|TQ\\d_\\d|MXFP4[A-Z_]*|BF16|FP?16|FP?32))"
              + "(?=[-._]|$)");

  private FileChoice() {}

  /**
   * The files, in the order of their parts.
   *
   * @throws HubException when there is none, or several that the reference does not tell apart
   */
  static List<RemoteFile> choose(ModelReference.Hub reference, List<RemoteFile> files) {
    List<RemoteFile> models = files.stream().filter(FileChoice::model).toList();
    if (reference.path().isPresent()) {
      return parts(
          models.stream()
              .filter(f -> f.path().equals(reference.path().get()))
              .findFirst()
              .orElseThrow(() -> missing(reference, models)),
          models);
    }
    List<RemoteFile> firsts = models.stream().filter(FileChoice::first).toList();
    List<RemoteFile> fitting =
        reference.quantization().isPresent()
            ? firsts.stream()
                .filter(f -> quantization(f.path()).equals(reference.quantization()))
                .toList()
            : preferred(firsts);
    if (fitting.isEmpty()) {
      throw missing(reference, models);
    }
    if (fitting.size() > 1) {
      throw new HubException(
          "%s is one of %s; name the file, as in hf.co/%s/%s/%s"
              .formatted(
                  reference,
                  fitting.stream().map(RemoteFile::path).toList(),
                  reference.owner(),
                  reference.repository(),
                  fitting.getFirst().path()));
    }
    return parts(fitting.getFirst(), models);
  }

  /** What a file's name says of its quantization, in capitals. */
  static Optional<String> quantization(String path) {
    String name = path.replaceAll("(-\\d{5}-of-\\d{5})?\\.gguf$", "");
    Optional<String> found = Optional.empty();
    Matcher matcher = QUANTIZATION.matcher(name);
    while (matcher.find()) { // the last one: names of models may have such words too
      found = Optional.of(matcher.group(1).toUpperCase(Locale.ROOT));
    }
    return found.map(q -> q.replace("FP16", "F16").replace("FP32", "F32"));
  }

  private static List<RemoteFile> preferred(List<RemoteFile> firsts) {
    if (firsts.size() <= 1) {
      return firsts;
    }
    for (String wanted : PREFERRED) {
      List<RemoteFile> fitting =
          firsts.stream().filter(f -> quantization(f.path()).equals(Optional.of(wanted))).toList();
      if (!fitting.isEmpty()) {
        return fitting;
      }
    }
    return firsts;
  }

  private static boolean model(RemoteFile file) {
    String name = file.name().toLowerCase(Locale.ROOT);
    return name.endsWith(".gguf") && !name.contains("mmproj") && !name.contains("imatrix");
  }

  private static boolean first(RemoteFile file) {
    Matcher part = PART.matcher(file.path());
    return !part.matches() || Integer.parseInt(part.group(2)) == 1;
  }

  private static List<RemoteFile> parts(RemoteFile any, List<RemoteFile> models) {
    Matcher named = PART.matcher(any.path());
    if (!named.matches()) {
      return List.of(any);
    }
    int count = Integer.parseInt(named.group(3));
    List<RemoteFile> parts = new ArrayList<>();
    for (RemoteFile file : models) {
      Matcher part = PART.matcher(file.path());
      if (part.matches()
          && part.group(1).equals(named.group(1))
          && part.group(3).equals(named.group(3))) {
        parts.add(file);
      }
    }
    parts.sort(Comparator.comparing(RemoteFile::path));
    if (parts.size() != count) {
      throw new HubException(
          "%s has %d parts, but the repository lists %d"
              .formatted(any.path(), count, parts.size()));
    }
    return parts;
  }

  private static HubException missing(ModelReference.Hub reference, List<RemoteFile> models) {
    return new HubException(
        models.isEmpty()
            ? "%s has no GGUF file; look for a repository whose name ends in GGUF"
                .formatted(reference)
            : "%s is not there; the repository has %s"
                .formatted(
                    reference,
                    models.stream().filter(FileChoice::first).map(RemoteFile::path).toList()));
  }
}
