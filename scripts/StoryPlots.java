import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Stories for small children, made of plots. A plot is a list of beats, a beat some ways to say the
 * same; an empty line between beats begins a paragraph. What happens has causes, and who and what a
 * story is about stays: {@link StoryCast}.
 */
final class StoryPlots {
  private static final String PARAGRAPH = "";

  private final SplittableRandom random;

  StoryPlots(SplittableRandom random) {
    this.random = random;
  }

  /** One story. */
  String story() {
    StoryCast cast = new StoryCast(random);
    List<String> sentences = new ArrayList<>(opening());
    sentences.add(PARAGRAPH);
    sentences.addAll(plot(random.nextInt(18)));
    sentences.add(PARAGRAPH);
    sentences.addAll(closing());
    StringBuilder text = new StringBuilder();
    for (String sentence : sentences) {
      if (sentence.equals(PARAGRAPH)) {
        text.append("\n\n");
      } else {
        boolean first = text.isEmpty() || text.charAt(text.length() - 1) == '\n';
        text.append(first ? "" : " ").append(cast.fill(sentence));
      }
    }
    return text.toString();
  }

  private List<String> opening() {
    List<String> beats = new ArrayList<>();
    beats.add(
        one(
            "Once upon a time, there was a {trait} {small} {hero_kind} named {hero}.",
            "Once upon a time, in a {place}, there lived a {small} {hero_kind} named {hero}.",
            "Once there was a {small} {hero_kind} called {hero}.",
            "There once was a {trait} {hero_kind} whose name was {hero}.",
            "In a {place} far away lived a {small} {hero_kind} named {hero}.",
            "One {day} day, a {small} {hero_kind} named {hero} was playing in the {place}.",
            "{hero} was a {trait} {small} {hero_kind}.",
            "Once upon a time, a {trait} {hero_kind} named {hero} lived near a {place}."));
    beats.add(
        one(
            "{he} had a best friend, a {friend_color} {friend_kind} named {friend}.",
            "{his} best friend was a {friend_kind} named {friend}.",
            "{he} loved to play with {his} friend {friend} the {friend_kind}.",
            "Every day {he} played with a {friend_kind} named {friend}."));
    if (random.nextBoolean()) {
      beats.add(
          one(
              "They liked to run and jump and sing songs together.",
              "They did everything together.",
              "They loved to look at the clouds and tell stories.",
              "They liked to eat {food} and play in the sun."));
    }
    return beats;
  }

  private List<String> closing() {
    return List.of(
        one(
            "From that day on, {hero} and {friend} were even better friends.",
            "{hero} and {friend} went home with big smiles.",
            "That night, {hero} fell asleep with a smile.",
            "{hero} was very happy.",
            "They played together until the sun went down.",
            "It was the best day ever.",
            "And they all lived happily ever after.",
            "{hero} never forgot that day.",
            "{hero} gave {friend} a big hug, and they walked home together."));
  }

  private List<String> plot(int number) {
    return switch (number) {
      case 0 -> lost();
      case 1 -> hurt();
      case 2 -> sharing();
      case 3 -> storm();
      case 4 -> tooFar();
      case 5 -> rainbow();
      case 6 -> building();
      case 7 -> race();
      case 8 -> birthday();
      case 9 -> newcomer();
      case 10 -> seed();
      case 11 -> broken();
      case 12 -> baby();
      case 13 -> cooking();
      case 14 -> stuck();
      case 15 -> wish();
      case 16 -> river();
      default -> swim();
    };
  }

