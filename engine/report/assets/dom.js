// SPDX-License-Identifier: GPL-3.0-or-later
// Elements without markup: everything that came from outside goes through textContent, so it can only ever be text.

const SVG = 'http://www.w3.org/2000/svg';

function fill(element, properties, children) {
  for (const [name, value] of Object.entries(properties || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return element;
}

const h = (tag, properties, ...children) => fill(document.createElement(tag), properties, children);
const svg = (tag, properties, ...children) => fill(document.createElementNS(SVG, tag), properties, children);

// Icons are shapes, not letters of a font that may be missing; each verdict has its own shape, not only its colour.
const ICONS = {
  pass: 'M3.5 8.5l3 3 6-7',
  fail: 'M4.5 4.5l7 7M11.5 4.5l-7 7',
  excused: 'M8 4v5M8 11.6v.4',
  cancelled: 'M4 8h8',
  pending: 'M8 4.5V8l2.5 1.5',
  play: 'M5 3.2v9.6L12.8 8z',
  pause: 'M5 3.5v9M11 3.5v9',
  back: 'M9.5 3.5L5 8l4.5 4.5',
  next: 'M6.5 3.5L11 8l-4.5 4.5',
  plus: 'M8 3.5v9M3.5 8h9',
  minus: 'M3.5 8h9',
  fit: 'M2.5 8h11M5 5.5L2.5 8 5 10.5M11 5.5L13.5 8 11 10.5',
  sun: 'M8 5.2a2.8 2.8 0 100 5.6 2.8 2.8 0 000-5.6zM8 1.5v1.3M8 13.2v1.3M1.5 8h1.3M13.2 8h1.3M3.4 3.4l.9.9M11.7 11.7l.9.9M3.4 12.6l.9-.9M11.7 4.3l.9-.9',
  moon: 'M13 9.6A5.6 5.6 0 016.4 3 5.6 5.6 0 1013 9.6z',
};

function icon(name, label) {
  const filled = name === 'play';
  return svg('svg', {viewBox: '0 0 16 16', class: `icon icon-${name}`, role: label ? 'img' : null,
                     'aria-label': label, 'aria-hidden': label ? null : 'true'},
    svg('path', {d: ICONS[name], fill: filled ? 'currentColor' : 'none', stroke: 'currentColor',
                 'stroke-width': filled ? 1 : 1.8, 'stroke-linecap': 'round', 'stroke-linejoin': 'round'}));
}

function verdictBadge(kind) {
  const names = {pass: 'passed', fail: 'failed', excused: 'not judged', cancelled: 'cancelled', pending: 'not over'};
  return h('span', {class: `badge badge-${kind}`, title: names[kind]}, icon(kind, names[kind]));
}

function section(title, note, ...children) {
  return h('section', {class: 'card'},
    h('header', {class: 'card-head'}, h('h2', {}, title), note ? h('p', {class: 'note'}, note) : null), children);
}

/// Reads a colour of the theme, so that canvases follow it.
function themeColor(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}
