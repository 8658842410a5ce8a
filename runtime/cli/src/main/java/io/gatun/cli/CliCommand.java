package io.gatun.cli;

import java.util.concurrent.Callable;

/**
 * A subcommand: a class with picocli's annotations that returns its exit code.
 *
 * <p>To add one: a file here, or in another jar, and a line in {@code
 * META-INF/services/io.gatun.cli.CliCommand}.
 */
public interface CliCommand extends Callable<Integer> {}
