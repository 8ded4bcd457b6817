// SPDX-License-Identifier: GPL-3.0-or-later
// Numbers and names for people.

const DATA = JSON.parse(document.getElementById('data').textContent);
const RUNS = Object.values(DATA.runs).sort((a, b) => a.id - b.id);
const viewOf = (run) => DATA.view.runs[String(run.id)] || {};

const isNumber = (value) => typeof value === 'number' && Number.isFinite(value);

function trimZeros(text) {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

function number(value, unit) {
  if (!isNumber(value)) return '\u2013';
  const size = Math.abs(value);
  let decimals = size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
  if (unit === 'ms') decimals = size >= 10 ? 0 : 1;
  const [whole, rest] = trimZeros(value.toFixed(decimals)).split('.');
  return whole.replace(/\B(?=(\d{3})+(?!\d))/g, ',') + (rest ? `.${rest}` : '');
}

function quantity(value, unit) {
  if (!isNumber(value)) return '\u2013';
  if (!unit || unit === 'ratio' || unit === 'count') return number(value, unit);
  return `${number(value, unit)}\u00a0${unit === 'percent' ? '%' : unit}`;
}

const count = (n, one) => `${n} ${n === 1 ? one : `${one}s`}`;
const percent = (ratio) => (isNumber(ratio) ? `${trimZeros((ratio * 100).toFixed(1))}\u00a0%` : '\u2013');

/// 0:07.412, for positions in a call.
function clock(ms, decimals = 1) {
  const safe = Math.max(0, ms || 0);
  const seconds = (safe % 60000) / 1000;
  const text = decimals > 0 ? (Math.floor(seconds * 10 ** decimals) / 10 ** decimals).toFixed(decimals) : String(Math.floor(seconds));
  return `${Math.floor(safe / 60000)}:${text.padStart(decimals > 0 ? 3 + decimals : 2, '0')}`;
}

/// Time since the message before: ms as long as they are easy to read.
const since = (ms) => (ms >= 10000 ? `+${(ms / 1000).toFixed(1)}\u00a0s` : `+${quantity(ms, 'ms')}`);

/// 2026-03-02 09:00:03 UTC
const moment = (text) => (text ? text.replace('T', ' ').replace(/(\.\d+)?Z$/, ' UTC') : null);

function kindOf(run) {
  if (run.success === true) return 'pass';
  if (run.success === false) return 'fail';
  if (run.status === 'cancelled') return 'cancelled';
  return ['completed', 'failed', 'timeout'].includes(run.status) ? 'excused' : 'pending';
}

const metricOf = (run, key) => run.evaluation.metrics.find((metric) => metric.key === key);
const percentilesOf = (metric) => (metric && metric.extra && metric.extra.percentiles) || null;

/// "metric: latency_ms.p50, at_most: 1500" as people say it; other checks as written.
function checkWords(check) {
  const bound = /^metric: (\S+), (\w+): (.*)$/.exec(check);
  return bound ? `${bound[1]} ${bound[2].replace(/_/g, ' ')} ${bound[3]}` : check;
}

/// Why a run is not a success, in one line; empty for a success.
function reasonOf(run) {
  if (run.success === true) return '';
  const failed = run.expect.filter((check) => !check.passed);
  if (viewOf(run).by_checks) {
    return failed.length === 1 ? `Check failed: ${checkWords(failed[0].check)}` : `${failed.length} of ${run.expect.length} checks failed`;
  }
  if (run.error_message) return run.error_message;
  if (run.failure && run.failure.reason) return run.failure.reason;
  return {pending: 'not over', cancelled: 'It was cancelled'}[kindOf(run)] || '';
}

const CATEGORY = {
  agent: ['the agent', 'Counts against the agent.'],
  network: ['the network', 'Not the agent\u2019s fault: it does not count in the success rate.'],
  engine: ['linecheck itself', 'Not the agent\u2019s fault: it does not count in the success rate.'],
  provider: ['a speech provider', 'Not the agent\u2019s fault: it does not count in the success rate.'],
  configuration: ['the configuration', 'Refused before it was dialled.'],
};

const ENDED = {
  'caller ended call': 'the caller hung up', 'agent ended call': 'the agent hung up',
  'max duration': 'the longest duration was reached', 'no answer': 'nobody answered', rejected: 'it was refused',
  'server error': 'the far side had an error', redirected: 'it was sent elsewhere', timeout: 'no reply came at all',
  unresolved: 'the name was not found', transport: 'the network failed', cancelled: 'it was cancelled',
  'media not acceptable': 'no codec in common', 'not allowed': 'the allow list forbids it',
};

function endedText(reason) {
  if (!reason) return '\u2013';
  const words = reason.replace(/[-_]/g, ' ');
  return ENDED[words] || words;
}

/// What each number means, for those who have not read the manual.
const MEANING = {
  latency_ms: 'From the end of the caller\u2019s turn to the agent\u2019s first sound.',
  latency_net_ms: 'Latency without the delay that we added on purpose.',
  greeting_delay_ms: 'From the answer to the agent\u2019s first sound.',
  post_dial_delay_ms: 'From dialling to the first ringing.',
  answer_delay_ms: 'From dialling to the answer.',
  ai_interruptions: 'How often the agent began while the caller was speaking.',
  user_interruptions: 'How often the caller began while the agent was speaking.',
  stop_time_ms: 'How long the agent went on after the caller cut in. Under 500 ms feels natural.',
  interruption_score: '5 is a call in which the agent never cut in.',
  yield_rate: 'Share of the caller\u2019s interruptions that the agent gave way to within 2 s.',
  dead_air_ms: 'Stretches in which both sides were silent.',
  infrastructure_issues: 'Whether the agent failed to answer a turn at all.',
  talk_ratio: 'Share of the call in which the agent spoke.',
  speech_level_dbov: 'Loudness of the agent\u2019s speech (ITU-T P.56).',
  noise_level_dbov: 'Noise behind the agent\u2019s speech.',
  snr_db: 'Speech above noise on the agent\u2019s channel.',
  clipped_percent: 'Share of the agent\u2019s samples at full scale.',
  'mos_cqe.receive': 'Estimated quality of the line from the agent to us, 1 to 4.5 (ITU-T G.107).',
  'mos_cqe.send': 'Estimated quality of the line from us to the agent, 1 to 4.5 (ITU-T G.107).',
  'packet_loss_percent.receive': 'RTP packets from the agent that never came.',
  'jitter_ms.receive': 'Unevenness of the agent\u2019s packets (RFC 3550).',
};
