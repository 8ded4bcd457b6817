// SPDX-License-Identifier: GPL-3.0-or-later
// The page of one call.

function facts(run) {
  const timing = run.timing;
  const to = run.outbound_number || run.agent_number;
  const list = [
    ['From', run.inbound_number], ['To', to], ['Began', moment(run.executed_at)],
    ['Talked for', isNumber(timing.answered_ms) ? run.duration : null],
    ['Ended', endedText(run.metadata.ended_reason)],
    ['Answered after', isNumber(timing.answered_ms) ? quantity(timing.answered_ms - (timing.invite_ms || 0), 'ms') : null],
    ['Codec', run.metadata.codec], ['Trunk', run.metadata.trunk],
    ['Attempt', run.attempt > 1 ? run.attempt : null], ['Call-ID', run.metadata.call_id],
  ];
  return h('dl', {class: 'facts'}, list.filter(([, value]) => value).map(([name, value]) =>
    h('div', {}, h('dt', {}, name), h('dd', {class: name === 'Call-ID' ? 'mono' : null}, value))));
}

/// Why it failed, before anything else.
function failureBanner(run) {
  const kind = kindOf(run);
  if (kind === 'pass' || kind === 'pending') return null;
  const failed = run.expect.filter((check) => !check.passed);
  const category = run.failure ? run.failure.category : 'agent';
  const [owner, meaning] = CATEGORY[category] || CATEGORY.agent;
  const issues = DATA.failed_reasons.issues.filter((one) => one.run_ids.includes(run.id));
  const advice = viewOf(run).advice ? [viewOf(run).advice] : [...new Set(issues.map((issue) => issue.advice))];
  const code = run.failure && run.failure.sip_status ? ` SIP ${run.failure.sip_status}.` : '';
  return h('div', {class: `banner banner-${kind}`, role: 'note'},
    h('h2', {}, reasonOf(run) || (kind === 'cancelled' ? 'It was cancelled.' : 'It failed.')),
    failed.length ? h('ul', {}, failed.map((check) => h('li', {}, h('code', {}, checkWords(check.check)),
      check.explanation ? ` \u2013 ${check.explanation}` : ''))) : null,
    kind === 'cancelled' ? null : h('p', {}, `Cause: ${owner}.${code} ${kind === 'excused' ? meaning : ''}`.trim()),
    kind === 'cancelled' ? null : advice.map((words) => h('p', {}, h('strong', {}, 'What to do: '), words)));
}

function profileCard(run) {
  const data = Object.entries(run.test_profile_data || {});
  if (!data.length) return null;
  return section('Test profile', run.test_profile_name, h('dl', {class: 'facts-list'},
    data.map(([key, value]) => [h('dt', {}, key), h('dd', {}, value)])));
}

function callPage(run, shown) {
  const index = shown.indexOf(run);
  const step = (to, name, label) => (to
    ? h('a', {class: 'tool', href: `#call-${to.id}`, title: label, 'aria-label': label}, icon(name))
    : h('span', {class: 'tool tool-off', 'aria-hidden': 'true'}, icon(name)));
  const has = viewOf(run).peaks || run.turns.length > 0;
  const timeline = has ? new Timeline(run) : null;
  const title = h('h1', {tabindex: '-1'}, run.scenario_name);
  const element = h('main', {class: 'page call-page'},
    h('nav', {class: 'crumbs', 'aria-label': 'Calls'},
      h('a', {href: '#'}, icon('back'), 'All calls'), h('span', {class: 'push'}),
      h('span', {class: 'note'}, index >= 0 ? `${index + 1} of ${shown.length}` : ''),
      step(shown[index - 1], 'back', 'Call before (k)'), step(shown[index + 1], 'next', 'Next call (j)')),
    h('header', {class: 'call-head'}, verdictBadge(kindOf(run)),
      h('div', {}, title, h('p', {class: 'variant'}, viewOf(run).variant, h('span', {class: 'id'}, `call ${run.id}`)))),
    failureBanner(run), facts(run),
    timeline ? h('section', {class: 'card card-timeline', 'aria-label': 'Timeline'}, timeline.element)
      : h('section', {class: 'card quiet'}, h('p', {}, isNumber(run.timing.answered_ms)
        ? 'There is no recording of this call.' : 'There is nothing to hear: the call was never connected.')),
    h('div', {class: 'columns'},
      h('div', {}, timeline ? transcriptCard(run, timeline) : null, ladderCard(run, timeline), rtpCard(run), lineCard(run)),
      h('div', {}, checksCard(run), metricsCard(run), engineCard(run), profileCard(run))));
  return {element, title, timeline, run};
}
