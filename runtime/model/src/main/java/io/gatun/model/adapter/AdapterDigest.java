package io.gatun.model.adapter;

import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Map;
import java.util.TreeMap;

/** Tells adapters apart by what they do to a model, whatever they are called: SHA-256 of that. */
public final class AdapterDigest {
  private AdapterDigest() {}

  /** The 32 bytes of an adapter. */
  public static byte[] of(Adapter adapter) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      try (DataOutputStream out =
          new DataOutputStream(new DigestOutputStream(OutputStream.nullOutputStream(), digest))) {
        write(out, adapter);
      }
      return digest.digest();
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has SHA-256", e);
    } catch (IOException e) {
      throw new UncheckedIOException("nothing is written", e);
    }
  }

  private static void write(DataOutputStream out, Adapter adapter) throws IOException {
    out.writeUTF(adapter.getClass().getSimpleName());
    switch (adapter) {
      case LoraAdapter lora -> {
        for (Map.Entry<String, LowRank> delta : new TreeMap<>(lora.deltas()).entrySet()) {
          out.writeUTF(delta.getKey());
          LowRank d = delta.getValue();
          out.writeInt(d.in());
          out.writeInt(d.out());
          out.writeInt(d.rank());
          out.writeInt(d.experts());
          out.writeFloat(d.scale());
          write(out, d.a());
          write(out, d.b());
          write(out, d.gain());
        }
      }
      case SoftPrompt soft -> write(out, soft.values());
      case KeyValuePrefix prefix -> {
        out.writeInt(prefix.rows());
        for (int layer = 0; layer < prefix.keys().size(); layer++) {
          write(out, prefix.keys().get(layer));
          write(out, prefix.values().get(layer));
        }
      }
      case ControlVector vector -> {
        for (Map.Entry<Integer, float[]> d : new TreeMap<>(vector.directions()).entrySet()) {
          out.writeInt(d.getKey());
          write(out, d.getValue());
        }
      }
    }
  }

  private static void write(DataOutputStream out, float[] values) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(4 * values.length);
    bytes.asFloatBuffer().put(values);
    out.writeInt(values.length);
    out.write(bytes.array());
  }
}
