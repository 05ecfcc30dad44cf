// Draws the OpenAPI document of this service. Texts go into the page as text, never as markup.

import { get, rememberKey } from '../js/api.js';

const byId = (id) => document.getElementById(id);

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children.filter((child) => child != null));
  return element;
}

const typeOf = (schema) => [schema.type ?? ''].flat().filter((type) => type !== 'null').join(' or ');

function rangeOf(schema) {
  const parts = [typeOf(schema)];
  if (schema.minimum !== undefined) parts.push(`${schema.minimum} to ${schema.maximum}`);
  if (schema.enum) parts.push(schema.enum.join(', '));
  if (schema.format && schema.minimum === undefined) parts.push(schema.format);
  if (schema.pattern && !schema.format) parts.push(schema.pattern);
  return parts.filter(Boolean).join(': ');
}

function table(caption, headings, rows) {
  return make('div', { className: 'scroll' }, make('table', {}, make('caption', { textContent: caption }),
    make('thead', {}, make('tr', {}, ...headings.map((heading) => make('th', { scope: 'col', textContent: heading })))),
    make('tbody', {}, ...rows.map((row) => make('tr', {}, ...row.map((cell) => make('td', {}, cell)))))));
}

const code = (text) => make('code', { textContent: text });

function parametersOf(operation) {
  const parameters = operation.parameters ?? [];
  return parameters.length === 0 ? null : table('Parameters', ['Name', 'In', 'Allowed', 'Default', 'Meaning'], parameters.map((parameter) => [
    code(parameter.name), parameter.in, rangeOf(parameter.schema), String(parameter.schema.default ?? ''), parameter.description ?? '',
  ]));
}

function answerOf([status, response]) {
  const forms = Object.entries(response.content ?? {});
  const examples = forms.filter(([, media]) => media.example !== undefined).flatMap(([form, media]) => [
    make('p', { className: 'muted', textContent: form }),
    make('pre', { tabIndex: 0, textContent: typeof media.example === 'string' ? media.example : JSON.stringify(media.example, null, 2) }),
  ]);
  const line = `${status} ${response.description ?? ''}`;
  return examples.length > 0 ? make('details', {}, make('summary', { textContent: line }), ...examples) : make('p', { textContent: line });
}

function request(path, operation) {
  const example = path.replace(/\{(\w+)\}/g, (_, name) => operation.parameters?.find((parameter) => parameter.name === name)?.example ?? name);
  const first = (operation.parameters ?? []).find((parameter) => parameter.in === 'query' && parameter.name !== 'before');
  return `${example}${first ? `?${first.name}=${first.example}` : ''}`;
}

function draw({ info, paths }) {
  byId('about').textContent = info.description;
  const groups = new Map();
  for (const [path, operations] of Object.entries(paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      const tag = operation.tags?.[0] ?? 'Other';
      groups.set(tag, [...(groups.get(tag) ?? []), { path, method, operation }]);
    }
  }
  byId('index').append(make('ul', {}, ...[...groups.values()].flat().map(({ path, method, operation }) =>
    make('li', {}, make('a', { href: `#${operation.operationId}`, textContent: `${method.toUpperCase()} ${path}` })))));
  for (const [tag, entries] of groups) {
    byId('operations').append(make('section', {}, make('h2', { textContent: tag }), ...entries.map(({ path, method, operation }) => make('article', { id: operation.operationId },
      make('h3', {}, make('span', { className: 'method', textContent: method.toUpperCase() }), code(path)),
      make('p', { textContent: operation.summary }),
      operation.description ? make('p', { className: 'muted', textContent: operation.description }) : null,
      parametersOf(operation),
      method === 'get' ? make('pre', { tabIndex: 0, textContent: `curl '${location.origin}${request(path, operation)}'` }) : null,
      ...Object.entries(operation.responses).map(answerOf)))));
  }
}

async function load() {
  try {
    draw(await get('../openapi/v1.json'));
    byId('key-form').hidden = true;
  } catch (fault) {
    byId('about').textContent = `${fault.message}. ${fault.detail ?? ''}`;
    byId('about').className = 'fault';
    byId('key-form').hidden = fault.status !== 401 && fault.status !== 403;
  }
}

byId('key-form').addEventListener('submit', (submit) => {
  submit.preventDefault();
  rememberKey(byId('key').value.trim());
  byId('about').className = '';
  load();
});

load();