  private List<String> lost() {
    return List.of(
        one(
            "One day, {hero} could not find {his} {color_thing}.",
            "One morning, {his} {color_thing} was gone.",
            "One {day} day, {hero} lost {his} {color_thing}."),
        one(
            "{he} looked under the bed and behind the door, but it was not there.",
            "{he} looked everywhere, but the {thing} was not there.",
            "{he} looked and looked, but {he} could not see it."),
        one(
            "{he} felt very sad and began to cry.",
            "{he} was so sad.",
            "A tear ran down {his} face."),
        PARAGRAPH,
        one(
            "{friend} came and asked, \"Why are you sad?\"",
            "\"What is wrong?\" asked {friend}.",
            "{friend} sat down next to {him}. \"Why do you cry?\" {friend_he} asked."),
        one(
            "\"I lost my {color_thing},\" said {hero}.",
            "\"My {thing} is gone,\" said {hero}. \"I can not find it.\""),
        one(
            "\"Do not worry,\" said {friend}. \"I will help you look for it.\"",
            "\"Let us look for it together,\" said {friend}."),
        PARAGRAPH,
        one(
            "They looked in the {place}.",
            "They went to the {place} and looked all around.",
            "They walked to the {place} where {hero} had played the day before."),
        one(
            "Then {friend} saw something {color} {spot}.",
            "After a while, {friend} saw something {spot}."),
        one(
            "It was the {thing}! \"Here it is!\" said {friend}.",
            "\"Look!\" said {friend}. \"Is this your {thing}?\" \"Yes!\" said {hero}."),
        one(
            "{hero} jumped for joy. \"Thank you, {friend}!\" {he} said.",
            "{hero} hugged {friend} and said, \"Thank you for helping me.\""));
  }

  private List<String> hurt() {
    return List.of(
        one(
            "One day, {hero} saw a small bird {spot}.",
            "One {day} day, {hero} and {friend} found a little bird {spot}."),
        one(
            "Its wing was hurt and it could not fly.",
            "The bird could not fly, because its wing was hurt."),
        one("It looked so afraid.", "\"Tweet, tweet,\" it cried.", "It was cold and hungry."),
        PARAGRAPH,
        one(
            "\"Do not be afraid,\" said {hero}. \"I will help you.\"",
            "\"Poor bird,\" said {hero}. \"We must help it.\""),
        one(
            "{he} took the bird home and put it in a soft box.",
            "{hero} carried the bird home very slowly and made a warm bed for it."),
        one(
            "{friend} brought some water, and {hero} gave it bread.",
            "{friend} brought seeds and {hero} brought water."),
        one(
            "Every day they took care of the bird.",
            "They sat with the bird every day and sang to it."),
        PARAGRAPH,
        one(
            "After {number} days, the bird was well again.",
            "Soon the wing was strong again.",
            "One morning, the bird began to hop and sing."),
        one(
            "It opened its wings and flew high into the sky.",
            "{hero} opened the window, and the bird flew up to the trees."),
        one(
            "{hero} was a little sad to see it go, but {he} was happy that it could fly.",
            "\"Goodbye, little bird!\" called {hero}."),
        one(
            "The next day, the bird came back and sang a song for them.",
            "From then on, the bird came every morning and sang a song."));
  }

  private List<String> sharing() {
    return List.of(
        one(
            "One day, {hero} got a new {color_thing} from {his} {big_one}.",
            "{his} {big_one} gave {him} a new {color_thing}."),
        one("{he} loved it very much.", "It was the best {thing} {he} had ever seen."),
        PARAGRAPH,
        one(
            "{friend} saw the {thing} and asked, \"Can I play with it too?\"",
            "\"May I play with your {thing}?\" asked {friend}."),
        one(
            "\"No! It is mine,\" said {hero}.",
            "But {hero} did not want to share. \"It is only for me,\" {he} said."),
        one(
            "{friend} was sad and walked away.",
            "{friend} looked down at the ground and went home."),
        PARAGRAPH,
        one(
            "{hero} played alone, but it was not fun.",
            "Now {hero} had nobody to play with. The {thing} was not so much fun any more."),
        one(
            "{he} thought about {friend} and felt bad.",
            "\"I was not nice to {friend},\" {he} thought."),
        one(
            "So {he} ran to {friend} and said, \"I am sorry. Let us play together.\"",
            "{he} went to {friend}. \"I am sorry,\" said {hero}. \"You can play with my"
                + " {thing}.\""),
        one("{friend} smiled. \"Thank you,\" {friend_he} said.", "{friend} was happy again."),
        one(
            "They played with the {thing} all day, and it was much more fun.",
            "{hero} learned that it is more fun to share."));
  }

