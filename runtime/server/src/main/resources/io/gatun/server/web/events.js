// Server-sent events of an answer to fetch.

/** Yields the data of each event, as values, until the last one. */
export async function* events(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let kept = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    kept += value;
    let end;
    while ((end = kept.indexOf('\n\n')) >= 0) {
      const data = kept.slice(0, end).split('\n')
        .filter(line => line.startsWith('data:'))
        .map(line => line.slice(5).trimStart()).join('\n');
      kept = kept.slice(end + 2);
      if (data === '[DONE]') return;
      if (data) yield JSON.parse(data);
    }
  }
}
