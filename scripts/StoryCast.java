import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Who and what a made story is about. They stay the same from its first sentence to its last:
 * templates name them by slots, such as {@code {hero}}, {@code {he}} or {@code {thing}}.
 */
final class StoryCast {
  private static final String[] GIRLS = {
    "Lily", "Mia", "Anna", "Sara", "Lucy", "Emma", "Ella", "Rose", "Amy", "Zoe", "Nora", "Ruby",
    "Molly", "Jane", "Kate", "Ivy", "Clara", "Tina", "Sue", "Lola"
  };
  private static final String[] BOYS = {
    "Tom", "Tim", "Ben", "Max", "Sam", "Jack", "Leo", "Bob", "Dan", "Finn", "Noah", "Joe", "Billy",
    "Peter", "Mark", "Luke", "Oliver", "Adam", "Nick", "Henry"
  };
  private static final String[] PETS = {
    "Pip", "Coco", "Rusty", "Daisy", "Fluffy", "Spot", "Bella", "Buddy", "Hops", "Whiskers",
    "Sunny", "Pepper", "Bunny", "Milo", "Honey", "Teddy", "Bingo", "Nibbles", "Snowy", "Ginger"
  };
  private static final String[] ANIMALS = {
    "dog",
    "cat",
    "rabbit",
    "bird",
    "duck",
    "frog",
    "bear",
    "mouse",
    "fox",
    "squirrel",
    "turtle",
    "pig",
    "goat",
    "hen",
    "sheep",
    "hedgehog",
    "puppy",
    "kitten",
    "pony",
    "owl"
  };
  private static final String[] TRAITS = {
    "kind",
    "happy",
    "brave",
    "funny",
    "curious",
    "clever",
    "shy",
    "cheerful",
    "gentle",
    "quiet",
    "playful",
    "helpful"
  };
  private static final String[] COLORS = {
    "red", "blue", "green", "yellow", "white", "brown", "pink", "black", "orange", "gray"
  };
  private static final String[] THINGS = {
    "ball", "kite", "hat", "toy car", "balloon", "book", "toy boat", "scarf", "doll", "drum",
    "basket", "bucket", "blanket", "toy train", "cup", "box", "bag", "whistle", "toy truck", "ring"
  };
  private static final String[] PLACES = {
    "park", "forest", "garden", "farm", "meadow", "village", "yard", "field", "playground", "valley"
  };
  private static final String[] SPOTS = {
    "under a tall tree",
    "behind a big rock",
    "near the pond",
    "in the tall grass",
    "by the old gate",
    "next to the fence",
    "under a wooden bench",
    "beside the river",
    "behind the barn",
    "at the foot of the hill"
  };
  private static final String[] FOODS = {
    "apples",
    "cookies",
    "berries",
    "carrots",
    "bread and honey",
    "pancakes",
    "soup",
    "nuts",
    "a cake",
    "cheese"
  };
  private static final Pattern SLOT = Pattern.compile("\\{([a-z_]+)}");

  private final SplittableRandom random;
  private final Map<String, String> slots = new HashMap<>();

  StoryCast(SplittableRandom random) {
    this.random = random;
    hero();
    friend();
    String thing = one(THINGS);
    String color = one(COLORS);
    put("thing", thing);
    put("color", color);
    put("color_thing", color + " " + thing);
    put("place", one(PLACES));
    put("spot", one(SPOTS));
    put("food", one(FOODS));
    put("big_one", one("mom", "dad", "grandma", "grandpa"));
    put("number", one("two", "three", "four", "five"));
    put("day", one("sunny", "warm", "bright", "windy", "cold", "quiet"));
  }

  /** A child, or an animal with a name. */
  private void hero() {
    boolean she = random.nextBoolean();
    boolean child = random.nextInt(5) < 3;
    String kind = child ? (she ? "girl" : "boy") : one(ANIMALS);
    put("hero", child ? one(she ? GIRLS : BOYS) : one(PETS));
    put("hero_kind", kind);
    put("trait", one(TRAITS));
    put("small", one("little", "small", "young", "little"));
    pronouns("", she);
  }

  private void friend() {
    boolean she = random.nextBoolean();
    boolean child = random.nextInt(5) == 0;
    String kind = child ? (she ? "girl" : "boy") : one(ANIMALS);
    while (kind.equals(slots.get("hero_kind"))) {
      kind = one(ANIMALS);
    }
    String name = child ? one(she ? GIRLS : BOYS) : one(PETS);
    while (name.equals(slots.get("hero"))) {
      name = one(PETS);
    }
    put("friend", name);
    put("friend_kind", kind);
    put("friend_color", one(COLORS));
    pronouns("friend_", she);
  }

  private void pronouns(String who, boolean she) {
    put(who + "he", she ? "she" : "he");
    put(who + "him", she ? "her" : "him");
    put(who + "his", she ? "her" : "his");
    put(who + "himself", she ? "herself" : "himself");
  }

  private void put(String slot, String word) {
    slots.put(slot, word);
  }

  private String one(String... words) {
    return words[random.nextInt(words.length)];
  }

  /**
   * A template with its slots filled, "a" before vowels mended, and sentences begun in capitals.
   */
  String fill(String template) {
    Matcher matcher = SLOT.matcher(template);
    StringBuilder text = new StringBuilder();
    while (matcher.find()) {
      String word = slots.get(matcher.group(1));
      if (word == null) {
        throw new IllegalArgumentException("no slot " + matcher.group() + " in " + template);
      }
      matcher.appendReplacement(text, Matcher.quoteReplacement(word));
    }
    matcher.appendTail(text);
    String articles = text.toString().replaceAll("\\b([Aa]) (?=[aeio])", "$1n ");
    return Pattern.compile("(?:^|[.!?] |\n|^\"|[.!?]\"? \")([a-z])")
        .matcher(articles)
        .replaceAll(m -> m.group().substring(0, m.group().length() - 1) + m.group(1).toUpperCase());
  }
}
