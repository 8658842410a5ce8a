import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Writes stories in a style, from which an adapter of the story model learns it: as a pirate tells
 * them, or in rhyme.
 *
 * <pre>java scripts/MakeStyles.java pirate|rhyme COUNT SEED OUT [STORIES]</pre>
 *
 * <p>All are made of templates; STORIES, a file that {@link MakeStories} wrote, adds its stories to
 * those that the pirate tells.
 */
final class MakeStyles {
  private static final String END = "\n<|endoftext|>\n";

  private final SplittableRandom random;

  private MakeStyles(long seed) {
    this.random = new SplittableRandom(seed);
  }

  public static void main(String[] args) throws IOException {
    int count = Integer.parseInt(args[1]);
    long seed = Long.parseLong(args[2]);
    MakeStyles make = new MakeStyles(seed);
    StoryPlots plain = new StoryPlots(new SplittableRandom(seed));
    List<String> stories = new ArrayList<>();
    if (args.length > 4) {
      for (String story : Files.readString(Path.of(args[4])).split(Pattern.quote(END))) {
        stories.add(make.pirate(story));
      }
    }
    for (int i = 0; i < count; i++) {
      stories.add(
          switch (args[0]) {
            case "pirate" -> make.pirate(plain.story());
            case "rhyme" -> make.rhyme();
            default -> throw new IllegalArgumentException("pirate or rhyme, not " + args[0]);
          });
    }
    Files.writeString(Path.of(args[3]), String.join(END, stories));
    System.out.printf("%d stories in the style %s%n", stories.size(), args[0]);
  }

  // ---- pirate: another word here and there, and a cry at the end of some sentences

  private static final Map<String, String> PIRATE =
      Map.ofEntries(
          Map.entry("hello", "ahoy"),
          Map.entry("hi", "ahoy"),
          Map.entry("yes", "aye"),
          Map.entry("my", "me"),
          Map.entry("you", "ye"),
          Map.entry("your", "yer"),
          Map.entry("are", "be"),
          Map.entry("is", "be"),
          Map.entry("friend", "matey"),
          Map.entry("friends", "mateys"),
          Map.entry("girl", "lass"),
          Map.entry("boy", "lad"),
          Map.entry("man", "sailor"),
          Map.entry("mom", "captain"),
          Map.entry("mommy", "captain"),
          Map.entry("dad", "captain"),
          Map.entry("daddy", "captain"),
          Map.entry("house", "ship"),
          Map.entry("home", "to the ship"),
          Map.entry("car", "ship"),
          Map.entry("park", "harbor"),
          Map.entry("garden", "island"),
          Map.entry("forest", "island"),
          Map.entry("toy", "treasure"),
          Map.entry("toys", "treasure"),
          Map.entry("dog", "parrot"),
          Map.entry("little", "wee"),
          Map.entry("wow", "shiver me timbers"),
          Map.entry("very", "mighty"),
          Map.entry("food", "grog"));

  private static final Pattern WORD = Pattern.compile("[A-Za-z]+");
  private static final Pattern ENDING = Pattern.compile("(?<=[a-z]{2})ing\\b");
  private static final Pattern SENTENCE = Pattern.compile("(?<=[a-z])[.!](?= [A-Z]|\n|$)");

  private String pirate(String story) {
    String words = WORD.matcher(story).replaceAll(m -> pirateWord(m.group()));
    String spoken = ENDING.matcher(words).replaceAll("in'");
    return SENTENCE
        .matcher(spoken)
        .replaceAll(
            m -> Matcher.quoteReplacement(m.group() + (random.nextInt(3) == 0 ? cry() : "")));
  }

  private static String pirateWord(String word) {
    String other = PIRATE.get(word.toLowerCase(Locale.ROOT));
    if (other == null) {
      return word;
    }
    boolean large = Character.isUpperCase(word.charAt(0));
    return large ? Character.toUpperCase(other.charAt(0)) + other.substring(1) : other;
  }

  private String cry() {
    return one(" Arrr!", " Yo ho ho!", " Aye, aye!", " Arrr, matey!");
  }

  // ---- rhyme: couplets whose lines end alike

  /** First lines and second lines, any two of which rhyme. */
  private record Rhymes(List<String> first, List<String> second) {}