  private List<String> storm() {
    return List.of(
        one(
            "One night, there was a big storm.",
            "One evening, dark clouds came and it began to rain."),
        one("The thunder went boom!", "There was a loud boom, and a light in the sky."),
        one(
            "{hero} was afraid and hid under the blanket.",
            "{hero} was scared. {he} held {his} {thing} very tight."),
        PARAGRAPH,
        one(
            "{friend} was there too. \"Are you scared?\" asked {friend}.",
            "\"Do not be scared,\" said {friend}. \"I am with you.\""),
        one(
            "\"Yes,\" said {hero}. \"It is so loud.\"",
            "\"I do not like the noise,\" said {hero}."),
        one(
            "\"It is only the clouds talking,\" said {friend}. \"Let us sing a song.\"",
            "\"Let us count until the thunder is gone,\" said {friend}."),
        one(
            "So they sang, first softly and then very loud.",
            "They held hands and told each other funny stories.",
            "They counted one, two, three, and each time the thunder was farther away."),
        PARAGRAPH,
        one(
            "Soon the storm was over and the stars came out.",
            "After a while, the rain stopped and the moon looked out."),
        one(
            "\"I am not afraid any more,\" said {hero}.",
            "{hero} laughed. \"That was not so bad,\" {he} said."),
        one(
            "{he} knew now that {he} could be brave with a friend.",
            "{hero} had learned to be brave."));
  }

  private List<String> tooFar() {
    return List.of(
        one(
            "One day, {his} {big_one} said, \"You can play outside, but do not go too far.\"",
            "\"Please stay near the house,\" said {his} {big_one}."),
        one("\"I will,\" said {hero}.", "{hero} said yes."),
        PARAGRAPH,
        one(
            "But then {he} saw a {color} butterfly and ran after it.",
            "But a pretty butterfly came by, and {hero} wanted to catch it."),
        one(
            "{he} ran and ran, into the {place} and up the hill.",
            "It flew over the fence and into the {place}, and {hero} ran after it."),
        one(
            "When {he} stopped, {he} did not know where {he} was.",
            "Then the butterfly was gone, and {hero} was lost."),
        one("{he} sat down and cried.", "It was getting dark, and {he} was afraid."),
        PARAGRAPH,
        one(
            "{friend} heard {him} and came. \"I know the way home,\" said {friend}.",
            "Just then, {friend} came along. \"Come with me,\" {friend_he} said. \"I will take you"
                + " home.\""),
        one(
            "They walked {spot} and over the hill, and there was the house.",
            "Together they went down the hill, and soon {hero} saw the lights of the house."),
        one(
            "{his} {big_one} was so happy to see {him}.",
            "{his} {big_one} ran out and hugged {him}."),
        one(
            "\"I am sorry,\" said {hero}. \"Next time I will listen.\"",
            "{hero} said, \"I am sorry that I went too far. I will not do it again.\""));
  }

  private List<String> rainbow() {
    return List.of(
        one(
            "One day, {hero} and {friend} wanted to play in the {place}.",
            "On a {day} day, {hero} and {friend} went to the {place}."),
        one("But it began to rain.", "Then big drops of rain fell from the sky."),
        one(
            "\"Oh no,\" said {hero}. \"Now we can not play.\"",
            "\"I do not like rain,\" said {hero}. {he} was not happy."),
        PARAGRAPH,
        one(
            "They ran to a big tree and waited.",
            "They sat down under a tree and listened to the rain."),
        one(
            "{friend} had some {food}, and they ate together.",
            "\"Let us play a game,\" said {friend}. \"I see something that you do not see, and it"
                + " is {color}.\""),
        PARAGRAPH,
        one(
            "At last the rain stopped and the sun came out.",
            "After some time, the sun came back."),
        one(
            "\"Look!\" said {friend}. There was a big rainbow over the {place}.",
            "In the sky was a rainbow, red and yellow and green and blue."),
        one(
            "They jumped into the puddles. Splash!",
            "They danced in the puddles and got very wet."),
        one(
            "\"I like the rain after all,\" said {hero}, and they laughed.",
            "\"Without the rain there would be no rainbow,\" said {friend}."));
  }

