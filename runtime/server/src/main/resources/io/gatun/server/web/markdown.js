// Markdown as nodes of a document. Texts of models are not trusted: only elements named here are
// made, their texts are texts, and links lead to http and https alone.

const RULES = [
  [/^`([^`\n]+)`/, (m, d) => leaf(d, 'code', m[1])],
  [/^\*\*(?=\S)([\s\S]*?\S)\*\*/, (m, d) => branch(d, 'strong', m[1])],
  [/^__(?=\S)([\s\S]*?\S)__/, (m, d) => branch(d, 'strong', m[1])],
  [/^\*(?=\S)([\s\S]*?\S)\*/, (m, d) => branch(d, 'em', m[1])],
  [/^~~(?=\S)([\s\S]*?\S)~~/, (m, d) => branch(d, 'del', m[1])],
  [/^\[([^\]\n]+)\]\((https?:\/\/[^\s)]+)\)/, (m, d) => link(d, m[1], m[2])],
  [/^https?:\/\/[^\s<>"')\]]+/, (m, d) => link(d, m[0], m[0])],
];
const SPECIAL = /[`*_~[h]/;

function leaf(doc, name, text) {
  const node = doc.createElement(name);
  node.textContent = text;
  return node;
}

function branch(doc, name, text) {
  const node = doc.createElement(name);
  inline(doc, node, text);
  return node;
}

function link(doc, text, address) {
  const node = leaf(doc, 'a', text);
  node.setAttribute('href', address);
  node.setAttribute('rel', 'noopener noreferrer nofollow');
  node.setAttribute('target', '_blank');
  return node;
}

function inline(doc, into, text) {
  let plain = '';
  let at = 0;
  const flush = () => {
    if (plain) into.appendChild(doc.createTextNode(plain));
    plain = '';
  };
  while (at < text.length) {
    const rest = SPECIAL.test(text[at]) ? text.slice(at, at + 4000) : '';
    const rule = rest && RULES.find(([pattern]) => pattern.test(rest));
    if (rule) {
      const match = rule[0].exec(rest);
      flush();
      into.appendChild(rule[1](match, doc));
      at += match[0].length;
    } else {
      plain += text[at++];
    }
  }
  flush();
}

const ITEM = /^(\s*)([-*+]|\d{1,9}[.)])\s+(.*)$/;
const BLOCK = /^\s*(```|~~~|#{1,6}\s|>|([-*_])(\s*\2){2,}\s*$)|^\s*([-*+]|\d{1,9}[.)])\s+/;

function list(doc, lines, from, into) {
  const [, indent, mark] = ITEM.exec(lines[from]);
  const ordered = /\d/.test(mark);
  const node = doc.createElement(ordered ? 'ol' : 'ul');
  if (ordered && parseInt(mark, 10) !== 1) node.setAttribute('start', String(parseInt(mark, 10)));
  let at = from;
  let item = null;
  while (at < lines.length) {
    const match = ITEM.exec(lines[at]);
    if (match && match[1].length > indent.length && item) {
      at = list(doc, lines, at, item);
    } else if (match && match[1].length === indent.length && /\d/.test(match[2]) === ordered) {
      item = branch(doc, 'li', match[3]);
      node.appendChild(item);
      at++;
    } else if (!match && item && /^\s+\S/.test(lines[at])) {
      item.appendChild(doc.createTextNode(' '));
      inline(doc, item, lines[at++].trim());
    } else {
      break;
    }
  }
  into.appendChild(node);
  return at;
}

const cells = line => line.trim().replace(/^\||\|$/g, '').split('|').map(c => c.trim());

function table(doc, lines, from, into) {
  const node = doc.createElement('table');
  const row = (line, name) => {
    const made = doc.createElement('tr');
    cells(line).forEach(c => made.appendChild(branch(doc, name, c)));
    node.appendChild(made);
  };
  row(lines[from], 'th');
  let at = from + 2;
  while (at < lines.length && lines[at].includes('|')) row(lines[at++], 'td');
  into.appendChild(node);
  return at;
}

function fence(doc, lines, from, into) {
  const mark = lines[from].trim().slice(0, 3);
  let at = from + 1;
  while (at < lines.length && !lines[at].trim().startsWith(mark)) at++;
  const pre = doc.createElement('pre');
  pre.setAttribute('tabindex', '0');
  pre.appendChild(leaf(doc, 'code', lines.slice(from + 1, at).join('\n')));
  into.appendChild(pre);
  return at + 1;
}

function quote(doc, lines, from, into, depth) {
  let at = from;
  while (at < lines.length && /^\s*>/.test(lines[at])) at++;
  const node = doc.createElement('blockquote');
  const inner = lines.slice(from, at).map(l => l.replace(/^\s*>\s?/, ''));
  blocks(doc, inner, node, depth + 1);
  into.appendChild(node);
  return at;
}

function paragraph(doc, lines, from, into) {
  let at = from + 1;
  while (at < lines.length && lines[at].trim() && !BLOCK.test(lines[at])) at++;
  const node = doc.createElement('p');
  lines.slice(from, at).forEach((line, i) => {
    if (i) node.appendChild(doc.createElement('br'));
    inline(doc, node, line.trim());
  });
  into.appendChild(node);
  return at;
}

function blocks(doc, lines, into, depth) {
  let at = 0;
  while (at < lines.length) {
    const line = lines[at];
    const heading = /^\s*(#{1,6})\s+(.*)$/.exec(line);
    if (!line.trim()) at++;
    else if (/^\s*(```|~~~)/.test(line)) at = fence(doc, lines, at, into);
    else if (heading) {
      // The page's own headings go down to the second level.
      into.appendChild(branch(doc, 'h' + Math.min(6, heading[1].length + 2), heading[2]));
      at++;
    } else if (/^\s*([-*_])(\s*\1){2,}\s*$/.test(line)) {
      into.appendChild(doc.createElement('hr'));
      at++;
    } else if (/^\s*>/.test(line) && depth < 8) at = quote(doc, lines, at, into, depth);
    else if (ITEM.test(line)) at = list(doc, lines, at, into);
    else if (line.includes('|') && /^[\s|:-]*-[\s|:-]*$/.test(lines[at + 1] ?? '')
        && lines[at + 1].includes('|')) at = table(doc, lines, at, into);
    else at = paragraph(doc, lines, at, into);
  }
}

/** Replaces what an element holds by a text's nodes. */
export function render(doc, into, text) {
  into.replaceChildren();
  blocks(doc, text.split('\n'), into, 0);
}
