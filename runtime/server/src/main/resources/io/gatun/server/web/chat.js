import { render } from './markdown.js';
import { events } from './events.js';

const $ = id => document.getElementById(id);
const log = $('log');

/** The conversation: who said what. */
let messages = [];
let running = null;

/** Models that only continue texts, as they were found to be. */
const plain = new Set();

function headers() {
  const key = $('key').value.trim();
  return { 'Content-Type': 'application/json', ...(key && { Authorization: 'Bearer ' + key }) };
}

async function get(path) {
  const response = await fetch(path, { headers: headers() });
  if (!response.ok) throw await failure(response);
  return response.json();
}

async function failure(response) {
  const body = await response.json().catch(() => ({}));
  const error = new Error(body.error?.message ?? 'the server answered ' + response.status);
  error.code = body.error?.code;
  return error;
}

function say(text) {
  $('status').textContent = text;
}

// Pickers

function fill(select, values, first) {
  const before = select.value;
  select.replaceChildren(...first.concat(values).map(([value, label]) => new Option(label, value)));
  if ([...select.options].some(o => o.value === before)) select.value = before;
}

async function refresh() {
  try {
    const models = (await get('/v1/models')).data.filter(m => m.kind === 'text');
    fill($('model'), models.map(m => [m.id, m.id]), []);
    const adapters = (await get('/v1/adapters')).data.filter(a => a.model === $('model').value);
    fill($('adapter'), adapters.map(a => [a.id, a.id]), [['', 'none']]);
    say('');
  } catch (e) {
    say(e.code === 'invalid_api_key' ? 'This server wants an API key: see Settings.' : e.message);
  }
}

// Requests

function settings() {
  const chosen = {};
  for (const name of ['temperature', 'top_p', 'top_k', 'min_p', 'max_tokens', 'seed']) {
    if ($(name).value !== '') chosen[name] = Number($(name).value);
  }
  if ($('adapter').value) {
    chosen.adapter = { name: $('adapter').value, scale: Number($('scale').value || 1) };
  }
  return chosen;
}

function request(model) {
  const common = { model, stream: true, stream_options: { include_usage: true }, ...settings() };
  if (plain.has(model)) {
    return ['/v1/completions', { ...common, prompt: messages.map(m => m.content).join('\n') }];
  }
  const system = $('system').value.trim();
  const before = system ? [{ role: 'system', content: system }] : [];
  const said = messages.map(({ role, content }) => ({ role, content }));
  return ['/v1/chat/completions', { ...common, messages: before.concat(said) }];
}

async function open(model, signal) {
  const [path, body] = request(model);
  const options = { method: 'POST', headers: headers(), body: JSON.stringify(body), signal };
  const response = await fetch(path, options);
  if (response.ok) return response;
  const error = await failure(response);
  if (error.code === 'no_chat_template' && !plain.has(model)) {
    plain.add(model);
    return open(model, signal);
  }
  throw error;
}

async function answer() {
  const message = { role: 'assistant', content: '', reasoning: '' };
  const model = $('model').value;
  running = new AbortController();
  busy(true);
  const view = show(message);
  const start = performance.now();
  let first = 0;
  let tokens = 0;
  try {
    const response = await open(model, running.signal);
    for await (const event of events(response)) {
      if (event.error) throw new Error(event.error.message);
      if (event.usage) tokens = event.usage.completion_tokens;
      const choice = event.choices?.[0];
      const text = choice?.text ?? choice?.delta?.content ?? '';
      const thought = choice?.delta?.reasoning_content ?? '';
      if (!text && !thought) continue;
      first ||= performance.now();
      tokens += event.usage ? 0 : 1;
      message.content += text;
      message.reasoning += thought;
      view.later();
      rate(tokens, first);
    }
    rate(tokens, first, start);
  } catch (e) {
    if (e.name !== 'AbortError') {
      view.fail(e.message);
      say(e.message);
    } else {
      say('Stopped.');
    }
  }
  if (message.content || message.reasoning) messages.push(message);
  running = null;
  view.now();
  busy(false);
}