  private List<String> building() {
    return List.of(
        one(
            "One day, {hero} wanted to build a house of sticks.",
            "One {day} day, {hero} had an idea. \"I will build a little house,\" {he} said."),
        one(
            "{he} took sticks and stones and worked all morning.",
            "{he} put one stick on top of another."),
        one(
            "But the wind blew, and the house fell down.",
            "But each time, the house fell down. Crash!"),
        one("{hero} was angry and kicked a stone.", "\"I can not do it,\" said {hero}."),
        PARAGRAPH,
        one(
            "{friend} came by. \"What are you doing?\" {friend_he} asked.",
            "\"May I help you?\" asked {friend}."),
        one(
            "\"I want to build a house, but it falls down,\" said {hero}.",
            "\"My house will not stand,\" said {hero}."),
        one(
            "\"You hold the sticks, and I will tie them,\" said {friend}.",
            "\"Let us do it together,\" said {friend}. \"I will hold it, and you can put the sticks"
                + " on.\""),
        PARAGRAPH,
        one("They worked and worked.", "This time they worked slowly and did not give up."),
        one(
            "When the wind came again, the house did not fall.",
            "In the evening, the house was ready, and it was strong."),
        one(
            "They put the {color_thing} inside and ate {food} in their new house.",
            "They sat in it and ate {food}."),
        one(
            "\"Two can do more than one,\" said {hero}.",
            "{hero} was proud. \"We did it!\" {he} said."));
  }

  private List<String> race() {
    return List.of(
        one(
            "One day, there was a big race in the {place}.",
            "\"Let us race to the big tree,\" said {friend} one day."),
        one("{hero} wanted to win so much.", "\"I am the fastest,\" said {hero}. \"I will win!\""),
        PARAGRAPH,
        one(
            "\"One, two, three, go!\" And off they ran.",
            "They began to run as fast as they could."),
        one("{hero} was in front.", "At first, {hero} was ahead."),
        one(
            "Then {friend} fell over a stone and hurt {friend_his} leg.",
            "But then {hero} heard a cry. {friend} had fallen down."),
        one(
            "{hero} could see the end of the race. But {he} stopped and ran back.",
            "{hero} wanted to win, but {he} did not want to leave {his} friend."),
        PARAGRAPH,
        one(
            "\"Are you hurt?\" asked {hero}. \"Take my hand.\"",
            "\"I will help you,\" said {hero}."),
        one(
            "They walked to the end together, very slowly.",
            "{hero} helped {friend} to stand up, and they went on side by side."),
        one(
            "They were the last, but everybody clapped.",
            "They did not win, but {his} {big_one} said, \"I am so proud of you.\""),
        one(
            "\"A good friend is better than a prize,\" said {friend}.",
            "\"Thank you for coming back,\" said {friend}."));
  }

  private List<String> birthday() {
    return List.of(
        one(
            "It was the day before the birthday of {friend}.",
            "\"Tomorrow is my birthday,\" said {friend}."),
        one(
            "{hero} wanted to give {friend_him} something nice, but {he} had no money.",
            "{hero} did not know what to give {friend_him}."),
        PARAGRAPH,
        one(
            "{he} asked {his} {big_one}. \"A gift that you make is the best gift,\" said {his}"
                + " {big_one}.",
            "\"You can make something yourself,\" said {his} {big_one}."),
        one(
            "So {hero} took paper and paint and made a picture of the two of them.",
            "So {hero} took some wood and paint and made a {color_thing}."),
        one("It took all day.", "{he} worked until it was dark."),
        PARAGRAPH,
        one(
            "The next day, {hero} came to the party with {his} gift.",
            "On the birthday, there was cake, and all the friends came."),
        one(
            "{friend} opened it. {friend_his} eyes became big.",
            "{hero} was a little shy. \"I made it for you,\" {he} said."),
        one(
            "\"This is the best gift of all,\" said {friend}.",
            "\"You made this? I love it!\" said {friend}."),
        one("Then they all ate cake and danced.", "They sang a song and played games all day."));
  }

