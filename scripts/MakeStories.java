import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Prepares what the shipped story model learns from: the stories of a file, in which paragraphs
 * have an empty line between them and stories none, and as many as wanted of our own, made of
 * templates.
 *
 * <pre>java scripts/MakeStories.java STORIES COUNT SEED LEARN EVALUATE</pre>
 */
final class MakeStories {
  private static final String END = "\n<|endoftext|>\n";
  private static final int HELD_OUT = 40;

  private final SplittableRandom random;

  MakeStories(long seed) {
    this.random = new SplittableRandom(seed);
  }

  public static void main(String[] args) throws IOException {
    List<String> stories = read(Path.of(args[0]));
    List<String> evaluate = stories.subList(stories.size() - HELD_OUT, stories.size());
    List<String> learn = new ArrayList<>(stories.subList(0, stories.size() - HELD_OUT));
    MakeStories make = new MakeStories(Long.parseLong(args[2]));
    for (int i = 0; i < Integer.parseInt(args[1]); i++) {
      learn.add(make.story());
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

  String story() {
    boolean girl = random.nextBoolean();
    String name =
        girl
            ? one("Lily", "Mia", "Anna", "Sara", "Lucy", "Emma", "Ella", "Rose")
            : one("Tom", "Tim", "Ben", "Max", "Sam", "Jack", "Leo", "Bob");
    String she = girl ? "she" : "he";
    String her = girl ? "her" : "his";
    String child = girl ? "girl" : "boy";
    String animal = one("dog", "cat", "rabbit", "bird", "duck", "frog", "bear", "mouse");
    String mood = one("kind", "happy", "little", "brave", "funny", "curious");
    String place = one("park", "forest", "garden", "beach", "farm", "field");
    String thing = one("ball", "kite", "hat", "toy car", "red balloon", "book", "boat", "cake");
    String friend = one("Max", "Bella", "Coco", "Daisy", "Rusty", "Pip");
    String where =
        one(
            "under a tree",
            "behind a big rock",
            "near the water",
            "in the tall grass",
            "on a bench");
    String start = one("Once upon a time, there was", "One day, there was", "Once, there was");
    String She = girl ? "She" : "He";
    String opening =
        "%s a %s %s named %s. %s loved to play in the %s with %s %s."
            .formatted(start, mood, child, name, She, place, her, thing);
    String middle =
        switch (random.nextInt(5)) {
          case 0 ->
              "One day, %s could not find the %s. %s looked and looked, but it was not there. %s felt very sad.\n\nThen a %s named %s came. \"Why are you sad?\" asked %s. \"I lost my %s,\" said %s. \"I will help you,\" said %s. They looked together and found the %s %s."
                  .formatted(
                      name, thing, She, name, animal, friend, friend, thing, name, friend, thing,
                      where);
          case 1 ->
              "One day, %s saw a %s %s. The %s was hurt and could not walk. \"Do not be afraid,\" said %s. \"I will help you.\"\n\n%s took the %s home and gave it food and water. %s mom helped too. After some days, the %s was well again."
                  .formatted(
                      name,
                      animal,
                      where,
                      animal,
                      name,
                      name,
                      animal,
                      girl ? "Her" : "His",
                      animal);
          case 2 ->
              "One day, it started to rain. %s and the %s named %s ran to a big tree. \"The rain is so loud,\" said %s. \"We are safe here,\" said %s.\n\nWhen the sun came out, they saw a big rainbow. \"Wow, it is so pretty!\" they said. They jumped in the puddles and laughed."
                  .formatted(name, animal, friend, friend, name);
          case 3 ->
              "One day, a %s named %s wanted to play with the %s too. %s did not want to share. \"It is mine,\" %s said. %s was sad and walked away.\n\n%s felt bad. %s ran to %s and said, \"I am sorry. Let us play together.\" %s smiled. They played all day and it was more fun than before."
                  .formatted(animal, friend, thing, name, she, friend, name, She, friend, friend);
          default ->
              "One day, %s mom said, \"Please do not go too far.\" But %s saw a %s and ran after it. Soon %s did not know where the house was. %s was scared and started to cry.\n\nThe %s came back. \"I know the way,\" it said. It showed %s the way home. %s hugged %s mom and said, \"I am sorry. I will listen next time.\""
                  .formatted(her, name, animal, she, She, animal, name, She, her);
        };
    String end =
        one(
            "%s and %s were best friends from that day on.".formatted(name, "the " + animal),
            "%s was happy and learned that it is good to help others.".formatted(name),
            "At the end of the day, %s went to bed with a big smile.".formatted(name),
            "They all lived happily ever after.");
    return opening + "\n\n" + middle + "\n\n" + end;
  }

  private String one(String... words) {
    return words[random.nextInt(words.length)];
  }
}
