// SPDX-License-Identifier: GPL-3.0-or-later
// The cards under a call's timeline.

/// What was said and done, in order; each line seeks.
function transcriptCard(run, timeline) {
  const covered = (turn) => run.transcript_object.some((line) =>
    (line.role === 'Main Agent') === (turn.who === 'agent') && line.start_ms < turn.end_ms && line.end_ms > turn.start_ms);
  const entries = [
    ...run.transcript_object.map((line) => {
      const who = line.role === 'Main Agent' ? 'agent' : 'caller';
      const turn = run.turns.find((one) => one.who === who && one.start_ms < line.end_ms && one.end_ms > line.start_ms);
      return {who, ms: line.start_ms, end: line.end_ms, text: line.content, turn, draft: line.draft};
    }),
    // Nobody wrote down what the agent said: its turns are shown with their length.
    ...run.turns.filter((turn) => !covered(turn)).map((turn) => ({
      who: turn.who, ms: turn.start_ms, end: turn.end_ms, turn, text: null})),
    ...digitGroups(run),
    ...(run.tones || []).map((tone) => ({who: 'agent', ms: tone.start_ms, end: tone.end_ms, text: toneText(tone), digits: true})),
  ].sort((a, b) => a.ms - b.ms);
  if (!entries.length) return null;
  const rows = entries.map((entry) => {
    const notes = entry.turn ? turnNotes(entry.turn) : [];
    const words = entry.text === null ? h('span', {class: 'unsaid'}, `spoke for ${clock(entry.end - entry.ms)} s`.replace(/^spoke for 0:0?/, 'spoke for '))
      : entry.digits ? h('span', {class: 'keys-pressed'}, entry.text) : entry.text;
    return h('li', {class: `line line-${entry.who}`, 'data-from': entry.ms, 'data-to': entry.end},
      h('button', {type: 'button', class: 'seek', onclick: () => timeline.seek(entry.ms, true),
                   'aria-label': `Go to ${clock(entry.ms)}`}, clock(entry.ms)),
      h('div', {class: 'bubble'}, words, entry.draft ? h('span', {class: 'note'}, ' (draft)') : null,
        notes.length ? h('div', {class: 'turn-notes'}, notes) : null));
  });
  const list = h('ol', {class: 'transcript'}, rows);
  timeline.onmove = (ms) => {
    for (const row of rows) {
      row.classList.toggle('now', ms > 0 && ms >= Number(row.dataset.from) && ms < Number(row.dataset.to));
    }
  };
  return section('Conversation', 'Caller on the left, agent on the right. A time jumps to it.', list);
}

function toneText(tone) {
  const hz = tone.frequencies_hz.map((one) => Math.round(one)).join(' + ');
  return `${tone.tone.replace('_', ' ')}${tone.tone === 'beep' || tone.tone === 'music' ? '' : ' tone'}${hz ? `, ${hz} Hz` : ''}${tone.cadence ? `, ${tone.cadence} ms` : ''}`;
}

function digitGroups(run) {
  const groups = [];
  for (const digit of run.dtmf) {
    const last = groups[groups.length - 1];
    const end = digit.start_ms + digit.duration_ms;
    if (last && last.who === digit.by && digit.start_ms - last.end < 1500) {
      last.text += digit.digit;
      last.end = end;
    } else {
      groups.push({who: digit.by, ms: digit.start_ms, end, text: digit.digit, digits: true});
    }
  }
  return groups.map((group) => ({...group, text: `pressed ${group.text}`}));
}

function turnNotes(turn) {
  const notes = [];
  if (isNumber(turn.latency_ms)) notes.push(h('span', {class: 'chip'}, `after ${quantity(turn.latency_ms, 'ms')}`));
  if (turn.interrupts) {
    notes.push(h('span', {class: `chip ${turn.who === 'agent' ? 'chip-fail' : 'chip-yield'}`},
      turn.who === 'agent' ? `cut in, ${quantity(turn.overlap_ms || 0, 'ms')} over the caller` : 'cut in'));
    if (turn.who === 'caller') {
      notes.push(isNumber(turn.yielded_after_ms)
        ? h('span', {class: 'chip chip-yield'}, `agent stopped after ${quantity(turn.yielded_after_ms, 'ms')}`)
        : h('span', {class: 'chip chip-fail'}, 'agent did not stop'));
    }
  }
  if (turn.backchannel) notes.push(h('span', {class: 'chip'}, 'backchannel'));
  if (turn.touched_by_late_tick) notes.push(h('span', {class: 'chip chip-warn'}, 'touched by a late packet of ours'));
  return notes;
}