  private List<String> newcomer() {
    return List.of(
        one(
            "One day, a new mouse came to live in the {place}.",
            "One day, {hero} and {friend} saw a little mouse who was new in the {place}."),
        one(
            "The mouse sat all alone and did not say a word.",
            "Nobody knew the mouse, and nobody played with it."),
        PARAGRAPH,
        one(
            "\"Why does it sit there alone?\" asked {friend}.",
            "\"The mouse looks sad,\" said {hero}."),
        one(
            "{hero} went to the mouse. \"Hello! My name is {hero},\" {he} said.",
            "\"Hello,\" said {hero}. \"Would you like to play with us?\""),
        one(
            "The mouse looked up. \"I do not know anyone here,\" it said softly.",
            "\"I am new here, and I miss my old home,\" said the mouse."),
        one(
            "\"Now you know us,\" said {hero}. \"Come and play!\"",
            "\"We can be your friends,\" said {hero}."),
        PARAGRAPH,
        one(
            "They showed the mouse the {place} and shared {food} with it.",
            "They played with the {color_thing}, and the mouse was very good at it."),
        one(
            "Soon the mouse laughed, and it was not shy any more.",
            "The mouse told them funny stories, and they all laughed."),
        one(
            "\"I like my new home,\" it said.",
            "Now there were three friends, and that was even better than two."));
  }

  private List<String> seed() {
    return List.of(
        one(
            "One day, {his} {big_one} gave {hero} a tiny seed.",
            "One spring day, {hero} found a small seed {spot}."),
        one(
            "{he} put it into the ground and gave it water.",
            "{hero} and {friend} made a hole in the ground and put the seed in."),
        PARAGRAPH,
        one(
            "The next day, {hero} looked, but there was nothing.",
            "{hero} waited and waited, but nothing came up."),
        one(
            "\"It does not grow,\" said {hero}. {he} wanted to dig it out.",
            "\"I think it is dead,\" said {hero} sadly."),
        one(
            "\"Wait,\" said {friend}. \"Good things need time.\"",
            "\"You must wait,\" said {friend}. \"It is only sleeping.\""),
        one(
            "So {hero} gave it water every day.",
            "Every morning, {hero} brought water and sang a little song for the seed."),
        PARAGRAPH,
        one(
            "Then one morning, there was a small green leaf.",
            "After {number} weeks, something green came out of the ground."),
        one(
            "It grew and grew, and in summer it had a big {color} flower.",
            "It became tall, and one day it had a {color} flower."),
        one(
            "\"Look what we made!\" said {hero}.",
            "{hero} was so proud. \"It was good to wait,\" {he} said."));
  }

  private List<String> broken() {
    return List.of(
        one(
            "One day, {hero} played with a ball in the house.",
            "One day, {hero} was running in the house, and that was not allowed."),
        one(
            "Crash! The cup of {his} {big_one} fell down and broke.",
            "{he} hit the table, and a pretty cup fell down. It broke into many pieces."),
        one(
            "{hero} was afraid. {he} hid the pieces under the bed.",
            "\"Oh no,\" thought {hero}. {he} put the pieces into a box and hid it."),
        PARAGRAPH,
        one(
            "\"Have you seen my cup?\" asked {his} {big_one}.",
            "In the evening, {his} {big_one} looked for the cup."),
        one("\"No,\" said {hero}.", "{hero} did not say anything."),
        one(
            "But {he} felt bad and could not sleep.",
            "{his} tummy hurt, because {he} had not told the truth."),
        one(
            "{friend} said, \"Tell the truth. Then you will feel better.\"",
            "\"What shall I do?\" {he} asked {friend}. \"You should tell the truth,\" said"
                + " {friend}."),
        PARAGRAPH,
        one(
            "So {hero} went to {his} {big_one} and said, \"I broke your cup. I am sorry.\"",
            "{hero} took the box and said, \"I broke it. I am very sorry.\""),
        one(
            "{his} {big_one} was not angry. \"Thank you for telling me the truth,\" said {his}"
                + " {big_one}.",
            "\"A cup can break,\" said {his} {big_one}. \"I am glad that you told me.\""),
        one(
            "They put the pieces together again, and {hero} felt much better.",
            "{hero} learned that it is always better to tell the truth."));
  }