function rate(tokens, first, start) {
  const seconds = (performance.now() - first) / 1000;
  const speed = tokens > 1 && seconds > 0 ? ((tokens - 1) / seconds).toFixed(1) : '–';
  const wait = start ? `, first after ${((first - start) / 1000).toFixed(2)} s` : '';
  $('status').textContent = first ? `${tokens} tokens, ${speed} tokens/s${wait}` : '';
}

function busy(on) {
  log.setAttribute('aria-busy', String(on)); // read aloud when it is complete, not word by word
  $('send').disabled = on;
  $('stop').disabled = !on;
  document.querySelectorAll('.actions button').forEach(b => (b.disabled = on));
}

// The conversation on the page

function button(label, act) {
  const made = document.createElement('button');
  made.type = 'button';
  made.textContent = label;
  made.addEventListener('click', act);
  return made;
}

function show(message) {
  const article = document.createElement('article');
  article.className = message.role;
  const title = document.createElement('h2');
  title.textContent = message.role === 'user' ? 'You' : 'Answer';
  const body = document.createElement('div');
  body.className = 'body';
  const actions = document.createElement('div');
  actions.className = 'actions';
  if (message.role === 'user') actions.append(button('Edit', () => edit(message)));
  else actions.append(button('Regenerate', () => regenerate(message)));
  actions.append(button('Copy', () => navigator.clipboard?.writeText(message.content)));
  article.append(title, body, actions);
  log.append(article);
  let waiting = false;
  let failure = '';
  const view = {
    now() {
      const below = log.scrollHeight - log.scrollTop - log.clientHeight < 80;
      render(document, body, message.content || failure);
      if (message.reasoning) {
        const details = document.createElement('details');
        const summary = document.createElement('summary');
        summary.textContent = 'Reasoning';
        const thought = document.createElement('div');
        render(document, thought, message.reasoning);
        details.append(summary, thought);
        body.prepend(details);
      }
      if (below) log.scrollTop = log.scrollHeight;
    },
    later() {
      if (waiting) return;
      waiting = true;
      requestAnimationFrame(() => {
        waiting = false;
        view.now();
      });
    },
    fail(why) {
      article.classList.add('failed');
      failure = why;
    },
  };
  view.now();
  return view;
}

function redraw() {
  log.replaceChildren();
  messages.forEach(show);
}

function regenerate(message) {
  if (running) return;
  const at = messages.indexOf(message);
  messages = messages.slice(0, at < 0 ? messages.length : at);
  redraw();
  answer();
}

function edit(message) {
  if (running) return;
  messages = messages.slice(0, messages.indexOf(message));
  redraw();
  $('text').value = message.content;
  $('text').focus();
}

function send() {
  const text = $('text').value.trim();
  if (!text || running) return;
  $('text').value = '';
  messages.push({ role: 'user', content: text });
  show(messages.at(-1));
  log.scrollTop = log.scrollHeight;
  answer();
}

$('ask').addEventListener('submit', event => {
  event.preventDefault();
  send();
});
$('text').addEventListener('keydown', event => {
  if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    send();
  }
});
document.addEventListener('keydown', event => {
  if (event.key === 'Escape') running?.abort();
});
$('stop').addEventListener('click', () => running?.abort());
$('new').addEventListener('click', () => {
  running?.abort();
  messages = [];
  redraw();
  say('');
  $('text').focus();
});
$('settings-button').addEventListener('click', () => {
  const hidden = $('settings').toggleAttribute('hidden');
  $('settings-button').setAttribute('aria-expanded', String(!hidden));
});
$('settings').addEventListener('submit', event => event.preventDefault());
$('key').value = sessionStorage.getItem('gatun-key') ?? '';
$('key').addEventListener('change', () => {
  sessionStorage.setItem('gatun-key', $('key').value);
  refresh();
});
$('model').addEventListener('change', refresh);
$('adapter').addEventListener('focus', refresh);
refresh();
