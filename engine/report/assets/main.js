// SPDX-License-Identifier: GPL-3.0-or-later
// Which page is shown: `#` the overview (with `?status=...` its filters), `#call-274` a call.

const app = document.getElementById('app');
const list = new CallList();
const overview = overviewPage(list);
let open = null;

function remembered(key, value) {
  try {
    if (value !== undefined) localStorage.setItem(key, value);
    return localStorage.getItem(key);
  } catch {
    return null;  // a file has no storage in some browsers
  }
}

function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
}

function setTheme(theme) {
  if (theme === 'dark' || theme === 'light') document.documentElement.dataset.theme = theme;
  const label = isDark() ? 'Light colours' : 'Dark colours';
  themeButton.replaceChildren(icon(isDark() ? 'sun' : 'moon'));
  themeButton.title = label;
  themeButton.setAttribute('aria-label', label);
  if (open && open.timeline) open.timeline.repaint();
}

const themeButton = h('button', {type: 'button', class: 'tool', onclick: () => {
  const next = isDark() ? 'light' : 'dark';
  remembered('linecheck-theme', next);
  setTheme(next);
}});
const place = h('div', {class: 'place'});

const bar = h('header', {class: 'top'},
  h('a', {class: 'brand', href: '#'}, svg('svg', {viewBox: '0 0 24 24', class: 'logo', 'aria-hidden': 'true'},
    svg('path', {d: 'M2 12h3l2-6 4 13 3-9 1.5 4H18'}), svg('path', {d: 'M17 15.5l2 2 3.5-4.5'})), 'linecheck'),
  h('span', {class: 'top-name'}, DATA.name), h('span', {class: 'push'}), themeButton);
app.append(bar, place);

function route() {
  const hash = decodeURIComponent(location.hash.slice(1));
  const call = /^call-(\d+)$/.exec(hash);
  const run = call && DATA.runs[call[1]];
  if (open && open.timeline) open.timeline.close();
  const was = open;
  open = null;
  if (run) {
    const shown = list.shown.includes(run) ? list.shown : RUNS;
    open = callPage(run, shown);
    place.replaceChildren(open.element);
    if (open.timeline) open.timeline.repaint();
    scrollTo(0, 0);
    open.title.focus({preventScroll: true});
    document.title = `Call ${run.id}: ${run.scenario_name}`;
    return;
  }
  if (hash.startsWith('?')) list.read(hash.slice(1));
  place.replaceChildren(overview.element);
  document.title = `${DATA.verdict}: ${DATA.name}`;
  if (was) {
    const row = list.rows.get(was.run);
    if (row && row.isConnected) {
      row.focus({preventScroll: true});
      row.scrollIntoView({block: 'center'});
    }
  }
}

function keys(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (/^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
  if (event.key === '/' && !open) {
    event.preventDefault();
    list.words.focus();
  } else if (open && event.key === 'Escape') {
    location.hash = '';
  } else if (open && (event.key === 'j' || event.key === 'k')) {
    const shown = list.shown.includes(open.run) ? list.shown : RUNS;
    const next = shown[shown.indexOf(open.run) + (event.key === 'j' ? 1 : -1)];
    if (next) location.hash = `call-${next.id}`;
  } else if (open && open.timeline && event.key === ' ' && event.target.tagName !== 'BUTTON' && event.target.tagName !== 'SUMMARY') {
    event.preventDefault();
    open.timeline.player.toggle();
  }
}

addEventListener('hashchange', route);
addEventListener('keydown', keys);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => setTheme());
// Paper is white: the canvas is drawn once more in light colours for it.
let themeBeforePrint = null;
addEventListener('beforeprint', () => {
  themeBeforePrint = document.documentElement.dataset.theme || null;
  setTheme('light');
});
addEventListener('afterprint', () => {
  if (themeBeforePrint) setTheme(themeBeforePrint);
  else { delete document.documentElement.dataset.theme; setTheme(); }
});
setTheme(remembered('linecheck-theme'));
route();