  private List<String> baby() {
    return List.of(
        one(
            "One day, {hero} heard a soft cry {spot}.",
            "\"Did you hear that?\" asked {friend}. Something cried {spot}."),
        one(
            "It was a baby duck, all alone.",
            "There sat a tiny duck. \"Where is my mama?\" it cried."),
        PARAGRAPH,
        one(
            "\"We will find your mama,\" said {hero}.",
            "\"Do not cry,\" said {hero}. \"We will help you.\""),
        one(
            "They asked the cow, but the cow had not seen a mama duck.",
            "First they asked a rabbit. \"I have not seen her,\" said the rabbit."),
        one(
            "They asked the old owl. \"Go to the pond,\" said the owl.",
            "Then they asked an old owl. \"I saw a duck at the pond,\" said the owl."),
        PARAGRAPH,
        one(
            "So they walked to the pond, and the baby duck walked behind them.",
            "{hero} carried the baby duck to the pond."),
        one(
            "There was the mama duck with {number} other babies!",
            "\"Quack, quack!\" said somebody. It was the mama duck."),
        one(
            "The baby jumped into the water and swam to her.",
            "The baby duck ran to its mama as fast as it could."),
        one(
            "\"Thank you for bringing my baby home,\" said the mama duck.",
            "\"Thank you, {hero}. Thank you, {friend},\" said the mama duck."));
  }

  private List<String> cooking() {
    return List.of(
        one(
            "One day, {hero} was hungry. \"Let us make a cake,\" {he} said.",
            "One {day} morning, {hero} and {friend} wanted to make a cake for {big_one}."),
        one(
            "{friend} brought eggs, and {hero} brought milk and flour.",
            "They took flour and eggs and milk and put it all in a big bowl."),
        one(
            "They mixed and mixed, and flour flew everywhere.",
            "{friend} sneezed, and the flour went all over {him}. They laughed."),
        PARAGRAPH,
        one(
            "Then {hero} put in salt, because {he} thought that it was sugar.",
            "But {hero} took the salt and not the sugar."),
        one(
            "When they tasted the cake, they made a funny face. \"Yuck!\" said {friend}.",
            "They took a bite. \"Oh no, it is so salty!\" said {friend}."),
        one(
            "{hero} wanted to cry. \"I made a mistake,\" {he} said.",
            "\"It is my fault,\" said {hero}."),
        PARAGRAPH,
        one(
            "\"Everybody makes mistakes,\" said {friend}. \"Let us try again.\"",
            "\"We can make a new one,\" said {friend}. \"This time we taste it first.\""),
        one(
            "So they made another cake, this time with sugar.",
            "They began again, and this time they used sugar."),
        one(
            "It was sweet and warm and very good.",
            "The new cake was so good that nothing was left."),
        one("{hero} learned to try again.", "\"I am glad that we tried again,\" said {hero}."));
  }

  private List<String> stuck() {
    return List.of(
        one(
            "One windy day, {hero} and {friend} took a {color} kite to the {place}.",
            "One day, the wind was strong, and {hero} had a {color} kite."),
        one("The kite flew high, up to the clouds.", "Up, up, up it went."),
        one(
            "But then it flew into a tree and was stuck.",
            "Then the string broke, and the kite landed in a tall tree."),
        PARAGRAPH,
        one(
            "{hero} pulled the string, but the kite did not come down.",
            "{hero} jumped, but {he} was too small."),
        one(
            "{friend} threw a stick, but it did not help.",
            "{friend} tried to climb the tree, but it was too high."),
        one("\"What can we do?\" asked {hero}.", "They were sad. The kite was so far up."),
        PARAGRAPH,
        one(
            "Then a little squirrel looked down. \"Is this yours?\" it asked.",
            "A squirrel lived in the tree. \"Can you help us, please?\" asked {hero}."),
        one(
            "It ran up the tree and pulled the kite out.",
            "The squirrel climbed up, and soon the kite fell down to the ground."),
        one(
            "\"Thank you!\" they called, and they gave the squirrel some nuts.",
            "\"You are so kind,\" said {hero}, and {he} gave the squirrel some nuts."),
        one(
            "Then they flew the kite again, far away from the trees.",
            "After that, they flew the kite in the open field."));
  }

