package io.gatun.model.chat.reply;

import java.util.ArrayList;
import java.util.List;

/**
 * The rest of a call that is not what it should be, up to where calls of its form end. Nothing of
 * it is lost: it becomes a part of the arguments, and the call has a problem.
 */
final class RestOfCall implements ReplyPart {
  private final Markers ends;

  /**
   * @param closers that belong to the call
   * @param stops where something else begins
   */
  RestOfCall(List<String> closers, List<String> stops) {
    List<Markers.Marker> all = new ArrayList<>();
    closers.forEach(c -> all.add(new Markers.Marker(c, false, _ -> new ContentPart(true))));
    stops.stream()
        .filter(stop -> !closers.contains(stop))
        .forEach(c -> all.add(new Markers.Marker(c, true, _ -> new ContentPart(true))));
    this.ends = new Markers(all);
  }

  @Override
  public ReplyPart read(ReplyScope s) {
    Markers.Found found = ends.find(s.in);
    s.out.arguments(s.in.take(found.at()));
    if (found.marker().isEmpty()) {
      return this;
    }
    s.out.endCall();
    return s.follow(found.marker().get());
  }

  @Override
  public void end(ReplyScope s) {
    s.out.endCall();
  }
}