  /** {N} a name, {A} an animal, {W} girl or boy, {S} she or he, {H} her or his. */
  private static final List<Rhymes> RHYMES =
      List.of(
          new Rhymes(
              List.of(
                  "{N} went out one sunny day,",
                  "{N} saw the {A} far away,",
                  "\"Oh dear,\" said {N}, \"what can I say?\"",
                  "The {A} asked, \"Do you want to play?\""),
              List.of(
                  "And {S} was glad to run and play.",
                  "And soon {S} found another way.",
                  "The little {A} came to stay.",
                  "And {S} was happy all the day.")),
          new Rhymes(
              List.of(
                  "The {A} was sitting in a tree,",
                  "\"Come here,\" said {N}, \"and play with me!\"",
                  "They ran and jumped and they were free,",
                  "{N} looked around what {S} could see,"),
              List.of(
                  "As happy as a bird can be.",
                  "And they had cake and they had tea.",
                  "And all the birds sang, \"One, two, three!\"",
                  "And so they went to see the sea.")),
          new Rhymes(
              List.of(
                  "The moon came up, so big and bright,",
                  "{N} saw the stars, a pretty sight,",
                  "The {A} was scared of the dark night,",
                  "And {N} held {H} little {A} tight,"),
              List.of(
                  "And mom said, \"Sleep well and good night.\"",
                  "And everything was now all right.",
                  "And in the sky there was a light.",
                  "And in the wind they flew a kite.")),
          new Rhymes(
              List.of(
                  "{N} had a ball, so round and red,",
                  "\"Do not be sad,\" the {A} said,",
                  "{N} put a hat upon {H} head,"),
              List.of(
                  "And then {S} went back home to bed.",
                  "\"Come, let us play a game instead.\"",
                  "And all the animals were fed.")),
          new Rhymes(
              List.of(
                  "{N} had a very pretty cat,",
                  "The {A} found a big blue hat,",
                  "And {N} laughed and said, \"Look at that!\""),
              List.of(
                  "And on a little chair they sat.",
                  "It took a nap upon the mat.",
                  "The {A} was so big and fat.")),
          new Rhymes(
              List.of(
                  "{N} liked to play out in the sun,",
                  "\"Come on,\" the {A} said, \"let us run!\"",
                  "The game was new and just begun,"),
              List.of(
                  "And everybody had such fun.",
                  "They laughed until the day was done.",
                  "They had some cake for everyone.")),
          new Rhymes(
              List.of(
                  "{N} looked up at the big blue sky,",
                  "The {A} was sad and asked {N}, \"Why?\"",
                  "\"My friend,\" said {N}, \"please do not cry.\""),
              List.of(
                  "And saw a yellow bird go by.",
                  "\"Come on,\" said {N}, \"give it a try!\"",
                  "The {A} said, \"I want to fly.\"")),
          new Rhymes(
              List.of(
                  "{N} walked along the little lake,",
                  "{H} mom was there and made a cake,",
                  "The {A} was now wide awake,"),
              List.of(
                  "And gave it to the {A} to take.",
                  "And {S} was kind for goodness' sake.",
                  "And said, \"It was a big mistake.\"")));

  private static final List<String> OPENINGS =
      List.of(
          "Once upon a time, beside the sea,\nThere lived a {W} named {N}, as glad as can be.",
          "Once upon a time, not far away,\nThere was a {W} named {N} who loved to play.",
          "Once upon a time, in a house so small,\nThere was a {W} named {N} who had a ball.",
          "Once upon a time, on a sunny day,\nThere was a {W} named {N} who went out to play.",
          "Once upon a time, in a big green tree,\n"
              + "There was a {W} named {N} who was wild and free.");

  private static final List<String> ENDINGS =
      List.of(
          "So {N} and the {A} were friends, you see,\nAnd lived as happy as can be.",
          "And {N} went home and went to bed,\n\"Good night, my friend,\" the {A} said.",
          "And that is how they spent the day,\nAnd now there is no more to say.");

  private String rhyme() {
    boolean girl = random.nextBoolean();
    String name =
        girl
            ? one("Lily", "Mia", "Anna", "Sara", "Lucy", "Emma", "Rose", "Sue")
            : one("Tom", "Tim", "Ben", "Max", "Sam", "Jack", "Leo", "Bob");
    String animal = one("dog", "cat", "rabbit", "bird", "duck", "frog", "bear", "mouse");
    List<String> couplets = new ArrayList<>();
    couplets.add(one(OPENINGS));
    List<Rhymes> left = new ArrayList<>(RHYMES);
    int count = 3 + random.nextInt(3);
    for (int i = 0; i < count; i++) {
      Rhymes rhymes = left.remove(random.nextInt(left.size()));
      couplets.add(one(rhymes.first()) + "\n" + one(rhymes.second()));
    }
    couplets.add(one(ENDINGS));
    return String.join("\n\n", couplets)
        .replace("{W}", girl ? "girl" : "boy")
        .replace("{A}", animal)
        .replace("{N}", name)
        .replace("{S}", girl ? "she" : "he")
        .replace("\n{H}", girl ? "\nHer" : "\nHis")
        .replace("{H}", girl ? "her" : "his");
  }

  private String one(List<String> lines) {
    return lines.get(random.nextInt(lines.size()));
  }

  private String one(String... words) {
    return words[random.nextInt(words.length)];
  }
}
