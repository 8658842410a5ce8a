import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Prepares what the shipped story model learns from: the stories of a file, in which paragraphs
 * have an empty line between them and stories none, and as many as wanted of our own, made of plots
 * ({@link StoryPlots}).
 *
 * <pre>java scripts/MakeStories.java STORIES COUNT SEED LEARN EVALUATE TIMES</pre>
 *
 * <p>The stories of the file are there so many TIMES, as they are few beside ours.
 */
final class MakeStories {
  private static final String END = "\n<|endoftext|>\n";
  private static final int HELD_OUT = 40;

  private MakeStories() {}

  public static void main(String[] args) throws IOException {
    List<String> stories = read(Path.of(args[0]));
    List<String> evaluate = stories.subList(stories.size() - HELD_OUT, stories.size());
    List<String> learn = new ArrayList<>();
    for (int i = 0; i < Integer.parseInt(args[5]); i++) {
      learn.addAll(stories.subList(0, stories.size() - HELD_OUT));
    }
    StoryPlots plots = new StoryPlots(new SplittableRandom(Long.parseLong(args[2])));
    for (int i = 0; i < Integer.parseInt(args[1]); i++) {
      learn.add(plots.story());
    }
    Files.writeString(Path.of(args[3]), String.join(END, learn));
    Files.writeString(Path.of(args[4]), String.join(END, evaluate));
    System.out.printf("%d stories to learn, %d to evaluate%n", learn.size(), evaluate.size());
  }

  /** A line right below another begins a new story. */
  private static List<String> read(Path file) throws IOException {
    List<String> stories = new ArrayList<>();
    StringBuilder story = new StringBuilder();
    boolean below = false;
    for (String line : Files.readAllLines(file)) {
      if (line.isBlank()) {
        below = false;
        continue;
      }
      if (below) {
        stories.add(story.toString());
        story.setLength(0);
      }
      story.append(story.isEmpty() ? "" : "\n\n").append(line.strip());
      below = true;
    }
    stories.add(story.toString());
    return stories;
  }
}