  private List<String> wish() {
    return List.of(
        one(
            "One night, {hero} could not sleep and looked at the stars.",
            "One night, {hero} and {friend} lay in the grass and looked at the sky."),
        one("Then a star fell from the sky.", "There was a bright light. It was a falling star."),
        one(
            "\"Make a wish!\" said {friend}.",
            "\"When you see a falling star, you can make a wish,\" said {friend}."),
        PARAGRAPH,
        one(
            "{hero} thought about it. {he} could wish for a new {thing}.",
            "{hero} could wish for a new {thing}, or for a lot of {food}."),
        one(
            "But {he} already had all that {he} needed.",
            "Then {he} looked at {friend} and knew what {he} wanted."),
        one(
            "\"I wish that we will always be friends,\" said {hero}.",
            "{he} closed {his} eyes. \"I wish that {friend} is always happy,\" {he} said."),
        PARAGRAPH,
        one(
            "{friend} smiled. \"I wished for the same,\" {friend_he} said.",
            "\"That is the best wish of all,\" said {friend}."),
        one("The stars were very bright that night.", "Above them, the moon smiled too."));
  }

  private List<String> river() {
    return List.of(
        one(
            "One day, {hero} and {friend} came to a river.",
            "On the way to the {place}, there was a river."),
        one(
            "\"How can we get to the other side?\" asked {hero}.",
            "There was no bridge, and the water was deep."),
        PARAGRAPH,
        one(
            "{hero} put stones into the water, but the river took them away.",
            "{hero} wanted to jump, but the river was too wide."),
        one(
            "Then {friend} saw a big log {spot}. \"We can use it,\" {friend_he} said.",
            "\"I have an idea,\" said {friend}. \"There is a log {spot}.\""),
        one(
            "They pushed and pulled. It was very heavy.",
            "The log was heavy, but they pushed it together."),
        one(
            "At last, it lay over the river like a bridge.",
            "Plop! The log fell over the water and was a bridge."),
        PARAGRAPH,
        one(
            "First {friend} walked over it, and then {hero}.",
            "They walked over it, one foot and then the other."),
        one(
            "On the other side, there were sweet berries.",
            "On the other side, they found a tree with red apples."),
        one(
            "They ate until they were full and brought some home for {big_one}.",
            "\"We are a good team,\" said {hero}."));
  }

  private List<String> swim() {
    return List.of(
        one(
            "{hero} could do many things, but {he} could not swim.",
            "All the others could swim, but {hero} was afraid of the water."),
        one(
            "\"I will never learn it,\" {he} said.",
            "{he} sat on the grass and watched the others."),
        PARAGRAPH,
        one(
            "\"I will teach you,\" said {friend}.",
            "{friend} came out of the water. \"Shall I show you?\" {friend_he} asked."),
        one(
            "First {hero} put only {his} feet into the water. It was cold!",
            "At first, {hero} only stood in the water, and {friend} held {him}."),
        one("The next day, {he} went in a little more.", "Each day, {he} went a bit farther."),
        one(
            "Sometimes {he} wanted to stop, but {friend} said, \"You can do it!\"",
            "\"Do not give up,\" said {friend}."),
        PARAGRAPH,
        one(
            "And then, one {day} day, {hero} could swim.",
            "After {number} days, {friend} let go, and {hero} did not even see it."),
        one("\"Look, I am swimming!\" {he} called.", "\"You are swimming!\" called {friend}."),
        one(
            "{his} {big_one} saw it and clapped.",
            "They swam to the other side of the pond and back again."),
        one(
            "{hero} was proud, because {he} had not given up.",
            "\"Thank you for teaching me,\" said {hero}."));
  }

  private String one(String... ways) {
    return ways[random.nextInt(ways.length)];
  }
}
