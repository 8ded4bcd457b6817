// SPDX-License-Identifier: GPL-3.0-or-later
// The list of calls, with its filters. The filters are kept in the address, so that a view can be linked to.

class CallList {
  constructor() {
    this.filter = {status: 'all', scenario: '', words: ''};
    this.shown = RUNS;
    this.longest = Math.max(1000, ...RUNS.map((run) => viewOf(run).recording_ms || run.timing.ended_ms || 0));
    this.rows = new Map(RUNS.map((run) => [run, this.row(run)]));
    this.element = this.build();
    this.apply();
  }

  build() {
    const counts = {all: RUNS.length};
    for (const run of RUNS) counts[kindOf(run)] = (counts[kindOf(run)] || 0) + 1;
    const names = [['all', 'All'], ['fail', 'Failed'], ['excused', 'Not judged'], ['pass', 'Passed'],
                   ['cancelled', 'Cancelled'], ['pending', 'Not over']];
    this.status = h('div', {class: 'segmented', role: 'group', 'aria-label': 'Show'},
      names.filter(([key]) => counts[key]).map(([key, label]) => h('button', {
        type: 'button', 'data-status': key, onclick: () => this.set({status: key})}, label, h('span', {class: 'count'}, counts[key]))));
    const scenarios = [...new Set(RUNS.map((run) => run.scenario_name))].sort();
    this.scenario = h('select', {'aria-label': 'Scenario', onchange: () => this.set({scenario: this.scenario.value})},
      h('option', {value: ''}, 'All scenarios'), scenarios.map((name) => h('option', {value: name}, name)));
    this.words = h('input', {type: 'search', placeholder: 'Search: words, number, id \u2026', 'aria-label': 'Search calls',
                             oninput: () => this.set({words: this.words.value})});
    this.body = h('div', {class: 'calls'});
    this.none = h('p', {class: 'note none'}, 'No call matches.');
    const cut = DATA.runs_truncated ? `${RUNS.length} of ${DATA.total_runs_count} calls are on this page, the failed ones first; result.json beside it has all.` : null;
    return section('Calls', cut, h('div', {class: 'filters'}, this.status, scenarios.length > 1 ? this.scenario : null, this.words),
      this.body, this.none);
  }

  row(run) {
    const latency = percentilesOf(metricOf(run, 'latency_ms'));
    const typical = latency && (isNumber(latency.p50) ? latency.p50 : latency.mean);
    const reason = reasonOf(run);
    const duration = viewOf(run).recording_ms || run.timing.ended_ms || 1000;
    const strip = h('span', {class: 'call-strip'}, run.turns.length ? turnStrip(run, this.longest, `Turns of call ${run.id}, ${clock(duration)}`) : null);
    return h('a', {class: `call call-${kindOf(run)}`, href: `#call-${run.id}`},
      verdictBadge(kindOf(run)),
      h('span', {class: 'call-id'}, `#${run.id}`),
      h('span', {class: 'call-name'}, h('strong', {}, run.scenario_name), h('span', {}, viewOf(run).variant),
        reason ? h('span', {class: 'call-reason'}, reason) : null),
      strip,
      h('span', {class: 'call-figure'}, isNumber(typical) ? quantity(typical, 'ms') : '\u2013', h('small', {}, 'latency')),
      h('span', {class: 'call-figure'}, isNumber(run.timing.answered_ms) ? run.duration : '\u2013', h('small', {}, 'talked')));
  }

  matches(run) {
    const {status, scenario, words} = this.filter;
    if (status !== 'all' && kindOf(run) !== status) return false;
    if (scenario && run.scenario_name !== scenario) return false;
    if (!words) return true;
    const text = [`#${run.id}`, run.scenario_name, viewOf(run).variant, run.inbound_number, run.outbound_number,
                  run.agent_number, run.metadata.call_id, run.metadata.ended_reason, run.transcript, reasonOf(run),
                  run.failure && run.failure.sip_status].join('\n').toLowerCase();
    return words.toLowerCase().split(/\s+/).every((word) => text.includes(word));
  }

  set(change) {
    Object.assign(this.filter, change);
    this.apply();
    const query = new URLSearchParams(Object.entries(this.filter).filter(([key, value]) => value && !(key === 'status' && value === 'all')));
    const hash = query.toString();
    try {
      history.replaceState(null, '', hash ? `#?${hash}` : '#');
    } catch {
      // Some browsers refuse it for files; the filter works without.
    }
  }

  read(query) {
    const values = new URLSearchParams(query);
    this.filter = {status: values.get('status') || 'all', scenario: values.get('scenario') || '', words: values.get('words') || ''};
    this.words.value = this.filter.words;
    this.scenario.value = this.filter.scenario;
    this.apply();
  }

  apply() {
    this.shown = RUNS.filter((run) => this.matches(run));
    this.body.replaceChildren(...this.shown.map((run) => this.rows.get(run)));
    this.none.hidden = this.shown.length > 0;
    for (const button of this.status.children) {
      button.setAttribute('aria-pressed', String(button.dataset.status === this.filter.status));
    }
  }
}
