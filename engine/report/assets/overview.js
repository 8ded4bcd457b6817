// SPDX-License-Identifier: GPL-3.0-or-later
// The first page: the verdict, what it rests on, and why calls failed.

const SUMMARY = DATA.overall_evaluation.metric_summary;

function verdictKind(word) {
  if (word === 'PASSED') return 'pass';
  if (word === 'FAILED' || word === 'REFUSED') return 'fail';
  return 'excused';
}

function verdictCard() {
  const kind = verdictKind(DATA.verdict);
  const words = {PASSED: 'Passed', FAILED: 'Failed', CANCELLED: 'Cancelled', INCONCLUSIVE: 'Inconclusive',
                 REFUSED: 'Refused', RUNNING: 'Still running', PAUSED: 'Paused'};
  const list = [['Agent', DATA.agent_name], ['Began', moment(DATA.created_at)], ['Took', DATA.total_duration],
                ['Seed', DATA.run_settings.seed], ['Result', DATA.id ? `#${DATA.id}` : null],
                ['linecheck', [DATA.engine.version, DATA.engine.commit && DATA.engine.commit.slice(0, 10)].filter(Boolean).join(' \u00b7 ')]];
  return h('section', {class: `verdict verdict-${kind}`},
    h('div', {class: 'verdict-word'}, icon(kind === 'excused' ? 'excused' : kind), words[DATA.verdict] || DATA.verdict),
    h('div', {}, h('h1', {tabindex: '-1'}, DATA.name || 'Result'), h('p', {class: 'headline'}, DATA.headline), outcomeBar(),
      h('dl', {class: 'facts'}, list.filter(([, value]) => value !== null && value !== undefined && value !== '').map(([name, value]) =>
        h('div', {}, h('dt', {}, name), h('dd', {}, String(value)))))));
}

function outcomeBar() {
  const parts = [['pass', DATA.success_runs_count, 'passed'], ['fail', DATA.failed_runs_count, 'failed'],
                 ['excused', DATA.excused_runs_count, 'not judged'], ['cancelled', DATA.cancelled_runs_count, 'cancelled']]
    .filter(([, count]) => count > 0);
  if (!parts.length) return null;
  return h('div', {class: 'outcomes'},
    h('div', {class: 'outcome-bar', 'aria-hidden': 'true'}, parts.map(([kind, count]) => {
      const part = h('span', {class: `fill-${kind}`});
      part.style.flexGrow = String(count);
      return part;
    })),
    h('ul', {}, parts.map(([kind, count, label]) => h('li', {}, h('span', {class: `dot fill-${kind}`}), `${count} ${label}`))));
}

function tile(label, value, note) {
  return h('div', {class: 'tile'}, h('p', {class: 'tile-label'}, label), h('p', {class: 'tile-value'}, value),
    h('p', {class: 'note'}, note || '\u00a0'));
}

function tiles() {
  const of = (key) => SUMMARY[key] || {n: 0};
  const sum = (key) => (of(key).n ? Math.round(of(key).mean * of(key).n) : null);
  const latency = of('latency_ms');
  const stop = of('stop_time_ms');
  const greeting = of('greeting_delay_ms');
  const all = [tile('Success rate', percent(DATA.success_rate), `${DATA.success_runs_count} of ${DATA.success_runs_count + DATA.failed_runs_count} judged calls`)];
  if (latency.n) all.push(tile('Latency, typical', quantity(latency.p50, 'ms'), `${isNumber(latency.p95) ? `p95 ${quantity(latency.p95, 'ms')}` : `max ${quantity(latency.max, 'ms')}`}, ${count(latency.n, 'turn')}`));
  if (sum('ai_interruptions') !== null) all.push(tile('Agent cut in', number(sum('ai_interruptions')), `${sum('ai_interruptions') === 1 ? 'time' : 'times'} in ${count(of('ai_interruptions').n, 'call')}`));
  if (stop.n) all.push(tile('Stops when interrupted', quantity(stop.p50, 'ms'), `max ${quantity(stop.max, 'ms')}, ${count(stop.n, 'time')}`));
  if (greeting.n) all.push(tile('First words after', quantity(greeting.p50, 'ms'), `max ${quantity(greeting.max, 'ms')}, ${count(greeting.n, 'call')}`));
  if (of('mos_cqe.receive').n) all.push(tile('Line quality', number(of('mos_cqe.receive').mean), 'MOS of 4.5, from the agent'));
  return h('div', {class: 'tiles'}, all);
}

function thresholdsCard() {
  if (!DATA.thresholds.length) return null;
  return section('Thresholds', 'On the whole result.', h('ul', {class: 'checks'}, DATA.thresholds.map((one) => h('li', {},
    verdictBadge(one.passed ? 'pass' : 'fail'),
    h('div', {}, h('code', {}, `${one.metric} ${one.condition}`),
      h('span', {class: 'measured'}, isNumber(one.value) ? number(one.value) : 'no value'))))));
}

function checksOverview() {
  if (!DATA.view.checks.length) return null;
  return section('Checks', 'On each call.', h('ul', {class: 'checks'}, DATA.view.checks.map((one) => {
    const failed = one.failed_run_ids.length;
    return h('li', {}, verdictBadge(failed ? 'fail' : 'pass'),
      h('div', {}, h('code', {}, checkWords(one.check)), h('span', {class: 'measured'}, `${one.passed} of ${one.passed + failed}`),
        failed ? h('p', {class: 'note'}, 'fails in ', callLinks(one.failed_run_ids)) : null));
  })));
}