function checksCard(run) {
  if (!run.expect.length) return null;
  const sorted = [...run.expect].sort((a, b) => Number(a.passed) - Number(b.passed));
  const failed = sorted.filter((check) => !check.passed).length;
  return section('Checks', failed ? `${failed} of ${sorted.length} failed.` : sorted.length === 1 ? 'It holds.' : `All ${sorted.length} hold.`,
    h('ul', {class: 'checks'}, sorted.map((check) => h('li', {},
      verdictBadge(check.passed ? 'pass' : 'fail'),
      h('div', {}, h('code', {}, checkWords(check.check)), check.explanation ? h('p', {class: 'note'}, check.explanation) : null)))));
}

function metricFigure(metric) {
  const p = percentilesOf(metric);
  if (!p) return h('strong', {}, quantity(metric.value, metric.unit));
  if (p.n === 1) return h('strong', {}, quantity(p.mean, metric.unit));
  return h('span', {class: 'figures'},
    [['p50', p.p50], ['p95', p.p95], ['max', p.max]].filter(([, value]) => isNumber(value)).map(([name, value]) =>
      h('span', {}, h('small', {}, name), ' ', h('strong', {}, quantity(value, metric.unit)))),
    h('span', {}, h('small', {}, 'n'), ' ', p.n));
}

function metricsCard(run) {
  const has = (metric) => isNumber(metric.value) || (percentilesOf(metric) || {n: 0}).n > 0;
  const row = (metric) => h('tr', {class: metric.passed === false ? 'row-fail' : null},
    h('th', {scope: 'row'}, metric.name || metric.key, metric.passed === false ? h('span', {class: 'chip chip-fail'}, 'fails') : null,
      MEANING[metric.key] ? h('span', {class: 'note'}, MEANING[metric.key]) : null),
    h('td', {}, has(metric) ? metricFigure(metric) : h('span', {class: 'note'}, '\u2013'),
      metric.explanation.slice(0, 12).map((line) => h('p', {class: 'note'}, line)),
      metric.explanation.length > 12 ? h('p', {class: 'note'}, `and ${metric.explanation.length - 12} more`) : null));
  const known = run.evaluation.metrics.filter(has);
  const unknown = run.evaluation.metrics.filter((metric) => !has(metric));
  if (!run.evaluation.metrics.length) return null;
  return section('Measured', null, known.length ? h('table', {class: 'metrics'}, h('tbody', {}, known.map(row))) : null,
    unknown.length ? h('details', {class: 'more'}, h('summary', {}, `${unknown.length} that do not apply to this call`),
      h('dl', {class: 'reasons'}, unknown.map((metric) => [h('dt', {}, metric.name || metric.key),
        h('dd', {class: 'note'}, metric.reason || 'no value')]))) : null);
}

/// One row a message: time, delta, an arrow between the hosts; opens to the message itself.
function ladderCard(run, timeline) {
  const {columns, steps} = viewOf(run).ladder;
  if (!steps.length) return section('SIP', 'No messages were kept.');
  const count = Math.max(columns.length, 2);
  const x = (column) => (column + 0.5) * 1000 / count;
  const rows = steps.map((step, index) => {
    const message = run.sip[step.message];
    const sent = message.direction === 'sent';
    const left = Math.min(x(step.from), x(step.to));
    const right = Math.max(x(step.from), x(step.to));
    const code = /^(\d{3}) /.exec(step.label);
    const bad = code && Number(code[1]) >= 400;
    const tip = step.from < step.to ? 'arrow-right' : 'arrow-left';
    const picture = h('span', {class: `hop ${sent ? 'hop-sent' : 'hop-received'}${bad ? ' hop-bad' : ''}${step.again ? ' hop-again' : ''}`},
      svg('svg', {viewBox: '0 0 1000 40', preserveAspectRatio: 'none', class: 'hop-lines', 'aria-hidden': 'true'},
        columns.map((_, column) => svg('line', {class: 'life', x1: x(column), x2: x(column), y1: 0, y2: 40})),
        svg('line', {class: 'shaft', x1: left, x2: right, y1: 28, y2: 28})),
      h('span', {class: `hop-tip ${tip}`}), h('span', {class: 'hop-label'}, step.label, step.again ? ' (again)' : ''));
    const [tipElement, label] = [picture.children[1], picture.children[2]];
    tipElement.style.left = `${x(step.to) / 10}%`;
    label.style.left = `${left / 10}%`;
    label.style.width = `${(right - left) / 10}%`;
    return h('details', {class: 'message'},
      h('summary', {'aria-label': `${clock(step.t_ms, 3)} ${message.direction} ${step.label}`},
        h('span', {class: 'when'}, clock(step.t_ms, 3)),
        h('span', {class: 'delta'}, index ? since(step.delta_ms) : ''), picture),
      h('div', {class: 'message-text'},
        h('p', {class: 'note'}, `${message.from} \u2192 ${message.to} over ${message.transport || 'udp'} `,
          h('button', {type: 'button', class: 'seek', onclick: () => timeline && timeline.seek(step.t_ms, true)}, 'show on the timeline')),
        h('pre', {}, (message.message || message.start_line).trimEnd())));
  });
  const heads = h('div', {class: 'hosts', 'aria-hidden': 'true'}, columns.map((column, index) => {
    const name = h('span', {}, h('strong', {}, index === 0 ? 'linecheck' : 'far side'), column);
    name.style.left = `${x(index) / 10}%`;
    return name;
  }));
  return section('SIP', 'A message opens to its text.', h('div', {class: 'ladder'}, heads, rows));
}

