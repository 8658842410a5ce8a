package io.gatun.hub;

/** Hears how far a download is, on the thread that fetches. */
@FunctionalInterface
public interface DownloadListener {
  /**
   * Some bytes have come.
   *
   * @param file its name
   * @param done bytes that are here
   * @param total bytes of the whole, or -1 where the server does not say
   */
  void at(String file, long done, long total);

  /** Something a person may want to know: a retry, a wait for another process. */
  default void note(String message) {}

  /** Hears nothing. */
  static DownloadListener none() {
    return (_, _, _) -> {};
  }
}