function callLinks(ids) {
  const most = 12;
  const links = ids.slice(0, most).map((id) => (DATA.runs[String(id)]
    ? h('a', {class: 'call-link', href: `#call-${id}`}, `#${id}`) : h('span', {}, `#${id}`)));
  return [links.flatMap((link, index) => (index ? [', ', link] : [link])), ids.length > most ? ` and ${ids.length - most} more` : ''];
}

function failuresCard() {
  const issues = DATA.failed_reasons.issues;
  if (!issues.length) return null;
  const most = Math.max(...issues.map((issue) => issue.run_ids.length));
  return section('Why calls failed', 'By cause, the most frequent first.', h('ol', {class: 'issues'}, issues.map((issue) => {
    const bar = h('span', {class: `issue-fill fill-${issue.category === 'agent' ? 'fail' : 'excused'}`});
    bar.style.width = `${issue.run_ids.length / most * 100}%`;
    const [owner] = CATEGORY[issue.category] || [issue.category];
    return h('li', {},
      h('div', {class: 'issue-count'}, h('strong', {}, issue.run_ids.length), issue.run_ids.length === 1 ? ' call' : ' calls', h('span', {class: 'issue-bar'}, bar)),
      h('div', {}, h('h3', {}, issue.reason),
        h('p', {class: 'note'}, h('span', {class: `chip ${issue.category === 'agent' ? 'chip-fail' : 'chip-warn'}`}, owner), ' ', callLinks(issue.run_ids)),
        issue.example ? h('p', {}, `In #${issue.run_ids[0]}: ${issue.example}`) : null,
        h('p', {}, h('strong', {}, 'What to do: '), issue.advice)));
  })));
}

/// Each value a mark on an axis from 0 to the largest, the middle half as a band, the median as a line.
function distributionPlot(values, summary, unit) {
  if (!values.length) return null;
  const low = Math.min(0, values[0]);
  const high = values[values.length - 1];
  if (high === low) return null;
  const x = (value) => 4 + (value - low) / (high - low) * 232;
  const opacity = Math.max(0.12, Math.min(0.75, 14 / values.length));
  const label = `${values.length} values from ${quantity(values[0], unit)} to ${quantity(high, unit)}`;
  return svg('svg', {class: 'plot', viewBox: '0 0 240 26', role: 'img', 'aria-label': label},
    svg('title', {}, label), svg('line', {class: 'plot-axis', x1: 4, x2: 236, y1: 13, y2: 13}),
    isNumber(summary.p25) && isNumber(summary.p75) ? svg('rect', {class: 'plot-band', x: x(summary.p25), y: 6,
      width: Math.max(1, x(summary.p75) - x(summary.p25)), height: 14, rx: 3}) : null,
    values.map((value) => svg('circle', {class: 'plot-dot', cx: x(value), cy: 13, r: 3, 'fill-opacity': opacity})),
    isNumber(summary.p50) ? svg('line', {class: 'plot-median', x1: x(summary.p50), x2: x(summary.p50), y1: 4, y2: 22}) : null);
}

function metricsOverview() {
  const rows = DATA.view.metrics.map(({key, values}) => ({key, values, ...SUMMARY[key]})).filter((row) => row.n > 0);
  if (!rows.length) return null;
  const cell = (row, value) => h('td', {class: 'num'}, isNumber(value) ? quantity(value, row.unit) : h('span', {class: 'note', title: 'too few values to say'}, '\u2013'));
  return section('Metrics', 'Values of all judged calls together. A percentile is left out where there are too few values to say.',
    h('div', {class: 'scroll'}, h('table', {class: 'summary'},
      h('thead', {}, h('tr', {}, h('th', {scope: 'col'}, 'Metric'), h('th', {scope: 'col'}, 'Distribution'),
        ['mean', 'p50', 'p95', 'p99', 'max', 'n'].map((name) => h('th', {scope: 'col', class: 'num'}, name)))),
      h('tbody', {}, rows.map((row) => h('tr', {},
        h('th', {scope: 'row', title: MEANING[row.key] || null}, row.name || row.key, h('code', {}, row.key)),
        h('td', {class: 'plot-cell'}, distributionPlot(row.values, row, row.unit)),
        [row.mean, row.p50, row.p95, row.p99, row.max].map((value) => cell(row, value)),
        h('td', {class: 'num'}, row.n)))))));
}

function engineNote() {
  const engine = DATA.engine;
  const late = engine.late_ticks + engine.late_starts + engine.dropped_starts;
  if (!isNumber(engine.pacing_ms.p99) && !late) return null;
  const parts = [[engine.late_ticks, 'packet', 'left more than 5 ms late'], [engine.late_starts, 'call', 'began late'],
                 [engine.dropped_starts, 'start', 'dropped']].filter(([n]) => n > 0);
  const words = late
    ? `Of ourselves: ${parts.map(([n, one, what]) => `${count(n, one)} ${what}`).join(', ')}.${engine.late_ticks ? ' Turns that this touched are marked.' : ''}`
    : `Of ourselves: 99 % of our packets left within ${quantity(engine.pacing_ms.p99, 'ms')} of the moment they were due; none was more than 5 ms late.`;
  return h('p', {class: `engine-note${late ? ' late' : ''}`}, words);
}

function overviewPage(list) {
  const verdict = verdictCard();
  const judged = [thresholdsCard(), checksOverview()].filter(Boolean);
  const element = h('main', {class: 'page'}, verdict, tiles(),
    failuresCard(), judged.length ? h('div', {class: judged.length > 1 ? 'halves' : null}, judged) : null,
    list.element, metricsOverview(), engineNote());
  return {element, title: verdict.querySelector('h1')};
}