function rtpCard(run) {
  const {send, receive} = run.rtp;
  if (!send.packets && !receive.packets) return null;
  const row = (name, key, unit) => h('tr', {}, h('th', {scope: 'row'}, name),
    [send, receive].map((side) => h('td', {}, typeof side[key] === 'string' ? side[key] || '\u2013' : quantity(side[key], unit))));
  return section('RTP', null, h('table', {class: 'pairs'},
    h('thead', {}, h('tr', {}, h('td', {}), h('th', {scope: 'col'}, 'to the agent'), h('th', {scope: 'col'}, 'from the agent'))),
    h('tbody', {}, row('Codec', 'codec', ''), row('Packets', 'packets', ''), row('Lost', 'lost', ''),
      row('Loss', 'loss_percent', 'percent'), row('Lost in a row, at most', 'longest_burst', ''),
      row('Over 40 ms late', 'discarded', ''), row('Late', 'late', ''), row('Reordered', 'reordered', ''),
      row('Duplicate', 'duplicate', ''), row('Jitter, mean', 'jitter_mean_ms', 'ms'), row('Jitter, max', 'jitter_max_ms', 'ms'),
      row('Round trip', 'round_trip_ms', 'ms'), row('Clock skew', 'clock_skew_ppm', 'ppm'), row('SSRC changes', 'ssrc_changes', ''))));
}

/// What a simulated bad line was asked for and what it came to.
function lineCard(run) {
  const {send, receive} = run.network_simulation || {};
  const periods = [['to the agent', send], ['from the agent', receive]].flatMap(([where, list]) => (list || []).map((p) => [where, p]));
  if (!periods.length) return null;
  const pair = (p, key, unit) => h('td', {}, p.asked[key] || p.achieved[key]
    ? `${quantity(p.achieved[key], unit)} of ${quantity(p.asked[key], unit)}` : '\u2013');
  return section('Simulated line', 'What it came to, of what was asked for. It is not charged to the agent.', h('table', {class: 'pairs'},
    h('thead', {}, h('tr', {}, ['', 'from', 'loss', 'burst', 'jitter', 'delay', 'twice', 'out of order'].map((name) => h('th', {scope: 'col'}, name)))),
    h('tbody', {}, periods.map(([where, p]) => h('tr', {}, h('th', {scope: 'row'}, where), h('td', {}, quantity(p.from_ms, 'ms')),
      pair(p, 'packet_loss', 'percent'), pair(p, 'burst', ''), pair(p, 'jitter', 'ms'), pair(p, 'latency', 'ms'),
      h('td', {}, number(p.achieved.duplicated)), h('td', {}, number(p.achieved.reordered)))))));
}

/// How well linecheck itself kept time: what the call's numbers rest on.
function engineCard(run) {
  const engine = run.engine;
  const pacing = engine.pacing_ms;
  if (!isNumber(pacing.max) && !engine.late_ticks) return null;
  const good = engine.late_ticks === 0 && engine.skipped_frames === 0 && engine.dropped_commands === 0;
  const verdict = good
    ? `We kept time: 99 % of our packets left within ${quantity(pacing.p99, 'ms')} of the moment they were due.`
    : `${engine.late_ticks} of our packets left more than 5 ms late` +
      (engine.skipped_frames ? `, ${engine.skipped_frames} were left out` : '') + '. Turns that this touched are marked.';
  const line = (name, value) => [h('dt', {}, name), h('dd', {}, value)];
  return section('linecheck itself', null, h('p', {class: good ? 'kept-time' : 'kept-time late'}, verdict),
    h('dl', {class: 'facts-list'},
      line('Pacing p50', quantity(pacing.p50, 'ms')), line('p99', quantity(pacing.p99, 'ms')),
      line('p99.9', quantity(pacing.p999, 'ms')), line('worst', quantity(pacing.max, 'ms')),
      line('Late packets', number(engine.late_ticks)), line('Left out', number(engine.skipped_frames)),
      line('Caller later than meant', isNumber(engine.persona_delay_ms.p50)
        ? `p50 ${quantity(engine.persona_delay_ms.p50, 'ms')}, max ${quantity(engine.persona_delay_ms.max, 'ms')}` : '\u2013'),
      line('Real-time priority', engine.realtime ? 'yes' : 'no')),
    engine.recording_error ? h('p', {class: 'note'}, `Recording: ${engine.recording_error}`) : null);
}
